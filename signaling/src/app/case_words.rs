//! What is said of a case: its steps, its journal's words, what a viewer may do and why not, what to look at first.
//!
//! Pure: everything that it needs is given to it.

use super::case_core::{self, CorrectionRecord, Open, Viewer};
use crate::problem::kind_of;
use domain::{
    case::{CmdKind, Duty, State},
    time::Timestamp,
};
use protocol::{
    Bilingual, BlockedAction, CaseState, FormView, LookFirst, MaterialView, OriginView, Role,
    StepView,
};

const LOOK_FIRST: usize = 12;

pub(super) fn both(zh: &str, en: &str) -> Bilingual {
    Bilingual {
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}

pub(super) const fn state_view(s: State) -> CaseState {
    match s {
        State::Draft => CaseState::Draft,
        State::Received => CaseState::Received,
        State::PreCheck => CaseState::PreCheck,
        State::Correction => CaseState::Correction,
        State::NotAccepted => CaseState::NotAccepted,
        State::Transferred => CaseState::Transferred,
        State::Accepted => CaseState::Accepted,
        State::InReview => CaseState::InReview,
        State::Extended => CaseState::Extended,
        State::Suspended => CaseState::Suspended,
        State::Granted => CaseState::Granted,
        State::Refused => CaseState::Refused,
        State::Issuing => CaseState::Issuing,
        State::Issued => CaseState::Issued,
        State::Delivered => CaseState::Delivered,
        State::Archived => CaseState::Archived,
        State::Withdrawn => CaseState::Withdrawn,
        State::Returned => CaseState::Returned,
    }
}

/// What the journal says of each kind.
pub(super) fn event_text(kind: &str) -> Bilingual {
    match kind {
        "received" => both("收件", "Received"),
        "accepted" => both("受理，开始计时", "Accepted; the clock has started"),
        "review_begun" => both("开始审查", "Review has begun"),
        "correction_asked" => both("一次性告知补正", "One-time notice of what to correct"),
        "corrected" => both("补正已交", "The correction was handed in"),
        "material_added" => both("补交了材料", "A paper was added"),
        "refused" => both("决定不予办理", "Refused"),
        "granted" => both("准予，转出证", "Granted; sent to issuance"),
        "issue_failed" => both(
            "签发未成功，将重试",
            "Issuing did not succeed; it will be tried again",
        ),
        "issued" => both("已出证，可在手机上领取", "Issued; it is on your phone"),
        "returned" => both(
            "逾期未补正，退回申请；可以重新申请",
            "Not corrected in time: returned. You may apply again",
        ),
        "withdrawn" => both("申请人撤回", "Withdrawn by the applicant"),
        _ => both("办理中", "In progress"),
    }
}

/// Where each step stands: done since, current, still to come, or stopped.
pub(super) fn steps(o: &Open, issued_at: Option<Timestamp>) -> Vec<StepView> {
    let s = o.row.state;
    let stopped = matches!(
        s,
        State::Refused
            | State::NotAccepted
            | State::Transferred
            | State::Withdrawn
            | State::Returned
    );
    let accepted = o.row.accepted_at;
    let decided = o.machine.decided_at;
    let step = |id: &str, label: Bilingual, at: Option<Timestamp>, current: bool| {
        let status = if at.is_some() {
            "done"
        } else if stopped {
            "stopped"
        } else if current {
            "current"
        } else {
            "next"
        };
        StepView {
            id: id.into(),
            label,
            status: status.into(),
            at: at.map(Timestamp::rfc3339),
        }
    };
    vec![
        step(
            "receive",
            both("收件", "Received"),
            Some(o.row.received_at),
            false,
        ),
        step(
            "accept",
            both("受理", "Accepted"),
            accepted,
            accepted.is_none(),
        ),
        step(
            "review",
            both("审查", "Review"),
            decided,
            accepted.is_some(),
        ),
        step("issue", both("出证", "Issue"), issued_at, decided.is_some()),
        // The result reaches the phone with the moment of issue (电子送达).
        step("deliver", both("送达", "Deliver"), issued_at, false),
    ]
}

/// Acts of staff, the duty each would be, the role it needs, and whether the state knows it.
fn staff_acts(o: &Open) -> [(&'static str, Duty, Role, bool); 6] {
    let s = o.row.state;
    let open_review = matches!(s, State::InReview | State::Extended);
    let fresh = o.machine.correction.is_none();
    [
        (
            "claim",
            Duty::Reviewed,
            Role::Reviewer,
            o.row.claimed_by.is_none() && (s == State::Accepted || open_review),
        ),
        (
            "release",
            Duty::Reviewed,
            Role::Reviewer,
            o.row.claimed_by.is_some() && case_core::is_open(s),
        ),
        (
            "correct",
            Duty::Reviewed,
            Role::Reviewer,
            open_review && fresh,
        ),
        (
            "refuse",
            Duty::Decided,
            Role::Reviewer,
            s.allows(CmdKind::Refuse),
        ),
        (
            "grant",
            Duty::Decided,
            Role::Reviewer,
            s.allows(CmdKind::Grant),
        ),
        (
            "issue",
            Duty::Issued,
            Role::Issuer,
            s.allows(CmdKind::BeginIssuing),
        ),
    ]
}

fn blocked(action: &str, code: &str) -> BlockedAction {
    let k = kind_of(code);
    BlockedAction {
        action: action.into(),
        code: code.into(),
        message: both(k.zh, k.en),
    }
}

/// What a viewer may do now, and what not because of who they are.
pub(super) fn actions(
    o: &Open,
    v: &Viewer,
    rated: bool,
    deferred: bool,
) -> (Vec<String>, Vec<BlockedAction>) {
    let (mut may, mut not) = (vec![], vec![]);
    let Some(me) = v.staff() else {
        if o.row.state == State::Correction {
            may.push("reply".to_owned());
        }
        if o.row.state.allows(CmdKind::Withdraw) {
            may.push("withdraw".to_owned());
        }
        if !rated {
            may.push("rate".to_owned());
        }
        return (may, not);
    };
    let mine = o.row.claimed_by.as_ref() == Some(&me.id);
    for (act, duty, role, possible) in staff_acts(o) {
        if !possible && !matches!(o.row.state, State::Accepted) {
            continue;
        }
        match o.may(v, duty, role) {
            Err(e) if matches!(e.code(), "duty_conflict" | "own_case") => {
                if act != "release" {
                    not.push(blocked(act, e.code()));
                }
            }
            Ok(_) if act == "issue" && deferred => {
                not.push(blocked(act, "deferred_materials_missing"));
            }
            Ok(_) if possible && (matches!(act, "claim" | "issue") || mine) => {
                may.push(act.to_owned());
            }
            Ok(_) | Err(_) => {}
        }
    }
    (may, not)
}

/// What was typed, changed or uploaded: changed first, papers next, then what was typed.
pub(super) fn look_first(
    form: &FormView,
    materials: &[MaterialView],
    correction: Option<&CorrectionRecord>,
) -> Vec<LookFirst> {
    let fields = || {
        form.groups
            .iter()
            .flat_map(|g| &g.fields)
            .filter(|f| f.visible && !f.value.is_null())
    };
    let changed = |p: &str| correction.is_some_and(|c| c.changed.iter().any(|x| x == p));
    let of = |f: &protocol::FieldView, why: &str| LookFirst {
        target: f.path.clone(),
        why: why.into(),
        label: f.label.clone(),
    };
    let mut out: Vec<LookFirst> = fields()
        .filter(|f| f.changed_since_confirm || changed(&f.path))
        .map(|f| of(f, "changed"))
        .collect();
    out.extend(
        materials
            .iter()
            .filter(|m| m.source != "licence_copy")
            .map(|m| LookFirst {
                target: m.id.clone(),
                why: "uploaded".into(),
                label: m.name.clone(),
            }),
    );
    let typed = |f: &&protocol::FieldView| {
        matches!(f.origin, Some(OriginView::Typed { .. }))
            && !changed(&f.path)
            && !f.changed_since_confirm
    };
    out.extend(fields().filter(typed).map(|f| of(f, "typed")));
    out.truncate(LOOK_FIRST);
    out
}
