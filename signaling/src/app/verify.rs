//! 核验: what the public page says of a certificate, to whoever holds the paper.
//!
//! Owns the look-up by number and code and the check of seal and file. A wrong code is answered like an unknown number, so that
//! numbers cannot be tried out. Never shows a full name.

use super::{
    App, files,
    result_paper::{HolderRecord, seal_fits},
    vault,
};
use crate::problem::{AppError, no};
use domain::{
    digest::sm3_hex,
    identifiers::{LicenceIdentifier, parse_date},
    issuance::{self, Registered},
    licence::Status,
    pii::mask_name,
};
use protocol::{Bilingual, FileDigest, Verification, Verify, VerifyOutcome};
use store::{certificate, licence};

/// Longest number that is looked up (bytes): a licence identifier has at most 128.
const NUMBER_BYTES: usize = 160;

const fn outcome(v: issuance::Verification) -> VerifyOutcome {
    match v {
        issuance::Verification::Valid => VerifyOutcome::Valid,
        issuance::Verification::Revoked => VerifyOutcome::Revoked,
        issuance::Verification::Altered => VerifyOutcome::Altered,
        issuance::Verification::Reissued => VerifyOutcome::Reissued,
        issuance::Verification::Expired => VerifyOutcome::Expired,
        issuance::Verification::Unknown => VerifyOutcome::Unknown,
    }
}

/// What people type, as the register writes it: spaces gone, an identifier with its root.
fn normal(number: &str) -> String {
    let plain: String = number.chars().filter(|c| !c.is_whitespace()).collect();
    LicenceIdentifier::parse(&plain).map_or(plain, |i| i.to_string())
}

/// O, I and L are read for 0 and 1, as Crockford has it.
fn normal_code(code: &str) -> String {
    let plain = code
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| c.to_ascii_uppercase());
    plain
        .map(|c| match c {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        })
        .collect()
}

fn is_sm3(s: &str) -> bool {
    s.len() == 64 && s.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Codes: `body_invalid` (a digest that is none, a number beyond all bounds).
pub async fn verify(app: &App, body: Verify) -> Result<Verification, AppError> {
    if body.number.len() > NUMBER_BYTES
        || body.code.len() > NUMBER_BYTES
        || body.file_sm3.as_deref().is_some_and(|s| !is_sm3(s))
    {
        return Err(no("body_invalid"));
    }
    let now = app.now();
    let unknown = Verification {
        outcome: VerifyOutcome::Unknown,
        checked_at: now.rfc3339(),
        title: None,
        number: None,
        holder_masked: None,
        issuer: None,
        issued_on: None,
        valid_until: None,
        seal_ok: false,
        file_matches: None,
    };
    let (a, number) = (app.clone(), normal(&body.number));
    let found = app
        .read(|tx| {
            Box::pin(async move {
                let Some(c) = certificate::find(tx, &number).await? else {
                    return Ok(None);
                };
                let standing = licence::get(tx, &c.licence_id).await?.map(|l| l.status);
                let key = match a.vault.key(tx, &c.key_id).await {
                    Ok(k) => k,
                    // The citizen's data were erased, and with them what could be checked.
                    Err(e) if e.code() == "not_found" => return Ok(None),
                    Err(e) => return Err(e),
                };
                Ok(Some((c, standing, key)))
            })
        })
        .await?;
    let Some((c, standing, key)) = found else {
        return Ok(unknown);
    };
    if !vault::same(normal_code(&body.code).as_bytes(), c.verify_code.as_bytes()) {
        return Ok(unknown);
    }
    let file = files::get(app, &key, &c.sm3).await;
    let (a, cert) = (app.clone(), c.clone());
    let signature_ok = match file {
        Ok(bytes) => tokio::task::spawn_blocking(move || seal_fits(&a, &cert, &bytes))
            .await
            .map_err(|_| no("internal"))?,
        Err(e) => {
            tracing::error!(certificate = %c.id, code = e.code(), "an issued file cannot be read");
            false
        }
    };
    let holder: HolderRecord = key.open(&c.holder_enc)?;
    let registered = Registered {
        sm3: c.sm3.clone(),
        signature_ok,
        revoked: c.status == "revoked"
            || standing.is_some_and(|s| !matches!(s, Status::Valid | Status::Lapsed)),
        superseded: c.status == "reissued",
        valid_until: c.valid_until.as_deref().and_then(parse_date),
    };
    let said = issuance::verify(
        Some(&registered),
        body.file_sm3.as_deref(),
        now.beijing_date(),
    );
    Ok(Verification {
        outcome: outcome(said),
        title: Some(Bilingual {
            zh: c.title_zh,
            en: c.title_en,
        }),
        number: Some(c.number),
        holder_masked: Some(if holder.company {
            holder.name.into_inner()
        } else {
            mask_name(holder.name.expose())
        }),
        issuer: Some(Bilingual {
            zh: c.issuer_zh,
            en: c.issuer_en,
        }),
        issued_on: Some(c.issued_at.beijing_date().to_string()),
        valid_until: c.valid_until,
        seal_ok: signature_ok,
        file_matches: body.file_sm3.map(|s| s.eq_ignore_ascii_case(&c.sm3)),
        ..unknown
    })
}

/// SM3 of a file, for pages that cannot compute it. Nothing of the file is kept; the door bounds its size.
#[must_use]
pub fn file_digest(bytes: &[u8]) -> FileDigest {
    FileDigest {
        sm3: sm3_hex(bytes),
        bytes: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_finds_what_was_printed() {
        let full = "1.2.156.3005.2.11100000000013338W011.114290060000000192.2026112100000001.001.R";
        assert_eq!(normal(full), full);
        assert_eq!(
            normal(&format!(" {} ", full.trim_start_matches("1.2.156.3005.2."))),
            full
        );
        assert_eq!(
            normal("沅江公安证字〔2026〕 第000012号"),
            "沅江公安证字〔2026〕第000012号"
        );
        assert_eq!(normal_code(" a0-oI l9zk "), "A0011 9ZK".replace(' ', ""));
    }

    #[test]
    fn a_digest_is_sm3() {
        let d = file_digest(b"abc");
        assert_eq!(
            (d.sm3.as_str(), d.bytes),
            (
                "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
                3
            )
        );
        assert!(is_sm3(&d.sm3) && !is_sm3("zz"));
    }
}
