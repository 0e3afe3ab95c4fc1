//! What a result says and what is sealed with it: numbers, paper, licence, verification code.
//!
//! Pure making from a case that was read; the order of issuance is `issue`'s. A choice is printed by its label, an empty field as a dash.

use super::{
    App, Work,
    case_core::{self, DecisionRecord, Open, Plan},
    forms,
    licences::{self, NewLicence},
    vault,
};
use crate::problem::{AppError, no};
use documents::{CertificateDoc, CertificateStyle, LocalSeal, Row, Seal, SealProvider as _, Text};
use domain::{
    catalogue::{self as rules, Item},
    cofill::Doc,
    id::{CaseId, LicenceId},
    identifiers::LicenceIdentifier,
    issuance::{CertificateNumber, Issuance, licence_identifier},
    licence::{Expiry, Holder, HolderCodeType, Metadata, Status, TrustLevel},
    pii::Pii,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::{Tx, case, certificate};
use time::{Date, Month};

/// Crockford base 32 without the letters that read as digits.
const CODE_ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_CHARS: usize = 8;
/// 文号 of one agency: characters of its short name.
const AGENCY_CHARS: usize = 12;

/// The code beside the QR code: 40 random bits, which only a holder of the paper knows.
#[must_use]
pub fn verify_code() -> String {
    vault::random::<CODE_CHARS>()
        .iter()
        .map(|b| char::from(CODE_ALPHABET[usize::from(b & 31)]))
        .collect()
}

/// The seal of this installation.
pub fn seal(app: &App) -> Result<LocalSeal, AppError> {
    LocalSeal::from_hex(&domain::audit::hex(app.vault.seal_secret())).map_err(|e| {
        tracing::error!(error = %e, "the seal's key cannot be used");
        no("seal_failed")
    })
}

/// What is sealed beside the file.
#[must_use]
pub fn seal_metadata(number: &str, identifier: &str, issued_at: &str) -> Value {
    json!({"certificate": number, "licence": identifier, "issued_at": issued_at, "scheme": "cloud-booth/certificate/1"})
}

/// Where the paper's QR code leads; the fragment never reaches a server's log.
#[must_use]
pub fn verify_url(app: &App, number: &str, code: &str) -> String {
    format!(
        "{}/verify/#n={}&v={code}",
        app.public_url.trim_end_matches('/'),
        percent(number)
    )
}

fn percent(s: &str) -> String {
    s.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(b));
        } else {
            use std::fmt::Write as _;
            let _ = write!(out, "%{b:02X}");
        }
        out
    })
}

/// 沅江市公安局 → 沅江公安证字: the agency word of a certificate number.
fn agency(name: &str) -> String {
    let plain: String = name
        .trim_end_matches('局')
        .chars()
        .filter(|c| c.is_alphabetic() && *c != '市')
        .take(AGENCY_CHARS)
        .collect();
    format!("{plain}证字")
}

/// Sets the result's numbers aside, in the transaction of the grant.
pub(super) async fn plan(tx: &mut Tx, w: &Work, o: &Open) -> Result<Plan, AppError> {
    let item = super::catalogue::item_at(tx, &o.row.item, o.row.item_version).await?;
    let day = w.now.beijing_date();
    let serial = |n: i64| u32::try_from(n).map_err(|_| no("internal"));
    let agency = agency(&item.department.name.zh);
    let n = serial(case::next_number(tx, &format!("certificate:{agency}{}", day.year())).await?)?;
    let m =
        serial(case::next_number(tx, &format!("licence:{}{day}", item.department.code)).await?)?;
    Ok(Plan {
        number: CertificateNumber::build(&agency, day.year(), n)?.to_string(),
        identifier: licence_identifier(&item.result.licence_type, &item.department.code, day, m)?
            .to_string(),
        verify_code: verify_code(),
        issuance: Issuance::default(),
    })
}

/// The last day of a validity of some months that begins on `from`: the day before its namesake, or the month's last day.
fn last_day(from: Date, months: u32) -> Option<Date> {
    let n =
        from.year() * 12 + i32::from(u8::from(from.month())) - 1 + i32::try_from(months).ok()?;
    let (year, month) = (
        n.div_euclid(12),
        Month::try_from(u8::try_from(n.rem_euclid(12) + 1).ok()?).ok()?,
    );
    match Date::from_calendar_date(year, month, from.day()) {
        Ok(d) => d.previous_day(),
        Err(_) => Date::from_calendar_date(year, month, month.length(year)).ok(),
    }
}

fn day_zh(d: Date) -> String {
    format!("{}年{}月{}日", d.year(), u8::from(d.month()), d.day())
}

/// A value as it is printed: a choice by its label.
fn shown(item: &Item, doc: &Doc, path: &str, en: bool) -> String {
    let pick = |t: &rules::Text| if en { t.en.clone() } else { t.zh.clone() };
    match (item.field(path), doc.value(path)) {
        (Some(f), Some(Value::String(s))) => f
            .options
            .iter()
            .find(|o| o.code == *s)
            .map_or_else(|| s.clone(), |o| pick(&o.label)),
        (_, Some(Value::Bool(b))) => match (b, en) {
            (true, false) => "是".into(),
            (false, false) => "否".into(),
            (true, true) => "yes".into(),
            (false, true) => "no".into(),
        },
        (_, Some(Value::Number(n))) => n.to_string(),
        (_, Some(Value::Null | Value::Array(_) | Value::Object(_)) | None)
        | (None, Some(Value::String(_))) => "—".into(),
    }
}

/// What the paper and the licence are made of, read in one go.
pub(super) struct Source {
    pub open: Open,
    pub form: forms::Document,
    pub decision: DecisionRecord,
}

impl Source {
    pub async fn read(app: &App, tx: &mut Tx, id: &CaseId) -> Result<Self, AppError> {
        let open = case_core::open(app, tx, id, false).await?;
        let form = case_core::form_of(app, tx, &open).await?;
        let decision = open.decision()?.ok_or_else(|| no("illegal_transition"))?;
        Ok(Self {
            open,
            form,
            decision,
        })
    }
    pub(super) fn plan(&self) -> Result<&Plan, AppError> {
        self.decision
            .plan
            .as_ref()
            .ok_or_else(|| no("illegal_transition"))
    }
    pub(super) fn until(&self, day: Date) -> Option<Date> {
        self.form
            .item
            .result
            .validity_months
            .and_then(|m| last_day(day, m))
    }
    pub(super) fn text(&self, path: &str) -> String {
        self.form
            .doc()
            .value(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    }
}

/// The paper of a granted case, as of a day.
pub(super) fn paper(app: &App, s: &Source, day: Date) -> Result<CertificateDoc, AppError> {
    let (item, doc, plan) = (&s.form.item, s.form.doc(), s.plan()?);
    let r = &item.result;
    let until = s.until(day);
    let word = |name: &str, en: bool| -> Option<String> {
        let date = |d: Date| if en { d.to_string() } else { day_zh(d) };
        Some(match name {
            "certificate_number" => plan.number.clone(),
            "case_number" => s.open.row.number.clone(),
            "department" => {
                if en {
                    item.department.name.en.clone()
                } else {
                    item.department.name.zh.clone()
                }
            }
            "issued_on" | "valid_from" => date(day),
            "valid_until" => until.map_or_else(
                || {
                    if en {
                        "further notice".into()
                    } else {
                        "长期".into()
                    }
                },
                date,
            ),
            path => item.field(path).map(|f| shown(item, doc, &f.path, en))?,
        })
    };
    let style = match r.certificate.as_str() {
        c if c.ends_with("licence") => CertificateStyle::Licence,
        c if c.ends_with("certificate") => CertificateStyle::Letter,
        _ => CertificateStyle::Filing,
    };
    let body = |t: &rules::Text| -> Result<Text, AppError> {
        Ok(Text::new(
            rules::render(&t.zh, |n| word(n, false))?,
            rules::render(&t.en, |n| word(n, true))?,
        ))
    };
    let row = |a: &rules::ResultAttribute| {
        let label = item.field(&a.path).map_or_else(
            || rules::Text {
                zh: a.attribute.clone(),
                en: a.attribute.clone(),
            },
            |f| f.label.clone(),
        );
        Row::new(label.zh, label.en, shown(item, doc, &a.path, false))
    };
    let rows = match style {
        CertificateStyle::Letter => vec![],
        CertificateStyle::Filing | CertificateStyle::Licence => r
            .attributes
            .iter()
            .filter(|a| a.path != r.holder_name && doc.value(&a.path).is_some())
            .map(row)
            .collect(),
    };
    let paragraphs = match style {
        CertificateStyle::Licence => vec![],
        CertificateStyle::Letter | CertificateStyle::Filing => {
            r.body.iter().map(body).collect::<Result<_, _>>()?
        }
    };
    Ok(CertificateDoc {
        style,
        title: Text::new(&r.title.zh, &r.title.en),
        number: plan.number.clone(),
        licence_identifier: plan.identifier.clone(),
        holder: s.text(&r.holder_name),
        paragraphs,
        rows,
        issuer: Text::new(&item.department.name.zh, &item.department.name.en),
        issued_on: day,
        valid_until: until,
        qr_url: verify_url(app, &plan.number, &plan.verify_code),
        notice: Some(Text::new(
            format!("核验码：{}", plan.verify_code),
            format!("Verification code: {}", plan.verify_code),
        )),
    })
}

/// The licence that goes into the library with the result.
pub(super) fn new_licence(
    s: &Source,
    day: Date,
    w: &Work,
    id: LicenceId,
) -> Result<NewLicence, AppError> {
    let (item, plan) = (&s.form.item, s.plan()?);
    let r = &item.result;
    let identifier = LicenceIdentifier::parse(&plan.identifier)?;
    let holder_type = HolderCodeType::parse(&r.holder_code_type).ok_or_else(|| no("internal"))?;
    let until = s.until(day);
    let type_name = if holder_type.is_company() {
        "统一社会信用代码"
    } else {
        "公民身份号码"
    };
    let holder_code = Pii::new(s.text(&r.holder_code));
    let attributes: BTreeMap<String, Pii<String>> = r
        .attributes
        .iter()
        .filter(|a| s.form.doc().value(&a.path).is_some())
        .map(|a| {
            (
                a.attribute.clone(),
                Pii::new(shown(item, s.form.doc(), &a.path, false)),
            )
        })
        .collect();
    let applicant = s.open.applicant()?;
    let metadata = Metadata {
        name: r.name.zh.clone(),
        type_name: r.name.zh.clone(),
        type_code: r.licence_type.clone(),
        number: Pii::new(plan.number.clone()),
        identifier,
        authority_name: item.department.name.zh.clone(),
        authority_code: item.department.code.clone(),
        issued: day,
        effective: Some(day),
        expiring: until.map_or(Expiry::LongTerm, Expiry::On),
        holders: vec![Holder {
            name: Pii::new(s.text(&r.holder_name)),
            code: holder_code.clone(),
            code_type_name: type_name.into(),
            code_type: holder_type,
        }],
        area_code: item
            .department
            .code
            .get(2..8)
            .unwrap_or_default()
            .to_owned(),
        copy: None,
    };
    Ok(NewLicence {
        id,
        holder_type,
        holder_code,
        // The person who applied for the company is its legal representative: the item asks for that.
        representative_number: holder_type.is_company().then(|| applicant.number.clone()),
        version: 1,
        status: Status::Valid,
        trust: TrustLevel::A,
        valid_until: until.map(|d| d.to_string()),
        case_id: Some(s.open.row.id.clone()),
        created_at: w.now,
        data: licences::Data {
            metadata,
            attributes,
            representative: None,
        },
    })
}

/// The holder as the register shows them.
#[derive(Clone, Serialize, Deserialize)]
pub struct HolderRecord {
    pub name: Pii<String>,
    pub company: bool,
}

/// Whether a seal that stands in a row fits file and certificate.
pub fn seal_fits(app: &App, c: &certificate::Certificate, file: &[u8]) -> bool {
    let Ok(stored) = serde_json::from_str::<Seal>(&c.seal) else {
        return false;
    };
    let metadata = seal_metadata(&c.number, &c.licence_identifier, &c.issued_at.rfc3339());
    seal(app).is_ok_and(|s| s.verify(file, &metadata, &stored).unwrap_or(false))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn validity_ends_the_day_before_its_namesake() {
        assert_eq!(
            last_day(date!(2026 - 11 - 22), 6),
            Some(date!(2027 - 05 - 21))
        );
        assert_eq!(
            last_day(date!(2026 - 08 - 31), 6),
            Some(date!(2027 - 02 - 28))
        );
        assert_eq!(
            last_day(date!(2026 - 11 - 22), 48),
            Some(date!(2030 - 11 - 21))
        );
        assert_eq!(
            last_day(date!(2026 - 12 - 01), 1),
            Some(date!(2026 - 12 - 31))
        );
    }

    #[test]
    fn agency_words_make_certificate_numbers() {
        for (name, word) in [
            ("沅江市公安局", "沅江公安证字"),
            ("沅江市医疗保障局", "沅江医疗保障证字"),
            ("沅江市卫生健康局", "沅江卫生健康证字"),
        ] {
            assert_eq!(agency(name), word);
            assert!(CertificateNumber::build(&agency(name), 2026, 1).is_ok());
        }
    }

    #[test]
    fn codes_are_eight_unmistakable_characters() {
        let c = verify_code();
        assert!(c.len() == 8 && c.bytes().all(|b| CODE_ALPHABET.contains(&b)));
        assert_ne!(c, verify_code());
        assert_eq!(percent("沅〔1〕"), "%E6%B2%85%E3%80%941%E3%80%95");
    }

    #[test]
    fn choices_are_printed_by_their_label() {
        use domain::cofill::{Actor as Who, Cmd, Ctx, Evaluation, Role, apply};
        let item: Item =
            serde_json::from_str(include_str!("../../demo/catalogue/no-criminal-record.json"))
                .unwrap();
        let who = Who {
            role: Role::Citizen,
            id: "mem".into(),
        };
        let cel = Evaluation::plain(&item);
        let ctx = Ctx {
            item: &item,
            actor: &who,
            now: domain::time::Timestamp(0),
            cel: &cel,
            check: domain::identifiers::check_format,
        };
        let set = Cmd::Set {
            path: "purpose.kind".into(),
            base_version: 0,
            value: Pii::new(json!("employment")),
        };
        let doc = apply(Doc::new(&item), set, &ctx).unwrap().0;
        assert_eq!(shown(&item, &doc, "purpose.kind", false), "求职入职");
        assert_eq!(shown(&item, &doc, "purpose.kind", true), "Employment");
        assert_eq!(shown(&item, &doc, "purpose.recipient", false), "—");
    }

    #[test]
    fn dates_read_back() {
        assert_eq!(
            domain::identifiers::parse_date("2026-11-22")
                .map(day_zh)
                .as_deref(),
            Some("2026年11月22日")
        );
    }
}
