//! States, the case itself, and the periods that an item allows. Holds no transition.

use super::Duties;
use crate::{
    calendar::Calendar,
    error::Rejected,
    id::{CaseId, CertificateId},
    identifiers::{IdentityIndex, iso_date, iso_date_opt, text_enum},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use time::Date;

text_enum! {
    /// Where a case stands (domain.md §5).
    pub enum State {
        /// 草稿: being filled in; no duty of the authority yet.
        Draft = "draft",
        /// 收件: handed in; §32's five days run.
        Received = "received",
        /// 预审: someone looks whether it is complete.
        PreCheck = "pre_check",
        /// 补正: the applicant has one complete notice of what is missing.
        Correction = "correction",
        /// 不予受理
        NotAccepted = "not_accepted",
        /// 转其他机关
        Transferred = "transferred",
        /// 受理: the clock has started.
        Accepted = "accepted",
        /// 审查
        InReview = "in_review",
        /// 延长: still under review, with the one extension of §42.
        Extended = "extended",
        /// 暂停: a hearing, test or expert review (§45) runs; its days are excluded.
        Suspended = "suspended",
        /// 准予
        Granted = "granted",
        /// 不予
        Refused = "refused",
        /// 制证: the document is being made; failure goes back to granted.
        Issuing = "issuing",
        /// 已出证
        Issued = "issued",
        /// 已送达
        Delivered = "delivered",
        /// 归档
        Archived = "archived",
        /// 撤回, by the applicant before the decision.
        Withdrawn = "withdrawn",
        /// 退件: the correction did not come in time.
        Returned = "returned",
    }
}

impl State {
    /// No command leaves it.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::NotAccepted
            | Self::Transferred
            | Self::Archived
            | Self::Withdrawn
            | Self::Returned => true,
            Self::Draft | Self::Received | Self::PreCheck | Self::Correction | Self::Accepted => {
                false
            }
            Self::InReview | Self::Extended | Self::Suspended | Self::Granted | Self::Refused => {
                false
            }
            Self::Issuing | Self::Issued | Self::Delivered => false,
        }
    }
    /// 决定 has been made: no withdrawal, no correction.
    #[must_use]
    pub const fn is_decided(self) -> bool {
        match self {
            Self::Granted
            | Self::Refused
            | Self::Issuing
            | Self::Issued
            | Self::Delivered
            | Self::Archived => true,
            Self::Draft
            | Self::Received
            | Self::PreCheck
            | Self::Correction
            | Self::NotAccepted => false,
            Self::Transferred
            | Self::Accepted
            | Self::InReview
            | Self::Extended
            | Self::Suspended => false,
            Self::Withdrawn | Self::Returned => false,
        }
    }
}

/// The periods of one item, in working days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// 法定办结时限: 20, joint handling 45 (§42), or what a special law says.
    pub statutory_days: u16,
    /// 承诺办结时限: what the authority promises; the due date is counted with it. 0 = 即办.
    pub promise_days: u16,
    /// The longest extension: 10, joint handling 15.
    pub extension_days_max: u16,
}

impl Term {
    /// # Errors
    /// `promise_exceeds_statutory`, `term_too_long` (more than 365 days: a mistake in the catalogue).
    pub fn check(&self) -> Result<(), Rejected> {
        if self.promise_days > self.statutory_days {
            return Err(Rejected::new("promise_exceeds_statutory"));
        }
        if self.statutory_days > 365 || self.extension_days_max > 365 {
            return Err(Rejected::new("term_too_long"));
        }
        Ok(())
    }
}

/// What a place may set. Its default follows the law where the law speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Working days after receipt in which a correction may be asked before acceptance; later the case is accepted (§32).
    pub notice_days: u16,
    /// Working days that the applicant has for a correction. Not in the law: places differ.
    pub correction_days: u16,
    /// Whether a correction asked during review stops the clock. §45 does not name it and practice differs
    /// (uncertain); on by default, because otherwise the applicant's own days would be the authority's delay.
    pub correction_stops_clock: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            notice_days: 5,
            correction_days: 15,
            correction_stops_clock: true,
        }
    }
}

/// One thing to put right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorrectionItem {
    /// JSON pointer to a form field or `/materials/<code>`.
    pub pointer: String,
    /// What is wrong and what to bring, in Chinese (required) and English (may be empty).
    pub zh: String,
    pub en: String,
}

/// The one complete notice (一次性告知, §32).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    pub items: Vec<CorrectionItem>,
    pub noticed_at: Timestamp,
    /// Last day for the applicant, inclusive.
    #[serde(with = "iso_date")]
    pub until: Date,
    /// Where the case goes on once corrected.
    pub resume: State,
    pub submitted_at: Option<Timestamp>,
}

text_enum! {
    /// Proceedings whose days are excluded (§45).
    pub enum SuspendKind {
        /// 听证
        Hearing = "hearing",
        /// 招标、拍卖
        Tender = "tender",
        /// 检验
        Inspection = "inspection",
        /// 检测
        Test = "test",
        /// 检疫
        Quarantine = "quarantine",
        /// 鉴定
        Appraisal = "appraisal",
        /// 专家评审
        ExpertReview = "expert_review",
    }
}

/// One excluded period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    pub kind: SuspendKind,
    pub reason: String,
    /// The duration told to the applicant in writing (working days).
    pub expected_days: u16,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// Where the case goes on.
    pub resume: State,
}

/// The one extension (§42).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    pub days: u16,
    pub reasons: String,
    pub approved_by: super::Person,
    pub at: Timestamp,
}

/// Where the applicant may turn after a refusal (§38).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remedies {
    /// 行政复议: the body and the period.
    pub reconsideration: String,
    /// 行政诉讼: the court and the period.
    pub litigation: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Decision {
    Granted {
        opinion: String,
        at: Timestamp,
    },
    Refused {
        reasons: String,
        remedies: Remedies,
        at: Timestamp,
    },
    NotAccepted {
        reasons: String,
        remedies: Remedies,
        at: Timestamp,
    },
}

/// A case. Holds codes, times and official reasons; never the form, whose values are encrypted apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    pub id: CaseId,
    pub state: State,
    /// Grows by one with each accepted command: the compare-and-set of the store.
    pub version: i64,
    /// The applicant and, for a company, the person who acts for it: they never act on their own case as staff.
    pub applicants: Vec<IdentityIndex>,
    pub term: Term,
    pub number: Option<String>,
    pub received_at: Option<Timestamp>,
    pub accepted_at: Option<Timestamp>,
    pub decided_at: Option<Timestamp>,
    /// Last day to decide under the promise, inclusive.
    #[serde(with = "iso_date_opt")]
    pub due: Option<Date>,
    /// Last day to decide under the law, inclusive.
    #[serde(with = "iso_date_opt")]
    pub statutory_due: Option<Date>,
    pub correction: Option<Correction>,
    pub suspensions: Vec<Suspension>,
    pub extension: Option<Extension>,
    pub decision: Option<Decision>,
    pub duties: Duties,
    pub certificate: Option<CertificateId>,
}

impl Case {
    /// A new draft.
    ///
    /// # Errors
    /// As [`Term::check`]; `applicant_required` when nobody applies.
    pub fn draft(id: CaseId, applicants: Vec<IdentityIndex>, term: Term) -> Result<Self, Rejected> {
        term.check()?;
        if applicants.is_empty() {
            return Err(Rejected::new("applicant_required"));
        }
        Ok(Self {
            id,
            state: State::Draft,
            version: 0,
            applicants,
            term,
            number: None,
            received_at: None,
            accepted_at: None,
            decided_at: None,
            due: None,
            statutory_due: None,
            correction: None,
            suspensions: Vec::new(),
            extension: None,
            decision: None,
            duties: Duties::default(),
            certificate: None,
        })
    }

    /// Working days left before the promise is broken; negative when it is. `None` while no clock runs: before
    /// acceptance, while suspended, and once decided.
    ///
    /// # Errors
    /// `calendar_missing`.
    pub fn days_left(&self, now: Timestamp, calendar: &Calendar) -> Result<Option<i32>, Rejected> {
        match (self.state, self.due) {
            (State::Accepted | State::InReview | State::Extended, Some(due)) => {
                calendar.days_left(now.beijing_date(), due).map(Some)
            }
            (
                State::Draft
                | State::Received
                | State::PreCheck
                | State::Correction
                | State::NotAccepted
                | State::Transferred
                | State::Accepted
                | State::InReview
                | State::Extended
                | State::Suspended
                | State::Granted
                | State::Refused
                | State::Issuing
                | State::Issued
                | State::Delivered
                | State::Archived
                | State::Withdrawn
                | State::Returned,
                _,
            ) => Ok(None),
        }
    }
}

/// A case number: region (6) + Beijing date of receipt (8) + the day's serial (6), e.g. `43098120261121000007`.
///
/// # Errors
/// `case_number_format` for a region that is not six digits or a serial outside 1..=999999.
pub fn case_number(region: &str, received: Date, serial: u32) -> Result<String, Rejected> {
    let ok = region.len() == 6
        && region.bytes().all(|b| b.is_ascii_digit())
        && (1..=999_999).contains(&serial);
    if !ok {
        return Err(Rejected::new("case_number_format"));
    }
    let (y, m, d) = (received.year(), u8::from(received.month()), received.day());
    Ok(format!("{region}{y:04}{m:02}{d:02}{serial:06}"))
}
