//! Random commands by random people on advancing days.

use super::*;
use proptest::prelude::*;

fn disjoint(case: &Case) -> bool {
    let e = case.duties.entries();
    e.iter().all(|a| {
        e.iter()
            .all(|b| a.duty.set() == b.duty.set() || !a.person.same_as(&b.person))
    }) && e
        .iter()
        .all(|a| !case.applicants.contains(&a.person.identity))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Any commands by any of six accounts of four people, on advancing days.
    #[test]
    fn random_histories_keep_the_rules(steps in prop::collection::vec((0usize..23, 0u128..8, 0i64..6), 1..60)) {
        let mut case = draft();
        let mut day = date!(2026 - 01 - 05);
        for (kind, who, days) in steps {
            day += time::Duration::days(days);
            let actor = match who {
                6 => citizen(),
                7 => Actor::System,
                n => Actor::Staff(person(n, ["a", "b", "c", "citizen", "a", "b"][n as usize])),
            };
            let kind = CmdKind::ALL[kind];
            let before = case.clone();
            match run(case.clone(), day, &actor, sample(kind)) {
                Ok((next, effects)) => {
                    prop_assert!(!before.state.is_terminal(), "{} left a terminal state", kind);
                    prop_assert!(before.state.allows(kind));
                    prop_assert!(disjoint(&next), "{}", kind);
                    if next.due != before.due {
                        prop_assert!(next.due > before.due);
                        let mover = matches!(kind, CmdKind::Accept | CmdKind::ReceiveAndAccept | CmdKind::DeemAccepted
                            | CmdKind::Extend | CmdKind::Resume | CmdKind::SubmitCorrection);
                        prop_assert!(mover, "{} moved the due date", kind);
                        let told = effects.iter().any(|e| matches!(e, Effect::DueSet { due, .. } if Some(*due) == next.due));
                        prop_assert!(told, "{} moved the due date silently", kind);
                    }
                    prop_assert!(next.due <= next.statutory_due);
                    prop_assert_eq!(next.certificate.is_some(), before.certificate.is_some() || next.state == State::Issued);
                    prop_assert_eq!(next.version, before.version + 1);
                    case = next;
                }
                Err(e) => prop_assert_eq!(e.code == "illegal_transition", !before.state.allows(kind), "{} in {}", kind, before.state),
            }
        }
    }
}
