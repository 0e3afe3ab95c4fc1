//! Tickets, seats and pairings.

use crate::world::{
    T0, a_hall, a_session, a_staff, a_visit, at, hall_id, id, the_hall, the_pairing, the_session,
    the_ticket,
};
use domain::{
    id::{HallId, Id as _, StaffId, TicketId},
    pairing::State as Pairing,
    seat::State as Seat,
    ticket::{Class, State as Ticket, order_key},
};
use store::{StoreError, Tx, dialect, hall, pairing, queue, seat, session, staff, ticket, visit};

async fn waiting(
    tx: &mut Tx,
    n: i64,
    class: Class,
    after: i64,
    demand: &str,
) -> Result<(), StoreError> {
    a_visit(tx, n).await?;
    let t = ticket::Ticket {
        class,
        enqueued_at: at(after),
        order_at: order_key(class, at(after)),
        demand: demand.into(),
        skill: demand.split(':').next().unwrap_or_default().into(),
        ..the_ticket(n)
    };
    ticket::insert(tx, &t).await
}

both!(
    tickets_that_ask_the_same_stand_in_order_of_service,
    |store| {
        w!(store, |tx| {
            a_hall(tx).await?;
            waiting(tx, 1, Class::Normal, 1, "general:1").await?;
            waiting(tx, 2, Class::Priority, 9, "general:1").await?;
            waiting(tx, 3, Class::Normal, 3, "general:1").await?;
            waiting(tx, 4, Class::Normal, 3, "general:1").await?;
            waiting(tx, 5, Class::Appointment, 5, "police:1").await?;
            dialect::lock_hall(tx, &hall_id()).await?;
            let asked = ticket::demands(tx, &hall_id()).await?;
            assert_eq!(
                asked,
                [("general:1".into(), false), ("police:1".into(), false)]
            );
            let line = async |tx: &mut Tx, n| {
                let found = ticket::of_demand(tx, &hall_id(), "general:1", false, n).await?;
                Ok::<_, StoreError>(found.into_iter().map(|t| t.0).collect::<Vec<_>>())
            };
            let expected: Vec<_> = [2, 1, 3, 4].map(id).to_vec();
            assert_eq!(line(tx, 64).await?, expected);
            assert_eq!(line(tx, 2).await?, expected[..2]);
            // What is told to each agrees with the order of service.
            for (i, t) in expected.iter().enumerate() {
                let t = ticket::get(tx, t).await?.unwrap();
                assert_eq!(ticket::ahead(tx, &t).await?, i as i64, "{}", t.number);
            }
            let all = ticket::places(tx, &hall_id()).await?;
            assert_eq!(
                all.iter().map(|l| &l.0).collect::<Vec<_>>(),
                [2, 1, 3, 4, 5]
                    .map(id::<TicketId>)
                    .iter()
                    .collect::<Vec<_>>()
            );
            assert_eq!(all[4].1, "police");
            let mut lines = ticket::lines(tx, &hall_id()).await?;
            lines.sort();
            assert_eq!(
                lines,
                [
                    ("general".to_owned(), 4, at(1)),
                    ("police".to_owned(), 1, at(5))
                ]
            );
            Ok(())
        })
        .unwrap();
    }
);

both!(
    a_demand_changes_in_time_and_another_hall_may_serve,
    |store| {
        w!(store, |tx| {
            a_hall(tx).await?;
            let other: HallId = id(9);
            hall::upsert(
                tx,
                &hall::Hall {
                    id: other.clone(),
                    ..the_hall()
                },
            )
            .await?;
            a_visit(tx, 1).await?;
            let t = ticket::Ticket {
                stage_at: Some(at(20)),
                ..the_ticket(1)
            };
            ticket::insert(tx, &t).await?;
            assert!(ticket::stage_over(tx, at(19)).await?.is_empty());
            assert!(ticket::stage_over(tx, at(20)).await? == std::slice::from_ref(&t));
            let next = ticket::Ticket {
                demand: "*".into(),
                stage_at: None,
                overflow_hall: Some(other.clone()),
                ..t.clone()
            };
            assert!(ticket::save_stage(tx, &next).await?);
            assert!(!ticket::save_stage(tx, &t).await?, "from an old version");
            assert!(ticket::stage_over(tx, at(99)).await?.is_empty());
            let there = ticket::of_demand(tx, &other, "*", true, 9).await?;
            assert!(there.is_empty(), "that hall has not consented");
            hall::set_accepts(tx, &other, &hall_id(), true).await?;
            assert_eq!(ticket::demands(tx, &other).await?, [("*".into(), true)]);
            let there = ticket::of_demand(tx, &other, "*", true, 9).await?;
            assert_eq!(there, [(id(1), t.order_at)]);
            hall::set_accepts(tx, &other, &hall_id(), false).await?;
            let there = ticket::of_demand(tx, &other, "*", true, 9).await?;
            assert!(there.is_empty(), "taken back");
            assert_eq!(
                ticket::leave_overflow(tx, &hall_id(), &other, at(30)).await?,
                1
            );
            let left = ticket::get(tx, &id(1)).await?.unwrap();
            assert_eq!((left.overflow_hall, left.stage_at), (None, Some(at(30))));
            Ok(())
        })
        .unwrap();
    }
);

both!(who_served_a_citizen_last_is_found, |store| {
    w!(store, |tx| {
        a_session(tx, 1).await?;
        assert_eq!(session::last_agent_of(tx, &hall_id(), "index").await?, None);
        assert!(visit::identify(tx, &id(1), vec![1], "index", "n2", "nonce-1", None).await?);
        assert_eq!(
            session::last_agent_of(tx, &hall_id(), "index").await?,
            Some(the_session(1).staff_id)
        );
        Ok(())
    })
    .unwrap();
});

both!(a_queue_s_rule_is_kept_from_its_version_only, |store| {
    w!(store, |tx| {
        a_hall(tx).await?;
        assert_eq!(queue::get(tx, &hall_id(), "general").await?, None);
        assert!(queue::save(tx, &hall_id(), "general", "{}", 0).await?);
        assert!(!queue::save(tx, &hall_id(), "general", "{}", 0).await?);
        assert!(queue::save(tx, &hall_id(), "general", "[]", 1).await?);
        assert!(!queue::save(tx, &hall_id(), "general", "{}", 1).await?);
        let kept = queue::get(tx, &hall_id(), "general").await?.unwrap();
        assert_eq!((kept.rule.as_str(), kept.version), ("[]", 2));
        assert_eq!(queue::of_hall(tx, &hall_id()).await?, [kept]);
        Ok(())
    })
    .unwrap();
});

both!(
    a_ticket_is_kept_whole_and_moved_by_compare_and_set,
    |store| {
        w!(store, |tx| {
            a_hall(tx).await?;
            a_visit(tx, 1).await?;
            ticket::insert(tx, &the_ticket(1)).await?;
            assert_eq!(ticket::get(tx, &id(1)).await?, Some(the_ticket(1)));
            assert_eq!(ticket::get(tx, &id(2)).await?, None);
            let offered = ticket::Ticket {
                state: Ticket::Offered,
                ..the_ticket(1)
            };
            assert!(ticket::save(tx, &offered, Ticket::Waiting, at(1)).await?);
            // Somebody else read "waiting" before: too late.
            let abandoned = ticket::Ticket {
                state: Ticket::Abandoned,
                ..the_ticket(1)
            };
            assert!(!ticket::save(tx, &abandoned, Ticket::Waiting, at(2)).await?);
            let kept = ticket::of_visit(tx, &id(1)).await?.unwrap();
            assert_eq!((kept.state, kept.version), (Ticket::Offered, 2));
            assert!(ticket::save(tx, &abandoned, Ticket::Offered, at(2)).await?);
            assert_eq!(ticket::of_visit(tx, &id(1)).await?, None);
            Ok(())
        })
        .unwrap();
    }
);

both!(a_ticket_s_grace_ends_unless_the_page_comes_back, |store| {
    w!(store, |tx| {
        a_hall(tx).await?;
        for n in [1, 2] {
            a_visit(tx, n).await?;
            ticket::insert(tx, &the_ticket(n)).await?;
            assert!(ticket::hold(tx, &id(n), &id(n), "a.old").await?);
            assert!(ticket::let_go(tx, &id(n), "a.old", Some(at(50))).await?);
        }
        assert!(
            !ticket::hold(tx, &id(2), &id(1), "b.theirs").await?,
            "another visit's"
        );
        assert!(ticket::hold(tx, &id(2), &id(2), "b.new").await?);
        let late = ticket::let_go(tx, &id(2), "a.old", Some(at(50))).await?;
        assert!(!late, "the newest page holds it");
        assert!(ticket::grace_over(tx, at(49)).await?.is_empty());
        let over = ticket::grace_over(tx, at(50)).await?;
        assert_eq!(over.iter().map(|t| &t.id).collect::<Vec<_>>(), [&id(1)]);
        Ok(())
    })
    .unwrap();
});

both!(
    a_ticket_of_a_dead_node_is_found_with_its_connection,
    |store| {
        w!(store, |tx| {
            a_hall(tx).await?;
            for (n, connection) in [(1, "gone.x"), (2, "here.y")] {
                a_visit(tx, n).await?;
                ticket::insert(tx, &the_ticket(n)).await?;
                assert!(ticket::hold(tx, &id(n), &id(n), connection).await?);
            }
            let here = store::node::Node {
                id: "here".into(),
                internal_url: String::new(),
                media_addr: String::new(),
                heartbeat: at(9),
            };
            store::node::beat(tx, &here).await?;
            let gone = [(id(1), "gone.x".to_owned())];
            assert_eq!(ticket::held_by_gone(tx, at(5), 9).await?, gone);
            assert_eq!(ticket::held_by_gone(tx, at(10), 9).await?.len(), 2);
            assert!(ticket::let_go(tx, &id(1), "gone.x", None).await?);
            assert!(ticket::held_by_gone(tx, at(5), 9).await?.is_empty());
            // A grace that runs goes on while a seat rings, and ends with the answer.
            assert!(ticket::hold(tx, &id(1), &id(1), "here.z").await?);
            assert!(ticket::let_go(tx, &id(1), "here.z", Some(at(50))).await?);
            for (was, now, grace) in [
                (Ticket::Waiting, Ticket::Offered, Some(at(50))),
                (Ticket::Offered, Ticket::Waiting, Some(at(50))),
                (Ticket::Waiting, Ticket::Paired, None),
            ] {
                let t = ticket::Ticket {
                    state: now,
                    ..the_ticket(1)
                };
                assert!(ticket::save(tx, &t, was, at(20)).await?);
                let kept = ticket::get(tx, &id(1)).await?.unwrap();
                assert_eq!(kept.grace_until, grace, "{now:?}");
            }
            Ok(())
        })
        .unwrap();
    }
);

both!(
    recent_tickets_tell_what_was_promised_waited_and_served,
    |store| {
        w!(store, |tx| {
            a_session(tx, 1).await?;
            let t = ticket::Ticket {
                state: Ticket::Offered,
                ..the_ticket(1)
            };
            ticket::save(tx, &t, Ticket::Waiting, at(2)).await?;
            let t = ticket::Ticket {
                state: Ticket::Paired,
                session_id: Some(id(1)),
                paired_at: Some(at(91)),
                ..t
            };
            ticket::save(tx, &t, Ticket::Offered, at(91)).await?;
            let s = session::Session {
                ended_at: Some(at(301)),
                state: domain::session::State::Ended,
                ..the_session(1)
            };
            assert!(session::save(tx, &s).await?);
            let recent = ticket::recent(tx, &hall_id()).await?;
            assert_eq!(recent.len(), 1);
            assert_eq!(recent[0].estimate, Some((60, 180)));
            assert_eq!(recent[0].waited_us, 90_000_000);
            assert_eq!(recent[0].served_us, Some(300_000_000));
            Ok(())
        })
        .unwrap();
    }
);

both!(a_seat_is_kept_whole_and_moved_by_compare_and_set, |store| {
    w!(store, |tx| {
        a_hall(tx).await?;
        staff::upsert(tx, &a_staff(1)).await?;
        for n in [1, 2] {
            seat::upsert(tx, &id(n), &hall_id(), "一号", "One", T0).await?;
        }
        let offline = seat::get(tx, &id(1)).await?.unwrap();
        assert_eq!((offline.state, offline.version), (Seat::Offline, 1));
        assert_eq!(seat::on_duty(tx, &hall_id()).await?, []);
        let ready = seat::Seat {
            state: Seat::Ready,
            since: at(5),
            staff_id: Some(id(1)),
            skills: [("general", 3)].into_iter().collect(),
            ..offline.clone()
        };
        assert!(seat::save(tx, &ready).await?);
        assert!(
            !seat::save(tx, &ready).await?,
            "a second save from the same version"
        );
        let seen = seat::Ready {
            id: id(1),
            staff_id: id(1),
            lane: 0,
            since: at(5),
            skills: ready.skills.clone(),
        };
        let kinds = seat::ready_skills(tx, &hall_id()).await?;
        assert_eq!(kinds, std::slice::from_ref(&ready.skills));
        let found = seat::ready(tx, &hall_id(), &kinds[0], 10).await?;
        assert_eq!(found, std::slice::from_ref(&seen));
        let staff: StaffId = id(1);
        let own = seat::ready_of_staff(tx, &hall_id(), staff.as_str()).await?;
        assert_eq!(own, [seen]);
        assert_eq!(seat::of_staff(tx, &id(1)).await?.map(|s| s.id), Some(id(1)));
        let duty = seat::on_duty(tx, &hall_id()).await?;
        assert_eq!((duty.len(), duty[0].state), (1, Seat::Ready));
        // New furniture names leave the state alone.
        seat::upsert(tx, &id(1), &hall_id(), "壹号", "First", at(9)).await?;
        let named = seat::of_hall(tx, &hall_id()).await?;
        assert_eq!(
            (named.len(), named[0].name_zh.as_str(), named[0].state),
            (2, "壹号", Seat::Ready)
        );
        Ok(())
    })
    .unwrap();
    // One account, one seat: by the database.
    let r = w!(store, |tx| {
        let other = seat::get(tx, &id(2)).await?.unwrap();
        seat::save(
            tx,
            &seat::Seat {
                state: Seat::Away,
                staff_id: Some(id(1)),
                ..other
            },
        )
        .await
    });
    assert!(r.as_ref().is_err_and(|e| e.is_constraint("staff")), "{r:?}");
});

both!(
    a_silent_seat_is_found_unless_a_newer_page_holds_it,
    |store| {
        w!(store, |tx| {
            a_hall(tx).await?;
            staff::upsert(tx, &a_staff(1)).await?;
            seat::upsert(tx, &id(1), &hall_id(), "一号", "One", T0).await?;
            let s = seat::get(tx, &id(1)).await?.unwrap();
            assert!(
                seat::save(
                    tx,
                    &seat::Seat {
                        state: Seat::Ready,
                        staff_id: Some(id(1)),
                        ..s
                    }
                )
                .await?
            );
            seat::hold(tx, &id(1), "page-1").await?;
            seat::hold(tx, &id(1), "page-2").await?;
            // The older page's end says nothing about the newer one.
            assert!(!seat::silent(tx, &id(1), "page-1", at(1)).await?);
            assert!(seat::silent(tx, &id(1), "page-2", at(1)).await?);
            assert!(seat::silent_until(tx, at(0)).await?.is_empty());
            assert_eq!(seat::silent_until(tx, at(1)).await?.len(), 1);
            seat::hold(tx, &id(1), "page-3").await?;
            assert!(seat::silent_until(tx, at(99)).await?.is_empty());
            Ok(())
        })
        .unwrap();
    }
);

both!(wrap_up_ends_by_itself, |store| {
    w!(store, |tx| {
        a_session(tx, 1).await?;
        let s = seat::get(tx, &id(1)).await?.unwrap();
        let wrap = seat::Seat {
            state: Seat::WrapUp,
            staff_id: Some(id(1)),
            due_at: Some(at(90)),
            wrap_up_session: Some(id(1)),
            away_reason: None,
            ..s
        };
        assert!(seat::save(tx, &wrap).await?);
        assert!(seat::wrap_up_over(tx, at(89)).await?.is_empty());
        let over = seat::wrap_up_over(tx, at(90)).await?;
        assert_eq!(over[0].wrap_up_session, Some(id(1)));
        Ok(())
    })
    .unwrap();
});

both!(
    a_pairing_is_found_by_what_it_joins_until_it_is_over,
    |store| {
        w!(store, |tx| {
            a_session(tx, 1).await?;
            assert_eq!(pairing::get(tx, &id(1)).await?, Some(the_pairing(1)));
            assert_eq!(
                pairing::live_of_seat(tx, &id(1)).await?,
                Some(the_pairing(1))
            );
            assert_eq!(
                pairing::live_of_ticket(tx, &id(1)).await?,
                Some(the_pairing(1))
            );
            assert!(pairing::ring_over(tx, at(30)).await?.is_empty());
            assert_eq!(pairing::ring_over(tx, at(31)).await?.len(), 1);
            let timed_out = pairing::Pairing {
                state: Pairing::TimedOut,
                ..the_pairing(1)
            };
            let accepted = pairing::Pairing {
                state: Pairing::Accepted,
                ..the_pairing(1)
            };
            assert!(pairing::save(tx, &accepted, Pairing::Offered, None, at(29)).await?);
            assert!(
                !pairing::save(tx, &timed_out, Pairing::Offered, None, at(31)).await?,
                "the answer came first"
            );
            assert!(pairing::ring_over(tx, at(99)).await?.is_empty());
            let ended = pairing::Pairing {
                state: Pairing::Ended,
                ..the_pairing(1)
            };
            assert!(pairing::save(tx, &ended, Pairing::Accepted, Some("finished"), at(99)).await?);
            assert_eq!(pairing::live_of_seat(tx, &id(1)).await?, None);
            assert_eq!(pairing::live_of_ticket(tx, &id(1)).await?, None);
            Ok(())
        })
        .unwrap();
    }
);
