//! What a ticket asks of a seat at one moment, and its canonical text (the key of a demand class in the database).

use crate::{
    error::Rejected,
    id::{HallId, Id as _, StaffId},
};
use std::collections::BTreeMap;

/// One skill code (bytes): `need:sign_language` takes 18.
pub const SKILL_CODE_BYTES: usize = 32;
/// Skills in one demand: five required, four needs, one language, the mode.
pub const DEMAND_SKILLS_MAX: usize = 11;
/// Staff to whom a demand may be held: the last agent and a pair, and one to spare.
pub const ONLY_MAX: usize = 4;
/// Longest canonical text (bytes); the bounds above keep it below.
pub const KEY_BYTES: usize = 640;

const ONLY: &str = "|only=";
const BUT: &str = "|but=";
const AT: &str = "|at=";

/// What a text lane has beside its skills, and a ticket for text asks.
pub const TEXT_SKILL: &str = "mode:text";

/// A code that the desk itself gives: nobody has it, and no rule asks for it.
#[must_use]
pub fn is_reserved(code: &str) -> bool {
    code.starts_with("mode:")
}

/// `general`, `lang:en`, `dialect:yiyang`, `need:sign_language`: lower-case words, at most one kind before a colon.
#[must_use]
pub fn is_skill_code(s: &str) -> bool {
    let word = |w: &str| {
        w.starts_with(|c: char| c.is_ascii_lowercase())
            && w.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    s.len() <= SKILL_CODE_BYTES
        && match s.split_once(':') {
            Some((kind, rest)) => word(kind) && word(rest),
            None => word(s),
        }
}

/// What is asked: every skill at its level or above, and, for now, of these staff alone. Of who is handed over: not of who
/// handed them over, and of one hall alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Demand {
    skills: BTreeMap<String, u8>,
    only: Vec<String>,
    but: Option<String>,
    at: Option<String>,
}

impl Demand {
    /// `only`: staff ids, the first is asked first; empty: anybody.
    ///
    /// # Errors
    /// `demand_invalid`: a malformed code or id, a level outside 1 to 5, somebody twice, or too many.
    pub fn new(skills: BTreeMap<String, u8>, only: Vec<String>) -> Result<Self, Rejected> {
        let fine = skills.len() <= DEMAND_SKILLS_MAX
            && only.len() <= ONLY_MAX
            && skills
                .iter()
                .all(|(c, l)| is_skill_code(c) && (1..=super::LEVEL_MAX).contains(l))
            && only
                .iter()
                .enumerate()
                .all(|(i, o)| StaffId::parse(o).is_some() && !only[..i].contains(o));
        if fine {
            Ok(Self::unchecked(skills, only))
        } else {
            Err(Rejected::new("demand_invalid"))
        }
    }

    /// For what is a part of a demand that was checked.
    pub(super) const fn unchecked(skills: BTreeMap<String, u8>, only: Vec<String>) -> Self {
        Self {
            skills,
            only,
            but: None,
            at: None,
        }
    }

    /// The same, of anybody but this person.
    #[must_use]
    pub fn but(mut self, staff: &StaffId) -> Self {
        self.but = Some(staff.to_string());
        self
    }
    /// The same, of the seats of this hall alone.
    #[must_use]
    pub fn at(mut self, hall: &HallId) -> Self {
        self.at = Some(hall.to_string());
        self
    }

    #[must_use]
    pub const fn skills(&self) -> &BTreeMap<String, u8> {
        &self.skills
    }
    #[must_use]
    pub fn only(&self) -> &[String] {
        &self.only
    }

    /// Who is never offered it.
    #[must_use]
    pub fn excepted(&self) -> Option<&str> {
        self.but.as_deref()
    }
    /// The one hall whose seats are asked, if it is one.
    #[must_use]
    pub fn hall(&self) -> Option<HallId> {
        self.at.as_deref().and_then(HallId::parse)
    }
    /// Whether seats of this hall may be offered it, as far as the demand says.
    #[must_use]
    pub fn allows_hall(&self, hall: &HallId) -> bool {
        self.at.as_deref().is_none_or(|at| at == hall.as_str())
    }

    /// Canonical text, equal exactly for equal demands: `general:1,need:sign_language:1|only=stf_…|but=stf_…|at=hal_…`; no skill
    /// at all: `*`.
    #[must_use]
    pub fn key(&self) -> String {
        let mut out = if self.skills.is_empty() {
            "*".to_owned()
        } else {
            let words: Vec<_> = self
                .skills
                .iter()
                .map(|(c, l)| format!("{c}:{l}"))
                .collect();
            words.join(",")
        };
        if !self.only.is_empty() {
            out.push_str(ONLY);
            out.push_str(&self.only.join(","));
        }
        for (what, id) in [(BUT, &self.but), (AT, &self.at)] {
            if let Some(id) = id {
                out.push_str(what);
                out.push_str(id);
            }
        }
        out
    }

    /// Reads what [`Demand::key`] wrote, and nothing else: `parse(k)?.key() == k`.
    ///
    /// # Errors
    /// `demand_invalid`.
    pub fn parse(key: &str) -> Result<Self, Rejected> {
        let bad = || Rejected::new("demand_invalid");
        if key.len() > KEY_BYTES {
            return Err(bad());
        }
        let cut = |text, what| match str::split_once(text, what) {
            Some((rest, id)) => (rest, Some(id)),
            None => (text, None),
        };
        let (rest, at) = cut(key, AT);
        let (rest, but) = cut(rest, BUT);
        let (words, only) = cut(rest, ONLY);
        let only = only.map_or_else(Vec::new, |o| o.split(',').map(str::to_owned).collect());
        let mut skills = BTreeMap::new();
        if words != "*" {
            for w in words.split(',') {
                let (code, level) = w.rsplit_once(':').ok_or_else(bad)?;
                skills.insert(code.to_owned(), level.parse().map_err(|_| bad())?);
            }
        }
        let mut demand = Self::new(skills, only)?;
        if let Some(id) = but {
            demand = demand.but(&StaffId::parse(id).ok_or_else(bad)?);
        }
        if let Some(id) = at {
            demand = demand.at(&HallId::parse(id).ok_or_else(bad)?);
        }
        if demand.key() == key {
            Ok(demand)
        } else {
            Err(bad())
        }
    }

    /// The same, by text: of text lanes alone.
    #[must_use]
    pub fn by_text(mut self) -> Self {
        self.skills.insert(TEXT_SKILL.to_owned(), 1);
        self
    }

    /// Whether this member of staff, seated with these skills, may be offered it now. A text lane serves only what asks for
    /// text.
    #[must_use]
    pub fn fits(&self, staff: &str, skills: &BTreeMap<String, u8>) -> bool {
        (self.only.is_empty() || self.only.iter().any(|o| o == staff))
            && self.but.as_deref() != Some(staff)
            && (!skills.contains_key(TEXT_SKILL) || self.skills.contains_key(TEXT_SKILL))
            && self
                .skills
                .iter()
                .all(|(c, l)| skills.get(c).is_some_and(|has| has >= l))
    }
}
