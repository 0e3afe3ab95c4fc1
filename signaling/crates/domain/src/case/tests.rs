//! Shared fixtures, and the transition table pair by pair.
#![allow(clippy::unwrap_used)]

mod histories;
mod rules;

use super::*;
use crate::{
    calendar::Calendar,
    error::Rejected,
    id::{CaseId, CertificateId, Id, StaffId},
    identifiers::IdentityIndex,
    time::Timestamp,
};
use time::{Date, macros::date};

const RULES: Rules = Rules {
    notice_days: 5,
    correction_days: 15,
    correction_stops_clock: true,
};
const TERM: Term = Term {
    statutory_days: 20,
    promise_days: 20,
    extension_days_max: 10,
};

fn index(s: &str) -> IdentityIndex {
    IdentityIndex::new(s).unwrap()
}
/// Account `n` held by the person with identity `who`.
fn person(n: u128, who: &str) -> Person {
    Person {
        staff: StaffId::make(0, n),
        identity: index(who),
    }
}
fn staff(n: u128) -> Actor {
    Actor::Staff(person(n, &format!("id{n}")))
}
fn citizen() -> Actor {
    Actor::Applicant(index("citizen"))
}
/// Noon in Beijing.
fn at(d: Date) -> Timestamp {
    Timestamp::from_millis(d.midnight().assume_utc().unix_timestamp() * 1000 + 4 * 3_600_000)
}
fn draft() -> Case {
    Case::draft(CaseId::make(0, 1), vec![index("citizen")], TERM).unwrap()
}
fn run(case: Case, day: Date, actor: &Actor, cmd: Cmd) -> Result<(Case, Vec<Effect>), Rejected> {
    case.apply(
        at(day),
        cmd,
        Ctx {
            actor,
            calendar: Calendar::vendored(),
            rules: &RULES,
        },
    )
}
fn ok(case: Case, day: Date, actor: &Actor, cmd: Cmd) -> Case {
    run(case, day, actor, cmd).unwrap().0
}
fn code(case: Case, day: Date, actor: &Actor, cmd: Cmd) -> &'static str {
    run(case, day, actor, cmd).unwrap_err().code
}
fn number() -> String {
    case_number("430981", date!(2026 - 02 - 09), 7).unwrap()
}
fn remedies() -> Remedies {
    Remedies {
        reconsideration: "60日内向沅江市人民政府申请行政复议".into(),
        litigation: "6个月内向沅江市人民法院提起诉讼".into(),
    }
}
fn certificate() -> CertificateId {
    CertificateId::make(0, 9)
}
fn item() -> CorrectionItem {
    CorrectionItem {
        pointer: "/materials/photo".into(),
        zh: "照片看不清，请重拍".into(),
        en: "The photo is blurred".into(),
    }
}

/// A good command of each kind.
fn sample(kind: CmdKind) -> Cmd {
    match kind {
        CmdKind::Assist => Cmd::Assist { filled: true },
        CmdKind::Receive => Cmd::Receive {
            number: number(),
            guided: vec![],
            filled: vec![],
        },
        CmdKind::BeginPreCheck => Cmd::BeginPreCheck,
        CmdKind::AskCorrection => Cmd::AskCorrection {
            items: vec![item()],
        },
        CmdKind::SubmitCorrection => Cmd::SubmitCorrection,
        CmdKind::ReturnOverdue => Cmd::ReturnOverdue,
        CmdKind::Accept => Cmd::Accept,
        CmdKind::ReceiveAndAccept => Cmd::ReceiveAndAccept {
            number: number(),
            guided: vec![],
            filled: vec![],
        },
        CmdKind::DeemAccepted => Cmd::DeemAccepted,
        CmdKind::RefuseAcceptance => Cmd::RefuseAcceptance {
            reasons: "不属于本机关职权".into(),
            remedies: remedies(),
        },
        CmdKind::TransferOut => Cmd::TransferOut {
            authority: "益阳市公安局".into(),
            reasons: "户籍地管辖".into(),
        },
        CmdKind::BeginReview => Cmd::BeginReview,
        CmdKind::Extend => Cmd::Extend {
            days: 10,
            reasons: "需跨省核查".into(),
            approved_by: person(9, "head"),
        },
        CmdKind::Suspend => Cmd::Suspend {
            kind: SuspendKind::Test,
            reason: "卫生检测".into(),
            expected_days: 7,
        },
        CmdKind::Resume => Cmd::Resume,
        CmdKind::Grant => Cmd::Grant {
            opinion: "材料齐全，符合条件，准予。".into(),
        },
        CmdKind::Refuse => Cmd::Refuse {
            reasons: "不符合第九条".into(),
            remedies: remedies(),
        },
        CmdKind::BeginIssuing => Cmd::BeginIssuing {
            deferred_missing: 0,
        },
        CmdKind::FailIssuing => Cmd::FailIssuing {
            code: "seal_unavailable".into(),
        },
        CmdKind::FinishIssuing => Cmd::FinishIssuing {
            certificate: certificate(),
        },
        CmdKind::Deliver => Cmd::Deliver,
        CmdKind::Archive => Cmd::Archive,
        CmdKind::Withdraw => Cmd::Withdraw {
            reason: String::new(),
        },
    }
}

/// Who does it: 1 guides and accepts, 2 reviews and decides, 3 issues.
fn actor_for(kind: CmdKind, accepted: bool) -> Actor {
    match kind {
        CmdKind::Assist
        | CmdKind::Receive
        | CmdKind::ReceiveAndAccept
        | CmdKind::BeginPreCheck
        | CmdKind::Accept => staff(1),
        CmdKind::RefuseAcceptance | CmdKind::TransferOut => staff(1),
        CmdKind::AskCorrection => staff(if accepted { 2 } else { 1 }),
        CmdKind::BeginReview | CmdKind::Extend | CmdKind::Suspend | CmdKind::Resume => staff(2),
        CmdKind::Grant | CmdKind::Refuse => staff(2),
        CmdKind::BeginIssuing => staff(3),
        CmdKind::SubmitCorrection | CmdKind::Withdraw => citizen(),
        CmdKind::ReturnOverdue
        | CmdKind::DeemAccepted
        | CmdKind::FailIssuing
        | CmdKind::FinishIssuing => Actor::System,
        CmdKind::Deliver | CmdKind::Archive => Actor::System,
    }
}

/// A case in each state, by its own road.
fn case_in(state: State) -> Case {
    let day = date!(2026 - 02 - 09);
    let road: &[CmdKind] = match state {
        State::Draft => &[],
        State::Received => &[CmdKind::Receive],
        State::PreCheck => &[CmdKind::Receive, CmdKind::BeginPreCheck],
        State::Correction => &[
            CmdKind::Receive,
            CmdKind::BeginPreCheck,
            CmdKind::AskCorrection,
        ],
        State::NotAccepted => &[
            CmdKind::Receive,
            CmdKind::BeginPreCheck,
            CmdKind::RefuseAcceptance,
        ],
        State::Transferred => &[
            CmdKind::Receive,
            CmdKind::BeginPreCheck,
            CmdKind::TransferOut,
        ],
        State::Accepted => &[CmdKind::ReceiveAndAccept],
        State::InReview => &[CmdKind::ReceiveAndAccept, CmdKind::BeginReview],
        State::Extended => &[
            CmdKind::ReceiveAndAccept,
            CmdKind::BeginReview,
            CmdKind::Extend,
        ],
        State::Suspended => &[
            CmdKind::ReceiveAndAccept,
            CmdKind::BeginReview,
            CmdKind::Suspend,
        ],
        State::Granted => &[
            CmdKind::ReceiveAndAccept,
            CmdKind::BeginReview,
            CmdKind::Grant,
        ],
        State::Refused => &[
            CmdKind::ReceiveAndAccept,
            CmdKind::BeginReview,
            CmdKind::Refuse,
        ],
        State::Issuing => &[
            CmdKind::ReceiveAndAccept,
            CmdKind::BeginReview,
            CmdKind::Grant,
            CmdKind::BeginIssuing,
        ],
        State::Issued => &[
            CmdKind::ReceiveAndAccept,
            CmdKind::BeginReview,
            CmdKind::Grant,
            CmdKind::BeginIssuing,
            CmdKind::FinishIssuing,
        ],
        State::Delivered => &[
            CmdKind::ReceiveAndAccept,
            CmdKind::BeginReview,
            CmdKind::Refuse,
            CmdKind::Deliver,
        ],
        State::Archived => &[
            CmdKind::ReceiveAndAccept,
            CmdKind::BeginReview,
            CmdKind::Refuse,
            CmdKind::Deliver,
            CmdKind::Archive,
        ],
        State::Withdrawn => &[CmdKind::Receive, CmdKind::Withdraw],
        State::Returned => {
            let c = case_in(State::Correction);
            return ok(c, date!(2026 - 05 - 06), &Actor::System, Cmd::ReturnOverdue);
        }
    };
    let mut case = draft();
    for kind in road {
        let actor = actor_for(*kind, case.accepted_at.is_some());
        case = ok(case, day, &actor, sample(*kind));
    }
    assert_eq!(case.state, state);
    case
}

/// The table, written out a second time: state → (command → next state).
fn expected(state: State) -> Vec<(CmdKind, State)> {
    use {CmdKind as C, State as S};
    let withdraw = (C::Withdraw, S::Withdrawn);
    match state {
        S::Draft => vec![
            (C::Assist, S::Draft),
            (C::Receive, S::Received),
            (C::ReceiveAndAccept, S::Accepted),
            withdraw,
        ],
        S::Received => vec![
            (C::Assist, S::Received),
            (C::BeginPreCheck, S::PreCheck),
            (C::DeemAccepted, S::Accepted),
            withdraw,
        ],
        S::PreCheck => vec![
            (C::Assist, S::PreCheck),
            (C::AskCorrection, S::Correction),
            (C::Accept, S::Accepted),
            (C::RefuseAcceptance, S::NotAccepted),
            (C::TransferOut, S::Transferred),
            (C::DeemAccepted, S::Accepted),
            withdraw,
        ],
        S::Correction => vec![
            (C::Assist, S::Correction),
            (C::SubmitCorrection, S::PreCheck),
            (C::ReturnOverdue, S::Returned),
            withdraw,
        ],
        S::Accepted => vec![(C::BeginReview, S::InReview), withdraw],
        S::InReview => vec![
            (C::AskCorrection, S::Correction),
            (C::Extend, S::Extended),
            (C::Suspend, S::Suspended),
            (C::Grant, S::Granted),
            (C::Refuse, S::Refused),
            withdraw,
        ],
        S::Extended => vec![
            (C::AskCorrection, S::Correction),
            (C::Suspend, S::Suspended),
            (C::Grant, S::Granted),
            (C::Refuse, S::Refused),
            withdraw,
        ],
        S::Suspended => vec![(C::Resume, S::InReview), withdraw],
        S::Granted => vec![(C::BeginIssuing, S::Issuing)],
        S::Refused => vec![(C::Deliver, S::Delivered)],
        S::Issuing => vec![(C::FailIssuing, S::Granted), (C::FinishIssuing, S::Issued)],
        S::Issued => vec![(C::Deliver, S::Delivered)],
        S::Delivered => vec![(C::Archive, S::Archived)],
        S::NotAccepted | S::Transferred | S::Archived | S::Withdrawn | S::Returned => vec![],
    }
}

#[test]
fn every_state_and_command_pair() {
    for state in State::ALL {
        for kind in CmdKind::ALL {
            let case = case_in(*state);
            let actor = actor_for(*kind, case.accepted_at.is_some());
            // Timers act only when their day has passed.
            let day = match kind {
                CmdKind::ReturnOverdue | CmdKind::DeemAccepted => date!(2026 - 05 - 06),
                _ => date!(2026 - 02 - 10),
            };
            let got = run(case.clone(), day, &actor, sample(*kind));
            match expected(*state).iter().find(|(k, _)| k == kind) {
                Some((_, to)) => {
                    let (next, effects) = got.unwrap_or_else(|e| panic!("{state} {kind}: {e}"));
                    assert_eq!(next.state, *to, "{state} {kind}");
                    assert_eq!(next.version, case.version + 1);
                    let moved = effects.contains(&Effect::Moved {
                        from: *state,
                        to: *to,
                    });
                    assert_eq!(moved, state != to, "{state} {kind}");
                }
                None => assert_eq!(
                    got.unwrap_err().code,
                    "illegal_transition",
                    "{state} {kind}"
                ),
            }
        }
        assert_eq!(state.is_terminal(), expected(*state).is_empty(), "{state}");
    }
}
