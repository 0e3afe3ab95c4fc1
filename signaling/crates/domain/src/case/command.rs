//! What can be asked of a case, by whom and with what at hand, and what follows. Holds no transition.

use super::{CorrectionItem, Duty, Person, Remedies, Rules, State, SuspendKind};
use crate::{
    calendar::Calendar,
    id::CertificateId,
    identifiers::{IdentityIndex, text_enum},
};
use time::Date;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    Staff(Person),
    Applicant(IdentityIndex),
    /// A timer or a job of the server.
    System,
}

/// What a transition needs beside the case.
#[derive(Debug, Clone, Copy)]
pub struct Ctx<'a> {
    pub actor: &'a Actor,
    pub calendar: &'a Calendar,
    pub rules: &'a Rules,
}

/// A command. Texts are Chinese (the language of the file) and bounded by the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cmd {
    /// A member of staff helped: guided, or typed into the form.
    Assist {
        filled: bool,
    },
    /// Hand in. `guided` and `filled` are the agents of the session, who may differ from the one who hands in.
    Receive {
        number: String,
        guided: Vec<Person>,
        filled: Vec<Person>,
    },
    BeginPreCheck,
    /// One complete notice of everything that is missing.
    AskCorrection {
        items: Vec<CorrectionItem>,
    },
    SubmitCorrection,
    ReturnOverdue,
    Accept,
    /// Hand in and accept in one command: the usual end of a guided session.
    ReceiveAndAccept {
        number: String,
        guided: Vec<Person>,
        filled: Vec<Person>,
    },
    /// Nobody asked for a correction within the five days: accepted from the day of receipt (§32).
    DeemAccepted,
    RefuseAcceptance {
        reasons: String,
        remedies: Remedies,
    },
    TransferOut {
        authority: String,
        reasons: String,
    },
    BeginReview,
    Extend {
        days: u16,
        reasons: String,
        approved_by: Person,
    },
    Suspend {
        kind: SuspendKind,
        reason: String,
        expected_days: u16,
    },
    Resume,
    Grant {
        opinion: String,
    },
    Refuse {
        reasons: String,
        remedies: Remedies,
    },
    /// `deferred_missing`: materials promised for later (容缺) that have not come.
    BeginIssuing {
        deferred_missing: u32,
    },
    /// Rendering or sealing failed: nothing was issued, it may be tried again.
    FailIssuing {
        code: String,
    },
    FinishIssuing {
        certificate: CertificateId,
    },
    Deliver,
    Archive,
    Withdraw {
        reason: String,
    },
}

text_enum! {
    /// A command's name: the audit's verb, the key of tables.
    pub enum CmdKind {
        Assist = "assist",
        Receive = "receive",
        BeginPreCheck = "begin_pre_check",
        AskCorrection = "ask_correction",
        SubmitCorrection = "submit_correction",
        ReturnOverdue = "return_overdue",
        Accept = "accept",
        ReceiveAndAccept = "receive_and_accept",
        DeemAccepted = "deem_accepted",
        RefuseAcceptance = "refuse_acceptance",
        TransferOut = "transfer_out",
        BeginReview = "begin_review",
        Extend = "extend",
        Suspend = "suspend",
        Resume = "resume",
        Grant = "grant",
        Refuse = "refuse",
        BeginIssuing = "begin_issuing",
        FailIssuing = "fail_issuing",
        FinishIssuing = "finish_issuing",
        Deliver = "deliver",
        Archive = "archive",
        Withdraw = "withdraw",
    }
}

impl Cmd {
    #[must_use]
    pub const fn kind(&self) -> CmdKind {
        match self {
            Self::Assist { .. } => CmdKind::Assist,
            Self::Receive { .. } => CmdKind::Receive,
            Self::BeginPreCheck => CmdKind::BeginPreCheck,
            Self::AskCorrection { .. } => CmdKind::AskCorrection,
            Self::SubmitCorrection => CmdKind::SubmitCorrection,
            Self::ReturnOverdue => CmdKind::ReturnOverdue,
            Self::Accept => CmdKind::Accept,
            Self::ReceiveAndAccept { .. } => CmdKind::ReceiveAndAccept,
            Self::DeemAccepted => CmdKind::DeemAccepted,
            Self::RefuseAcceptance { .. } => CmdKind::RefuseAcceptance,
            Self::TransferOut { .. } => CmdKind::TransferOut,
            Self::BeginReview => CmdKind::BeginReview,
            Self::Extend { .. } => CmdKind::Extend,
            Self::Suspend { .. } => CmdKind::Suspend,
            Self::Resume => CmdKind::Resume,
            Self::Grant { .. } => CmdKind::Grant,
            Self::Refuse { .. } => CmdKind::Refuse,
            Self::BeginIssuing { .. } => CmdKind::BeginIssuing,
            Self::FailIssuing { .. } => CmdKind::FailIssuing,
            Self::FinishIssuing { .. } => CmdKind::FinishIssuing,
            Self::Deliver => CmdKind::Deliver,
            Self::Archive => CmdKind::Archive,
            Self::Withdraw { .. } => CmdKind::Withdraw,
        }
    }
}

text_enum! {
    /// Dated, stamped papers that the law asks for.
    pub enum Receipt {
        /// 收件回执
        Received = "received",
        /// 受理通知书
        Accepted = "accepted",
        /// 补正告知书
        Correction = "correction",
        /// 不予受理决定书
        NotAccepted = "not_accepted",
        /// 移送告知书
        Transferred = "transferred",
        /// 延长期限告知书
        Extended = "extended",
        /// 特别程序告知书
        Suspended = "suspended",
        /// 不予许可决定书
        Refused = "refused",
        /// 退件通知书
        Returned = "returned",
        /// 撤回确认
        Withdrawn = "withdrawn",
    }
}

text_enum! {
    /// What the applicant is told (phone page, message).
    pub enum Notice {
        Received = "received",
        Accepted = "accepted",
        CorrectionAsked = "correction_asked",
        NotAccepted = "not_accepted",
        Transferred = "transferred",
        Extended = "extended",
        Suspended = "suspended",
        Resumed = "resumed",
        Granted = "granted",
        Refused = "refused",
        Issued = "issued",
        Delivered = "delivered",
        Returned = "returned",
        Withdrawn = "withdrawn",
    }
}

/// What follows from an accepted command, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The state changed: audit and journal.
    Moved { from: State, to: State },
    /// A duty was taken on: one row of the table that the database guards.
    DutyTaken { duty: Duty, person: Person },
    /// The last day to decide is set or has moved later.
    DueSet { due: Date, statutory_due: Date },
    /// Return the case after this day unless the correction comes.
    ReturnAfter { until: Date },
    /// Make and file this paper.
    Issue(Receipt),
    /// Tell the applicant.
    Tell(Notice),
    /// Render the result, then `FinishIssuing` or `FailIssuing`.
    Render,
}
