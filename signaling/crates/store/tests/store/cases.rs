//! Cases: kept, saved, numbered, journalled and listed.

use crate::world::{a_case, a_staff, at, id, the_case};
use domain::case::{Duty, State};
use futures::future::join_all;
use store::{
    StoreError, Tx,
    case::{self, After, Queue},
    dialect, staff,
};

both!(
    a_case_is_kept_whole_and_saved_from_its_version_only,
    |store| {
        w!(store, |tx| {
            a_case(tx, &the_case(1), 1).await?;
            assert_eq!(case::get(tx, &id(1)).await?, Some(the_case(1)));
            assert_eq!(case::by_session(tx, &id(1)).await?, Some(the_case(1)));
            assert_eq!(
                case::by_number(tx, &the_case(1).number).await?,
                Some(the_case(1))
            );
            assert_eq!(case::get(tx, &id(2)).await?, None);
            dialect::lock_case(tx, &id(1)).await?;
            let next = case::Case {
                state: State::Correction,
                machine: r#"{"state":"correction"}"#.into(),
                due_on: None,
                claimed_by: Some(id(7)),
                corrected: true,
                correction_enc: Some(vec![1]),
                correction_due: Some("2026-12-31".into()),
                decision_enc: Some(vec![2]),
                ..the_case(1)
            };
            assert!(case::save(tx, &next).await?);
            assert!(
                !case::save(tx, &next).await?,
                "two reviewers from the same version"
            );
            assert_eq!(
                case::get(tx, &id(1)).await?,
                Some(case::Case { version: 2, ..next })
            );
            Ok(())
        })
        .unwrap();
    }
);

both!(of_two_decisions_at_once_one_is_kept, |store| {
    w!(store, |tx| a_case(tx, &the_case(1), 1).await).unwrap();
    let jobs = [State::Granted, State::Refused].map(|state| {
        let store = store.clone();
        tokio::spawn(async move {
            w!(store, |tx| case::save(
                tx,
                &case::Case {
                    state,
                    ..the_case(1)
                }
            )
            .await)
        })
    });
    let won: Vec<_> = join_all(jobs)
        .await
        .into_iter()
        .map(|r| r.unwrap().unwrap())
        .collect();
    assert_eq!(won.iter().filter(|w| **w).count(), 1);
    let kept = w!(store, |tx| case::get(tx, &id(1)).await)
        .unwrap()
        .unwrap();
    assert_eq!(
        kept.state,
        if won[0] {
            State::Granted
        } else {
            State::Refused
        }
    );
    assert_eq!(kept.version, 2);
});

both!(a_session_becomes_one_case, |store| {
    w!(store, |tx| a_case(tx, &the_case(1), 1).await).unwrap();
    let r = w!(store, |tx| {
        case::insert(
            tx,
            &case::Case {
                id: id(2),
                number: "2".into(),
                ..the_case(1)
            },
        )
        .await
    });
    assert!(
        r.as_ref().is_err_and(|e| e.is_constraint("session")),
        "{r:?}"
    );
});

both!(
    numbers_run_from_one_under_each_prefix_without_a_gap,
    |store| {
        let jobs = (0..30).map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                w!(store, |tx| {
                    let number = case::next_number(tx, "430981-20261121").await?;
                    if n % 6 == 0 {
                        return Err(StoreError::Corrupt("not handed in after all".into()));
                    }
                    Ok(number)
                })
                .ok()
            })
        });
        let mut numbers: Vec<_> = join_all(jobs)
            .await
            .into_iter()
            .filter_map(|r| r.unwrap())
            .collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..26).collect::<Vec<_>>());
        let other = w!(store, |tx| case::next_number(tx, "430981-20261122").await);
        assert_eq!(other.unwrap(), 1);
    }
);

both!(duties_are_listed_in_order, |store| {
    w!(store, |tx| {
        a_case(tx, &the_case(1), 1).await?;
        staff::upsert(tx, &a_staff(2)).await?;
        let d = |duty, staff: i64, s: i64| case::DutyRow {
            duty,
            staff_id: id(staff),
            number_index: format!("person-{staff}"),
            at: at(s),
        };
        case::add_duty(tx, &id(1), &d(Duty::Decided, 2, 9)).await?;
        case::add_duty(tx, &id(1), &d(Duty::Guided, 1, 1)).await?;
        assert_eq!(
            case::duties(tx, &id(1)).await?,
            [d(Duty::Guided, 1, 1), d(Duty::Decided, 2, 9)]
        );
        Ok(())
    })
    .unwrap();
});

both!(a_case_s_journal_has_no_gap_however_many_write, |store| {
    w!(store, |tx| a_case(tx, &the_case(1), 1).await).unwrap();
    let jobs = (0..30).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            w!(store, |tx| {
                let payload = (n % 2 == 0).then(|| vec![n as u8]);
                let seq = case::append(tx, &id(1), at(n), "claimed", "stf", payload).await?;
                if n % 10 == 9 {
                    Err(StoreError::Corrupt("refused".into()))
                } else {
                    Ok(seq)
                }
            })
            .is_ok()
        })
    });
    let kept = join_all(jobs)
        .await
        .into_iter()
        .filter(|r| *r.as_ref().unwrap())
        .count();
    assert_eq!(kept, 27);
    w!(store, |tx| {
        let all = case::events(tx, &id(1), 0, 100).await?;
        assert_eq!(
            all.iter().map(|e| e.seq).collect::<Vec<_>>(),
            (1..28).collect::<Vec<_>>()
        );
        assert_eq!(case::events(tx, &id(1), 20, 5).await?, all[20..25]);
        assert!(all.iter().any(|e| e.payload_enc.is_none()));
        Ok(())
    })
    .unwrap();
    let r = w!(store, |tx| case::append(
        tx,
        &id(9),
        at(0),
        "claimed",
        "stf",
        None
    )
    .await);
    assert!(
        matches!(r, Err(StoreError::Constraint(_))),
        "no such case: {r:?}"
    );
});

/// All of a queue, two at a time, as the numbers of its cases.
async fn walk(tx: &mut Tx, queue: Queue, department: &str) -> Result<Vec<String>, StoreError> {
    let (mut after, mut seen) = (None, vec![]);
    loop {
        let page = case::page(tx, queue, department, after.as_ref(), 2).await?;
        assert!(page.len() <= 2 && seen.len() < 50);
        let Some(last) = page.last() else {
            return Ok(seen);
        };
        after = Some(After {
            due_on: last.due_on.clone(),
            id: last.id.clone(),
        });
        seen.extend(page.into_iter().map(|c| {
            c.number
                .trim_start_matches("43098120261121")
                .trim_start_matches('0')
                .to_owned()
        }));
    }
}

both!(work_lists_come_in_pages_the_most_urgent_first, |store| {
    w!(store, |tx| {
        let cases = [
            (1, State::InReview, Some("2026-12-20"), "health"),
            (2, State::Accepted, Some("2026-12-10"), "health"),
            (3, State::Correction, None, "health"),
            // The same day as 1: the older id first.
            (4, State::Extended, Some("2026-12-20"), "health"),
            (5, State::Suspended, None, "health"),
            (6, State::Granted, Some("2026-12-11"), "health"),
            (7, State::Issuing, Some("2026-12-09"), "health"),
            (8, State::Issued, Some("2026-12-01"), "health"),
            (9, State::Refused, Some("2026-12-30"), "health"),
            (10, State::Withdrawn, None, "health"),
            (11, State::InReview, Some("2026-12-01"), "police"),
            (12, State::Draft, None, "health"),
        ];
        for (n, state, due, department) in cases {
            let c = case::Case {
                state,
                due_on: due.map(str::to_owned),
                department: department.into(),
                correction_due: (state == State::Correction).then(|| "2026-12-31".into()),
                ..the_case(n)
            };
            a_case(tx, &c, n).await?;
        }
        assert_eq!(
            walk(tx, Queue::Review, "health").await?,
            ["2", "1", "4", "3", "5"]
        );
        assert_eq!(walk(tx, Queue::Issue, "health").await?, ["7", "6"]);
        assert_eq!(walk(tx, Queue::Done, "health").await?, ["10", "9", "8"]);
        assert_eq!(walk(tx, Queue::Review, "police").await?, ["11"]);
        assert!(walk(tx, Queue::Issue, "police").await?.is_empty());
        Ok(())
    })
    .unwrap();
});

both!(
    every_state_but_a_draft_and_before_acceptance_is_in_one_list,
    |store| {
        w!(store, |tx| {
            for (n, state) in (1..).zip(State::ALL) {
                a_case(
                    tx,
                    &case::Case {
                        state: *state,
                        correction_due: (*state == State::Correction).then(|| "2026-12-31".into()),
                        ..the_case(n)
                    },
                    n,
                )
                .await?;
            }
            let mut seen = vec![];
            for q in [Queue::Review, Queue::Issue, Queue::Done] {
                seen.extend(
                    case::page(tx, q, "health", None, 100)
                        .await?
                        .into_iter()
                        .map(|c| c.state),
                );
            }
            for state in State::ALL {
                // What nobody in a department works on yet: the counter does.
                let before = matches!(state, State::Draft | State::Received | State::PreCheck);
                let times = seen.iter().filter(|s| *s == state).count();
                assert_eq!(times, usize::from(!before), "{state}");
            }
            Ok(())
        })
        .unwrap();
    }
);

both!(an_applicant_s_cases_come_newest_first, |store| {
    w!(store, |tx| {
        for n in 1..4 {
            a_case(tx, &the_case(n), n).await?;
        }
        a_case(
            tx,
            &case::Case {
                applicant_index: "citizen-2".into(),
                ..the_case(4)
            },
            4,
        )
        .await?;
        let mine = case::of_applicant(tx, "citizen-1", 2).await?;
        assert_eq!(
            mine.iter().map(|c| c.id.clone()).collect::<Vec<_>>(),
            [id(3), id(2)]
        );
        assert_eq!(case::of_applicant(tx, "citizen-2", 9).await?.len(), 1);
        assert!(case::of_applicant(tx, "nobody", 9).await?.is_empty());
        Ok(())
    })
    .unwrap();
});

both!(a_correction_is_overdue_after_its_last_day, |store| {
    w!(store, |tx| {
        for (n, due) in [(1, "2026-12-02"), (2, "2026-12-01"), (3, "2026-12-02")] {
            let c = case::Case {
                state: State::Correction,
                correction_due: Some(due.into()),
                ..the_case(n)
            };
            a_case(tx, &c, n).await?;
        }
        a_case(tx, &the_case(4), 4).await?;
        assert_eq!(case::overdue(tx, "2026-12-02", 64).await?, [id(2)]);
        let all = [id(2), id(1), id(3)];
        assert_eq!(case::overdue(tx, "2026-12-03", 64).await?, all);
        assert_eq!(case::overdue(tx, "2026-12-03", 2).await?, all[..2]);
        Ok(())
    })
    .unwrap();
    // Neither a case that waits without an end, nor an end for one that does not wait.
    for (state, due) in [
        (State::Correction, None),
        (State::InReview, Some("2026-12-02")),
    ] {
        let r = w!(store, |tx| case::save(
            tx,
            &case::Case {
                state,
                correction_due: due.map(str::to_owned),
                ..the_case(4)
            }
        )
        .await);
        assert!(matches!(r, Err(StoreError::Constraint(_))), "{r:?}");
    }
});
