//! Halls, booths, staff, visits, keys, the audit log and leases.

use crate::world::{
    T0, a_case, a_hall, a_session, a_staff, a_visit, at, hall_id, id, the_case, the_session,
};
use domain::time::Span;
use store::{audit, booth, hall, keys, lease, session, staff, visit};

both!(a_hall_numbers_its_tickets_from_one_each_day, |store| {
    w!(store, |tx| {
        a_hall(tx).await?;
        a_hall(tx).await?;
        assert_eq!(hall::all(tx).await?.len(), 1);
        assert_eq!(
            hall::get(tx, &hall_id()).await?.unwrap().name_zh,
            "沅江市政务服务中心"
        );
        let mut given = vec![];
        for day in ["2026-11-21", "2026-11-21", "2026-11-22"] {
            given.push(hall::next_ticket_no(tx, &hall_id(), day).await?);
        }
        assert_eq!(given, [1, 2, 1]);
        assert!(
            hall::next_ticket_no(tx, &id(9), "2026-11-21")
                .await
                .is_err()
        );
        let n = |code: &str, en: &str| hall::Named {
            code: code.into(),
            zh: "综合".into(),
            en: en.into(),
        };
        hall::upsert_skill(tx, &n("general", "Generall")).await?;
        hall::upsert_skill(tx, &n("general", "General")).await?;
        assert_eq!(hall::skills(tx).await?, [n("general", "General")]);
        hall::upsert_department(tx, &n("police", "Police")).await?;
        hall::upsert_department(tx, &n("health", "Health")).await?;
        assert_eq!(
            hall::departments(tx).await?,
            [n("health", "Health"), n("police", "Police")]
        );
        Ok(())
    })
    .unwrap();
});

both!(
    a_booth_s_nonce_is_spent_once_in_time_by_its_booth,
    |store| {
        w!(store, |tx| {
            a_hall(tx).await?;
            let b = |n: i64| booth::Booth {
                id: id(n),
                hall_id: hall_id(),
                name_zh: "云晓屋".into(),
                name_en: "Booth".into(),
                public_key: "key".into(),
                active: true,
            };
            booth::upsert(tx, &b(1)).await?;
            booth::upsert(tx, &b(2)).await?;
            assert_eq!(booth::all(tx).await?, [b(1), b(2)]);
            assert_eq!(booth::get(tx, &id(2)).await?, Some(b(2)));
            booth::insert_nonce(tx, "n", &id(1), at(60)).await?;
            assert!(
                !booth::spend_nonce(tx, "n", &id(2), at(1)).await?,
                "another booth's"
            );
            assert!(!booth::spend_nonce(tx, "n", &id(1), at(60)).await?, "over");
            assert!(booth::spend_nonce(tx, "n", &id(1), at(59)).await?);
            assert!(!booth::spend_nonce(tx, "n", &id(1), at(59)).await?, "spent");
            Ok(())
        })
        .unwrap();
    }
);

both!(
    staff_lock_after_failures_and_open_with_a_new_password,
    |store| {
        w!(store, |tx| {
            a_hall(tx).await?;
            staff::upsert(tx, &a_staff(1)).await?;
            assert_eq!(staff::get(tx, &id(1)).await?, Some(a_staff(1)));
            for _ in 0..2 {
                staff::failed(tx, &id(1), 3, at(900)).await?;
            }
            assert_eq!(
                staff::by_account(tx, "account-1")
                    .await?
                    .unwrap()
                    .locked_until,
                None
            );
            staff::failed(tx, &id(1), 3, at(900)).await?;
            let locked = staff::by_account(tx, "account-1").await?.unwrap();
            assert_eq!((locked.failures, locked.locked_until), (3, Some(at(900))));
            staff::succeeded(tx, &id(1)).await?;
            assert_eq!(staff::get(tx, &id(1)).await?, Some(a_staff(1)));
            assert!(staff::set_password(tx, "account-1", "$argon2id$new").await?);
            assert!(!staff::set_password(tx, "nobody", "$argon2id$new").await?);
            // Loaded again: all but the password follows the load.
            let renamed = staff::Staff {
                name: "新名".into(),
                ..a_staff(1)
            };
            staff::upsert(tx, &renamed).await?;
            let kept = staff::all(tx).await?;
            assert_eq!(
                (
                    kept.len(),
                    kept[0].name.as_str(),
                    kept[0].password_hash.as_str()
                ),
                (1, "新名", "$argon2id$new")
            );
            Ok(())
        })
        .unwrap();
    }
);

both!(
    a_refresh_token_is_used_once_and_dies_with_its_family,
    |store| {
        w!(store, |tx| {
            a_hall(tx).await?;
            staff::upsert(tx, &a_staff(1)).await?;
            let token = |hash: &str, ends: i64| staff::Refresh {
                hash: hash.into(),
                family: "f".into(),
                staff_id: id(1),
                expires_at: at(ends),
                used_at: None,
                revoked: false,
            };
            staff::insert_refresh(tx, &token("a", 100)).await?;
            staff::insert_refresh(tx, &token("b", 10)).await?;
            assert!(staff::use_refresh(tx, "a", at(1)).await?);
            assert!(!staff::use_refresh(tx, "a", at(2)).await?);
            assert_eq!(staff::refresh(tx, "a").await?.unwrap().used_at, Some(at(1)));
            staff::revoke_family(tx, "f").await?;
            assert!(staff::refresh(tx, "b").await?.unwrap().revoked);
            staff::insert_ws_ticket(tx, "w1", "{}", at(30)).await?;
            staff::insert_ws_ticket(tx, "w2", "{}", at(30)).await?;
            assert_eq!(
                staff::take_ws_ticket(tx, "w1", at(29)).await?,
                Some("{}".into())
            );
            assert_eq!(staff::take_ws_ticket(tx, "w1", at(29)).await?, None);
            assert_eq!(staff::take_ws_ticket(tx, "w2", at(30)).await?, None);
            staff::insert_ws_ticket(tx, "w3", "{}", at(30)).await?;
            staff::sweep(tx, at(50)).await?;
            assert_eq!(staff::refresh(tx, "b").await?, None);
            assert!(staff::refresh(tx, "a").await?.is_some());
            assert_eq!(staff::take_ws_ticket(tx, "w3", at(0)).await?, None);
            Ok(())
        })
        .unwrap();
    }
);

both!(a_visit_is_identified_by_its_own_nonce_once, |store| {
    w!(store, |tx| {
        a_hall(tx).await?;
        a_visit(tx, 1).await?;
        assert!(!visit::identify(tx, &id(1), vec![1], "person", "next", "another", None).await?);
        assert!(visit::identify(tx, &id(1), vec![1], "person", "next", "nonce-1", None).await?);
        assert!(!visit::identify(tx, &id(1), vec![2], "other", "again", "nonce-1", None).await?);
        visit::set_nonce(tx, &id(1), "fresh").await?;
        let v = visit::get(tx, &id(1)).await?.unwrap();
        assert_eq!(
            (v.identity_enc, v.citizen_index, v.card_nonce),
            (Some(vec![1]), Some("person".into()), Some("fresh".into()))
        );
        assert!(visit::end(tx, &id(1), at(9), at(99)).await?);
        assert!(!visit::end(tx, &id(1), at(9), at(99)).await?);
        let v = visit::get(tx, &id(1)).await?.unwrap();
        assert!(v.ended && v.card_nonce.is_none());
        assert!(!visit::identify(tx, &id(1), vec![2], "other", "x", "fresh", None).await?);
        Ok(())
    })
    .unwrap();
});

both!(a_destroyed_key_is_gone_for_good, |store| {
    w!(store, |tx| {
        keys::insert(tx, &id(1), vec![1, 2, 3], T0).await?;
        assert_eq!(keys::wrapped(tx, &id(1)).await?, Some(vec![1, 2, 3]));
        assert!(keys::destroy(tx, &id(1), at(1)).await?);
        assert!(!keys::destroy(tx, &id(1), at(1)).await?);
        assert_eq!(keys::wrapped(tx, &id(1)).await?, None);
        assert_eq!(keys::wrapped(tx, &id(2)).await?, None);
        Ok(())
    })
    .unwrap();
});

both!(
    a_visit_s_key_is_due_after_its_end_unless_a_case_has_it,
    |store| {
        w!(store, |tx| {
            a_case(tx, &the_case(1), 1).await?;
            for n in [2, 3] {
                a_visit(tx, n).await?;
            }
            a_session(tx, 4).await?;
            // Visits 1 and 4 stand in the queue; who has no number and does nothing has gone.
            assert_eq!(visit::lapsed(tx, at(1), 64).await?, [id(2), id(3)]);
            assert_eq!(visit::lapsed(tx, at(1), 1).await?.len(), 1);
            assert!(visit::lapsed(tx, T0, 64).await?.is_empty());
            for n in [1, 2, 4] {
                visit::end(tx, &id(n), at(10), at(100)).await?;
            }
            let over = session::Session {
                state: domain::session::State::Ended,
                ended_at: Some(at(10)),
                case_id: Some(id(1)),
                ..the_session(1)
            };
            assert!(session::save(tx, &over).await?);
            assert!(visit::erasable(tx, at(99), 64).await?.is_empty());
            // Session 4 goes on: its journal is still written.
            let due = visit::erasable(tx, at(100), 64).await?;
            assert_eq!(due, [(id(1), id(1)), (id(2), id(2))]);
            assert!(!keys::destroy_unadopted(tx, &id(1), at(100)).await?);
            assert!(keys::wrapped(tx, &id(1)).await?.is_some());
            assert!(keys::destroy_unadopted(tx, &id(2), at(100)).await?);
            assert!(!keys::destroy_unadopted(tx, &id(2), at(100)).await?);
            assert_eq!(keys::wrapped(tx, &id(2)).await?, None);
            for n in [1, 2] {
                assert!(visit::settle(tx, &id(n)).await?);
                assert!(!visit::settle(tx, &id(n)).await?);
            }
            assert!(visit::erasable(tx, at(200), 64).await?.is_empty());
            Ok(())
        })
        .unwrap();
    }
);

both!(audit_entries_are_numbered_once_and_without_a_gap, |store| {
    w!(store, |tx| {
        let entry = |n: i64| audit::Entry {
            id: id(n),
            at: at(n),
            actor: "stf".into(),
            action: "case.grant".into(),
            object: format!("cas_{}", n % 2),
            detail: "{}".into(),
            seq: None,
            leaf: None,
        };
        for n in [2, 1, 3] {
            audit::insert(tx, &entry(n)).await?;
        }
        assert_eq!(
            audit::unsequenced(tx).await?,
            [entry(1), entry(2), entry(3)]
        );
        assert_eq!(audit::next_seq(tx).await?, 0);
        for (seq, n) in [(0, 1), (1, 2)] {
            assert!(audit::number(tx, &id(n), seq, "leaf").await?);
            assert!(
                !audit::number(tx, &id(n), 9, "leaf").await?,
                "numbered before"
            );
        }
        assert_eq!(audit::next_seq(tx).await?, 2);
        assert_eq!(audit::unsequenced(tx).await?.len(), 1);
        let newest = audit::last(tx, "cas_1", "case.grant").await?;
        assert_eq!(newest.map(|e| e.id), Some(entry(3).id));
        assert_eq!(audit::last(tx, "x", "nothing").await?, None);
        let page = audit::page(tx, 1, 10).await?;
        assert_eq!(
            (page.len(), page[0].seq, page[0].leaf.as_deref()),
            (1, Some(1), Some("leaf"))
        );
        assert_eq!(audit::of_object(tx, "cas_1").await?.len(), 2);
        let c = audit::Checkpoint {
            size: 2,
            root: "r".into(),
            at: at(4),
            signature: "s".into(),
        };
        audit::insert_checkpoint(tx, &c).await?;
        audit::insert_checkpoint(tx, &c).await?;
        assert_eq!(audit::checkpoints(tx).await?, [c]);
        Ok(())
    })
    .unwrap();
});

both!(a_lease_passes_on_with_a_higher_epoch, |store| {
    w!(store, |tx| {
        let life = Span::seconds(10);
        let first = lease::take(tx, "timers", "a", at(0), life).await?.unwrap();
        assert_eq!(
            (first.holder.as_str(), first.epoch, first.expires_at),
            ("a", 1, at(10))
        );
        assert_eq!(lease::take(tx, "timers", "b", at(5), life).await?, None);
        let renewed = lease::take(tx, "timers", "a", at(5), life).await?.unwrap();
        assert_eq!((renewed.epoch, renewed.expires_at), (1, at(15)));
        // The holder fell silent: the next one's epoch tells its writes from the old one's.
        let second = lease::take(tx, "timers", "b", at(16), life).await?.unwrap();
        assert_eq!((second.holder.as_str(), second.epoch), ("b", 2));
        assert_eq!(lease::take(tx, "timers", "a", at(17), life).await?, None);
        // The same holder after a lapse is a new term too.
        let again = lease::take(tx, "timers", "b", at(99), life).await?.unwrap();
        assert_eq!(again.epoch, 3);
        lease::release(tx, "timers", "a").await?;
        assert_eq!(lease::get(tx, "timers").await?, Some(again));
        lease::release(tx, "timers", "b").await?;
        assert_eq!(lease::get(tx, "timers").await?, None);
        lease::take(tx, "room", "a", at(0), life).await?;
        lease::sweep(tx, at(50)).await?;
        assert_eq!(lease::get(tx, "room").await?, None);
        Ok(())
    })
    .unwrap();
});

both!(of_many_that_want_a_lease_one_gets_it, |store| {
    let jobs = (0..10).map(|n: i64| {
        let store = store.clone();
        tokio::spawn(async move {
            w!(store, |tx| {
                let holder = format!("node-{n}");
                lease::take(tx, "sequencer", &holder, at(0), Span::seconds(10)).await
            })
        })
    });
    let won: Vec<_> = futures::future::join_all(jobs)
        .await
        .into_iter()
        .filter_map(|r| r.unwrap().unwrap())
        .collect();
    assert_eq!(won.len(), 1);
    let held = w!(store, |tx| lease::get(tx, "sequencer").await).unwrap();
    assert_eq!(held, Some(won[0].clone()));
});
