//! 电子证照: a licence in the library, its standing, whom it opens to, and what of it may be shown.
//!
//! Owns status, trust and holder rules. Never fetches, never decides about consent (that is `consent`), never shows a
//! value to anyone: it hands out masked views, and values only as `Pii`. Sources: GB/T 36903 (metadata), 36904
//! (identifier, in `identifiers`), 36906 (purpose of use), 国办函〔2016〕108号 (trust levels).

mod metadata;

pub use metadata::{CertificateCopy, Expiry, Holder, Metadata};

use crate::{
    error::Rejected,
    id::LicenceId,
    identifiers::{CitizenId, LicenceIdentifier, text_enum},
    pii::{self, Pii},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use time::Date;

/// A purpose of use (GB/T 36906 `useCause`, characters).
pub const USE_CAUSE_CHARS: usize = 200;

text_enum! {
    /// 证照状态; the codes 01…99 are [`Status::code`].
    pub enum Status {
        /// 01 有效
        Valid = "valid",
        /// 02 中止
        Suspended = "suspended",
        /// 03 撤销: taken back because it should not have been given
        Revoked = "revoked",
        /// 04 注销: ended in the ordinary way
        Cancelled = "cancelled",
        /// 05 失效
        Lapsed = "lapsed",
        /// 06 迁出
        MovedOut = "moved_out",
        /// 07 吊销: taken away as a penalty
        Withdrawn = "withdrawn",
        /// 99 其他
        Other = "other",
    }
}

impl Status {
    /// The two digits of the standard.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Valid => "01",
            Self::Suspended => "02",
            Self::Revoked => "03",
            Self::Cancelled => "04",
            Self::Lapsed => "05",
            Self::MovedOut => "06",
            Self::Withdrawn => "07",
            Self::Other => "99",
        }
    }
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|s| s.code() == code)
    }
    /// The code of the refusal to use a licence in this status; `None` when it stands.
    #[must_use]
    pub const fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Valid => None,
            Self::Suspended => Some("licence_suspended"),
            Self::Revoked => Some("licence_revoked"),
            Self::Cancelled => Some("licence_cancelled"),
            Self::Lapsed => Some("licence_lapsed"),
            Self::MovedOut => Some("licence_moved_out"),
            Self::Withdrawn => Some("licence_withdrawn"),
            Self::Other => Some("licence_not_usable"),
        }
    }
    /// What an operation of the issuing body makes of the status.
    ///
    /// # Errors
    /// `illegal_transition`: a taken-away or ended licence does not come back, only a suspended one is lifted.
    pub fn after(self, op: Operation) -> Result<Self, Rejected> {
        let live = matches!(self, Self::Valid | Self::Suspended | Self::Lapsed);
        let to = match op {
            Operation::New | Operation::MoveIn => {
                matches!(self, Self::MovedOut | Self::Other).then_some(Self::Valid)
            }
            Operation::Renew => live.then_some(Self::Valid),
            Operation::Suspend => matches!(self, Self::Valid).then_some(Self::Suspended),
            Operation::Expire => {
                matches!(self, Self::Valid | Self::Suspended).then_some(Self::Lapsed)
            }
            Operation::Cancel => live.then_some(Self::Cancelled),
            Operation::LiftSuspension => matches!(self, Self::Suspended).then_some(Self::Valid),
            Operation::Other => Some(self),
        };
        to.ok_or(Rejected::new("illegal_transition"))
    }
}

text_enum! {
    /// 证照操作, as libraries exchange them; codes 01…08 in this order.
    pub enum Operation {
        New = "01",
        Renew = "02",
        Suspend = "03",
        Expire = "04",
        Cancel = "05",
        LiftSuspension = "06",
        Other = "07",
        MoveIn = "08",
    }
}

text_enum! {
    /// 可信等级 (国办函〔2016〕108号).
    pub enum TrustLevel {
        /// Issued by the competent body: use directly.
        A = "A",
        /// Checked at a window: reusable.
        B = "B",
        /// Uploaded by the citizen: needs a check against the original.
        C = "C",
        /// Made by the citizen with a promise.
        D = "D",
    }
}

impl TrustLevel {
    /// A and B may stand in for a paper without another look.
    #[must_use]
    pub const fn usable_directly(self) -> bool {
        match self {
            Self::A | Self::B => true,
            Self::C | Self::D => false,
        }
    }
}

text_enum! {
    /// 持证主体代码类型 (GB/T 36903).
    pub enum HolderCodeType {
        /// 统一社会信用代码
        Uscc = "001",
        /// 其他法人或其他组织有效证件代码
        OtherLegalPerson = "099",
        /// 公民身份号码
        CitizenId = "111",
        /// 军官证
        Officer = "114",
        /// 护照类
        PassportDiplomatic = "411",
        PassportService = "412",
        PassportPublicAffairs = "413",
        PassportOrdinary = "414",
        /// 台湾居民来往大陆通行证
        TaiwanPermit = "511",
        /// 港澳居民来往内地通行证
        HkMacaoPermit = "516",
        /// 其他自然人有效证件代码
        Other = "999",
    }
}

impl HolderCodeType {
    #[must_use]
    pub const fn is_company(self) -> bool {
        match self {
            Self::Uscc | Self::OtherLegalPerson => true,
            Self::CitizenId | Self::Officer | Self::PassportDiplomatic | Self::PassportService => {
                false
            }
            Self::PassportPublicAffairs | Self::PassportOrdinary | Self::TaiwanPermit => false,
            Self::HkMacaoPermit | Self::Other => false,
        }
    }
}

text_enum! {
    /// How an attribute is hidden until the citizen allows it.
    pub enum Mask {
        None = "none",
        IdNumber = "id_number",
        Mobile = "mobile",
        Name = "name",
        Address = "address",
        /// Nothing is shown at all.
        All = "all",
    }
}

impl Mask {
    /// The shown form. An address keeps its first six characters, which reach the county and no further.
    #[must_use]
    pub fn apply(self, value: &str) -> String {
        match self {
            Self::None => value.to_owned(),
            Self::IdNumber => pii::mask_number(value),
            Self::Mobile => pii::mask_phone(value),
            Self::Name => pii::mask_name(value),
            Self::Address => {
                let head: String = value.chars().take(6).collect();
                if head.len() == value.len() {
                    head
                } else {
                    format!("{head}******")
                }
            }
            Self::All => "******".to_owned(),
        }
    }
}

/// The person of a card read: who stands before the booth.
#[derive(Debug, Clone)]
pub struct Person<'a> {
    pub name: &'a Pii<String>,
    pub id_number: &'a CitizenId,
}

/// The legal representative (法定代表人) whom a company's licence names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Representative {
    pub name: Pii<String>,
    /// Names alone do not tell people apart: without a number the licence opens to nobody.
    pub id_number: Option<Pii<String>>,
}

/// A licence as the library keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Licence {
    pub id: LicenceId,
    /// Short name of the type in the catalogue (`resident_id`, `business_licence`, …).
    pub kind: String,
    pub identifier: LicenceIdentifier,
    pub status: Status,
    pub trust: TrustLevel,
    pub metadata: Metadata,
    /// The type's own attributes (`extend_info`): name → value.
    pub attributes: BTreeMap<String, Pii<String>>,
    pub representative: Option<Representative>,
}

impl Licence {
    /// Whether it may be used on a day (Beijing): it stands, and the day lies within its period, both ends inclusive.
    ///
    /// # Errors
    /// [`Status::refusal`]'s codes, `licence_not_yet_valid`, `licence_expired`.
    pub fn usable_on(&self, day: Date) -> Result<(), Rejected> {
        if let Some(code) = self.status.refusal() {
            return Err(Rejected::new(code));
        }
        if self.metadata.effective.is_some_and(|from| day < from) {
            return Err(Rejected::new("licence_not_yet_valid"));
        }
        match self.metadata.expiring {
            Expiry::On(last) if day > last => Err(Rejected::new("licence_expired")),
            Expiry::On(_) | Expiry::LongTerm => Ok(()),
        }
    }

    /// Whether it is this person's to open: their own, or their company's when they are the legal representative named on it.
    ///
    /// # Errors
    /// `licence_not_holder`; for a company's `licence_not_legal_representative`.
    pub fn opens_to(&self, person: &Person<'_>) -> Result<(), Rejected> {
        let number =
            |n: &Pii<String>| CitizenId::parse(n.expose()).is_ok_and(|n| n == *person.id_number);
        if self
            .metadata
            .holders
            .iter()
            .any(|h| h.code_type.is_company())
        {
            let named = self.representative.as_ref().is_some_and(|r| {
                same_name(r.name.expose(), person.name.expose())
                    && r.id_number.as_ref().is_some_and(number)
            });
            return if named {
                Ok(())
            } else {
                Err(Rejected::new("licence_not_legal_representative"))
            };
        }
        let own = |h: &Holder| h.code_type == HolderCodeType::CitizenId && number(&h.code);
        if self.metadata.holders.iter().any(own) {
            Ok(())
        } else {
            Err(Rejected::new("licence_not_holder"))
        }
    }

    /// What staff see before the citizen allows more. `mask` says how each attribute of this type is hidden; one that it
    /// does not know is hidden wholly.
    #[must_use]
    pub fn masked(&self, mask: impl Fn(&str) -> Option<Mask>) -> MaskedLicence {
        let attributes = self
            .attributes
            .iter()
            .map(|(k, v)| (k.clone(), mask(k).unwrap_or(Mask::All).apply(v.expose())))
            .collect();
        MaskedLicence {
            id: self.id.clone(),
            kind: self.kind.clone(),
            name: self.metadata.name.clone(),
            number: pii::mask_number(self.metadata.number.expose()),
            authority: self.metadata.authority_name.clone(),
            holders: self.metadata.holders.iter().map(Holder::masked).collect(),
            status: self.status,
            trust: self.trust,
            expiring: self.metadata.expiring,
            attributes,
        }
    }
}

/// Names as papers write them differ in spaces and in the dot of transcribed names.
fn same_name(a: &str, b: &str) -> bool {
    let norm = |s: &str| {
        s.chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '·' | '•' | '．' | '.'))
            .collect::<String>()
    };
    let (a, b) = (norm(a), norm(b));
    !a.is_empty() && a == b
}

/// A licence with nothing of its holder readable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MaskedLicence {
    pub id: LicenceId,
    pub kind: String,
    pub name: String,
    pub number: String,
    pub authority: String,
    pub holders: Vec<String>,
    pub status: Status,
    pub trust: TrustLevel,
    pub expiring: Expiry,
    pub attributes: BTreeMap<String, String>,
}

/// 用证事由: every reading of a licence says what for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UseCause(String);

impl UseCause {
    /// # Errors
    /// `use_cause_required`, `use_cause_too_long` (over [`USE_CAUSE_CHARS`]).
    pub fn new(text: &str) -> Result<Self, Rejected> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Rejected::new("use_cause_required"));
        }
        if text.chars().count() > USE_CAUSE_CHARS {
            return Err(Rejected::new("use_cause_too_long"));
        }
        Ok(Self(text.to_owned()))
    }
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for UseCause {
    type Error = Rejected;
    fn try_from(s: String) -> Result<Self, Self::Error> {
        Self::new(&s)
    }
}

impl From<UseCause> for String {
    fn from(v: UseCause) -> Self {
        v.0
    }
}

impl fmt::Display for UseCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The watermark of a copy (加注件), Chinese and English.
#[must_use]
pub fn watermark(authority: &str, cause: &UseCause, until: Date) -> (String, String) {
    let (y, m, d) = (until.year(), u8::from(until.month()), until.day());
    (
        format!("此件由{authority}提供，仅供{cause}使用，有效期至{y}年{m}月{d}日"),
        format!("Provided by {authority} for: {cause}. Valid until {until}"),
    )
}

#[cfg(test)]
mod tests;
