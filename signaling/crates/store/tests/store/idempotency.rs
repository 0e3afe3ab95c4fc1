//! One answer a key (invariant 6), also when the same command comes twice at once.

use crate::world::{T0, at, id};
use futures::future::join_all;
use std::sync::Arc;
use store::{
    Store, StoreError,
    idempotency::{self, Claim},
    outbox,
};
use tokio::sync::Barrier;

const ROUTE: &str = "POST /tickets";

both!(
    a_key_is_fresh_once_then_replays_and_refuses_another_body,
    |store| {
        w!(store, |tx| {
            let fresh = idempotency::claim(tx, "vis_1", ROUTE, "k", "body-1", T0).await?;
            assert_eq!(fresh, Claim::Fresh);
            idempotency::answer(tx, "vis_1", ROUTE, "k", r#"{"id":"tkt_1"}"#).await
        })
        .unwrap();
        w!(store, |tx| {
            let replay = idempotency::claim(tx, "vis_1", ROUTE, "k", "body-1", at(9)).await?;
            assert_eq!(replay, Claim::Replay(r#"{"id":"tkt_1"}"#.into()));
            let other = idempotency::claim(tx, "vis_1", ROUTE, "k", "body-2", at(9)).await?;
            assert_eq!(other, Claim::Other);
            // Another caller or route has keys of its own.
            let theirs = idempotency::claim(tx, "vis_2", ROUTE, "k", "body-1", at(9)).await?;
            assert_eq!(theirs, Claim::Fresh);
            let elsewhere =
                idempotency::claim(tx, "vis_1", "POST /visits", "k", "body-1", at(9)).await?;
            assert_eq!(elsewhere, Claim::Fresh);
            Ok(())
        })
        .unwrap();
    }
);

both!(a_command_without_an_answer_replays_null, |store| {
    w!(store, |tx| {
        idempotency::claim(tx, "c", ROUTE, "k", "b", T0).await?;
        Ok(())
    })
    .unwrap();
    let again = w!(store, |tx| idempotency::claim(tx, "c", ROUTE, "k", "b", T0)
        .await);
    assert_eq!(again.unwrap(), Claim::Replay("null".into()));
});

both!(a_refused_command_leaves_its_key_free, |store| {
    let r: Result<(), _> = w!(store, |tx| {
        idempotency::claim(tx, "c", ROUTE, "k", "b", T0).await?;
        Err(StoreError::Corrupt("refused".into()))
    });
    assert!(r.is_err());
    let again = w!(store, |tx| idempotency::claim(
        tx,
        "c",
        ROUTE,
        "k",
        "other body",
        T0
    )
    .await);
    assert_eq!(again.unwrap(), Claim::Fresh);
});

both!(keys_are_forgotten_after_their_time, |store| {
    w!(store, |tx| {
        idempotency::claim(tx, "c", ROUTE, "old", "b", T0).await?;
        idempotency::claim(tx, "c", ROUTE, "new", "b", at(100)).await?;
        assert_eq!(idempotency::sweep(tx, at(50)).await?, 1);
        let new = idempotency::claim(tx, "c", ROUTE, "new", "b", at(100)).await?;
        assert_eq!(new, Claim::Replay("null".into()));
        let old = idempotency::claim(tx, "c", ROUTE, "old", "b", at(100)).await?;
        assert_eq!(old, Claim::Fresh);
        Ok(())
    })
    .unwrap();
});

/// As every command does it: claim, work, answer.
async fn command(store: &Store, n: i64) -> Result<(bool, String), StoreError> {
    w!(*store, |tx| {
        match idempotency::claim(tx, "c", ROUTE, "same", "body", T0).await? {
            Claim::Fresh => {
                let m = outbox::Message {
                    id: id(n),
                    at: T0,
                    nth: 0,
                    kind: "k".into(),
                    subject: "s".into(),
                    payload: "{}".into(),
                    attempts: 0,
                    seq: None,
                };
                outbox::insert(tx, &m).await?;
                let answer = format!("\"done by {n}\"");
                idempotency::answer(tx, "c", ROUTE, "same", &answer).await?;
                Ok((true, answer))
            }
            Claim::Replay(answer) => Ok((false, answer)),
            Claim::Other => Err(StoreError::Corrupt("another body".into())),
        }
    })
}

both!(
    the_same_key_at_once_works_once_and_answers_all_alike,
    |store| {
        let start = Arc::new(Barrier::new(12));
        let jobs = (0..12).map(|n| {
            let (store, start) = (store.clone(), start.clone());
            tokio::spawn(async move {
                start.wait().await;
                command(&store, n).await.unwrap()
            })
        });
        let answers: Vec<_> = join_all(jobs)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(answers.iter().filter(|(fresh, _)| *fresh).count(), 1);
        assert!(answers.iter().all(|(_, a)| *a == answers[0].1));
        let open: Result<i64, StoreError> = store
            .read(|tx| Box::pin(async move { outbox::open(tx).await }))
            .await;
        assert_eq!(open.unwrap(), 1);
    }
);
