//! Licence metadata with the English tags of GB/T 36903 (read in a secondary source). Only a shape: no rule.

use super::HolderCodeType;
use crate::{
    identifiers::{LicenceIdentifier, iso_date, iso_date_opt, parse_date},
    pii::{self, Pii},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use time::Date;

/// Who holds a licence; repeatable. CZZT, CZZTDM, CZZTDMLX, CZZTDMLXDM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    #[serde(rename = "certificateHolderName")]
    pub name: Pii<String>,
    #[serde(rename = "certificateHolderCode")]
    pub code: Pii<String>,
    #[serde(rename = "certificateHolderTypeName")]
    pub code_type_name: String,
    #[serde(rename = "certificateHolderTypeCode")]
    pub code_type: HolderCodeType,
}

impl Holder {
    /// A person's name is masked; a company's is public.
    #[must_use]
    pub fn masked(&self) -> String {
        if self.code_type.is_company() {
            self.name.expose().clone()
        } else {
            pii::mask_name(self.name.expose())
        }
    }
}

/// Last day of validity; papers write 长期 for none, some libraries 9999-12-31.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    LongTerm,
    On(Date),
}

impl Expiry {
    /// `长期` or `YYYY-MM-DD`.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::LongTerm => "长期".to_owned(),
            Self::On(d) => d.to_string(),
        }
    }
    /// Reads what [`Expiry::text`] writes, and what other libraries write for 长期.
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        match s {
            "长期" | "长期有效" | "9999-12-31" => Some(Self::LongTerm),
            _ => parse_date(s).map(Self::On),
        }
    }
}

impl Serialize for Expiry {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Expiry {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Self::parse(&s).ok_or_else(|| D::Error::custom("not a date or 长期"))
    }
}

/// 加注件: how a copy came to be. Times are RFC 3339 text as the other library wrote them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateCopy {
    pub creation_time: String,
    pub creator: String,
    pub cause: String,
    pub expiring_time: String,
}

/// Metadata of one licence. The comments give the pinyin tags of the standard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// ZZMC
    #[serde(rename = "certificateName")]
    pub name: String,
    #[serde(rename = "certificateTypeName")]
    pub type_name: String,
    /// ZZLXDM
    #[serde(rename = "certificateTypeCode")]
    pub type_code: String,
    /// ZZBH: the number printed on it (a person's id number on an id card).
    #[serde(rename = "certificateNumber")]
    pub number: Pii<String>,
    /// ZZBS
    #[serde(rename = "certificateIdentifier")]
    pub identifier: LicenceIdentifier,
    /// ZZBFJG
    #[serde(rename = "certificateIssuingAuthorityName")]
    pub authority_name: String,
    /// ZZBFJGDM
    #[serde(rename = "certificateIssuingAuthorityCode")]
    pub authority_code: String,
    /// ZZBFRQ
    #[serde(rename = "certificateIssuedDate", with = "iso_date")]
    pub issued: Date,
    /// ZZYXQQSRQ
    #[serde(rename = "certificateEffectiveDate", with = "iso_date_opt", default)]
    pub effective: Option<Date>,
    /// ZZYXQJZRQ
    #[serde(rename = "certificateExpiringDate")]
    pub expiring: Expiry,
    #[serde(rename = "certificateHolders")]
    pub holders: Vec<Holder>,
    #[serde(rename = "certificateAreaCode")]
    pub area_code: String,
    #[serde(
        rename = "certificateCopy",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub copy: Option<CertificateCopy>,
}
