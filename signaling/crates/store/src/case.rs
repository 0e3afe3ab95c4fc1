//! Cases (办件): the row, its journal, its duties and the work lists.
//!
//! The state machine is `domain::case`; its value stands in `machine` as JSON, and the columns beside it are what lists
//! and constraints need. Separation of duties is held again by triggers on `case_duties` (invariant 4).

use crate::{Row, StoreError, Tx, args, dialect};
use domain::{
    case::{Duty, DutySet, State},
    id::{CaseId, HallId, KeyId, SessionId, SignatureId, StaffId, VisitId},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    pub id: CaseId,
    pub number: String,
    pub session_id: SessionId,
    pub visit_id: VisitId,
    pub key_id: KeyId,
    pub hall_id: HallId,
    pub department: String,
    pub item: String,
    pub item_version: i64,
    /// The form's id: the session's.
    pub form_id: SessionId,
    pub signature_id: SignatureId,
    pub state: State,
    pub version: i64,
    /// `domain::case::Case` as JSON.
    pub machine: String,
    /// {name, number} under the key.
    pub applicant_enc: Vec<u8>,
    /// HMAC of the applicant's number.
    pub applicant_index: String,
    pub received_at: Timestamp,
    pub accepted_at: Option<Timestamp>,
    /// Last day to decide, Beijing, `YYYY-MM-DD`.
    pub due_on: Option<String>,
    pub claimed_by: Option<StaffId>,
    /// Sent back by the citizen after a correction.
    pub corrected: bool,
    pub correction_enc: Option<Vec<u8>>,
    /// Last day of an open correction, Beijing, `YYYY-MM-DD`; none in every other state.
    pub correction_due: Option<String>,
    pub decision_enc: Option<Vec<u8>>,
}

/// Who did what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyRow {
    pub duty: Duty,
    pub staff_id: StaffId,
    /// HMAC of the person's number.
    pub number_index: String,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub seq: i64,
    pub at: Timestamp,
    pub kind: String,
    /// A staff, visit or node id, or `system`.
    pub actor: String,
    pub payload_enc: Option<Vec<u8>>,
}

/// A department's work lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// Accepted, in review, extended, suspended, in correction; the most urgent first.
    Review,
    /// Granted, being issued; the most urgent first.
    Issue,
    /// Nothing left for the department to do; the newest first.
    Done,
}

/// Where the last page ended. `Review` and `Issue` go on after (due_on, id), `Done` before id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    pub due_on: Option<String>,
    pub id: CaseId,
}

const INSERT: &str = "INSERT INTO cases (id, number, session_id, visit_id, key_id, hall_id, department, item, item_version, form_id, signature_id, state, version,
    machine, applicant_enc, applicant_index, received_at, accepted_at, due_on, correction_due)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)";
const GET: &str = "SELECT * FROM cases WHERE id = $1";
const BY_SESSION: &str = "SELECT * FROM cases WHERE session_id = $1";
const BY_NUMBER: &str = "SELECT * FROM cases WHERE number = $1";
const SAVE: &str = "UPDATE cases SET state = $3, version = version + 1, machine = $4, accepted_at = $5, due_on = $6, claimed_by = $7, corrected = $8,
    correction_enc = $9, decision_enc = $10, signature_id = $11, correction_due = $12 WHERE id = $1 AND version = $2";
const NUMBER: &str = "INSERT INTO case_numbers (prefix, last) VALUES ($1, 1)
  ON CONFLICT (prefix) DO UPDATE SET last = case_numbers.last + 1 RETURNING last";
const DUTY: &str = "INSERT INTO case_duties (case_id, duty, duty_set, staff_id, number_index, at) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (case_id, duty, staff_id) DO NOTHING";
const DUTIES: &str = "SELECT * FROM case_duties WHERE case_id = $1 ORDER BY at, duty, staff_id";
const EVENT: &str = "INSERT INTO case_events (case_id, seq, at, kind, actor, payload_enc)
  VALUES ($1, (SELECT coalesce(max(seq), 0) + 1 FROM case_events WHERE case_id = $1), $2, $3, $4, $5) RETURNING seq";
const EVENTS: &str =
    "SELECT * FROM case_events WHERE case_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
// A case without a due day (its clock has not started, or is stopped) comes after all dated ones.
const REVIEW: &str = "SELECT * FROM cases WHERE department = $1 AND state IN ('accepted', 'in_review', 'extended', 'suspended', 'correction')
  AND (coalesce(due_on, '9999-12-31'), id) > ($2, $3) ORDER BY coalesce(due_on, '9999-12-31'), id LIMIT $4";
const ISSUE: &str = "SELECT * FROM cases WHERE department = $1 AND state IN ('granted', 'issuing')
  AND (coalesce(due_on, '9999-12-31'), id) > ($2, $3) ORDER BY coalesce(due_on, '9999-12-31'), id LIMIT $4";
const DONE: &str = "SELECT * FROM cases WHERE department = $1 AND id < $2
  AND state IN ('issued', 'delivered', 'archived', 'refused', 'not_accepted', 'transferred', 'withdrawn', 'returned') ORDER BY id DESC LIMIT $3";
const OF_APPLICANT: &str =
    "SELECT * FROM cases WHERE applicant_index = $1 ORDER BY received_at DESC, id DESC LIMIT $2";
const OVERDUE: &str = "SELECT id FROM cases WHERE state = 'correction' AND correction_due < $1 ORDER BY correction_due, id LIMIT $2";
pub const QUERIES: &[&str] = &[
    INSERT,
    GET,
    BY_SESSION,
    BY_NUMBER,
    SAVE,
    NUMBER,
    DUTY,
    DUTIES,
    EVENT,
    EVENTS,
    REVIEW,
    ISSUE,
    DONE,
    OF_APPLICANT,
    OVERDUE,
];

/// After every dated case.
const NO_DAY: &str = "9999-12-31";
/// Above every id: `~` sorts behind letters and digits.
const ABOVE_ALL: &str = "~";

fn row(r: &Row) -> Result<Case, StoreError> {
    Ok(Case {
        id: r.id("id")?,
        number: r.text("number")?,
        session_id: r.id("session_id")?,
        visit_id: r.id("visit_id")?,
        key_id: r.id("key_id")?,
        hall_id: r.id("hall_id")?,
        department: r.text("department")?,
        item: r.text("item")?,
        item_version: r.int("item_version")?,
        form_id: r.id("form_id")?,
        signature_id: r.id("signature_id")?,
        state: r.word("state", State::parse)?,
        version: r.int("version")?,
        machine: r.text("machine")?,
        applicant_enc: r.blob("applicant_enc")?,
        applicant_index: r.text("applicant_index")?,
        received_at: r.time("received_at")?,
        accepted_at: r.opt_time("accepted_at")?,
        due_on: r.opt_text("due_on")?,
        claimed_by: r.opt_id("claimed_by")?,
        corrected: r.bool("corrected")?,
        correction_enc: r.opt_blob("correction_enc")?,
        correction_due: r.opt_text("correction_due")?,
        decision_enc: r.opt_blob("decision_enc")?,
    })
}

/// As the CHECK of `case_duties` numbers the sets.
const fn set_number(duty: Duty) -> i64 {
    match duty.set() {
        DutySet::Front => 1,
        DutySet::Review => 2,
        DutySet::Issue => 3,
    }
}

/// A case as it was handed in: unclaimed, without correction or decision. Constraint where the session has one already.
pub async fn insert(tx: &mut Tx, c: &Case) -> Result<(), StoreError> {
    tx.exec(
        INSERT,
        args![
            &c.id,
            &c.number,
            &c.session_id,
            &c.visit_id,
            &c.key_id,
            &c.hall_id,
            &c.department,
            &c.item,
            c.item_version,
            &c.form_id,
            &c.signature_id,
            c.state.as_str(),
            c.version,
            &c.machine,
            c.applicant_enc.clone(),
            &c.applicant_index,
            c.received_at,
            c.accepted_at,
            c.due_on.clone(),
            c.correction_due.clone()
        ],
    )
    .await
    .map(|_| ())
}

pub async fn get(tx: &mut Tx, id: &CaseId) -> Result<Option<Case>, StoreError> {
    tx.one(GET, args![id], row).await
}

pub async fn by_session(tx: &mut Tx, session: &SessionId) -> Result<Option<Case>, StoreError> {
    tx.one(BY_SESSION, args![session], row).await
}

pub async fn by_number(tx: &mut Tx, number: &str) -> Result<Option<Case>, StoreError> {
    tx.one(BY_NUMBER, args![number], row).await
}

/// Keeps what the case has become since `c.version` (the old one); false: a lost race. The row's version grows by one.
pub async fn save(tx: &mut Tx, c: &Case) -> Result<bool, StoreError> {
    let n = tx
        .exec(
            SAVE,
            args![
                &c.id,
                c.version,
                c.state.as_str(),
                &c.machine,
                c.accepted_at,
                c.due_on.clone(),
                c.claimed_by.as_ref(),
                c.corrected,
                c.correction_enc.clone(),
                c.decision_enc.clone(),
                &c.signature_id,
                c.correction_due.clone()
            ],
        )
        .await?;
    Ok(n == 1)
}

/// The next serial under a prefix (region and day, agency and year …), from 1. Rolls back with the transaction.
pub async fn next_number(tx: &mut Tx, prefix: &str) -> Result<i64, StoreError> {
    tx.one(NUMBER, args![prefix], |r| r.int("last"))
        .await?
        .ok_or_else(|| StoreError::Corrupt("no number came back".into()))
}

/// False: this account has this duty already. Constraint `duty_conflict` where the person, by account or by number,
/// has a duty of another set in this case.
pub async fn add_duty(tx: &mut Tx, case: &CaseId, d: &DutyRow) -> Result<bool, StoreError> {
    let n = tx
        .exec(
            DUTY,
            args![
                case,
                d.duty.as_str(),
                set_number(d.duty),
                &d.staff_id,
                &d.number_index,
                d.at
            ],
        )
        .await?;
    Ok(n == 1)
}

pub async fn duties(tx: &mut Tx, case: &CaseId) -> Result<Vec<DutyRow>, StoreError> {
    tx.all(DUTIES, args![case], |r| {
        Ok(DutyRow {
            duty: r.word("duty", Duty::parse)?,
            staff_id: r.id("staff_id")?,
            number_index: r.text("number_index")?,
            at: r.time("at")?,
        })
    })
    .await
}

/// Appends to the case's journal; the answer is its number, from 1 without a gap. Locks the case.
pub async fn append(
    tx: &mut Tx,
    case: &CaseId,
    at: Timestamp,
    kind: &str,
    actor: &str,
    payload_enc: Option<Vec<u8>>,
) -> Result<i64, StoreError> {
    dialect::lock_case(tx, case).await?;
    tx.one(EVENT, args![case, at, kind, actor, payload_enc], |r| {
        r.int("seq")
    })
    .await?
    .ok_or_else(|| StoreError::Corrupt("no number came back".into()))
}

pub async fn events(
    tx: &mut Tx,
    case: &CaseId,
    after: i64,
    limit: i64,
) -> Result<Vec<Event>, StoreError> {
    tx.all(EVENTS, args![case, after, limit], |r| {
        Ok(Event {
            seq: r.int("seq")?,
            at: r.time("at")?,
            kind: r.text("kind")?,
            actor: r.text("actor")?,
            payload_enc: r.opt_blob("payload_enc")?,
        })
    })
    .await
}

/// One page of a department's work list; `None`: from the start.
pub async fn page(
    tx: &mut Tx,
    queue: Queue,
    department: &str,
    after: Option<&After>,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    let (day, id) = match after {
        None => (String::new(), String::new()),
        Some(a) => (
            a.due_on.clone().unwrap_or_else(|| NO_DAY.into()),
            a.id.to_string(),
        ),
    };
    match queue {
        Queue::Review => tx.all(REVIEW, args![department, day, id, limit], row).await,
        Queue::Issue => tx.all(ISSUE, args![department, day, id, limit], row).await,
        Queue::Done => {
            let before = if id.is_empty() { ABOVE_ALL.into() } else { id };
            tx.all(DONE, args![department, before, limit], row).await
        }
    }
}

/// The newest first.
pub async fn of_applicant(
    tx: &mut Tx,
    applicant_index: &str,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    tx.all(OF_APPLICANT, args![applicant_index, limit], row)
        .await
}

/// Cases whose applicant had until a day before `today` (Beijing, `YYYY-MM-DD`) to correct them; the longest overdue first.
pub async fn overdue(tx: &mut Tx, today: &str, limit: i64) -> Result<Vec<CaseId>, StoreError> {
    tx.all(OVERDUE, args![today, limit], |r| r.id("id")).await
}
