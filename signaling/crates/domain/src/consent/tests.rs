//! The whole table of the consent machine, its owners and its bounds.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::id::Id;
use crate::time::Span;
use proptest::prelude::*;

const T0: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn scope() -> Scope {
    Scope {
        session: SessionId::make(1, 1),
        visit: VisitId::make(1, 1),
        item: "no-criminal-record".into(),
        item_version: 1,
        purpose: Purpose::Prefill,
        licence_type: "11100000000013338W011".into(),
        attributes: vec!["name".into(), "address".into()],
        asked_by: MemberId::make(1, 1),
        policy_version: "2026-11".into(),
    }
}
fn asked() -> Consent {
    Consent::ask(ConsentId::make(1, 1), scope(), true, T0).unwrap()
}
fn citizen() -> Who {
    Who::Citizen {
        session: SessionId::make(1, 1),
        visit: VisitId::make(1, 1),
    }
}
fn agent() -> Who {
    Who::Agent {
        session: SessionId::make(1, 1),
    }
}
fn use_it(attributes: &[&str]) -> Cmd {
    Cmd::Use {
        purpose: Purpose::Prefill,
        licence_type: "11100000000013338W011".into(),
        attributes: attributes.iter().map(|a| (*a).to_owned()).collect(),
    }
}
fn code(r: Result<(Consent, Effect), Rejected>) -> &'static str {
    r.unwrap_err().code
}

#[test]
fn every_state_and_command() {
    let at = |state| Consent {
        state,
        expires_at: Some(T0 + CONSENT_LIFE),
        ..asked()
    };
    let table: &[(State, [Option<State>; 5])] = &[
        // Grant, Refuse, Withdraw, Use, Lapse
        (
            State::Asked,
            [
                Some(State::Granted),
                Some(State::Refused),
                None,
                None,
                Some(State::Refused),
            ],
        ),
        (
            State::Granted,
            [
                None,
                None,
                Some(State::Withdrawn),
                Some(State::Used),
                Some(State::Expired),
            ],
        ),
        (State::Refused, [None; 5]),
        (State::Withdrawn, [None; 5]),
        (State::Used, [None; 5]),
        (State::Expired, [None; 5]),
    ];
    let cmds = [
        (Cmd::Grant, citizen()),
        (Cmd::Refuse, citizen()),
        (Cmd::Withdraw, citizen()),
        (use_it(&["name"]), agent()),
        (Cmd::Lapse, Who::System),
    ];
    assert_eq!(table.len(), State::ALL.len());
    for (from, row) in table {
        for ((cmd, who), want) in cmds.iter().zip(row) {
            let got = at(*from).apply(T0, who, cmd);
            match want {
                Some(s) => assert_eq!(got.unwrap().0.state, *s, "{from:?} {cmd:?}"),
                None => assert_eq!(code(got), "illegal_transition", "{from:?} {cmd:?}"),
            }
        }
        assert_eq!(from.is_terminal(), row.iter().all(Option::is_none));
        assert_eq!(State::parse(from.as_str()), Some(*from));
    }
}

#[test]
fn only_the_citizen_of_the_session_answers() {
    let strangers = [
        agent(),
        Who::System,
        Who::Citizen {
            session: SessionId::make(2, 2),
            visit: VisitId::make(1, 1),
        },
        Who::Citizen {
            session: SessionId::make(1, 1),
            visit: VisitId::make(2, 2),
        },
    ];
    for who in strangers {
        for cmd in [Cmd::Grant, Cmd::Refuse] {
            assert_eq!(code(asked().apply(T0, &who, &cmd)), "consent_not_yours");
        }
        let granted = asked().apply(T0, &citizen(), &Cmd::Grant).unwrap().0;
        assert_eq!(
            code(granted.apply(T0, &who, &Cmd::Withdraw)),
            "consent_not_yours"
        );
    }
    assert_eq!(
        code(asked().apply(T0, &citizen(), &Cmd::Lapse)),
        "consent_not_yours"
    );
}

#[test]
fn a_reading_stays_within_the_sheet() {
    let granted = asked().apply(T0, &citizen(), &Cmd::Grant).unwrap().0;
    assert_eq!(
        code(
            granted
                .clone()
                .apply(T0, &agent(), &use_it(&["name", "id_number"]))
        ),
        "consent_scope"
    );
    let other = Cmd::Use {
        purpose: Purpose::Copy,
        licence_type: "11100000000013338W011".into(),
        attributes: vec![],
    };
    assert_eq!(
        code(granted.clone().apply(T0, &agent(), &other)),
        "consent_scope"
    );
    let elsewhere = Who::Agent {
        session: SessionId::make(9, 9),
    };
    assert_eq!(
        code(granted.clone().apply(T0, &elsewhere, &use_it(&["name"]))),
        "consent_not_yours"
    );
    let late = T0 + CONSENT_LIFE;
    assert!(!granted.is_live(late));
    assert_eq!(
        code(granted.apply(late, &agent(), &use_it(&["name"]))),
        "consent_expired"
    );
}

#[test]
fn nobody_is_asked_without_identity_or_without_a_list() {
    let ask =
        |s, identified| Consent::ask(ConsentId::make(1, 1), s, identified, T0).map_err(|r| r.code);
    assert_eq!(ask(scope(), false), Err("identity_required"));
    assert_eq!(
        ask(
            Scope {
                attributes: vec![],
                ..scope()
            },
            true
        ),
        Err("consent_scope_empty")
    );
    let twice = vec!["name".to_owned(), "name".to_owned()];
    assert_eq!(
        ask(
            Scope {
                attributes: twice,
                ..scope()
            },
            true
        ),
        Err("consent_scope")
    );
    assert!(
        ask(
            Scope {
                attributes: vec![],
                purpose: Purpose::Copy,
                ..scope()
            },
            true
        )
        .is_ok()
    );
}

fn any_cmd() -> impl Strategy<Value = (Cmd, Who)> {
    let cmd = prop_oneof![
        Just(Cmd::Grant),
        Just(Cmd::Refuse),
        Just(Cmd::Withdraw),
        Just(Cmd::Lapse),
        Just(use_it(&["name"])),
        Just(use_it(&["sex"])),
    ];
    let who = prop_oneof![Just(citizen()), Just(agent()), Just(Who::System)];
    (cmd, who)
}

proptest! {
    #[test]
    fn used_only_after_the_citizen_granted(steps in prop::collection::vec((any_cmd(), 0i64..2_000), 0..20)) {
        let (mut c, mut now) = (asked(), T0);
        let mut citizen_granted = false;
        for ((cmd, who), wait) in steps {
            now = now + Span::seconds(wait);
            let before = c.clone();
            if let Ok((next, effect)) = c.clone().apply(now, &who, &cmd) {
                prop_assert!(!before.state.is_terminal());
                prop_assert_eq!(next.version, before.version + 1);
                prop_assert_eq!(&next.scope, &before.scope);
                if effect == Effect::Granted {
                    prop_assert_eq!(who, citizen());
                    citizen_granted = true;
                }
                if effect == Effect::Used {
                    prop_assert!(citizen_granted && before.is_live(now));
                }
                c = next;
            }
        }
    }
}
