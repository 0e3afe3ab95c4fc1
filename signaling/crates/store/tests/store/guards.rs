//! What the database itself refuses, whatever the code above it does: invariants 1, 3 and 4.

use crate::world::{
    T0, a_case, a_licence_type, a_session, a_staff, at, id, the_access, the_case, the_consent,
    the_licence, the_pairing, the_session,
};
use domain::{
    case::Duty, consent::State as Consent, pairing::State as Pairing, session::State as Session,
};
use std::{sync::Arc, time::Duration};
use store::{
    Store, StoreError, args, case, case::DutyRow, consent, licence, pairing, session, staff, ticket,
};
use tokio::{sync::Barrier, time::timeout};

both!(
    a_seat_a_visit_and_a_ticket_have_one_live_pairing_each,
    |store| {
        w!(store, |tx| {
            a_session(tx, 1).await?;
            a_session(tx, 2).await?;
            a_session(tx, 3).await
        })
        .unwrap();
        // Pairings 1..3 are live. A fourth that shares one thing with the first, and is otherwise free.
        w!(store, |tx| {
            for n in [2, 3] {
                let over = pairing::Pairing {
                    state: Pairing::Cancelled,
                    ..the_pairing(n)
                };
                assert!(pairing::save(tx, &over, Pairing::Offered, None, T0).await?);
            }
            Ok(())
        })
        .unwrap();
        for (seat, visit, ticket, word) in
            [(1, 2, 3, "seat"), (2, 1, 3, "visit"), (2, 3, 1, "ticket")]
        {
            let r = w!(store, |tx| {
                let p = pairing::Pairing {
                    id: id(9),
                    seat_id: id(seat),
                    visit_id: id(visit),
                    ticket_id: id(ticket),
                    ..the_pairing(9)
                };
                pairing::insert(tx, &p).await
            });
            assert!(
                r.as_ref().is_err_and(|e| e.is_constraint(word)),
                "{word}: {r:?}"
            );
        }
        // Accepted is as live as offered; ended is not.
        w!(store, |tx| {
            let p = pairing::Pairing {
                state: Pairing::Accepted,
                ..the_pairing(1)
            };
            assert!(pairing::save(tx, &p, Pairing::Offered, None, at(1)).await?);
            Ok(())
        })
        .unwrap();
        let second = pairing::Pairing {
            id: id(9),
            visit_id: id(2),
            ticket_id: id(2),
            ..the_pairing(1)
        };
        let s = second.clone();
        let r = store
            .write(move |tx| {
                let s = s.clone();
                Box::pin(async move { pairing::insert(tx, &s).await })
            })
            .await;
        assert!(r.is_err_and(|e: StoreError| e.is_constraint("seat")));
        store
            .write(move |tx| {
                let s = second.clone();
                Box::pin(async move {
                    let p = pairing::Pairing {
                        state: Pairing::Ended,
                        ..the_pairing(1)
                    };
                    assert!(
                        pairing::save(tx, &p, Pairing::Accepted, Some("finished"), at(2)).await?
                    );
                    pairing::insert(tx, &s).await
                })
            })
            .await
            .unwrap();
    }
);

both!(
    a_seat_and_a_visit_have_one_live_session_and_one_live_ticket,
    |store| {
        w!(store, |tx| {
            a_session(tx, 1).await?;
            a_session(tx, 2).await?;
            let s = session::Session {
                state: Session::Ended,
                ..the_session(2)
            };
            assert!(session::save(tx, &s).await?);
            // A ticket of its own for the session to come: a session's ticket is unique.
            let t = ticket::Ticket {
                state: domain::ticket::State::Closed,
                ..crate::world::the_ticket(2)
            };
            assert!(ticket::save(tx, &t, domain::ticket::State::Waiting, at(5)).await?);
            ticket::insert(
                tx,
                &ticket::Ticket {
                    id: id(9),
                    ..crate::world::the_ticket(2)
                },
            )
            .await
        })
        .unwrap();
        for (seat, visit, word) in [(1, 2, "seat"), (2, 1, "visit")] {
            let r = w!(store, |tx| {
                let s = session::Session {
                    id: id(9),
                    ticket_id: id(9),
                    seat_id: id(seat),
                    visit_id: id(visit),
                    ..the_session(1)
                };
                session::insert(tx, &s).await
            });
            assert!(
                r.as_ref().is_err_and(|e| e.is_constraint(word)),
                "{word}: {r:?}"
            );
        }
        let r = w!(store, |tx| {
            ticket::insert(
                tx,
                &ticket::Ticket {
                    id: id(8),
                    ..crate::world::the_ticket(1)
                },
            )
            .await
        });
        assert!(r.is_err_and(|e| e.is_constraint("visit")));
    }
);

fn duty(duty: Duty, staff: i64) -> DutyRow {
    DutyRow {
        duty,
        staff_id: id(staff),
        number_index: format!("person-{staff}"),
        at: T0,
    }
}

async fn a_case_and_staff(store: &Store) {
    w!(*store, |tx| {
        a_case(tx, &the_case(1), 1).await?;
        a_case(tx, &the_case(2), 2).await?;
        for n in 3..6 {
            staff::upsert(tx, &a_staff(n)).await?;
        }
        // Account 6 belongs to the person who also has account 5.
        staff::upsert(
            tx,
            &staff::Staff {
                number_index: "person-5".into(),
                ..a_staff(6)
            },
        )
        .await
    })
    .unwrap();
}

async fn add(store: &Store, case: i64, d: DutyRow) -> Result<bool, StoreError> {
    store
        .write(move |tx| {
            let d = d.clone();
            Box::pin(async move { case::add_duty(tx, &id(case), &d).await })
        })
        .await
}

fn conflict(r: &Result<bool, StoreError>) -> bool {
    r.as_ref().is_err_and(|e| e.is_constraint("duty_conflict"))
}

both!(
    the_three_duty_sets_are_disjoint_by_account_in_every_order,
    |store| {
        a_case_and_staff(&store).await;
        let sets = [
            &[Duty::Guided, Duty::Filled, Duty::Accepted][..],
            &[Duty::Reviewed, Duty::Decided],
            &[Duty::Issued],
        ];
        // Person 3 is of the first set, 4 of the second, 5 of the third: each may have all of their own set, none of another.
        for (set, person) in sets.iter().zip(3..) {
            for d in *set {
                assert!(add(&store, 1, duty(*d, person)).await.unwrap());
                // Said twice is no second row.
                assert!(!add(&store, 1, duty(*d, person)).await.unwrap());
            }
        }
        for (i, person) in (3..6).enumerate() {
            for (j, set) in sets.iter().enumerate() {
                for d in *set {
                    let r = add(&store, 1, duty(*d, person)).await;
                    assert_eq!(conflict(&r), i != j, "{d:?} by {person}: {r:?}");
                }
            }
        }
        let kept = w!(store, |tx| case::duties(tx, &id(1)).await).unwrap();
        assert_eq!(kept.len(), 6);
        assert!(kept.contains(&duty(Duty::Decided, 4)));
        // Another case is another matter.
        assert!(add(&store, 2, duty(Duty::Decided, 3)).await.unwrap());
    }
);

both!(
    a_second_account_of_the_same_person_is_refused_in_both_orders,
    |store| {
        a_case_and_staff(&store).await;
        let same = |d| DutyRow {
            number_index: "person-5".into(),
            ..duty(d, 6)
        };
        assert!(add(&store, 1, duty(Duty::Guided, 5)).await.unwrap());
        assert!(conflict(&add(&store, 1, same(Duty::Reviewed)).await));
        assert!(add(&store, 2, same(Duty::Issued)).await.unwrap());
        assert!(conflict(&add(&store, 2, duty(Duty::Guided, 5)).await));
        // The account alone is enough too, whatever number it comes with.
        let other_number = DutyRow {
            number_index: "person-x".into(),
            ..duty(Duty::Decided, 5)
        };
        assert!(conflict(&add(&store, 1, other_number).await));
    }
);

both!(duties_are_neither_changed_nor_deleted, |store| {
    a_case_and_staff(&store).await;
    assert!(add(&store, 1, duty(Duty::Guided, 3)).await.unwrap());
    for sql in [
        "UPDATE case_duties SET staff_id = $1",
        "UPDATE case_duties SET duty = 'issued', duty_set = 3 WHERE staff_id <> $1",
        "DELETE FROM case_duties WHERE staff_id <> $1",
    ] {
        let r = w!(store, |tx| tx
            .exec(sql, args![&id::<domain::id::StaffId>(4)])
            .await);
        assert!(
            r.as_ref().is_err_and(|e| e.is_constraint("duty_conflict")),
            "{sql}: {r:?}"
        );
    }
    // A duty under another set's number would slip past the trigger.
    let r = w!(store, |tx| {
        let sql = "INSERT INTO case_duties (case_id, duty, duty_set, staff_id, number_index, at) VALUES ($1, 'issued', 1, $2, 'person-3', 0)";
        tx.exec(
            sql,
            args![&id::<domain::id::CaseId>(1), &id::<domain::id::StaffId>(3)],
        )
        .await
    });
    assert!(matches!(r, Err(StoreError::Constraint(_))), "{r:?}");
    assert_eq!(
        w!(store, |tx| case::duties(tx, &id(1)).await)
            .unwrap()
            .len(),
        1
    );
});

both!(of_two_conflicting_duties_at_once_one_wins, |store| {
    a_case_and_staff(&store).await;
    let rounds = [
        (1, Duty::Accepted, Duty::Decided),
        (2, Duty::Issued, Duty::Guided),
    ];
    for (case_no, one, other) in rounds {
        let (start, both_in) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let jobs = [one, other].map(|d| {
            let (store, start, both_in) = (store.clone(), start.clone(), both_in.clone());
            tokio::spawn(async move {
                start.wait().await;
                store
                    .write(move |tx| {
                        let (d, both_in) = (duty(d, 3), both_in.clone());
                        Box::pin(async move {
                            let r = case::add_duty(tx, &id(case_no), &d).await;
                            if r.is_ok() && tx.is_postgres() {
                                // Not committed yet. If the other's row could go in beside ours, both would be here at once.
                                let _ = timeout(Duration::from_millis(300), both_in.wait()).await;
                            }
                            r
                        })
                    })
                    .await
            })
        });
        let mut won = 0;
        for j in jobs {
            let r = j.await.unwrap();
            assert!(r.is_ok() || conflict(&r), "{r:?}");
            won += i32::from(r.is_ok());
        }
        assert_eq!(won, 1);
    }
});

both!(
    a_licence_is_read_only_under_a_live_consent_of_the_session,
    |store| {
        w!(store, |tx| {
            a_session(tx, 1).await?;
            a_session(tx, 2).await?;
            a_licence_type(tx).await?;
            licence::insert(tx, &the_licence(1)).await?;
            // Session 1: consents 1 (asked), 3 (granted until 100), 4 (refused); session 2: consent 2, granted.
            consent::insert(tx, &the_consent(1)).await?;
            for (n, s, state) in [
                (2, 2, Consent::Granted),
                (3, 1, Consent::Granted),
                (4, 1, Consent::Refused),
            ] {
                let c = consent::Consent {
                    id: id(n),
                    item: format!("item-{n}"),
                    session_id: id(s),
                    ..the_consent(s)
                };
                consent::insert(tx, &c).await?;
                let c = consent::Consent {
                    state,
                    expires_at: Some(at(100)),
                    ..c
                };
                assert!(consent::save(tx, &c, Consent::Asked).await?);
            }
            Ok(())
        })
        .unwrap();
        let read = |n: i64, consent: i64, seconds: i64| {
            let store = store.clone();
            async move {
                w!(store, |tx| licence::record_access(
                    tx,
                    &the_access(n, consent, seconds)
                )
                .await)
            }
        };
        for (consent, seconds, why) in [
            (1, 0, "only asked"),
            (2, 0, "another session's"),
            (3, 100, "over"),
            (4, 0, "refused"),
            (99, 0, "unknown"),
        ] {
            let r = read(1, consent, seconds).await;
            assert!(
                r.as_ref()
                    .is_err_and(|e| e.is_constraint("consent_required")),
                "{why}: {r:?}"
            );
        }
        read(1, 3, 99).await.unwrap();
        // A purpose is needed beside the consent.
        let r = w!(store, |tx| {
            let a = licence::Access {
                purpose: String::new(),
                ..the_access(2, 3, 99)
            };
            licence::record_access(tx, &a).await
        });
        assert!(matches!(r, Err(StoreError::Constraint(_))), "{r:?}");
        w!(store, |tx| {
            let c = consent::get(tx, &id(3)).await?.unwrap();
            let used = consent::Consent {
                state: Consent::Used,
                used_at: Some(at(99)),
                ..c
            };
            assert!(consent::save(tx, &used, Consent::Granted).await?);
            Ok(())
        })
        .unwrap();
        let r = read(2, 3, 99).await;
        assert!(
            r.is_err_and(|e| e.is_constraint("consent_required")),
            "used up"
        );
    }
);
