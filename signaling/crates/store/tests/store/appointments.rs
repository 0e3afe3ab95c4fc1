//! Appointments, call-backs, tickets on their way to the phone, requests that are left.

use crate::world::{a_hall, a_staff, a_visit, at, hall_id, id, the_pairing, the_ticket};
use domain::{
    appointment::State,
    callback::{CallBack, State as CallBackState},
    id::{TicketId, VisitId},
    ticket::State as Ticket,
    time::Timestamp,
};
use store::{
    StoreError, appointment, callback, carry, keys, pairing, request, seat, staff, ticket, visit,
};

fn the_appointment(n: i64, person: &str) -> appointment::Appointment {
    appointment::Appointment {
        id: id(n),
        hall_id: hall_id(),
        person: person.into(),
        queue: "general".into(),
        item: None,
        needs: vec!["slow_speech".into()],
        starts_at: at(3600),
        ends_at: at(4500),
        state: State::Booked,
        code_hash: format!("hash-{n}"),
        ticket_id: None,
        created_at: at(0),
    }
}

both!(a_slot_never_has_more_bookings_than_places, |store| {
    w!(store, |tx| {
        a_hall(tx).await?;
        let (hall, slot) = (hall_id(), at(3600));
        for expected in [true, true, false] {
            assert_eq!(
                appointment::take_place(tx, &hall, "general", slot, 2).await?,
                expected
            );
        }
        // Fewer places by now than are taken: nothing is added, nothing is lost; more: one more fits.
        assert!(!appointment::take_place(tx, &hall, "general", slot, 1).await?);
        assert!(appointment::take_place(tx, &hall, "general", slot, 3).await?);
        appointment::free_place(tx, &hall, "general", slot).await?;
        let taken = appointment::taken(tx, &hall, "general", slot, at(3601)).await?;
        assert_eq!(taken, [(slot, 2)]);
        let other = appointment::taken(tx, &hall, "police", slot, at(3601)).await?;
        assert_eq!(other, []);
        Ok(())
    })
    .unwrap();
});

both!(a_rule_is_kept_over_the_version_that_was_seen, |store| {
    w!(store, |tx| {
        a_hall(tx).await?;
        let hall = hall_id();
        assert_eq!(appointment::rule(tx, &hall, "general").await?, None);
        assert!(appointment::save_rule(tx, &hall, "general", "{}", 0).await?);
        assert!(!appointment::save_rule(tx, &hall, "general", "{1}", 0).await?);
        assert!(appointment::save_rule(tx, &hall, "general", "{2}", 1).await?);
        assert!(!appointment::save_rule(tx, &hall, "general", "{3}", 1).await?);
        let all = appointment::rules(tx, &hall).await?;
        assert_eq!((all[0].rule.as_str(), all[0].version), ("{2}", 2));
        Ok(())
    })
    .unwrap();
});

both!(a_person_has_one_live_appointment_at_a_hall, |store| {
    w!(store, |tx| {
        a_hall(tx).await?;
        a_visit(tx, 1).await?;
        ticket::insert(tx, &the_ticket(1)).await?;
        let hall = hall_id();
        let mut a = the_appointment(1, "person");
        appointment::insert(tx, &a).await?;
        assert_eq!(appointment::get(tx, &a.id).await?, Some(a.clone()));
        let found = appointment::of_code(tx, "hash-1").await?;
        assert_eq!(found, Some(a.clone()));
        let live = appointment::live_of(tx, &hall, "person").await?;
        assert_eq!(live, Some(a.clone()));
        assert_eq!(appointment::live_of(tx, &hall, "other").await?, None);
        // Timers see it: a reminder once, a release after its time.
        assert!(appointment::to_remind(tx, at(3599)).await?.is_empty());
        assert_eq!(appointment::to_remind(tx, at(3600)).await?, [a.clone()]);
        assert!(appointment::reminded(tx, &a.id, at(1)).await?);
        assert!(!appointment::reminded(tx, &a.id, at(2)).await?);
        assert!(appointment::to_remind(tx, at(3600)).await?.is_empty());
        assert!(appointment::missed(tx, at(3600)).await?.is_empty());
        assert_eq!(appointment::missed(tx, at(3601)).await?, [a.clone()]);
        // Checked in; then its ticket ends.
        a.state = State::CheckedIn;
        a.ticket_id = Some(id(1));
        assert!(appointment::save(tx, &a, State::Booked).await?);
        assert!(!appointment::save(tx, &a, State::Booked).await?);
        assert!(appointment::over(tx).await?.is_empty());
        let t = ticket::Ticket {
            state: Ticket::Closed,
            ..the_ticket(1)
        };
        ticket::save(tx, &t, Ticket::Waiting, at(9)).await?;
        let over = appointment::over(tx).await?;
        assert_eq!(over, [(a.clone(), "closed".to_owned(), None)]);
        a.state = State::Served;
        assert!(appointment::save(tx, &a, State::CheckedIn).await?);
        // A second one, now that the first is over; under another name at last.
        appointment::insert(tx, &the_appointment(2, "person")).await?;
        appointment::rename(tx, "person", "vis").await?;
        assert_eq!(appointment::of_person(tx, "vis", 9).await?.len(), 1);
        assert_eq!(appointment::of_person(tx, "person", 9).await?, [a]);
        Ok(())
    })
    .unwrap();
    let twice = w!(store, |tx| {
        appointment::insert(tx, &the_appointment(3, "vis")).await
    });
    assert!(matches!(twice, Err(StoreError::Constraint(_))), "{twice:?}");
});

both!(a_call_back_moves_from_what_it_was, |store| {
    w!(store, |tx| {
        a_hall(tx).await?;
        a_visit(tx, 1).await?;
        staff::upsert(tx, &a_staff(1)).await?;
        seat::upsert(tx, &id(1), &hall_id(), "一号", "One", at(0)).await?;
        ticket::insert(tx, &the_ticket(1)).await?;
        pairing::insert(tx, &the_pairing(1)).await?;
        let was = CallBack::default();
        let mut k = callback::Kept {
            ticket_id: id(1),
            call_back: was,
            keep_until: at(100),
        };
        assert_eq!(callback::get(tx, &id(1)).await?, None);
        callback::insert(tx, &k).await?;
        assert!(callback::over(tx, at(99)).await?.is_empty());
        assert_eq!(callback::over(tx, at(100)).await?, [k.clone()]);
        k.call_back = CallBack {
            state: CallBackState::Ringing,
            tries: 1,
            due_at: Some(at(60)),
        };
        assert!(callback::save(tx, &k, was).await?);
        assert!(!callback::save(tx, &k, was).await?);
        assert_eq!(callback::get(tx, &id(1)).await?, Some(k));
        assert!(callback::over(tx, at(100)).await?.is_empty());
        assert!(callback::ring_until(tx, &id(1), at(60)).await?);
        let p = pairing::live_of_ticket(tx, &id(1)).await?.unwrap();
        assert_eq!(p.due_at, at(60));
        assert!(!callback::ring_until(tx, &id(2), at(60)).await?);
        Ok(())
    })
    .unwrap();
});

both!(a_ticket_is_carried_to_a_visit_of_the_same_key, |store| {
    w!(store, |tx| {
        a_hall(tx).await?;
        a_visit(tx, 1).await?;
        visit::identify(tx, &id(1), vec![1], "index", "next", "nonce-1", None).await?;
        ticket::insert(tx, &the_ticket(1)).await?;
        let (ticket, old, new): (TicketId, VisitId, VisitId) = (id(1), id(1), id(2));
        carry::insert(tx, "hash", &ticket, at(600)).await?;
        assert_eq!(carry::take(tx, "hash", at(600)).await?, None, "over");
        assert_eq!(carry::take(tx, "hash", at(5)).await?, Some(ticket.clone()));
        assert_eq!(carry::take(tx, "hash", at(6)).await?, None, "used");
        let v = visit::get(tx, &old).await?.unwrap();
        let phone = visit::Visit {
            id: new.clone(),
            ..v
        };
        visit::insert(tx, &phone).await?;
        assert!(carry::carry(tx, &ticket, &old, &new, at(7), at(607)).await?);
        let t = ticket::get(tx, &ticket).await?.unwrap();
        assert_eq!((&t.visit_id, t.grace_until), (&new, Some(at(607))));
        assert!(visit::get(tx, &old).await?.unwrap().ended);
        let v = visit::get(tx, &new).await?.unwrap();
        assert_eq!(v.citizen_index.as_deref(), Some("index"));
        assert_eq!(v.identity_enc, Some(vec![1]));
        // The shared key is not due with the old visit.
        let far = Timestamp(i64::MAX / 2);
        assert!(visit::erasable(tx, far, 9).await?.is_empty());
        assert!(!carry::carry(tx, &id(9), &old, &new, at(8), at(608)).await?);
        assert_eq!(carry::sweep(tx, at(601)).await?, 1);
        Ok(())
    })
    .unwrap();
});

both!(a_request_is_answered_by_who_claimed_it, |store| {
    w!(store, |tx| {
        a_hall(tx).await?;
        for n in [1, 2] {
            staff::upsert(tx, &a_staff(n)).await?;
        }
        keys::insert(tx, &id(1), vec![1; 40], at(0)).await?;
        let q = request::Request {
            id: id(1),
            hall_id: hall_id(),
            person: "person".into(),
            queue: "general".into(),
            item: None,
            key_id: id(1),
            body_enc: vec![7],
            state: "open".into(),
            claimed_by: None,
            answer_enc: None,
            created_at: at(0),
            answered_at: None,
        };
        request::insert(tx, &q).await?;
        assert_eq!(request::get(tx, &q.id).await?, Some(q.clone()));
        assert!(request::of_hall(tx, &hall_id(), 9).await? == std::slice::from_ref(&q));
        assert!(request::claim(tx, &q.id, &id(1)).await?);
        assert!(!request::claim(tx, &q.id, &id(2)).await?);
        assert!(!request::release(tx, &q.id, &id(2)).await?);
        assert!(request::release(tx, &q.id, &id(1)).await?);
        assert!(request::claim(tx, &q.id, &id(2)).await?);
        assert!(!request::done(tx, &q.id, &id(1), vec![8], at(5), at(50)).await?);
        assert!(request::done(tx, &q.id, &id(2), vec![8], at(5), at(50)).await?);
        assert!(request::of_hall(tx, &hall_id(), 9).await?.is_empty());
        let mine = request::of_person(tx, "person", 9).await?;
        assert_eq!(mine[0].answer_enc, Some(vec![8]));
        assert_eq!(mine[0].answered_at, Some(at(5)));
        assert!(request::erasable(tx, at(49), 9).await?.is_empty());
        let due = request::erasable(tx, at(50), 9).await?;
        assert_eq!(due, [(q.id.clone(), id(1))]);
        assert!(request::settle(tx, &q.id).await?);
        assert!(!request::settle(tx, &q.id).await?);
        Ok(())
    })
    .unwrap();
});
