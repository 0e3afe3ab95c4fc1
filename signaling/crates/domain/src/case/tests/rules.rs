//! The clock's vectors, the law's conditions, the duties.

use super::*;

#[test]
fn hand_off_receives_and_accepts_at_once() {
    let cmd = Cmd::ReceiveAndAccept {
        number: number(),
        guided: vec![person(4, "id4")],
        filled: vec![person(1, "id1")],
    };
    let (c, effects) = run(draft(), date!(2026 - 02 - 09), &staff(1), cmd).unwrap();
    assert_eq!(c.number.as_deref(), Some("43098120260209000007"));
    assert_eq!(
        (c.received_at, c.accepted_at),
        (
            Some(at(date!(2026 - 02 - 09))),
            Some(at(date!(2026 - 02 - 09)))
        )
    );
    assert_eq!(c.due, Some(date!(2026 - 03 - 13)));
    assert!(
        effects.contains(&Effect::Issue(Receipt::Received))
            && effects.contains(&Effect::Issue(Receipt::Accepted))
    );
    assert!(effects.contains(&Effect::DutyTaken {
        duty: Duty::Guided,
        person: person(4, "id4")
    }));
    assert_eq!(c.duties.entries().len(), 4);
}

#[test]
fn clock_vectors() {
    let start = |d| ok(draft(), d, &staff(1), sample(CmdKind::ReceiveAndAccept));
    assert_eq!(
        start(date!(2026 - 09 - 18)).due,
        Some(date!(2026 - 10 - 22))
    );
    let c = start(date!(2026 - 04 - 28));
    assert_eq!(c.due, Some(date!(2026 - 05 - 28)));
    let c = ok(c, date!(2026 - 04 - 29), &staff(2), Cmd::BeginReview);

    let extended = ok(
        c.clone(),
        date!(2026 - 05 - 11),
        &staff(2),
        sample(CmdKind::Extend),
    );
    assert_eq!(extended.due, Some(date!(2026 - 06 - 11)));
    assert_eq!(
        code(
            extended.clone(),
            date!(2026 - 05 - 12),
            &staff(2),
            sample(CmdKind::Extend)
        ),
        "illegal_transition"
    );

    let c = ok(
        c,
        date!(2026 - 05 - 11),
        &staff(2),
        sample(CmdKind::Suspend),
    );
    assert_eq!(
        c.days_left(at(date!(2026 - 05 - 12)), Calendar::vendored())
            .unwrap(),
        None
    );
    let c = ok(c, date!(2026 - 05 - 20), &staff(2), Cmd::Resume);
    assert_eq!(
        (c.state, c.due),
        (State::InReview, Some(date!(2026 - 06 - 08)))
    );
    assert_eq!(
        c.days_left(at(date!(2026 - 06 - 05)), Calendar::vendored())
            .unwrap(),
        Some(1)
    );

    // After an extension a suspension comes back to the extension, which stays used.
    let c = ok(
        ok(
            extended,
            date!(2026 - 05 - 12),
            &staff(2),
            sample(CmdKind::Suspend),
        ),
        date!(2026 - 05 - 13),
        &staff(2),
        Cmd::Resume,
    );
    assert_eq!(
        (c.state, c.due),
        (State::Extended, Some(date!(2026 - 06 - 12)))
    );
}

#[test]
fn promise_and_statute_are_counted_apart() {
    let term = Term {
        statutory_days: 20,
        promise_days: 5,
        extension_days_max: 10,
    };
    let c = Case::draft(CaseId::make(0, 1), vec![index("citizen")], term).unwrap();
    let c = ok(
        c,
        date!(2026 - 02 - 09),
        &staff(1),
        sample(CmdKind::ReceiveAndAccept),
    );
    assert_eq!(
        (c.due, c.statutory_due),
        (Some(date!(2026 - 02 - 14)), Some(date!(2026 - 03 - 13)))
    );
    let bad = Term {
        promise_days: 21,
        ..TERM
    };
    assert_eq!(bad.check().unwrap_err().code, "promise_exceeds_statutory");
}

#[test]
fn a_year_without_calendar_stops_acceptance_whole() {
    let got = code(
        draft(),
        date!(2026 - 12 - 25),
        &staff(1),
        sample(CmdKind::ReceiveAndAccept),
    );
    assert_eq!(got, "calendar_missing");
}

#[test]
fn correction_once_in_time_and_complete() {
    let c = case_in(State::PreCheck);
    let empty = Cmd::AskCorrection { items: vec![] };
    assert_eq!(
        code(c.clone(), date!(2026 - 02 - 10), &staff(1), empty),
        "correction_items_required"
    );
    let blank = Cmd::AskCorrection {
        items: vec![
            item(),
            CorrectionItem {
                zh: " ".into(),
                ..item()
            },
        ],
    };
    let e = run(c.clone(), date!(2026 - 02 - 10), &staff(1), blank).unwrap_err();
    assert_eq!(e.pointer.as_deref(), Some("/items/1/zh"));
    // Five working days after 9 February end on 14 February, a Saturday worked in lieu.
    assert_eq!(
        code(
            c.clone(),
            date!(2026 - 02 - 15),
            &staff(1),
            sample(CmdKind::AskCorrection)
        ),
        "correction_too_late"
    );
    let c = ok(
        c,
        date!(2026 - 02 - 14),
        &staff(1),
        sample(CmdKind::AskCorrection),
    );
    let until = c.correction.as_ref().unwrap().until;
    let late = until.next_day().unwrap();
    assert_eq!(
        code(c.clone(), until, &Actor::System, Cmd::ReturnOverdue),
        "not_overdue"
    );
    assert_eq!(
        code(c.clone(), late, &citizen(), Cmd::SubmitCorrection),
        "correction_overdue"
    );
    let c = ok(c, until, &citizen(), Cmd::SubmitCorrection);
    assert_eq!(c.state, State::PreCheck);
    assert_eq!(
        code(c, until, &staff(1), sample(CmdKind::AskCorrection)),
        "correction_already_asked"
    );
}

#[test]
fn correction_during_review_comes_back_and_stops_the_clock() {
    let c = ok(
        case_in(State::InReview),
        date!(2026 - 02 - 10),
        &staff(2),
        sample(CmdKind::AskCorrection),
    );
    let due = c.due;
    let running = Rules {
        correction_stops_clock: false,
        ..RULES
    };
    let actor = citizen();
    let ctx = Ctx {
        actor: &actor,
        calendar: Calendar::vendored(),
        rules: &running,
    };
    let (kept, _) = c
        .clone()
        .apply(at(date!(2026 - 02 - 12)), Cmd::SubmitCorrection, ctx)
        .unwrap();
    assert_eq!((kept.state, kept.due), (State::InReview, due));
    let c = ok(c, date!(2026 - 02 - 12), &actor, Cmd::SubmitCorrection);
    assert_eq!(
        (c.state, c.due),
        (State::InReview, Some(date!(2026 - 03 - 17)))
    );
    assert_eq!(
        code(
            c,
            date!(2026 - 02 - 13),
            &staff(2),
            sample(CmdKind::AskCorrection)
        ),
        "correction_already_asked"
    );
}

#[test]
fn silence_for_five_days_is_acceptance_from_receipt() {
    let c = case_in(State::Received);
    assert_eq!(
        code(
            c.clone(),
            date!(2026 - 02 - 14),
            &Actor::System,
            Cmd::DeemAccepted
        ),
        "not_overdue"
    );
    assert_eq!(
        code(
            c.clone(),
            date!(2026 - 02 - 15),
            &staff(1),
            Cmd::DeemAccepted
        ),
        "actor_not_allowed"
    );
    let c = ok(c, date!(2026 - 02 - 15), &Actor::System, Cmd::DeemAccepted);
    assert_eq!(
        (c.accepted_at, c.due),
        (Some(at(date!(2026 - 02 - 09))), Some(date!(2026 - 03 - 13)))
    );
}

#[test]
fn decisions_carry_what_the_law_asks() {
    let c = case_in(State::InReview);
    let day = date!(2026 - 02 - 10);
    assert_eq!(
        code(
            c.clone(),
            day,
            &staff(2),
            Cmd::Grant {
                opinion: "  ".into()
            }
        ),
        "opinion_required"
    );
    assert_eq!(
        code(
            c.clone(),
            day,
            &staff(2),
            Cmd::Refuse {
                reasons: String::new(),
                remedies: remedies()
            }
        ),
        "reasons_required"
    );
    let half = Remedies {
        litigation: String::new(),
        ..remedies()
    };
    assert_eq!(
        code(
            c.clone(),
            day,
            &staff(2),
            Cmd::Refuse {
                reasons: "不符合".into(),
                remedies: half
            }
        ),
        "remedies_required"
    );
    assert_eq!(
        code(
            c.clone(),
            day,
            &staff(2),
            Cmd::Grant {
                opinion: "好".repeat(4_001)
            }
        ),
        "text_too_long"
    );
    let own = Cmd::Extend {
        days: 5,
        reasons: "需核查".into(),
        approved_by: person(8, "id2"),
    };
    assert_eq!(code(c.clone(), day, &staff(2), own), "approval_required");
    let long = Cmd::Extend {
        days: 11,
        reasons: "需核查".into(),
        approved_by: person(9, "head"),
    };
    assert_eq!(code(c.clone(), day, &staff(2), long), "extension_days");
    assert_eq!(
        code(c, date!(2026 - 03 - 16), &staff(2), sample(CmdKind::Extend)),
        "extension_too_late"
    );
    assert_eq!(
        code(
            case_in(State::Granted),
            day,
            &staff(3),
            Cmd::BeginIssuing {
                deferred_missing: 1
            }
        ),
        "deferred_materials_missing"
    );
}

#[test]
fn duties_are_disjoint_by_account_and_by_identity() {
    let day = date!(2026 - 02 - 10);
    let accepted = case_in(State::Accepted);
    assert_eq!(
        code(accepted.clone(), day, &staff(1), Cmd::BeginReview),
        "duty_conflict"
    );
    // The guiding agent's second account, and the same account under another holder.
    assert_eq!(
        code(
            accepted.clone(),
            day,
            &Actor::Staff(person(77, "id1")),
            Cmd::BeginReview
        ),
        "duty_conflict"
    );
    assert_eq!(
        code(
            accepted.clone(),
            day,
            &Actor::Staff(person(1, "other")),
            Cmd::BeginReview
        ),
        "duty_conflict"
    );
    assert_eq!(
        code(
            accepted,
            day,
            &Actor::Staff(person(78, "citizen")),
            Cmd::BeginReview
        ),
        "own_case"
    );
    let granted = case_in(State::Granted);
    for n in [1, 2] {
        assert_eq!(
            code(
                granted.clone(),
                day,
                &staff(n),
                Cmd::BeginIssuing {
                    deferred_missing: 0
                }
            ),
            "duty_conflict"
        );
    }
    assert_eq!(
        code(
            case_in(State::Issuing),
            day,
            &staff(2),
            sample(CmdKind::FinishIssuing)
        ),
        "duty_conflict"
    );
    // A reviewer may not help the applicant with the correction that they asked.
    let c = ok(
        case_in(State::InReview),
        day,
        &staff(2),
        sample(CmdKind::AskCorrection),
    );
    assert_eq!(
        code(c, day, &staff(2), Cmd::Assist { filled: true }),
        "duty_conflict"
    );
    // An agent of the session who is the applicant spoils the hand-in whole.
    let cmd = Cmd::Receive {
        number: number(),
        guided: vec![person(5, "citizen")],
        filled: vec![],
    };
    assert_eq!(code(draft(), day, &staff(1), cmd), "own_case");
}

#[test]
fn stored_duties_are_proved_again() {
    let mut rows = case_in(State::Granted).duties.entries().to_vec();
    assert_eq!(Duties::from_entries(rows.clone()).unwrap().entries(), rows);
    rows.push(DutyEntry {
        duty: Duty::Issued,
        person: person(2, "id2"),
        at: at(date!(2026 - 02 - 10)),
    });
    assert_eq!(
        Duties::from_entries(rows).unwrap_err().code,
        "duty_conflict"
    );
}

#[test]
fn only_the_applicant_withdraws() {
    let c = case_in(State::InReview);
    let day = date!(2026 - 02 - 10);
    for actor in [staff(2), Actor::System, Actor::Applicant(index("stranger"))] {
        assert_eq!(
            code(c.clone(), day, &actor, sample(CmdKind::Withdraw)),
            "actor_not_allowed"
        );
    }
    assert_eq!(
        ok(c, day, &citizen(), sample(CmdKind::Withdraw)).state,
        State::Withdrawn
    );
}

#[test]
fn a_failed_issue_can_be_tried_again() {
    let day = date!(2026 - 02 - 10);
    let c = ok(
        case_in(State::Issuing),
        day,
        &Actor::System,
        sample(CmdKind::FailIssuing),
    );
    assert_eq!((c.state, &c.certificate), (State::Granted, &None));
    let (c, effects) = run(c, day, &staff(3), sample(CmdKind::BeginIssuing)).unwrap();
    assert!(effects.contains(&Effect::Render));
    let c = ok(c, day, &Actor::System, sample(CmdKind::FinishIssuing));
    assert_eq!(c.certificate, Some(certificate()));
}

#[test]
fn a_case_survives_its_own_json() {
    for s in State::ALL {
        let c = case_in(*s);
        assert_eq!(
            serde_json::from_str::<Case>(&serde_json::to_string(&c).unwrap()).unwrap(),
            c
        );
    }
    assert!(!format!("{:?}", case_in(State::Granted)).contains("citizen"));
}

#[test]
fn case_numbers() {
    assert_eq!(
        case_number("430981", date!(2026 - 11 - 21), 7).unwrap(),
        "43098120261121000007"
    );
    for (r, n) in [
        ("43098", 1),
        ("43098X", 1),
        ("430981", 0),
        ("430981", 1_000_000),
    ] {
        assert_eq!(
            case_number(r, date!(2026 - 11 - 21), n).unwrap_err().code,
            "case_number_format"
        );
    }
}
