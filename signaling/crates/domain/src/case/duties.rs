//! Separation of duties (architecture.md, decision 9): for one case {guided, filled, accepted}, {reviewed, decided} and
//! {issued} are pairwise disjoint, by account and by identity number, whoever holds the account. The database holds
//! the same rule again.

use crate::{
    error::Rejected,
    id::StaffId,
    identifiers::{IdentityIndex, text_enum},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Entries kept for one case: one per duty and account, so this is reached only by a loop gone wrong.
const ENTRIES_MAX: usize = 128;

text_enum! {
    /// What a member of staff did for a case.
    pub enum Duty {
        /// 帮办引导
        Guided = "guided",
        /// 代填
        Filled = "filled",
        /// 受理 (or refusing, or asking a correction, before acceptance)
        Accepted = "accepted",
        /// 审查
        Reviewed = "reviewed",
        /// 决定
        Decided = "decided",
        /// 出证
        Issued = "issued",
    }
}

text_enum! {
    /// The three sets that no person may belong to two of.
    pub enum DutySet {
        Front = "front",
        Review = "review",
        Issue = "issue",
    }
}

impl Duty {
    #[must_use]
    pub const fn set(self) -> DutySet {
        match self {
            Self::Guided | Self::Filled | Self::Accepted => DutySet::Front,
            Self::Reviewed | Self::Decided => DutySet::Review,
            Self::Issued => DutySet::Issue,
        }
    }
}

/// A member of staff: the account, and who holds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Person {
    pub staff: StaffId,
    pub identity: IdentityIndex,
}

impl Person {
    /// The same account, or two accounts of one person.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.staff == other.staff || self.identity == other.identity
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DutyEntry {
    pub duty: Duty,
    pub person: Person,
    pub at: Timestamp,
}

/// Who has done what for one case. Entries are never removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Duties(Vec<DutyEntry>);

impl Duties {
    /// Rebuilds the duties from stored rows, proving the rule once more.
    ///
    /// # Errors
    /// `duty_conflict`, `duty_limit`.
    pub fn from_entries(entries: Vec<DutyEntry>) -> Result<Self, Rejected> {
        let mut out = Self::default();
        for e in entries {
            out.take(e.duty, &e.person, &[], e.at)?;
        }
        Ok(out)
    }

    #[must_use]
    pub fn entries(&self) -> &[DutyEntry] {
        &self.0
    }

    /// Whether a person may take on a duty; the console asks this to disable a button and say why.
    ///
    /// # Errors
    /// `own_case` for an applicant, `duty_conflict` for someone who has acted in another set.
    pub fn check(
        &self,
        duty: Duty,
        person: &Person,
        applicants: &[IdentityIndex],
    ) -> Result<(), Rejected> {
        if applicants.contains(&person.identity) {
            return Err(Rejected::new("own_case"));
        }
        let elsewhere = |e: &DutyEntry| e.duty.set() != duty.set() && e.person.same_as(person);
        if self.0.iter().any(elsewhere) {
            Err(Rejected::new("duty_conflict"))
        } else {
            Ok(())
        }
    }

    /// Takes a duty on; `true` when it is new for this account.
    ///
    /// # Errors
    /// As [`Duties::check`]; `duty_limit`.
    pub(super) fn take(
        &mut self,
        duty: Duty,
        person: &Person,
        applicants: &[IdentityIndex],
        at: Timestamp,
    ) -> Result<bool, Rejected> {
        self.check(duty, person, applicants)?;
        if self.0.iter().any(|e| e.duty == duty && e.person == *person) {
            return Ok(false);
        }
        if self.0.len() >= ENTRIES_MAX {
            return Err(Rejected::new("duty_limit"));
        }
        self.0.push(DutyEntry {
            duty,
            person: person.clone(),
            at,
        });
        Ok(true)
    }
}
