//! One case within a transaction: locked, its machine, who looks at it, and how a change is kept.
//!
//! Owns the way from a domain command to rows (state, duties, journal, audit, notices). Never decides a transition: that is
//! `domain::case`. Official texts are personal data as likely as not, so they stand sealed beside the machine, never in it.

use super::{App, Work, auth::Identity, forms, token::Principal, vault::DataKey};
use crate::problem::{AppError, no};
use domain::{
    case::{
        Actor, Case as Machine, Cmd, Ctx, Decision, Duties, Duty, DutyEntry, Effect, Person,
        Remedies, Rules, State,
    },
    error::Rejected,
    id::{CaseId, Id as _, StaffId},
    identifiers::IdentityIndex,
    issuance::Issuance,
    pii::{Pii, mask_name},
    time::Timestamp,
};
use protocol::{Bilingual, CorrectionView, DecisionView, Role};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{StoreError, Tx, case, dialect, session, staff};

/// Who applies, sealed in the case: the card that was read and, for a company's item, the company.
#[derive(Clone, Serialize, Deserialize)]
pub struct Applicant {
    pub name: Pii<String>,
    pub number: Pii<String>,
    #[serde(default)]
    pub company: Option<String>,
}

impl Applicant {
    #[must_use]
    pub fn new(identity: Identity, company: Option<String>) -> Self {
        Self {
            name: identity.name,
            number: identity.number,
            company,
        }
    }
    /// A person's name is masked, a company's is public.
    #[must_use]
    pub fn masked(&self) -> String {
        self.company
            .clone()
            .unwrap_or_else(|| mask_name(self.name.expose()))
    }
}

/// The one-time notice and its answer, sealed in the case.
#[derive(Clone, Serialize, Deserialize)]
pub struct CorrectionRecord {
    pub view: CorrectionView,
    pub noticed_at: Timestamp,
    pub note: String,
    /// Paths that the answer changed.
    pub changed: Vec<String>,
}

/// The decision, and for a grant what the result will carry: fixed now, so that the preview is the paper that is issued.
#[derive(Clone, Serialize, Deserialize)]
pub struct DecisionRecord {
    pub view: DecisionView,
    pub plan: Option<Plan>,
    /// Of a refusal: where it may be reviewed, as it was told then.
    #[serde(default)]
    pub review_body: Option<Bilingual>,
}

/// Numbers of the result, and the making of it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Plan {
    pub number: String,
    pub identifier: String,
    pub verify_code: String,
    pub issuance: Issuance,
}

/// What a journal entry says beyond its kind.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct EventNote {
    #[serde(default)]
    pub text: Option<String>,
}

/// A case with its machine, for as long as the transaction lasts.
pub struct Open {
    pub row: case::Case,
    pub machine: Machine,
    pub key: DataKey,
}

/// In what capacity somebody stands before a case.
#[derive(Clone)]
pub enum Viewer {
    /// Of the case's department.
    Office { who: staff::Staff, roles: Vec<Role> },
    /// The session's agent: may read.
    Agent { who: staff::Staff },
    /// The citizen whose case it is.
    Applicant,
}

impl Viewer {
    #[must_use]
    pub const fn is_staff(&self) -> bool {
        matches!(self, Self::Office { .. } | Self::Agent { .. })
    }
    #[must_use]
    pub const fn staff(&self) -> Option<&staff::Staff> {
        match self {
            Self::Office { who, .. } | Self::Agent { who } => Some(who),
            Self::Applicant => None,
        }
    }
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        matches!(self, Self::Office { roles, .. } if roles.contains(&role))
    }
}

/// Departments of an account: one, or several parted by commas.
#[must_use]
pub fn departments(word: Option<&str>) -> Vec<String> {
    word.unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|d| !d.is_empty())
        .map(str::to_owned)
        .collect()
}

pub fn person(s: &staff::Staff) -> Result<Person, AppError> {
    let identity = IdentityIndex::new(s.number_index.clone()).ok_or_else(|| no("role_missing"))?;
    Ok(Person {
        staff: s.id.clone(),
        identity,
    })
}

pub async fn active_staff(tx: &mut Tx, id: &StaffId) -> Result<staff::Staff, AppError> {
    staff::get(tx, id)
        .await?
        .filter(|s| s.active)
        .ok_or_else(|| no("signed_out"))
}

/// Codes of the machine in the words of the API.
pub fn refusal(r: Rejected) -> AppError {
    let code = match r.code {
        "correction_already_asked" | "correction_too_late" => "correction_used",
        "correction_items_required" => "points_required",
        code => code,
    };
    Rejected {
        code,
        pointer: r.pointer,
    }
    .into()
}

fn machine_of(row: &case::Case, duties: Vec<case::DutyRow>) -> Result<Machine, AppError> {
    let mut m: Machine = serde_json::from_str(&row.machine).map_err(|_| no("internal"))?;
    m.version = row.version;
    // The rows are what the database guards: they count, not the copy in the document.
    let entries = duties
        .into_iter()
        .filter_map(|d| {
            Some(DutyEntry {
                duty: d.duty,
                person: Person {
                    staff: d.staff_id,
                    identity: IdentityIndex::new(d.number_index)?,
                },
                at: d.at,
            })
        })
        .collect();
    m.duties = Duties::from_entries(entries)?;
    Ok(m)
}

/// Reads a case; nobody else may change it until the transaction ends when `lock` is set.
pub async fn open(app: &App, tx: &mut Tx, id: &CaseId, lock: bool) -> Result<Open, AppError> {
    if lock {
        dialect::lock_case(tx, id).await?;
    }
    let row = case::get(tx, id).await?.ok_or_else(|| no("not_found"))?;
    let duties = case::duties(tx, id).await?;
    let machine = machine_of(&row, duties)?;
    let key = app.vault.key(tx, &row.key_id).await?;
    Ok(Open { row, machine, key })
}

/// Who looks, or `not_found`: no one learns of cases that are not theirs.
pub async fn viewer(tx: &mut Tx, who: &Principal, row: &case::Case) -> Result<Viewer, AppError> {
    match who {
        Principal::Case { case } if *case == row.id => Ok(Viewer::Applicant),
        Principal::Citizen { visit } if *visit == row.visit_id => Ok(Viewer::Applicant),
        Principal::Staff { id, roles, .. } => {
            let who = active_staff(tx, id).await?;
            let office = roles
                .iter()
                .any(|r| matches!(r, Role::Reviewer | Role::Issuer))
                && departments(who.department.as_deref()).contains(&row.department);
            if office {
                return Ok(Viewer::Office {
                    who,
                    roles: roles.clone(),
                });
            }
            let s = session::get(tx, &row.session_id)
                .await?
                .ok_or_else(|| no("not_found"))?;
            let here = s.staff_id == who.id
                || session::members(tx, &s.id).await?.iter().any(|m| {
                    // Who only helped for a while has no part in the case.
                    m.served && m.staff_id.as_ref() == Some(&who.id)
                });
            if here {
                Ok(Viewer::Agent { who })
            } else {
                Err(no("not_found"))
            }
        }
        Principal::Case { .. }
        | Principal::Citizen { .. }
        | Principal::Booth { .. }
        | Principal::Guest { .. } => Err(no("not_found")),
    }
}

/// The form that the case was handed in with.
pub async fn form_of(app: &App, tx: &mut Tx, o: &Open) -> Result<forms::Document, AppError> {
    forms::document(app, tx, &o.row.form_id)
        .await?
        .ok_or_else(|| no("form_not_open"))
}

impl Open {
    pub fn applicant(&self) -> Result<Applicant, AppError> {
        self.key.open(&self.row.applicant_enc)
    }
    /// The case's own applicant, as the machine's actor.
    pub fn as_applicant(&self) -> Result<Actor, AppError> {
        self.machine
            .applicants
            .first()
            .cloned()
            .map(Actor::Applicant)
            .ok_or_else(|| no("internal"))
    }
    pub fn correction(&self) -> Result<Option<CorrectionRecord>, AppError> {
        self.row
            .correction_enc
            .as_ref()
            .map(|e| self.key.open(e))
            .transpose()
    }
    pub fn decision(&self) -> Result<Option<DecisionRecord>, AppError> {
        self.row
            .decision_enc
            .as_ref()
            .map(|e| self.key.open(e))
            .transpose()
    }
    pub fn put_correction(&mut self, r: &CorrectionRecord) -> Result<(), AppError> {
        self.row.correction_enc = Some(self.key.seal(r)?);
        Ok(())
    }
    pub fn put_decision(&mut self, r: &DecisionRecord) -> Result<(), AppError> {
        self.row.decision_enc = Some(self.key.seal(r)?);
        Ok(())
    }

    /// `version_stale` with the current state, unless the caller saw this version.
    pub fn at_version(&self, version: i64) -> Result<(), AppError> {
        if self.row.version == version {
            return Ok(());
        }
        Err(no("version_stale")
            .with_current(json!({"version": self.row.version, "state": self.row.state.as_str()})))
    }

    /// A member of staff who may take on a duty of this case; a clash is told before a missing role.
    pub fn may(
        &self,
        v: &Viewer,
        duty: Duty,
        role: Role,
    ) -> Result<(staff::Staff, Person), AppError> {
        let s = v.staff().ok_or_else(|| no("role_missing"))?;
        let p = person(s)?;
        self.machine
            .duties
            .check(duty, &p, &self.machine.applicants)?;
        if !v.has(role) {
            return Err(no("role_missing"));
        }
        Ok((s.clone(), p))
    }

    /// One command of the machine; duties go to their guarded table at once.
    pub async fn apply(
        &mut self,
        tx: &mut Tx,
        w: &mut Work,
        actor: &Actor,
        rules: &Rules,
        cmd: Cmd,
    ) -> Result<Vec<Effect>, AppError> {
        let verb = cmd.kind();
        let ctx = Ctx {
            actor,
            calendar: &w.app.calendar,
            rules,
        };
        let (machine, effects) = self
            .machine
            .clone()
            .apply(w.now, cmd, ctx)
            .map_err(refusal)?;
        self.machine = machine;
        self.mirror();
        carry(tx, w, &self.row, verb.as_str(), &effects).await?;
        Ok(effects)
    }

    fn mirror(&mut self) {
        self.row.state = self.machine.state;
        self.row.accepted_at = self.machine.accepted_at;
        self.row.due_on = self.machine.due.map(|d| d.to_string());
        let waits = self.machine.state == State::Correction;
        let until = self.machine.correction.as_ref().filter(|_| waits);
        self.row.correction_due = until.map(|c| c.until.to_string());
    }

    /// Writes the row; a lost race is a stale version.
    pub async fn save(&mut self, tx: &mut Tx, w: &mut Work) -> Result<(), AppError> {
        self.row.machine = stored(&self.machine)?;
        if !case::save(tx, &self.row).await? {
            return Err(StoreError::Retry.into());
        }
        self.row.version += 1;
        w.wake(&self.row.id);
        if session::get(tx, &self.row.session_id)
            .await?
            .is_some_and(|s| s.state != domain::session::State::Ended)
        {
            w.wake(&self.row.session_id);
        }
        Ok(())
    }

    /// One line of the case's journal.
    pub async fn event(
        &self,
        tx: &mut Tx,
        w: &Work,
        kind: &str,
        note: Option<String>,
    ) -> Result<(), AppError> {
        let sealed = note
            .map(|t| self.key.seal(&EventNote { text: Some(t) }))
            .transpose()?;
        case::append(tx, &self.row.id, w.now, kind, &w.actor, sealed).await?;
        Ok(())
    }
}

/// The effects of a command that are rows: duties, audit, notices. Papers are made when someone asks for them.
pub async fn carry(
    tx: &mut Tx,
    w: &mut Work,
    row: &case::Case,
    verb: &str,
    effects: &[Effect],
) -> Result<(), AppError> {
    for e in effects {
        match e {
            Effect::DutyTaken { duty, person } => {
                let d = case::DutyRow {
                    duty: *duty,
                    staff_id: person.staff.clone(),
                    number_index: person.identity.as_str().to_owned(),
                    at: w.now,
                };
                case::add_duty(tx, &row.id, &d).await?;
            }
            Effect::Tell(n) => {
                w.outbox(
                    tx,
                    "case.notice",
                    row.id.as_str(),
                    json!({"notice": n.as_str(), "number": row.number}),
                )
                .await?;
            }
            Effect::Moved { .. }
            | Effect::DueSet { .. }
            | Effect::ReturnAfter { .. }
            | Effect::Issue(_)
            | Effect::Render => {}
        }
    }
    w.audit(
        tx,
        &format!("case.{verb}"),
        row.id.as_str(),
        json!({"state": row.state.as_str(), "due": row.due_on}),
    )
    .await
}

/// The machine as it is kept: without the texts, which stand sealed in the records.
pub fn stored(m: &Machine) -> Result<String, AppError> {
    let mut m = m.clone();
    if let Some(c) = &mut m.correction {
        for i in &mut c.items {
            i.zh.clear();
            i.en.clear();
        }
    }
    let none = || Remedies {
        reconsideration: String::new(),
        litigation: String::new(),
    };
    match &mut m.decision {
        Some(Decision::Granted { opinion, .. }) => opinion.clear(),
        Some(
            Decision::Refused {
                reasons, remedies, ..
            }
            | Decision::NotAccepted {
                reasons, remedies, ..
            },
        ) => {
            reasons.clear();
            *remedies = none();
        }
        None => {}
    }
    serde_json::to_string(&m).map_err(|_| no("internal"))
}

/// No decision and no end yet: papers and answers of the citizen still count.
#[must_use]
pub const fn is_open(s: State) -> bool {
    !s.is_terminal() && !s.is_decided()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use domain::{calendar::Calendar, case::Term, id::CaseId};

    #[test]
    fn kept_machines_hold_no_official_text() {
        let person = |n: u128| Person {
            staff: StaffId::make(1, n),
            identity: IdentityIndex::new(format!("i{n}")).unwrap(),
        };
        let now = Timestamp::parse_rfc3339("2026-03-02T02:00:00Z").unwrap();
        let term = Term {
            statutory_days: 20,
            promise_days: 5,
            extension_days_max: 10,
        };
        let m = Machine::draft(
            CaseId::make(1, 1),
            vec![IdentityIndex::new("a").unwrap()],
            term,
        )
        .unwrap();
        let rules = Rules::default();
        let step = |m: Machine, who: u128, cmd| {
            let actor = Actor::Staff(person(who));
            m.apply(
                now,
                cmd,
                Ctx {
                    actor: &actor,
                    calendar: Calendar::vendored(),
                    rules: &rules,
                },
            )
            .unwrap()
            .0
        };
        let m = step(
            m,
            1,
            Cmd::ReceiveAndAccept {
                number: "43098120260302000001".into(),
                guided: vec![],
                filled: vec![],
            },
        );
        let m = step(m, 2, Cmd::BeginReview);
        let m = step(
            m,
            2,
            Cmd::Grant {
                opinion: "王某某符合条件".into(),
            },
        );
        let text = stored(&m).unwrap();
        assert!(!text.contains("王某某"));
        let back: Machine = serde_json::from_str(&text).unwrap();
        assert_eq!((back.state, back.duties), (m.state, m.duties));
    }

    #[test]
    fn an_account_may_serve_several_departments() {
        assert_eq!(departments(Some("police, medical,")), ["police", "medical"]);
        assert!(departments(None).is_empty());
    }
}
