//! Text lanes: rows of their own under a seat, held to the rules of a seat by the same constraints.

use crate::world::{T0, a_hall, a_staff, a_visit, at, hall_id, id, the_pairing, the_ticket};
use domain::{
    id::{Id as _, StaffId},
    ladder::Mode,
    seat::State as Seat,
};
use store::{StoreError, Tx, pairing, seat, staff, ticket};

/// Seat 1 with its first lane (seat 11), both ready.
async fn a_lane(tx: &mut Tx) -> Result<(seat::Seat, seat::Seat), StoreError> {
    a_hall(tx).await?;
    staff::upsert(tx, &a_staff(1)).await?;
    seat::upsert(tx, &id(1), &hall_id(), "一号席", "Seat 1", T0).await?;
    let main = seat::get(tx, &id(1)).await?.unwrap();
    seat::insert_lane(tx, &id(11), &main, 1, T0).await?;
    let lane = seat::get(tx, &id(11)).await?.unwrap();
    let sits = |s: &seat::Seat, skills: &[(&'static str, u8)]| seat::Seat {
        state: Seat::Ready,
        since: at(5),
        staff_id: Some(id(1)),
        skills: skills.iter().copied().collect(),
        takes_text: s.lane == 0,
        ..s.clone()
    };
    let (main, lane) = (
        sits(&main, &[("general", 3)]),
        sits(&lane, &[("general", 3), ("mode:text", 1)]),
    );
    assert!(seat::save(tx, &main).await? && seat::save(tx, &lane).await?);
    Ok((main, lane))
}

both!(a_lane_is_a_seat_that_no_list_of_seats_holds, |store| {
    w!(store, |tx| {
        let (main, lane) = a_lane(tx).await?;
        assert_eq!(
            (lane.name_zh.as_str(), lane.name_en.as_str(), lane.lane),
            ("一号席 · 文字1", "Seat 1 · text 1", 1)
        );
        assert_eq!(lane.main_seat.as_ref(), Some(&main.id));
        let ids = |all: Vec<seat::Seat>| all.into_iter().map(|s| s.id).collect::<Vec<_>>();
        assert_eq!(ids(seat::lanes(tx, &main.id).await?), [id(11)]);
        assert_eq!(ids(seat::lanes(tx, &lane.id).await?), []);
        assert_eq!(
            seat::main_of(tx, &lane.id).await?.map(|s| s.id),
            Some(id(1))
        );
        assert!(seat::main_of(tx, &main.id).await?.is_none());
        assert_eq!(ids(seat::of_hall(tx, &hall_id()).await?), [id(1)]);
        assert_eq!(seat::of_staff(tx, &id(1)).await?.map(|s| s.id), Some(id(1)));
        let board = store::wallboard::seats(tx, &hall_id()).await?;
        assert_eq!((board.len(), board[0].texts), (1, 0));

        // Both are found under the person's name; without its page the lane is not rung.
        let staff: StaffId = id(1);
        let of_staff = |all: Vec<seat::Ready>| all.iter().map(|s| s.lane).collect::<Vec<_>>();
        seat::hold(tx, &id(11), "n.1").await?;
        let own = seat::ready_of_staff(tx, &hall_id(), staff.as_str()).await?;
        assert_eq!(of_staff(own), [0, 1]);
        assert!(seat::silent(tx, &id(11), "n.1", at(6)).await?);
        let own = seat::ready_of_staff(tx, &hall_id(), staff.as_str()).await?;
        assert_eq!(of_staff(own), [0]);
        seat::hold(tx, &id(11), "n.2").await?;
        assert_eq!(seat::ready_skills(tx, &hall_id()).await?.len(), 2);
        let found = seat::ready(tx, &hall_id(), &lane.skills, 9).await?;
        assert_eq!(found.len(), 1);
        assert_eq!((&found[0].id, found[0].lane), (&lane.id, 1));

        // Beside a call the lane is on duty as its seat is; beside a break it is not.
        for (state, reason, duty) in [
            (Seat::Busy, None, vec![(0, Seat::Busy), (1, Seat::Away)]),
            (Seat::Away, Some("meal"), vec![]),
        ] {
            for (s, state, reason) in [(1, state, reason), (11, Seat::Away, Some("main"))] {
                let s = seat::get(tx, &id(s)).await?.unwrap();
                let s = seat::Seat {
                    state,
                    away_reason: reason.map(str::to_owned),
                    ..s
                };
                assert!(seat::save(tx, &s).await?);
            }
            let mut on_duty = seat::on_duty(tx, &hall_id()).await?;
            on_duty.sort_by_key(|s| s.lane);
            let told: Vec<_> = on_duty.iter().map(|s| (s.lane, s.state)).collect();
            assert_eq!(told, duty);
        }

        let texting = seat::Seat {
            state: Seat::Busy,
            ..seat::get(tx, &id(11)).await?.unwrap()
        };
        assert!(seat::save(tx, &texting).await?);
        let board = store::wallboard::seats(tx, &hall_id()).await?;
        assert_eq!((board.len(), board[0].texts), (1, 1));
        Ok(())
    })
    .unwrap();
});

both!(notes_are_written_where_the_session_was, |store| {
    w!(store, |tx| {
        let (_, lane) = a_lane(tx).await?;
        let lane = seat::Seat {
            state: Seat::WrapUp,
            wrap_up_session: Some(id(7)),
            ..seat::get(tx, &lane.id).await?.unwrap()
        };
        assert!(seat::save(tx, &lane).await?);
        let at_lane = seat::wrapping_up(tx, &id(1), &id(7)).await?;
        assert_eq!(at_lane.map(|s| s.id), Some(lane.id));
        assert_eq!(seat::wrapping_up(tx, &id(1), &id(8)).await?, None);
        assert_eq!(seat::wrapping_up(tx, &id(2), &id(7)).await?, None);
        Ok(())
    })
    .unwrap();
});

both!(the_constraints_of_a_seat_hold_for_each_lane, |store| {
    w!(store, |tx| {
        a_lane(tx).await?;
        for n in [1, 2] {
            a_visit(tx, n).await?;
            ticket::insert(tx, &the_ticket(n)).await?;
        }
        // The seat and its lane at once: two citizens.
        pairing::insert(tx, &the_pairing(1)).await?;
        let beside = pairing::Pairing {
            seat_id: id(11),
            ..the_pairing(2)
        };
        pairing::insert(tx, &beside).await
    })
    .unwrap();
    // A second live pairing at the lane.
    let r = w!(store, |tx| {
        a_visit(tx, 3).await?;
        ticket::insert(tx, &the_ticket(3)).await?;
        let second = pairing::Pairing {
            seat_id: id(11),
            ..the_pairing(3)
        };
        pairing::insert(tx, &second).await
    });
    assert!(
        r.as_ref().is_err_and(|e| e.is_constraint("seat")),
        "second at the lane: {r:?}"
    );
    // The same lane twice; a lane of nobody; a ninth lane; one account on two first lanes.
    let main = store
        .read(|tx| Box::pin(async move { seat::get(tx, &id(1)).await }))
        .await
        .unwrap()
        .unwrap();
    for lane in [1, 9, 0] {
        let main = main.clone();
        let r: Result<(), StoreError> = store
            .write(move |tx| {
                let main = main.clone();
                Box::pin(async move { seat::insert_lane(tx, &id(12), &main, lane, T0).await })
            })
            .await;
        assert!(
            matches!(r, Err(StoreError::Constraint(_))),
            "lane {lane}: {r:?}"
        );
    }
    let r = w!(store, |tx| {
        seat::upsert(tx, &id(2), &hall_id(), "二号席", "Seat 2", T0).await?;
        let other = seat::get(tx, &id(2)).await?.unwrap();
        seat::insert_lane(tx, &id(21), &other, 1, T0).await?;
        let stolen = seat::Seat {
            state: Seat::Ready,
            staff_id: Some(id(1)),
            ..seat::get(tx, &id(21)).await?.unwrap()
        };
        seat::save(tx, &stolen).await.map(|_| ())
    });
    assert!(matches!(r, Err(StoreError::Constraint(_))), "{r:?}");
});

both!(a_ticket_s_mode_changes_and_its_place_stays, |store| {
    w!(store, |tx| {
        a_hall(tx).await?;
        a_visit(tx, 1).await?;
        ticket::insert(tx, &the_ticket(1)).await?;
        let t = ticket::get(tx, &id(1)).await?.unwrap();
        assert_eq!(t.mode, Mode::Video);
        assert!(ticket::set_mode(tx, &t, Mode::Text).await?);
        assert!(
            !ticket::set_mode(tx, &t, Mode::Audio).await?,
            "it has changed"
        );
        let now = ticket::get(tx, &id(1)).await?.unwrap();
        assert_eq!(
            (now.mode, now.order_at, now.version),
            (Mode::Text, t.order_at, t.version + 1)
        );
        Ok(())
    })
    .unwrap();
    let r = w!(store, |tx| {
        let t = ticket::get(tx, &id(1)).await?.unwrap();
        ticket::set_mode(tx, &t, Mode::Phone).await
    });
    assert!(
        matches!(r, Err(StoreError::Constraint(_))),
        "nobody queues for the telephone: {r:?}"
    );
});
