//! Hand-off (交件): what a session prepared becomes a case, received and accepted in one command.
//!
//! Owns the one transaction {number, case, duties, adopted papers, frozen form, journals, notices}. Never checks a field: that was
//! done before the signature, which any later change voids.

use super::{
    App, Caller,
    call_flow::{journal, live},
    case_core::{self, Applicant, Open},
    case_view, catalogue, forms, recording, signing,
};
use crate::problem::{AppError, no};
use domain::{
    case::{Actor, Case as Machine, Cmd, Ctx, Person, Rules, State, Term, case_number},
    catalogue::Item,
    error::Rejected,
    id::{CaseId, Id as _, SessionId},
    identifiers::IdentityIndex,
    licence::HolderCodeType,
    session::Role,
};
use protocol::{EventBody, HandOff};
use serde_json::json;
use store::{Tx, case, licence, material, session, signature, staff, visit};

/// §42: the one extension of an ordinary item (working days).
const EXTENSION_DAYS: u16 = 10;
/// Journal entries that are looked through for who typed.
const EVENTS: i64 = domain::limits::RESUME_EVENTS;

/// The refusal that says what hand-off still lacks; the words are those of `SessionView.missing`.
fn lacking(missing: &[String]) -> Option<AppError> {
    let has = |w: &str| missing.iter().any(|m| m == w);
    let papers: Vec<Rejected> = missing
        .iter()
        .filter_map(|m| m.strip_prefix("material:"))
        .map(|c| Rejected::at("material_required", format!("/materials/{c}")))
        .collect();
    if missing.is_empty() {
        None
    } else if has("form") || has("confirm") {
        Some(no("form_not_ready"))
    } else if !papers.is_empty() {
        Some(no("material_required").with_fields(papers))
    } else {
        let recorded = missing.iter().find_map(|m| recording::lacking(m));
        Some(recorded.unwrap_or_else(|| no("signature_required")))
    }
}

fn term(item: &Item) -> Result<Term, AppError> {
    let days = |d: u32| u16::try_from(d).map_err(|_| no("internal"));
    Ok(Term {
        statutory_days: days(item.statutory_days)?,
        promise_days: days(item.promise_days)?,
        extension_days_max: EXTENSION_DAYS,
    })
}

/// Administrative division of the body that decides: characters 3 to 8 of its credit code (GB 32100).
fn region(item: &Item) -> Result<&str, AppError> {
    item.department.code.get(2..8).ok_or_else(|| no("internal"))
}

/// The agents of the session who were there, and those of them who typed.
async fn agents(tx: &mut Tx, s: &session::Session) -> Result<(Vec<Person>, Vec<Person>), AppError> {
    let typed: Vec<_> = session::events_after(tx, &s.id, 0, EVENTS)
        .await?
        .into_iter()
        .filter(|e| e.kind == "field_set")
        .filter_map(|e| e.actor)
        .collect();
    let (mut guided, mut filled) = (vec![], vec![]);
    for m in session::members(tx, &s.id)
        .await?
        .into_iter()
        .filter(|m| m.served && m.joined_at.is_some())
    {
        let Some(id) = &m.staff_id else { continue };
        let p = case_core::person(&staff::get(tx, id).await?.ok_or_else(|| no("internal"))?)?;
        if typed.contains(&m.id) {
            filled.push(p.clone());
        }
        guided.push(p);
    }
    Ok((guided, filled))
}

/// By the session's agent. Needs identity, a complete and confirmed form, the required materials and a live signature.
///
/// Codes: `agent_only`, `case_exists`, `identity_required`, `identity_unrecorded`, `form_not_ready`, `material_required`,
/// `recording_required`, `prompts_unread`, `signature_required`, `own_case`, `calendar_missing`.
pub async fn hand_off(app: &App, caller: &Caller, id: SessionId) -> Result<HandOff, AppError> {
    let who = caller.who.clone();
    let case = app
        .command(
            caller,
            &format!("sessions.hand_off:{id}"),
            &json!({}),
            move |tx, w| {
                let (id, who) = (id.clone(), who.clone());
                Box::pin(async move {
                    let (mut s, me) = live(tx, &who, &id).await?;
                    if me.role != Role::Agent {
                        return Err(no("agent_only"));
                    }
                    if s.case_id.is_some() {
                        return Err(no("case_exists"));
                    }
                    // Before the rest: it comes first, and two refusals tell why it is missing.
                    recording::check_card(tx, &s).await?;
                    if let Some(e) = lacking(&signing::missing(&w.app, tx, &s).await?) {
                        return Err(e);
                    }
                    let v = visit::get(tx, &s.visit_id)
                        .await?
                        .ok_or_else(|| no("visit_ended"))?;
                    let identity = super::auth::identity_of(&w.app, tx, &v)
                        .await?
                        .ok_or_else(|| no("identity_required"))?;
                    let index = v
                        .citizen_index
                        .clone()
                        .and_then(IdentityIndex::new)
                        .ok_or_else(|| no("identity_required"))?;
                    let signed = signature::live(tx, &id)
                        .await?
                        .filter(|x| x.state == "signed")
                        .ok_or_else(|| no("signature_required"))?;
                    let d = forms::document(&w.app, tx, &id)
                        .await?
                        .ok_or_else(|| no("form_not_ready"))?;
                    let item = catalogue::item_at(tx, &d.row.item, d.row.item_version).await?;
                    let of_company = HolderCodeType::parse(&item.result.holder_code_type)
                        .is_some_and(HolderCodeType::is_company);
                    let company = d
                        .doc()
                        .value(&item.result.holder_name)
                        .and_then(|n| n.as_str())
                        .filter(|_| of_company)
                        .map(str::to_owned);
                    let key = w.app.vault.key(tx, &s.key_id).await?;

                    let day = w.now.beijing_date();
                    let place = region(&item)?;
                    let serial = case::next_number(tx, &format!("case:{place}{day}")).await?;
                    let number = case_number(
                        place,
                        day,
                        u32::try_from(serial).map_err(|_| no("internal"))?,
                    )?;
                    let me_staff = case_core::active_staff(
                        tx,
                        me.staff_id.as_ref().ok_or_else(|| no("agent_only"))?,
                    )
                    .await?;
                    let (guided, filled) = agents(tx, &s).await?;
                    let actor = Actor::Staff(case_core::person(&me_staff)?);
                    let cmd = Cmd::ReceiveAndAccept {
                        number: number.clone(),
                        guided,
                        filled,
                    };
                    let case_id: CaseId = w.id();
                    let draft = Machine::draft(case_id.clone(), vec![index.clone()], term(&item)?)?;
                    let ctx = Ctx {
                        actor: &actor,
                        calendar: &w.app.calendar,
                        rules: &Rules::default(),
                    };
                    let verb = cmd.kind();
                    let (machine, effects) =
                        draft.apply(w.now, cmd, ctx).map_err(case_core::refusal)?;
                    let row = case::Case {
                        id: case_id.clone(),
                        number: number.clone(),
                        session_id: id.clone(),
                        visit_id: s.visit_id.clone(),
                        key_id: s.key_id.clone(),
                        hall_id: s.hall_id.clone(),
                        department: item.department.id.clone(),
                        item: d.row.item.clone(),
                        item_version: d.row.item_version,
                        form_id: id.clone(),
                        signature_id: signed.id.clone(),
                        state: State::Accepted,
                        version: machine.version,
                        machine: case_core::stored(&machine)?,
                        applicant_enc: key.seal(&Applicant::new(identity, company))?,
                        applicant_index: index.as_str().to_owned(),
                        received_at: w.now,
                        accepted_at: machine.accepted_at,
                        due_on: machine.due.map(|d| d.to_string()),
                        claimed_by: None,
                        corrected: false,
                        correction_enc: None,
                        correction_due: None,
                        decision_enc: None,
                    };
                    case::insert(tx, &row).await?;
                    case_core::carry(tx, w, &row, verb.as_str(), &effects).await?;
                    material::adopt(tx, &id, &case_id).await?;
                    licence::adopt_accesses(tx, &id, &case_id).await?;
                    if !signature::adopt(tx, &id, &case_id).await? {
                        return Err(no("signature_required"));
                    }
                    let open = Open { row, machine, key };
                    open.event(tx, w, "received", None).await?;
                    open.event(tx, w, "accepted", None).await?;
                    s.case_id = Some(case_id.clone());
                    if !session::save(tx, &s).await? {
                        return Err(store::StoreError::Retry.into());
                    }
                    journal(
                        tx,
                        w,
                        &s,
                        Some(&me.id),
                        &EventBody::HandedOff {
                            case: case_id.to_string(),
                            number,
                        },
                    )
                    .await?;
                    w.audit(
                        tx,
                        "session.handed_off",
                        id.as_str(),
                        json!({"case": case_id.as_str()}),
                    )
                    .await?;
                    w.wake(&case_id);
                    w.wake(&id);
                    Ok(case_id)
                })
            },
        )
        .await?;
    Ok(HandOff {
        case: case_view::get(app, &caller.who, case).await?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_in_the_order_of_the_session() {
        let of = |m: &[&str]| lacking(&m.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        assert!(of(&[]).is_none());
        assert_eq!(
            of(&["confirm", "signature"]).unwrap().code(),
            "form_not_ready"
        );
        let e = of(&["signature", "material:photo"]).unwrap();
        assert_eq!(e.code(), "material_required");
        assert_eq!(
            e.problem(protocol::Language::En).errors[0].pointer,
            "/materials/photo"
        );
        assert_eq!(of(&["signature"]).unwrap().code(), "signature_required");
        // No signature is taken without the recording: that comes first.
        assert_eq!(
            of(&["recording", "prompts", "signature"]).unwrap().code(),
            "recording_required"
        );
        assert_eq!(
            of(&["prompts", "signature"]).unwrap().code(),
            "prompts_unread"
        );
    }
}
