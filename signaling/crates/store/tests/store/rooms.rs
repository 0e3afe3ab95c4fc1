//! Sessions, their members and their journal.

use crate::world::{a_session, at, id, the_member, the_session};
use domain::{
    id::SessionId,
    session::{Role, State},
};
use futures::future::join_all;
use store::{dialect, node, seat, session};

both!(a_session_is_found_by_ticket_visit_and_seat, |store| {
    w!(store, |tx| {
        a_session(tx, 1).await?;
        assert_eq!(session::get(tx, &id(1)).await?, Some(the_session(1)));
        assert_eq!(
            session::by_ticket(tx, &id(1)).await?.map(|s| s.id),
            Some(id(1))
        );
        assert_eq!(
            session::newest_of_visit(tx, &id(1)).await?.map(|s| s.id),
            Some(id(1))
        );
        assert_eq!(
            session::live_of_seat(tx, &id(1)).await?.map(|s| s.id),
            Some(id(1))
        );
        assert_eq!(session::live_of_seat(tx, &id(2)).await?, None);
        assert!(session::grace_over(tx, at(120)).await?.is_empty());
        assert_eq!(session::grace_over(tx, at(121)).await?.len(), 1);
        Ok(())
    })
    .unwrap();
});

both!(a_session_is_saved_from_its_version_only, |store| {
    w!(store, |tx| {
        a_session(tx, 1).await?;
        dialect::lock_session(tx, &id(1)).await?;
        let active = session::Session {
            state: State::Active,
            due_at: None,
            item: Some("permit".into()),
            item_version: Some(3),
            case_id: Some(id(1)),
            wrap_up: Some("{}".into()),
            ..the_session(1)
        };
        assert!(session::save(tx, &active).await?);
        assert!(
            !session::save(tx, &active).await?,
            "the version has moved on"
        );
        assert_eq!(
            session::get(tx, &id(1)).await?,
            Some(session::Session {
                version: 2,
                ..active.clone()
            })
        );
        session::touch(tx, &id(1)).await?;
        let seen_before_the_touch = session::Session {
            version: 2,
            ..active.clone()
        };
        assert!(!session::save(tx, &seen_before_the_touch).await?);
        let ended = session::Session {
            version: 3,
            state: State::Ended,
            end_reason: Some("finished".into()),
            ended_at: Some(at(60)),
            ..active
        };
        assert!(session::save(tx, &ended).await?);
        assert_eq!(session::live_of_seat(tx, &id(1)).await?, None);
        assert_eq!(
            session::newest_of_visit(tx, &id(1))
                .await?
                .unwrap()
                .end_reason,
            Some("finished".into())
        );
        Ok(())
    })
    .unwrap();
});

both!(the_journal_has_no_gap_however_many_write, |store| {
    w!(store, |tx| a_session(tx, 1).await).unwrap();
    let jobs = (0..40).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            w!(store, |tx| {
                let seq =
                    session::append(tx, &id(1), at(n), Some(&id(1)), "chat", vec![n as u8]).await?;
                if n % 5 == 0 {
                    // Its number must be given to another.
                    return Err(store::StoreError::Corrupt("refused".into()));
                }
                Ok(seq)
            })
            .is_ok()
        })
    });
    let kept = join_all(jobs)
        .await
        .into_iter()
        .filter(|r| *r.as_ref().unwrap())
        .count();
    assert_eq!(kept, 32);
    w!(store, |tx| {
        let all = session::events_after(tx, &id(1), 0, 100).await?;
        assert_eq!(
            all.iter().map(|e| e.seq).collect::<Vec<_>>(),
            (1..33).collect::<Vec<_>>()
        );
        let page = session::events_after(tx, &id(1), 30, 100).await?;
        assert_eq!(page, all[30..]);
        assert_eq!(session::events_after(tx, &id(1), 5, 3).await?, all[5..8]);
        assert_eq!(session::get(tx, &id(1)).await?.unwrap().seq, 32);
        Ok(())
    })
    .unwrap();
    let r = w!(store, |tx| session::append(
        tx,
        &id(2),
        at(0),
        None,
        "chat",
        vec![]
    )
    .await);
    assert!(r.is_err(), "no such session");
});

both!(members_come_drop_and_return, |store| {
    w!(store, |tx| {
        a_session(tx, 1).await?;
        let (citizen, agent) = (the_member(1, Role::Citizen), the_member(2, Role::Agent));
        session::insert_member(tx, &citizen).await?;
        session::insert_member(tx, &agent).await?;
        assert_eq!(
            session::members(tx, &id(1)).await?,
            [citizen.clone(), agent]
        );
        let here = session::Member {
            present: true,
            camera_on: true,
            joined_at: Some(at(1)),
            holder: Some("page-1".into()),
            ..citizen
        };
        session::save_member(tx, &here).await?;
        let dropped = session::Member {
            present: false,
            dropped_at: Some(at(2)),
            left_at: Some(at(3)),
            ..here
        };
        session::save_member(tx, &dropped).await?;
        assert_eq!(session::members(tx, &id(1)).await?[0], dropped);
        Ok(())
    })
    .unwrap();
    let r = w!(store, |tx| session::insert_member(
        tx,
        &the_member(3, Role::Citizen)
    )
    .await);
    assert!(
        r.is_err_and(|e| e.is_constraint("visit")),
        "one member a visit"
    );
});

both!(who_held_on_at_a_node_that_is_gone_is_found, |store| {
    w!(store, |tx| {
        a_session(tx, 1).await?;
        let beat = |n: i64, seconds: i64| node::Node {
            id: format!("nod_{n}"),
            internal_url: String::new(),
            media_addr: String::new(),
            heartbeat: at(seconds),
        };
        for n in [1, 11] {
            node::beat(tx, &beat(n, 100)).await?;
        }
        let held = |n: i64, role, holder: &str| session::Member {
            present: true,
            holder: Some(holder.into()),
            ..the_member(n, role)
        };
        for (n, role, holder) in [
            (1, Role::Citizen, "nod_1.a"),
            (2, Role::Agent, "nod_11.b"),
            (3, Role::Guest, "nod_2.c"),
        ] {
            session::insert_member(tx, &the_member(n, role)).await?;
            session::save_member(tx, &held(n, role, holder)).await?;
        }
        seat::hold(tx, &id(1), "nod_1.d").await?;
        let gone = |c: &str| vec![(id::<SessionId>(1), c.to_owned())];
        // Nothing is known of node 2; the others' rows are young enough.
        assert_eq!(
            session::held_by_gone(tx, at(99), 64).await?,
            gone("nod_2.c")
        );
        assert!(seat::held_by_gone(tx, at(99), 64).await?.is_empty());
        // Node 1 falls silent; 11 is another, whatever its name begins with.
        node::beat(tx, &beat(11, 200)).await?;
        let found = session::held_by_gone(tx, at(100), 64).await?;
        assert_eq!(found, [gone("nod_1.a"), gone("nod_2.c")].concat());
        assert_eq!(session::held_by_gone(tx, at(100), 1).await?.len(), 1);
        let seats = seat::held_by_gone(tx, at(100), 64).await?;
        assert_eq!(seats, [(id(1), "nod_1.d".to_owned())]);
        // Who was let go is not found again.
        session::save_member(tx, &the_member(1, Role::Citizen)).await?;
        assert_eq!(
            session::held_by_gone(tx, at(100), 64).await?,
            gone("nod_2.c")
        );
        seat::silent(tx, &id(1), "nod_1.d", at(101)).await?;
        assert!(seat::held_by_gone(tx, at(100), 64).await?.is_empty());
        // Rows of nodes go with age, or because a node is alone.
        assert_eq!(node::sweep(tx, at(150)).await?, 1);
        node::beat(tx, &beat(1, 300)).await?;
        assert_eq!(node::remove_others(tx, "nod_1").await?, 1);
        assert!(node::get(tx, "nod_1").await?.is_some());
        Ok(())
    })
    .unwrap();
});
