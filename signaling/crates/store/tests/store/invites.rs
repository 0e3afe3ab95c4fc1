//! Invitations, transfers and notes: what is kept, and what the constraints refuse.

use crate::world::{a_session, a_staff, a_visit, at, id, the_member, the_pairing, the_ticket};
use domain::{
    invite::{Kind, State},
    seat::State as SeatState,
    session::Role,
    ticket::{Class, State as TicketState},
};
use store::{
    StoreError, Tx, hall,
    invite::{self, Invite, Note},
    pairing, seat, session, staff, ticket, visit,
};

fn an_invite(n: i64, kind: Kind) -> Invite {
    Invite {
        id: id(n),
        session_id: id(1),
        version: 1,
        kind,
        state: State::Ringing,
        target: "{}".into(),
        interpreter: true,
        by_member: id(1),
        by_staff: id(1),
        by_seat: id(1),
        seat_id: None,
        staff_id: None,
        member_id: None,
        code_hash: (kind == Kind::Guest).then(|| format!("hash-{n}")),
        asked_at: at(n),
        due_at: Some(at(n + 30)),
        decided_at: None,
        ended_at: None,
    }
}

fn to_seat(n: i64, kind: Kind, seat: i64) -> Invite {
    Invite {
        seat_id: Some(id(seat)),
        staff_id: Some(id(seat)),
        ..an_invite(n, kind)
    }
}

/// Session 1 with its agent, and a second seat with staff 2.
async fn world(tx: &mut Tx) -> Result<(), StoreError> {
    a_session(tx, 1).await?;
    session::insert_member(tx, &the_member(1, Role::Agent)).await?;
    staff::upsert(tx, &a_staff(2)).await?;
    seat::upsert(tx, &id(2), &crate::world::hall_id(), "二号", "Two", at(0)).await
}

both!(an_invitation_is_found_until_it_is_over, |store| {
    w!(store, |tx| {
        world(tx).await?;
        invite::insert(tx, &to_seat(1, Kind::Consult, 2)).await?;
        invite::insert(tx, &an_invite(2, Kind::Guest)).await?;
        assert_eq!(
            invite::get(tx, &id(1)).await?,
            Some(to_seat(1, Kind::Consult, 2))
        );
        assert_eq!(
            invite::by_code(tx, "hash-2").await?.map(|i| i.id),
            Some(id(2))
        );
        assert_eq!(invite::live(tx, &id(1)).await?.len(), 2);
        assert!(invite::due(tx, at(30)).await?.is_empty());
        assert_eq!(invite::due(tx, at(31)).await?[0].id, id(1));
        invite::set_due(tx, &id(2), None).await?;
        assert_eq!(invite::due(tx, at(99)).await?.len(), 1);
        let done = Invite {
            state: State::TimedOut,
            due_at: None,
            decided_at: Some(at(31)),
            ended_at: Some(at(31)),
            ..to_seat(1, Kind::Consult, 2)
        };
        assert!(invite::live_of_seat(tx, &id(2)).await?.is_some());
        assert!(invite::save(tx, &done).await?);
        assert!(!invite::save(tx, &done).await?, "the version has moved on");
        assert_eq!(invite::live_of_seat(tx, &id(2)).await?, None);
        assert!(invite::due(tx, at(31)).await?.is_empty());
        Ok(())
    })
    .unwrap();
});

both!(
    a_seat_helps_once_and_never_beside_a_citizen_of_its_own,
    |store| {
        w!(store, |tx| {
            world(tx).await?;
            invite::insert(tx, &to_seat(1, Kind::TransferWarm, 2)).await
        })
        .unwrap();
        for n in 0..3 {
            let r = w!(store, |tx| {
                let refused = match n {
                    0 => to_seat(3, Kind::Join, 2),
                    1 => an_invite(4, Kind::TransferCold),
                    // To oneself, and to a seat that has a citizen.
                    _ => to_seat(5, Kind::Consult, 1),
                };
                invite::insert(tx, &refused).await
            });
            assert!(matches!(r, Err(StoreError::Constraint(_))), "{n}: {r:?}");
        }
        let r = w!(store, |tx| {
            a_visit(tx, 7).await?;
            ticket::insert(tx, &the_ticket(7)).await?;
            let p = pairing::Pairing {
                seat_id: id(2),
                ..the_pairing(7)
            };
            pairing::insert(tx, &p).await
        });
        assert!(matches!(r, Err(StoreError::Constraint(_))), "{r:?}");
    }
);

both!(seat_pairing_and_ticket_go_along_with_a_transfer, |store| {
    w!(store, |tx| {
        world(tx).await?;
        assert!(
            !pairing::move_seat(tx, &id(1), &id(2)).await?,
            "not accepted"
        );
        let mut p = pairing::get(tx, &id(1)).await?.unwrap();
        let was = p.state;
        p.state = domain::pairing::State::Accepted;
        assert!(pairing::save(tx, &p, was, None, at(1)).await?);
        assert!(pairing::move_seat(tx, &id(1), &id(2)).await?);
        assert!(pairing::live_of_seat(tx, &id(1)).await?.is_none());
        assert!(pairing::live_of_seat(tx, &id(2)).await?.is_some());

        let mut t = ticket::get(tx, &id(1)).await?.unwrap();
        t.state = TicketState::Waiting;
        t.class = Class::Returned;
        t.order_at = 7;
        t.demand = "police:1".into();
        assert!(ticket::hand_over(tx, &t).await?);
        assert!(
            !ticket::hand_over(tx, &t).await?,
            "the version has moved on"
        );
        t.version += 1;
        assert_eq!(ticket::get(tx, &id(1)).await?, Some(t));

        // Whoever served keeps that, whatever they are later.
        let mut m = session::members(tx, &id(1)).await?.remove(0);
        m.role = Role::Guest;
        m.part = domain::invite::Member::Colleague;
        session::save_member(tx, &m).await?;
        assert!(session::members(tx, &id(1)).await?[0].served);
        // On its way, a session holds no seat.
        let mut s = session::get(tx, &id(1)).await?.unwrap();
        s.parked = true;
        s.ladder.asked = Some(domain::ladder::Mode::Phone);
        assert!(session::save(tx, &s).await?);
        s.version += 1;
        assert_eq!(session::get(tx, &id(1)).await?, Some(s));
        assert_eq!(session::live_of_seat(tx, &id(1)).await?, None);
        Ok(())
    })
    .unwrap();
});

/// Another hall, and staff 3 on duty at its seat 3.
async fn elsewhere(tx: &mut Tx) -> Result<(), StoreError> {
    let far = hall::Hall {
        id: id(2),
        ..crate::world::the_hall()
    };
    hall::upsert(tx, &far).await?;
    let who = staff::Staff {
        hall_id: id(2),
        ..a_staff(3)
    };
    staff::upsert(tx, &who).await?;
    seat::upsert(tx, &id(3), &id(2), "远处", "Far", at(0)).await?;
    let mut x = seat::get(tx, &id(3)).await?.unwrap();
    x.state = SeatState::Ready;
    x.staff_id = Some(id(3));
    assert!(seat::save(tx, &x).await?);
    Ok(())
}

both!(another_hall_helps_with_its_consent_alone, |store| {
    w!(store, |tx| {
        world(tx).await?;
        elsewhere(tx).await?;
        assert!(invite::seated(tx, &id(1)).await?.is_empty());
        let there = invite::seated(tx, &id(2)).await?;
        assert_eq!(there.len(), 1, "its own");
        Ok(())
    })
    .unwrap();
    let r = w!(store, |tx| {
        invite::insert(tx, &to_seat(1, Kind::Consult, 3)).await
    });
    assert!(matches!(r, Err(StoreError::Constraint(_))), "{r:?}");
    w!(store, |tx| {
        hall::set_accepts(tx, &id(2), &id(1), true).await?;
        let seen = invite::seated(tx, &id(1)).await?;
        assert_eq!(
            (seen[0].staff_id.clone(), seen[0].hall_id.clone()),
            (id(3), id(2))
        );
        invite::insert(tx, &to_seat(1, Kind::Consult, 3)).await?;
        let rings = invite::rings_between(tx, &id(2), &id(1)).await?;
        assert_eq!(rings.iter().map(|i| &i.id).collect::<Vec<_>>(), [&id(1)]);
        assert!(
            invite::rings_between(tx, &id(1), &id(2)).await?.is_empty(),
            "the other way round"
        );
        // The talk goes over to the other hall: pairing and session say so.
        let mut p = pairing::get(tx, &id(1)).await?.unwrap();
        let was = p.state;
        p.state = domain::pairing::State::Accepted;
        assert!(pairing::save(tx, &p, was, None, at(1)).await?);
        assert!(pairing::move_seat(tx, &id(1), &id(3)).await?);
        assert_eq!(pairing::get(tx, &id(1)).await?.unwrap().hall_id, id(2));
        let mut s = session::get(tx, &id(1)).await?.unwrap();
        s.hall_id = id(2);
        assert!(session::save(tx, &s).await?);
        assert_eq!(session::get(tx, &id(1)).await?.unwrap().hall_id, id(2));
        assert!(
            invite::rings_between(tx, &id(2), &id(1)).await?.is_empty(),
            "among themselves"
        );
        Ok(())
    })
    .unwrap();
});

both!(notes_and_earlier_visits_are_read_in_order, |store| {
    w!(store, |tx| {
        world(tx).await?;
        a_session(tx, 3).await?;
        for n in [1, 2] {
            let note = Note {
                id: id(n),
                session_id: id(1),
                staff_id: id(1),
                kind: "note".into(),
                at: at(n),
                text_enc: vec![n as u8],
            };
            invite::insert_note(tx, &note).await?;
        }
        let all = invite::notes(tx, &id(1), 10).await?;
        assert_eq!(
            all.iter().map(|n| n.text_enc[0]).collect::<Vec<_>>(),
            [1, 2]
        );
        assert_eq!(invite::notes(tx, &id(1), 1).await?.len(), 1);
        for n in [1, 3] {
            let (nonce, next) = (format!("nonce-{n}"), format!("next-{n}"));
            assert!(visit::identify(tx, &id(n), vec![1], "person", &next, &nonce, None).await?);
        }
        let found = session::earlier(tx, "person", &id(3), 10).await?;
        assert_eq!(
            found.iter().map(|e| e.id.clone()).collect::<Vec<_>>(),
            [id(1)]
        );
        assert!(session::earlier_cases(tx, "person", 10).await?.is_empty());
        Ok(())
    })
    .unwrap();
});
