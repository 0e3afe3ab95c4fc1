//! Tickets, seats and pairings.

use crate::world::{
    T0, a_hall, a_session, a_staff, a_visit, at, hall_id, id, the_pairing, the_session, the_ticket,
};
use domain::{
    pairing::State as Pairing,
    seat::State as Seat,
    ticket::{Class, State as Ticket},
};
use store::{StoreError, Tx, dialect, pairing, seat, session, staff, ticket};

async fn waiting(
    tx: &mut Tx,
    n: i64,
    class: Class,
    head: i64,
    skill: &str,
) -> Result<(), StoreError> {
    a_visit(tx, n).await?;
    let t = ticket::Ticket {
        class,
        head,
        skill: skill.into(),
        ..the_ticket(n)
    };
    ticket::insert(tx, &t).await
}

both!(the_queue_is_class_then_head_then_first_come, |store| {
    w!(store, |tx| {
        a_hall(tx).await?;
        waiting(tx, 1, Class::Normal, 0, "general").await?;
        waiting(tx, 2, Class::Priority, 0, "general").await?;
        waiting(tx, 3, Class::Normal, -1, "general").await?;
        waiting(tx, 4, Class::Normal, 0, "general").await?;
        waiting(tx, 5, Class::Appointment, 0, "police").await?;
        dialect::lock_hall(tx, &hall_id()).await?;
        let order = |v: Vec<ticket::Ticket>| v.into_iter().map(|t| t.number).collect::<Vec<_>>();
        let general = ticket::queue_of_skill(tx, &hall_id(), "general", 64).await?;
        let expected = ["A002", "A003", "A001", "A004"];
        assert_eq!(order(general.clone()), expected);
        let two = ticket::queue_of_skill(tx, &hall_id(), "general", 2).await?;
        assert_eq!(order(two), expected[..2]);
        // What is told to each agrees with the order of service.
        for (i, t) in general.iter().enumerate() {
            assert_eq!(ticket::ahead(tx, t).await?, i as i64, "{}", t.number);
        }
        assert_eq!(ticket::waiting(tx, &hall_id()).await?.len(), 2);
        assert!(
            ticket::waiting(tx, &hall_id())
                .await?
                .contains(&("general".into(), 4, at(1)))
        );
        let mut live = ticket::in_queue(tx, &hall_id()).await?;
        live.sort();
        assert_eq!(live, (1..6).map(id).collect::<Vec<_>>());
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
            ticket::set_grace(tx, &id(n), Some(at(50))).await?;
        }
        ticket::set_grace(tx, &id(2), None).await?;
        assert!(ticket::grace_over(tx, at(49)).await?.is_empty());
        let over = ticket::grace_over(tx, at(50)).await?;
        assert_eq!(over.iter().map(|t| &t.id).collect::<Vec<_>>(), [&id(1)]);
        Ok(())
    })
    .unwrap();
});

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
        assert_eq!(seat::on_duty(tx, &hall_id()).await?, 0);
        let ready = seat::Seat {
            state: Seat::Ready,
            since: at(5),
            staff_id: Some(id(1)),
            skills: vec!["general".into()],
            ..offline.clone()
        };
        assert!(seat::save(tx, &ready).await?);
        assert!(
            !seat::save(tx, &ready).await?,
            "a second save from the same version"
        );
        assert_eq!(
            seat::ready(tx, &hall_id(), 10).await?,
            [seat::Seat {
                version: 2,
                ..ready.clone()
            }]
        );
        assert_eq!(seat::of_staff(tx, &id(1)).await?.map(|s| s.id), Some(id(1)));
        assert_eq!(seat::on_duty(tx, &hall_id()).await?, 1);
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
