//! `Store::write`: group commit on SQLite, retries on PostgreSQL, all or nothing on both.

use crate::world::{T0, at, id};
use domain::id::NodeId;
use futures::future::join_all;
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};
use store::{Store, StoreError, Target, node, outbox};
use tokio::sync::Barrier;

fn a_node(n: i64) -> node::Node {
    node::Node {
        id: id::<NodeId>(n).to_string(),
        internal_url: "http://127.0.0.1:1".into(),
        media_addr: "127.0.0.1:2".into(),
        heartbeat: at(n),
    }
}

fn a_message(n: i64, due: i64) -> outbox::Message {
    outbox::Message {
        id: id(n),
        at: at(due),
        nth: 0,
        kind: "case.moved".into(),
        subject: "cas_x".into(),
        payload: "{}".into(),
        attempts: 0,
        seq: None,
    }
}

fn a_bug() -> Result<(), StoreError> {
    panic!("a bug in a job")
}

async fn open_messages(store: &Store) -> i64 {
    store
        .read(|tx| Box::pin(async move { outbox::open(tx).await }))
        .await
        .unwrap()
}

both!(
    many_writers_at_once_and_one_failure_disturbs_nobody,
    |store| {
        let jobs = (0..150).map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                w!(store, |tx| {
                    outbox::insert(tx, &a_message(n, 0)).await?;
                    if n % 10 == 3 {
                        // After its insert: what it wrote must go again.
                        return Err(StoreError::Corrupt(format!("job {n}")));
                    }
                    if n % 10 == 7 {
                        // A refused statement, not only a refused job.
                        outbox::insert(tx, &a_message(n, 0)).await?;
                    }
                    Ok(n)
                })
            })
        });
        for (n, done) in join_all(jobs).await.into_iter().enumerate() {
            match (n % 10, done.unwrap()) {
                (3, Err(StoreError::Corrupt(why))) => assert_eq!(why, format!("job {n}")),
                (7, Err(e)) => assert!(e.is_constraint("outbox"), "{e}"),
                (3 | 7, other) => panic!("{n}: {other:?}"),
                (_, r) => assert_eq!(r.unwrap(), n as i64),
            }
        }
        assert_eq!(open_messages(&store).await, 120);
    }
);

both!(
    a_panic_in_a_job_keeps_nothing_and_the_next_job_runs,
    |store| {
        let s = store.clone();
        let done = tokio::spawn(async move {
            w!(s, |tx| {
                outbox::insert(tx, &a_message(1, 0)).await?;
                a_bug()
            })
        })
        .await;
        match done {
            // SQLite: the writer answers for its job.
            Ok(answer) => assert!(
                matches!(answer, Err(StoreError::Unavailable(_))),
                "{answer:?}"
            ),
            // PostgreSQL: the job runs in the caller's own task.
            Err(e) => assert!(e.is_panic() && store.is_postgres()),
        }
        assert_eq!(open_messages(&store).await, 0);
        w!(store, |tx| outbox::insert(tx, &a_message(1, 0)).await).unwrap();
        assert_eq!(open_messages(&store).await, 1);
    }
);

both!(nothing_is_seen_before_the_commit, |store| {
    let (wrote, look) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (s, a, b) = (store.clone(), wrote.clone(), look.clone());
    let writer = tokio::spawn(async move {
        s.write(move |tx| {
            let (a, b) = (a.clone(), b.clone());
            Box::pin(async move {
                outbox::insert(tx, &a_message(1, 0)).await?;
                a.wait().await;
                b.wait().await;
                Ok::<_, StoreError>(())
            })
        })
        .await
    });
    wrote.wait().await;
    assert_eq!(open_messages(&store).await, 0);
    look.wait().await;
    writer.await.unwrap().unwrap();
    assert_eq!(open_messages(&store).await, 1);
});

/// Two transactions take two rows in opposite order: PostgreSQL ends one with 40P01, and it runs again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_on_postgres_is_tried_again() {
    crate::harness::on_postgres(|store| {
        Box::pin(async move {
            w!(store, |tx| {
                node::beat(tx, &a_node(1)).await?;
                node::beat(tx, &a_node(2)).await
            })
            .unwrap();
            let both_hold_one = Arc::new(Barrier::new(2));
            let runs = Arc::new(AtomicU32::new(0));
            let jobs = [(1, 2), (2, 1)].map(|(first, second)| {
                let (store, meet, runs) = (store.clone(), both_hold_one.clone(), runs.clone());
                tokio::spawn(async move {
                    let mut tries = 0;
                    store
                        .write(move |tx| {
                            tries += 1;
                            runs.fetch_add(1, Ordering::Relaxed);
                            let (again, meet) = (tries > 1, meet.clone());
                            Box::pin(async move {
                                let mut n = a_node(first);
                                n.media_addr = format!("by {first}");
                                node::beat(tx, &n).await?;
                                if !again {
                                    meet.wait().await;
                                }
                                let mut n = a_node(second);
                                n.media_addr = format!("by {first}");
                                node::beat(tx, &n).await
                            })
                        })
                        .await as Result<(), StoreError>
                })
            });
            for j in jobs {
                j.await.unwrap().unwrap();
            }
            assert_eq!(runs.load(Ordering::Relaxed), 3);
            let (a, b) = w!(store, |tx| {
                let get = |n| id::<NodeId>(n).to_string();
                Ok((
                    node::get(tx, &get(1)).await?.unwrap(),
                    node::get(tx, &get(2)).await?.unwrap(),
                ))
            })
            .unwrap();
            // Both rows by the same, the later one: no mixture.
            assert_eq!(a.media_addr, b.media_addr);
        })
    })
    .await;
}

#[tokio::test]
async fn a_sqlite_file_keeps_its_data_and_its_schema_when_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let target = Target::Sqlite(dir.path().join("t.db"));
    let store = Store::open(&target).await.unwrap();
    w!(store, |tx| outbox::insert(tx, &a_message(1, 0)).await).unwrap();
    assert!(store.healthy().await);
    store.close().await;
    assert!(!store.healthy().await);
    drop(store);
    let store = Store::open(&target).await.unwrap();
    assert_eq!(open_messages(&store).await, 1);
    store.close().await;
}

#[tokio::test]
async fn a_database_that_is_not_there_is_said_to_be_so() {
    let r = Store::open(&Target::Sqlite("/nonexistent/directory/t.db".into())).await;
    assert!(matches!(r.err(), Some(StoreError::Unavailable(_))));
    // Port 1 on loopback: nobody listens.
    let r = Store::open(&Target::Postgres("postgres://x@127.0.0.1:1/x".into())).await;
    assert!(matches!(r.err(), Some(StoreError::Unavailable(_))));
}

both!(
    the_outbox_gives_what_is_due_until_it_is_delivered,
    |store| {
        w!(store, |tx| {
            outbox::insert(tx, &a_message(1, 10)).await?;
            outbox::insert(tx, &a_message(2, 20)).await?;
            assert!(outbox::due(tx, at(99)).await?.is_empty(), "no number yet");
            let numbered = |n: i64, due: i64| outbox::Message {
                seq: Some(n - 1),
                ..a_message(n, due)
            };
            for n in [1, 2] {
                assert_eq!(outbox::next_seq(tx).await?, n - 1);
                assert!(outbox::number(tx, &id(n), n - 1).await?);
                assert!(!outbox::number(tx, &id(n), 9).await?, "numbered before");
            }
            assert_eq!(outbox::due(tx, at(15)).await?, [numbered(1, 10)]);
            outbox::later(tx, &id(1), at(30)).await?;
            assert_eq!(outbox::due(tx, at(25)).await?, [numbered(2, 20)]);
            outbox::delivered(tx, &id(2), at(25)).await?;
            assert_eq!(outbox::open(tx).await?, 1);
            let due = outbox::due(tx, at(30)).await?;
            assert_eq!((due.len(), due[0].attempts), (1, 1));
            // Delivered long ago, but the next number follows from it.
            assert_eq!(outbox::sweep(tx, at(99)).await?, 0);
            outbox::delivered(tx, &id(1), at(40)).await?;
            assert_eq!(outbox::sweep(tx, at(40)).await?, 0);
            assert_eq!(outbox::sweep(tx, at(41)).await?, 1);
            assert_eq!(outbox::next_seq(tx).await?, 2);
            Ok(())
        })
        .unwrap();
    }
);

both!(messages_are_numbered_as_they_came, |store| {
    w!(store, |tx| {
        // Ids of one moment are in no order; the place in the transaction is.
        for (n, seconds, nth) in [(1, 5, 1), (2, 5, 0), (3, 4, 0), (4, 5, 2)] {
            let m = outbox::Message {
                nth,
                ..a_message(n, seconds)
            };
            outbox::insert(tx, &m).await?;
        }
        let fresh = outbox::unsequenced(tx).await?;
        let ids: Vec<_> = fresh.into_iter().map(|m| m.id).collect();
        assert_eq!(ids, [id(3), id(2), id(1), id(4)]);
        outbox::number(tx, &id(3), 0).await?;
        assert_eq!(outbox::unsequenced(tx).await?.len(), 3);
        Ok(())
    })
    .unwrap();
    // A number is given once, whoever gives it.
    let twice = w!(store, |tx| outbox::number(tx, &id(2), 0).await);
    assert!(matches!(twice, Err(StoreError::Constraint(_))), "{twice:?}");
});

both!(nodes_beat_and_go, |store| {
    w!(store, |tx| {
        node::beat(tx, &a_node(1)).await?;
        let later = node::Node {
            heartbeat: T0 + domain::time::Span::seconds(99),
            ..a_node(1)
        };
        node::beat(tx, &later).await?;
        assert_eq!(node::get(tx, &later.id).await?, Some(later.clone()));
        node::remove(tx, &later.id).await?;
        assert_eq!(node::get(tx, &later.id).await?, None);
        Ok(())
    })
    .unwrap();
});
