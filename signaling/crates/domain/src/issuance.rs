//! 出证: how a result is made, numbered and verified.
//!
//! Owns certificate numbers, licence serials, the attempt's state machine and the verification's answer. Never renders,
//! hashes, signs or stores; the case itself moves in `case`. Order (architecture.md, decision 9): render, hash, fsync
//! the content-addressed file; then one transaction for {certificate, licence, issued, audit, outbox}.

use crate::{
    error::Rejected,
    id::{CertificateId, StaffId},
    identifiers::{LicenceIdentifier, text_enum},
    time::{Span, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::fmt;
use time::Date;

/// An attempt whose node died is taken over after this long; rendering takes seconds.
pub const ATTEMPT_LIFE: Span = Span::seconds(120);
/// Failed attempts before a person must look: more of the same will not help.
pub const ATTEMPTS_MAX: u32 = 20;
/// Agency word of a certificate number (characters).
const PREFIX_CHARS: usize = 16;

/// 文号, e.g. `沅公证字〔2026〕第000012号`: agency word, year, serial within both. The brackets are U+3014/3015 (GB/T 9704).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CertificateNumber {
    prefix: String,
    year: i32,
    serial: u32,
}

impl CertificateNumber {
    /// # Errors
    /// `certificate_number_format`: agency word empty, too long or with digits, brackets or spaces; year outside
    /// 1949..=9999; serial outside 1..=999999.
    pub fn build(prefix: &str, year: i32, serial: u32) -> Result<Self, Rejected> {
        let plain = |c: char| c.is_alphabetic();
        let chars = prefix.chars().count();
        let ok = (1..=PREFIX_CHARS).contains(&chars)
            && prefix.chars().all(plain)
            && (1949..=9999).contains(&year)
            && (1..=999_999).contains(&serial);
        if ok {
            Ok(Self {
                prefix: prefix.to_owned(),
                year,
                serial,
            })
        } else {
            Err(Rejected::new("certificate_number_format"))
        }
    }

    /// Reads what Display writes, exactly.
    ///
    /// # Errors
    /// `certificate_number_format`.
    pub fn parse(s: &str) -> Result<Self, Rejected> {
        let read = || {
            let (prefix, rest) = s.split_once('〔')?;
            let (year, rest) = rest.split_once("〕第")?;
            let serial = rest.strip_suffix('号')?;
            let n = Self::build(prefix, year.parse().ok()?, serial.parse().ok()?).ok()?;
            (n.to_string() == s).then_some(n)
        };
        read().ok_or(Rejected::new("certificate_number_format"))
    }
}

impl fmt::Display for CertificateNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}〔{}〕第{:06}号", self.prefix, self.year, self.serial)
    }
}

impl TryFrom<String> for CertificateNumber {
    type Error = Rejected;
    fn try_from(s: String) -> Result<Self, Self::Error> {
        Self::parse(&s)
    }
}

impl From<CertificateNumber> for String {
    fn from(v: CertificateNumber) -> Self {
        v.to_string()
    }
}

/// The serial part of a licence identifier: Beijing date (8) + the day's number (8), e.g. `2026112100000001`.
///
/// # Errors
/// `licence_identifier_format` for a number outside 1..=99999999.
pub fn licence_serial(issued: Date, n: u32) -> Result<String, Rejected> {
    if !(1..=99_999_999).contains(&n) {
        return Err(Rejected::new("licence_identifier_format"));
    }
    let (y, m, d) = (issued.year(), u8::from(issued.month()), issued.day());
    Ok(format!("{y:04}{m:02}{d:02}{n:08}"))
}

/// The identifier of a licence that a case registers; first version.
///
/// # Errors
/// `licence_identifier_format`.
pub fn licence_identifier(
    type_code: &str,
    issuer: &str,
    issued: Date,
    n: u32,
) -> Result<LicenceIdentifier, Rejected> {
    LicenceIdentifier::build(type_code, issuer, &licence_serial(issued, n)?, 1)
}

text_enum! {
    /// Where the making of one result stands.
    pub enum IssueState {
        /// Granted: may be begun.
        Granted = "granted",
        /// An attempt runs: rendered or not yet.
        Issuing = "issuing",
        /// The certificate exists.
        Issued = "issued",
    }
}

/// What an attempt has made: the file's digests, by which it is stored and found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    /// SM3 of the file, 64 small hex digits: its name in the content store.
    pub sm3: String,
    pub bytes: u64,
}

/// The making of one case's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuance {
    pub state: IssueState,
    pub attempts: u32,
    pub issuer: Option<StaffId>,
    pub started_at: Option<Timestamp>,
    pub rendered: Option<Rendered>,
    /// Why the last attempt failed (a code, never a text about a person).
    pub last_failure: Option<String>,
    pub certificate: Option<CertificateId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssueCmd {
    /// Begin, or take over an attempt that has outlived [`ATTEMPT_LIFE`].
    Begin {
        issuer: StaffId,
    },
    Rendered(Rendered),
    Fail {
        code: String,
    },
    Finish {
        certificate: CertificateId,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssueEffect {
    Render,
    /// Sign the digest and run the closing transaction.
    Register(Rendered),
    /// The file of a failed attempt belongs to nothing: sweep it.
    Sweep(Rendered),
    Failed,
    Issued(CertificateId),
}

impl Default for Issuance {
    fn default() -> Self {
        Self {
            state: IssueState::Granted,
            attempts: 0,
            issuer: None,
            started_at: None,
            rendered: None,
            last_failure: None,
            certificate: None,
        }
    }
}

impl Issuance {
    /// # Errors
    /// `illegal_transition`; `issuing_in_progress`; `issuing_attempts` after [`ATTEMPTS_MAX`]; `digest_format`;
    /// `not_rendered`.
    pub fn apply(
        mut self,
        now: Timestamp,
        cmd: IssueCmd,
    ) -> Result<(Self, Vec<IssueEffect>), Rejected> {
        let out = match (self.state, cmd) {
            (IssueState::Granted, IssueCmd::Begin { issuer }) => self.begin(now, issuer)?,
            (IssueState::Issuing, IssueCmd::Begin { issuer }) => {
                if self.started_at.is_some_and(|t| now < t + ATTEMPT_LIFE) {
                    return Err(Rejected::new("issuing_in_progress"));
                }
                let mut out: Vec<_> = self
                    .rendered
                    .take()
                    .map(IssueEffect::Sweep)
                    .into_iter()
                    .collect();
                out.extend(self.begin(now, issuer)?);
                out
            }
            (IssueState::Issuing, IssueCmd::Rendered(r)) => {
                if r.sm3.len() != 64
                    || !r
                        .sm3
                        .bytes()
                        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
                    || r.bytes == 0
                {
                    return Err(Rejected::new("digest_format"));
                }
                self.rendered = Some(r.clone());
                vec![IssueEffect::Register(r)]
            }
            (IssueState::Issuing, IssueCmd::Fail { code }) => {
                self.state = IssueState::Granted;
                self.started_at = None;
                self.last_failure = Some(code.chars().take(64).collect());
                let mut out = vec![IssueEffect::Failed];
                out.extend(self.rendered.take().map(IssueEffect::Sweep));
                out
            }
            (IssueState::Issuing, IssueCmd::Finish { certificate }) => {
                if self.rendered.is_none() {
                    return Err(Rejected::new("not_rendered"));
                }
                self.state = IssueState::Issued;
                self.certificate = Some(certificate.clone());
                self.last_failure = None;
                vec![IssueEffect::Issued(certificate)]
            }
            (
                IssueState::Granted,
                IssueCmd::Rendered(_) | IssueCmd::Fail { .. } | IssueCmd::Finish { .. },
            )
            | (
                IssueState::Issued,
                IssueCmd::Begin { .. }
                | IssueCmd::Rendered(_)
                | IssueCmd::Fail { .. }
                | IssueCmd::Finish { .. },
            ) => {
                return Err(Rejected::new("illegal_transition"));
            }
        };
        Ok((self, out))
    }

    fn begin(&mut self, now: Timestamp, issuer: StaffId) -> Result<Vec<IssueEffect>, Rejected> {
        if self.attempts >= ATTEMPTS_MAX {
            return Err(Rejected::new("issuing_attempts"));
        }
        self.attempts += 1;
        self.state = IssueState::Issuing;
        self.issuer = Some(issuer);
        self.started_at = Some(now);
        Ok(vec![IssueEffect::Render])
    }
}

text_enum! {
    /// What the public page says about a certificate.
    pub enum Verification {
        /// 有效
        Valid = "valid",
        /// 已撤销
        Revoked = "revoked",
        /// 内容被改动: the file shown is not the one that was issued, or the register's own signature fails.
        Altered = "altered",
        /// 已换发: a newer one stands in its place.
        Reissued = "reissued",
        /// 已过有效期: saying "valid" of it would be untrue.
        Expired = "expired",
        /// 查不到
        Unknown = "unknown",
    }
}

/// What the register knows of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// SM3 of the issued file, small hex.
    pub sm3: String,
    /// Whether the stored signature verifies over digest and metadata.
    pub signature_ok: bool,
    pub revoked: bool,
    pub superseded: bool,
    /// Last valid day, inclusive; `None` for 长期.
    pub valid_until: Option<Date>,
}

/// The answer for a code, and for the file when one was dropped on the page (`file_sm3`).
///
/// Worst news first: a changed file is called changed even when the certificate was revoked as well, because nothing
/// printed on that file can be trusted.
#[must_use]
pub fn verify(found: Option<&Registered>, file_sm3: Option<&str>, today: Date) -> Verification {
    let Some(r) = found else {
        return Verification::Unknown;
    };
    if !r.signature_ok || file_sm3.is_some_and(|f| !f.eq_ignore_ascii_case(&r.sm3)) {
        Verification::Altered
    } else if r.revoked {
        Verification::Revoked
    } else if r.superseded {
        Verification::Reissued
    } else if r.valid_until.is_some_and(|d| today > d) {
        Verification::Expired
    } else {
        Verification::Valid
    }
}

#[cfg(test)]
mod tests;
