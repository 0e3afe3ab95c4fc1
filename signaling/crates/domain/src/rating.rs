//! 好差评 (GB/T 39734, 39735-2020): five levels, the national tags, and the rates with their numerators.
//!
//! Owns what a rating may say and how rates are counted. Never asks for one, never links it to a person. Voluntary: a
//! rating made by default when nobody answered is marked and counted in no rate.

mod tags;

pub use tags::{TAGS, TAGS_VERSION, Tag, tag};

use crate::{error::Rejected, identifiers::text_enum};
use serde::{Deserialize, Serialize};

/// Free words (characters).
pub const COMMENT_CHARS: usize = 500;
/// A level has eight tags; more than that is a mistake.
pub const TAGS_MAX: usize = 8;

text_enum! {
    /// The five levels; the last two are 差评.
    pub enum Level {
        /// 非常满意
        VerySatisfied = "very_satisfied",
        /// 满意
        Satisfied = "satisfied",
        /// 基本满意
        FairlySatisfied = "fairly_satisfied",
        /// 不满意
        Dissatisfied = "dissatisfied",
        /// 非常不满意
        VeryDissatisfied = "very_dissatisfied",
    }
}

impl Level {
    /// GB/T 39046 A.8: 1 is the best. The national tag set counts the other way: see [`Level::star`].
    #[must_use]
    pub const fn code_39046(self) -> u8 {
        match self {
            Self::VerySatisfied => 1,
            Self::Satisfied => 2,
            Self::FairlySatisfied => 3,
            Self::Dissatisfied => 4,
            Self::VeryDissatisfied => 5,
        }
    }
    #[must_use]
    pub fn from_39046(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|l| l.code_39046() == code)
    }
    /// `starLevel` of the national tag set: 5 is the best.
    #[must_use]
    pub const fn star(self) -> u8 {
        6 - self.code_39046()
    }
    #[must_use]
    pub fn from_star(star: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|l| l.star() == star)
    }
    /// 差评: must be followed up.
    #[must_use]
    pub const fn is_bad(self) -> bool {
        match self {
            Self::Dissatisfied | Self::VeryDissatisfied => true,
            Self::VerySatisfied | Self::Satisfied | Self::FairlySatisfied => false,
        }
    }
    #[must_use]
    pub const fn zh(self) -> &'static str {
        match self {
            Self::VerySatisfied => "非常满意",
            Self::Satisfied => "满意",
            Self::FairlySatisfied => "基本满意",
            Self::Dissatisfied => "不满意",
            Self::VeryDissatisfied => "非常不满意",
        }
    }
    #[must_use]
    pub const fn en(self) -> &'static str {
        match self {
            Self::VerySatisfied => "Very satisfied",
            Self::Satisfied => "Satisfied",
            Self::FairlySatisfied => "Fairly satisfied",
            Self::Dissatisfied => "Dissatisfied",
            Self::VeryDissatisfied => "Very dissatisfied",
        }
    }
}

/// One rating of one case or session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    pub level: Level,
    /// Codes of [`TAGS`], ascending, without repeats.
    pub tags: Vec<u16>,
    /// Free words: what someone writes may be about a person, so Debug must not show it.
    pub comment: crate::pii::Pii<String>,
    /// Made by the system because nobody answered; never active.
    pub is_default: bool,
}

impl Rating {
    /// A rating that a citizen gave.
    ///
    /// # Errors
    /// `rating_tag_unknown`, `rating_tag_level` (a tag of another level), `rating_tags_too_many`, `rating_comment_long`.
    pub fn given(level: Level, tags: &[u16], comment: &str) -> Result<Self, Rejected> {
        if tags.len() > TAGS_MAX {
            return Err(Rejected::at("rating_tags_too_many", "/tags"));
        }
        for (i, code) in tags.iter().enumerate() {
            let pointer = || format!("/tags/{i}");
            let t = tag(*code).ok_or_else(|| Rejected::at("rating_tag_unknown", pointer()))?;
            if t.level != level {
                return Err(Rejected::at("rating_tag_level", pointer()));
            }
        }
        let comment = comment.trim();
        if comment.chars().count() > COMMENT_CHARS {
            return Err(Rejected::at("rating_comment_long", "/comment"));
        }
        let mut tags = tags.to_vec();
        tags.sort_unstable();
        tags.dedup();
        Ok(Self {
            level,
            tags,
            comment: crate::pii::Pii::new(comment.to_owned()),
            is_default: false,
        })
    }

    /// What is stored when nobody rated within the days that a place sets.
    #[must_use]
    pub fn by_default(level: Level) -> Self {
        Self {
            level,
            tags: Vec::new(),
            comment: crate::pii::Pii::default(),
            is_default: true,
        }
    }

    #[must_use]
    pub const fn is_active(&self) -> bool {
        !self.is_default
    }
}

/// A share with both its numbers: a rate is never shown without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    pub numerator: u64,
    pub denominator: u64,
}

impl Rate {
    /// Hundredths of a percent, rounded half up; `None` of nothing.
    #[must_use]
    pub fn basis_points(self) -> Option<u32> {
        if self.denominator == 0 {
            return None;
        }
        let (n, d) = (u128::from(self.numerator), u128::from(self.denominator));
        u32::try_from((n * 20_000 + d) / (2 * d)).ok()
    }
}

/// Counts over a period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Active ratings by level, best first.
    pub active: [u64; 5],
    pub defaults: u64,
    /// Finished services that could have been rated.
    pub eligible: u64,
}

impl Tally {
    /// Adds a rating.
    pub fn add(&mut self, r: &Rating) {
        if r.is_active() {
            self.active[usize::from(r.level.code_39046() - 1)] += 1;
        } else {
            self.defaults += 1;
        }
    }
    /// 好评率 = (5 + 4 + 3 stars) / active ratings.
    #[must_use]
    pub fn good(&self) -> Rate {
        Rate {
            numerator: self.active[..3].iter().sum(),
            denominator: self.active.iter().sum(),
        }
    }
    /// 主动评价率 = active / eligible.
    #[must_use]
    pub fn participation(&self) -> Rate {
        Rate {
            numerator: self.active.iter().sum(),
            denominator: self.eligible,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_two_code_systems_run_against_each_other() {
        assert_eq!(
            (
                Level::VerySatisfied.code_39046(),
                Level::VerySatisfied.star()
            ),
            (1, 5)
        );
        assert_eq!(
            (
                Level::VeryDissatisfied.code_39046(),
                Level::VeryDissatisfied.star()
            ),
            (5, 1)
        );
        for l in Level::ALL {
            assert_eq!(Level::from_39046(l.code_39046()), Some(*l));
            assert_eq!(Level::from_star(l.star()), Some(*l));
            assert_eq!(l.is_bad(), l.star() <= 2);
            assert_eq!(Level::parse(l.as_str()), Some(*l));
        }
        assert_eq!((Level::from_39046(0), Level::from_star(6)), (None, None));
    }

    #[test]
    fn the_table_is_the_national_one() {
        assert_eq!(TAGS.len(), 40);
        for (level, codes) in [
            (5u8, 510..=517u16),
            (4, 406..=413),
            (3, 307..=314),
            (2, 207..=214),
            (1, 108..=115),
        ] {
            let l = Level::from_star(level).unwrap();
            assert!(
                TAGS.iter()
                    .filter(|t| t.level == l)
                    .map(|t| t.code)
                    .eq(codes)
            );
        }
        for t in TAGS {
            assert_eq!(u16::from(t.level.star()), t.code / 100);
            assert!(!t.zh.is_empty() && t.en.is_ascii() && !t.en.is_empty());
        }
        assert_eq!(tag(517).unwrap().zh, "服务热情效率高");
        assert_eq!(tag(516).unwrap().zh, "无需材料直接办理");
        assert_eq!(tag(509), None);
    }

    #[test]
    fn a_tag_belongs_to_its_level() {
        let code = |l, t: &[u16]| Rating::given(l, t, "").unwrap_err();
        let r = Rating::given(Level::VerySatisfied, &[517, 510, 517], " 很好 ").unwrap();
        assert_eq!(
            (r.tags.as_slice(), r.comment.expose().as_str()),
            ([510, 517].as_slice(), "很好")
        );
        let e = code(Level::VerySatisfied, &[510, 214]);
        assert_eq!(
            (e.code, e.pointer.as_deref()),
            ("rating_tag_level", Some("/tags/1"))
        );
        assert_eq!(code(Level::Satisfied, &[999]).code, "rating_tag_unknown");
        assert_eq!(
            code(Level::Satisfied, &[406; 9]).code,
            "rating_tags_too_many"
        );
        assert_eq!(
            Rating::given(Level::Satisfied, &[], &"好".repeat(501))
                .unwrap_err()
                .code,
            "rating_comment_long"
        );
    }

    #[test]
    fn defaults_never_count_as_active() {
        let mut t = Tally {
            eligible: 10,
            ..Tally::default()
        };
        for _ in 0..5 {
            t.add(&Rating::by_default(Level::VerySatisfied));
        }
        assert_eq!(t.good().basis_points(), None);
        assert_eq!(
            t.participation(),
            Rate {
                numerator: 0,
                denominator: 10
            }
        );
        for l in [
            Level::VerySatisfied,
            Level::FairlySatisfied,
            Level::Dissatisfied,
        ] {
            t.add(&Rating::given(l, &[], "").unwrap());
        }
        assert_eq!(
            t.good(),
            Rate {
                numerator: 2,
                denominator: 3
            }
        );
        assert_eq!(t.good().basis_points(), Some(6_667));
        assert_eq!(
            (t.participation().basis_points(), t.defaults),
            (Some(3_000), 5)
        );
    }
}
