//! Time in states, consent between halls, overflow, AB seats, notices, canned replies, and what supervisors look at.

use crate::world::{
    T0, a_hall, a_session, a_staff, at, hall_id, id, the_hall, the_member, the_pairing, the_ticket,
};
use domain::{
    id::{HallId, StaffId},
    level::Outcome,
    seat::State,
    session::Role,
    ticket::Class,
    time::Span,
};
use store::{
    hall, notice, pairing, phrase, queue, seat, seat_state, session, staff, ticket, wallboard,
};

fn other() -> hall::Hall {
    hall::Hall {
        id: id(9),
        ..the_hall()
    }
}

both!(time_in_states_has_no_gap_and_one_open_end, |store| {
    w!(store, |tx| {
        a_hall(tx).await?;
        seat::upsert(tx, &id(1), &hall_id(), "一号", "One", T0).await?;
        let who: StaffId = id(1);
        let s = id(1);
        seat_state::moved(tx, &s, State::Ready, None, Some(&who), at(10)).await?;
        seat_state::moved(tx, &s, State::Ringing, None, Some(&who), at(20)).await?;
        // Two moves at one instant: the first lasted no time.
        seat_state::moved(tx, &s, State::Busy, None, Some(&who), at(25)).await?;
        seat_state::moved(tx, &s, State::Away, Some("meal"), Some(&who), at(25)).await?;
        // A clock that steps back loses nothing and overlaps nothing.
        seat_state::moved(tx, &s, State::Ready, None, Some(&id(2)), at(22)).await?;
        let rows = seat_state::between(tx, &s, None, at(15), at(40), 99).await?;
        let told: Vec<_> = rows.iter().map(|r| (r.state, r.from, r.to)).collect();
        assert_eq!(
            told,
            [
                (State::Ready, at(10), at(20)),
                (State::Ringing, at(20), at(25)),
                (State::Ready, at(25), at(40)),
            ]
        );
        let own = seat_state::between(tx, &s, Some(&who), at(15), at(40), 99).await?;
        assert_eq!(own.len(), 2);
        Ok(())
    })
    .unwrap();
});

both!(
    a_hall_serves_another_s_citizens_only_when_it_said_so,
    |store| {
        w!(store, |tx| {
            a_hall(tx).await?;
            hall::upsert(tx, &other()).await?;
            let (here, there): (HallId, HallId) = (hall_id(), id(9));
            assert!(!hall::accepts_from(tx, &there, &here).await?);
            for _ in 0..2 {
                hall::set_accepts(tx, &there, &here, true).await?;
            }
            assert!(hall::accepts_from(tx, &there, &here).await?);
            assert!(!hall::accepts_from(tx, &here, &there).await?);
            assert_eq!(hall::accepted_by(tx, &here).await?, [other()]);
            assert_eq!(hall::accepted(tx, &there).await?, [the_hall()]);

            assert_eq!(queue::overflow_now(tx, &here, "general").await?, None);
            queue::set_overflow_now(tx, &here, "general", Some(&there)).await?;
            let now = queue::overflow_now(tx, &here, "general").await?;
            assert_eq!(now.as_ref(), Some(&there));
            assert_eq!(queue::overflows_to(tx, &here, &there).await?, ["general"]);
            queue::set_overflow_now(tx, &here, "general", None).await?;
            assert_eq!(queue::overflow_now(tx, &here, "general").await?, None);
            queue::set_overflow_now(tx, &here, "general", Some(&there)).await?;
            hall::set_accepts(tx, &there, &here, false).await?;
            assert_eq!(hall::accepted_by(tx, &here).await?, []);
            let gone = queue::overflow_now(tx, &here, "general").await?;
            assert_eq!(gone, None, "it ends with the consent");
            Ok(())
        })
        .unwrap();
        let r = w!(store, |tx| {
            queue::set_overflow_now(tx, &hall_id(), "general", Some(&id(9))).await
        });
        assert!(r.is_err(), "no consent, no overflow");
    }
);

both!(
    no_seat_is_offered_a_ticket_its_hall_does_not_serve,
    |store| {
        w!(store, |tx| {
            a_hall(tx).await?;
            hall::upsert(tx, &other()).await?;
            seat::upsert(tx, &id(1), &id(9), "一号", "One", T0).await?;
            crate::world::a_visit(tx, 1).await?;
            ticket::insert(tx, &the_ticket(1)).await
        })
        .unwrap();
        let offer = || pairing::Pairing {
            hall_id: id(9),
            ..the_pairing(1)
        };
        let r = w!(store, |tx| pairing::insert(tx, &offer()).await);
        assert!(r.is_err(), "without consent");
        // Nor under the wrong hall's name.
        let r = w!(store, |tx| pairing::insert(tx, &the_pairing(1)).await);
        assert!(r.is_err(), "without consent");
        w!(store, |tx| {
            let (here, there): (HallId, HallId) = (hall_id(), id(9));
            hall::set_accepts(tx, &there, &here, true).await?;
            pairing::insert(tx, &offer()).await?;
            assert_eq!(
                pairing::offered_between(tx, &there, &here).await?,
                [offer()]
            );
            assert_eq!(pairing::offered_between(tx, &here, &there).await?, []);
            Ok(())
        })
        .unwrap();
    }
);

both!(a_ticket_is_put_elsewhere_and_a_line_looks_anew, |store| {
    w!(store, |tx| {
        a_session(tx, 1).await?;
        crate::world::a_visit(tx, 2).await?;
        ticket::insert(tx, &the_ticket(2)).await?;
        let first = queue::first(tx, &hall_id(), "general").await?;
        assert_eq!(first, Some(at(1).micros()));
        assert_eq!(queue::first(tx, &hall_id(), "police").await?, None);
        let head = at(0).micros();
        assert!(queue::place(tx, &id(2), 1, "general", Class::Priority, head).await?);
        assert!(
            !queue::place(tx, &id(2), 1, "general", Class::Normal, 0).await?,
            "stale"
        );
        assert_eq!(queue::in_line(tx, &hall_id(), 9).await?, [id(2), id(1)]);
        assert_eq!(queue::restage(tx, &hall_id(), "general", at(5)).await?, 2);
        let due = ticket::stage_over(tx, at(5)).await?;
        assert_eq!(due.len(), 2);
        Ok(())
    })
    .unwrap();
});

both!(an_item_has_one_pair_of_two_people, |store| {
    w!(store, |tx| {
        a_hall(tx).await?;
        for n in [1, 2] {
            staff::upsert(tx, &a_staff(n)).await?;
        }
        let pair = queue::Pair {
            item: "permit".into(),
            a: id(1),
            b: id(2),
        };
        assert_eq!(queue::pair(tx, &hall_id(), "permit").await?, None);
        queue::save_pair(tx, &hall_id(), &pair).await?;
        queue::save_pair(tx, &hall_id(), &pair).await?;
        assert_eq!(
            queue::pair(tx, &hall_id(), "permit").await?,
            Some(pair.clone())
        );
        assert_eq!(queue::pairs(tx, &hall_id()).await?, [pair]);
        queue::remove_pair(tx, &hall_id(), "permit").await?;
        assert_eq!(queue::pairs(tx, &hall_id()).await?, []);
        let skills = [("police", 5)].into_iter().collect();
        assert!(staff::set_skills(tx, &id(1), &skills).await?);
        assert_eq!(staff::get(tx, &id(1)).await?.unwrap().skills, skills);
        Ok(())
    })
    .unwrap();
    let r = w!(store, |tx| {
        let same = queue::Pair {
            item: "permit".into(),
            a: id(1),
            b: id(1),
        };
        queue::save_pair(tx, &hall_id(), &same).await
    });
    assert!(r.is_err(), "one person is no pair");
});

both!(a_hall_s_people_are_its_own_by_account, |store| {
    w!(store, |tx| {
        a_hall(tx).await?;
        for n in [2, 1] {
            staff::upsert(tx, &a_staff(n)).await?;
        }
        assert_eq!(
            staff::of_hall(tx, &hall_id()).await?,
            [a_staff(1), a_staff(2)]
        );
        assert_eq!(staff::of_hall(tx, &id(9)).await?, []);
        Ok(())
    })
    .unwrap();
});

both!(words_to_a_seat_are_kept_and_read_once, |store| {
    w!(store, |tx| {
        a_hall(tx).await?;
        staff::upsert(tx, &a_staff(1)).await?;
        seat::upsert(tx, &id(1), &hall_id(), "一号", "One", T0).await?;
        notice::insert(tx, &id(1), &id(1), &id(1), "请尽快结束", at(1)).await?;
        notice::insert(tx, &id(2), &id(1), &id(1), "谢谢", at(2)).await?;
        assert!(notice::read(tx, &id(1), at(3)).await?);
        assert!(!notice::read(tx, &id(1), at(4)).await?);
        let kept = notice::get(tx, &id(1)).await?.unwrap();
        assert_eq!(
            (kept.from_name.as_str(), kept.read_at),
            ("工作人员1", Some(at(3)))
        );
        let all = notice::of_seat(tx, &id(1)).await?;
        assert_eq!(
            all.iter().map(|n| n.text.as_str()).collect::<Vec<_>>(),
            ["谢谢", "请尽快结束"]
        );
        assert_eq!(notice::sweep(tx, at(2)).await?, 1);
        assert_eq!(notice::of_seat(tx, &id(1)).await?.len(), 1);
        Ok(())
    })
    .unwrap();
});

both!(a_shortcut_is_its_owner_s_once, |store| {
    w!(store, |tx| {
        a_hall(tx).await?;
        let p = |n, shortcut: &str| phrase::Phrase {
            id: id(n),
            hall_id: hall_id(),
            owner: "someone".into(),
            text_zh: "您好".into(),
            text_en: "Hello".into(),
            shortcut: shortcut.into(),
        };
        assert!(phrase::insert(tx, &p(1, "nh")).await?);
        assert!(!phrase::insert(tx, &p(2, "nh")).await?);
        assert!(phrase::insert(tx, &p(2, "zj")).await?);
        assert!(!phrase::save(tx, &p(2, "nh")).await?);
        assert!(phrase::save(tx, &p(2, "zz")).await?);
        assert_eq!(phrase::get(tx, &id(2)).await?, Some(p(2, "zz")));
        assert_eq!(
            phrase::of_owner(tx, "someone", 9).await?,
            [p(1, "nh"), p(2, "zz")]
        );
        assert!(phrase::remove(tx, &id(1)).await?);
        assert!(!phrase::remove(tx, &id(1)).await?);
        Ok(())
    })
    .unwrap();
});

both!(
    supervisors_see_seats_sessions_and_how_the_day_went,
    |store| {
        w!(store, |tx| {
            a_session(tx, 1).await?;
            session::insert_member(tx, &the_member(1, Role::Agent)).await?;
            crate::world::a_visit(tx, 2).await?;
            let gone = ticket::Ticket {
                state: domain::ticket::State::Waiting,
                ..the_ticket(2)
            };
            ticket::insert(tx, &gone).await?;
            let left = ticket::Ticket {
                state: domain::ticket::State::Abandoned,
                ..gone
            };
            assert!(ticket::save(tx, &left, domain::ticket::State::Waiting, at(22)).await?);
            let seats = wallboard::seats(tx, &hall_id()).await?;
            assert_eq!((seats.len(), seats[0].session.clone()), (1, Some(id(1))));
            let live = wallboard::sessions(tx, &hall_id(), 9).await?;
            assert_eq!((live.len(), live[0].number.as_str()), (1, "A001"));
            let inside = wallboard::members(tx, &hall_id()).await?;
            assert_eq!((inside.len(), inside[0].1), (1, Role::Agent));
            let mut day = wallboard::day(tx, &hall_id(), T0, at(99), at(31)).await?;
            day.sort_by_key(|f| f.enqueued_at);
            let told: Vec<_> = day.iter().map(|f| (f.row.outcome, f.row.waited)).collect();
            assert_eq!(
                told,
                [
                    (Outcome::Open, Span::seconds(30)),
                    (Outcome::Abandoned, Span::seconds(20))
                ]
            );
            assert!(
                wallboard::day(tx, &hall_id(), at(50), at(99), at(99))
                    .await?
                    .is_empty()
            );
            Ok(())
        })
        .unwrap();
    }
);
