//! The demo county: fictitious people, their licences, staff, seats, booths and items, loaded from files within the binary.
//!
//! Loading again changes nothing but what the files changed: every id follows from the name in the file. For demonstration alone:
//! one published password, device keys beside the database.

use crate::app::{
    App, auth, catalogue, county,
    licences::{self, NewLicence},
    vault,
};
use anyhow::{Context as _, Result, anyhow, bail};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    id::{BoothId, HallId, Id, LicenceId, SeatId, StaffId},
    identifiers::{LicenceIdentifier, parse_date},
    licence::{Expiry, Holder, HolderCodeType, Metadata, Representative, Status, TrustLevel},
    pii::Pii,
};
use futures::FutureExt as _;
use protocol::{Bilingual, DeviceKey};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::Path,
};
use store::{appointment, booth, hall, licence, queue, seat, staff};

/// Of every demo account.
pub const PASSWORD: &str = "Demo-2026-yunchuang";

const COUNTY: &str = include_str!("../demo/county.json");
const SLOTS: &str = include_str!("../demo/slots.json");
const STAFF: &str = include_str!("../demo/staff.json");
const PEOPLE: &str = include_str!("../demo/people.json");
const COMPANIES: &str = include_str!("../demo/companies.json");
const LICENCE_TYPES: &str = include_str!("../demo/licence-types.json");
const LICENCES: &str = include_str!("../demo/licences.json");
const ITEMS: &[&str] = &[
    include_str!("../demo/catalogue/no-criminal-record.json"),
    include_str!("../demo/catalogue/medical-offsite.json"),
    include_str!("../demo/catalogue/hygiene-licence.json"),
];
/// Fixed holidays and the lunar ones by date, without the days that the State Council will set: provisional until it does.
const CALENDAR_2027: &str = r#"{
  "note": "暂定，国务院办公厅公布2027年安排后由管理员替换 · provisional, to be replaced when the arrangement is published",
  "holidays": {
    "2027-01-01": "New Year's Day,元旦,1",
    "2027-02-05": "Spring Festival,春节,4", "2027-02-06": "Spring Festival,春节,4", "2027-02-07": "Spring Festival,春节,4", "2027-02-08": "Spring Festival,春节,4", "2027-02-09": "Spring Festival,春节,4",
    "2027-04-05": "Tomb-sweeping Day,清明,1",
    "2027-05-01": "Labour Day,劳动节,2", "2027-05-02": "Labour Day,劳动节,2",
    "2027-06-09": "Dragon Boat Festival,端午,1",
    "2027-09-15": "Mid-autumn Festival,中秋,1",
    "2027-10-01": "National Day,国庆节,3", "2027-10-02": "National Day,国庆节,3", "2027-10-03": "National Day,国庆节,3"
  },
  "workdays": {}
}
"#;

/// See [`county`].
const COUNTY_FILE: &str = r#"{
  "review_body": { "zh": "沅江市人民政府", "en": "the Yuanjiang Municipal People's Government" }
}
"#;

#[derive(Deserialize)]
struct County {
    departments: Vec<NamedId>,
    skills: Vec<Skill>,
    halls: Vec<Hall>,
    booths: Vec<Place>,
    seats: Vec<Place>,
    queues: Vec<Queue>,
}
/// What can be booked for a queue.
#[derive(Deserialize)]
struct Slots {
    hall: String,
    queue: String,
    rule: protocol::SetSlotRule,
}
#[derive(Deserialize)]
struct Queue {
    hall: String,
    code: String,
    rule: domain::routing::Rule,
}
#[derive(Deserialize)]
struct NamedId {
    id: String,
    name: Bilingual,
}
#[derive(Deserialize)]
struct Skill {
    code: String,
    name: Bilingual,
}
#[derive(Deserialize)]
struct Hall {
    id: String,
    name: Bilingual,
    address: Bilingual,
    phone: String,
    opening_hours: Vec<Hours>,
    /// Halls whose people this one serves too.
    accepts: Vec<String>,
}
#[derive(Deserialize)]
struct Hours {
    from: String,
    to: String,
}
#[derive(Deserialize)]
struct Place {
    id: String,
    hall: String,
    name: Bilingual,
}
#[derive(Deserialize)]
struct Member {
    account: String,
    name: String,
    id_number: String,
    roles: Vec<String>,
    /// The first hall where none is named.
    hall: Option<String>,
    department: String,
    /// Every department that the person works for; the first is theirs.
    departments: Vec<String>,
    skills: staff::Skills,
}
#[derive(Deserialize)]
struct Person {
    id: String,
    name: String,
    id_number: String,
}
#[derive(Deserialize)]
struct Company {
    id: String,
    legal_representative: String,
}
#[derive(Deserialize)]
struct TypeFile {
    code: String,
    name: Bilingual,
}
#[derive(Deserialize)]
struct LicenceFile {
    identifier: LicenceIdentifier,
    #[serde(rename = "type")]
    type_code: String,
    number: String,
    holder: String,
    holder_name: String,
    holder_code: String,
    holder_code_type: String,
    issuer: Issuer,
    issued_on: String,
    valid_from: Option<String>,
    valid_until: Option<String>,
    status: String,
    trust: String,
    attributes: BTreeMap<String, serde_json::Value>,
}
#[derive(Deserialize)]
struct Issuer {
    code: String,
    name: String,
}

/// What was loaded, for people: accounts and where the booths' keys lie.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// (account, name, roles)
    pub accounts: Vec<(String, String, String)>,
    /// (id, name, key file)
    pub booths: Vec<(String, String, String)>,
    pub halls: Vec<String>,
    pub seats: usize,
    pub items: usize,
    pub licences: usize,
    pub people: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "演示县已就绪 · demo county: {} people, {} licences, {} items, {} seats",
            self.people, self.licences, self.items, self.seats
        )?;
        writeln!(f, "账号密码均为 · password of every account: {PASSWORD}")?;
        for (account, name, roles) in &self.accounts {
            writeln!(f, "  {account:<12} {roles:<16} {name}")?;
        }
        for (id, name, key) in &self.booths {
            writeln!(f, "  {id}  {name}  {key}")?;
        }
        Ok(())
    }
}

/// The same name gives the same id, for ever.
#[must_use]
pub fn stable<T: Id>(kind: &str, name: &str) -> T {
    let hash = Sha256::digest(format!("demo:{kind}:{name}"));
    let mut bits = [0u8; 16];
    bits.copy_from_slice(&hash[..16]);
    T::make(0, u128::from_be_bytes(bits))
}

fn parse<'a, T: Deserialize<'a>>(what: &str, text: &'a str) -> Result<T> {
    serde_json::from_str(text).with_context(|| format!("demo file {what}"))
}

/// The booth's secret, made once and kept beside the database; answers the public key.
fn device_key(path: &Path) -> Result<String> {
    if !path.exists() {
        let secret = URL_SAFE_NO_PAD.encode(vault::random::<32>());
        vault::write_private(path, secret.as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let secret =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    DeviceKey::from_secret(&secret)
        .map(|k| k.public())
        .map_err(|e| anyhow!("{}: {e}", path.display()))
}

struct Rows {
    halls: Vec<hall::Hall>,
    skills: Vec<hall::Named>,
    departments: Vec<hall::Named>,
    seats: Vec<(SeatId, HallId, Bilingual)>,
    /// Hall, queue, what can be booked as JSON.
    slots: Vec<(HallId, String, String)>,
    /// Hall, and another whose people it serves.
    accepts: Vec<(HallId, HallId)>,
    /// Hall, code, rule as JSON.
    queues: Vec<(HallId, String, String)>,
    booths: Vec<booth::Booth>,
    staff: Vec<staff::Staff>,
    types: Vec<licence::LicenceType>,
    licences: Vec<NewLicence>,
}

fn named(code: String, n: Bilingual) -> hall::Named {
    hall::Named {
        code,
        zh: n.zh,
        en: n.en,
    }
}

fn accept_rows(halls: &[Hall]) -> Vec<(HallId, HallId)> {
    let pairs = |h: &Hall| {
        let id: HallId = stable("hall", &h.id);
        let of = |from: &String| (id.clone(), stable("hall", from));
        h.accepts.iter().map(of).collect::<Vec<_>>()
    };
    halls.iter().flat_map(pairs).collect()
}

fn hall_rows(halls: Vec<Hall>) -> Vec<hall::Hall> {
    halls
        .into_iter()
        .map(|h| {
            let (opens, closes) = h
                .opening_hours
                .into_iter()
                .next()
                .map_or_else(|| ("09:00".into(), "17:00".into()), |t| (t.from, t.to));
            hall::Hall {
                id: stable("hall", &h.id),
                name_zh: h.name.zh,
                name_en: h.name.en,
                opens,
                closes,
                telephone: h.phone,
                address_zh: h.address.zh,
                address_en: h.address.en,
            }
        })
        .collect()
}

fn licence_row(
    app: &App,
    l: LicenceFile,
    people: &HashMap<String, Person>,
    companies: &HashMap<String, Company>,
    types: &HashMap<String, String>,
) -> Result<NewLicence> {
    let date = |d: &str| parse_date(d).ok_or_else(|| anyhow!("{d} is no date"));
    let holder_type = HolderCodeType::parse(&l.holder_code_type)
        .ok_or_else(|| anyhow!("holder type {}", l.holder_code_type))?;
    let representative = companies
        .get(&l.holder)
        .map(|c| {
            people
                .get(&c.legal_representative)
                .ok_or_else(|| anyhow!("no person {}", c.legal_representative))
        })
        .transpose()?;
    let representative = representative.map(|p| Representative {
        name: Pii::new(p.name.clone()),
        id_number: Some(Pii::new(p.id_number.clone())),
    });
    let name = types
        .get(&l.type_code)
        .ok_or_else(|| anyhow!("no licence type {}", l.type_code))?
        .clone();
    Ok(NewLicence {
        id: stable::<LicenceId>("licence", &l.identifier.to_string()),
        holder_type,
        holder_code: Pii::new(l.holder_code.clone()),
        representative_number: representative.as_ref().and_then(|r| r.id_number.clone()),
        version: i64::from(l.identifier.version()),
        status: Status::from_code(&l.status).ok_or_else(|| anyhow!("status {}", l.status))?,
        trust: TrustLevel::parse(&l.trust).ok_or_else(|| anyhow!("trust {}", l.trust))?,
        valid_until: l.valid_until.clone(),
        case_id: None,
        created_at: app.now(),
        data: licences::Data {
            metadata: Metadata {
                name: name.clone(),
                type_name: name,
                type_code: l.type_code,
                number: Pii::new(l.number),
                identifier: l.identifier,
                authority_name: l.issuer.name,
                authority_code: l.issuer.code,
                issued: date(&l.issued_on)?,
                effective: l.valid_from.as_deref().map(date).transpose()?,
                expiring: l
                    .valid_until
                    .as_deref()
                    .map(date)
                    .transpose()?
                    .map_or(Expiry::LongTerm, Expiry::On),
                holders: vec![Holder {
                    name: Pii::new(l.holder_name),
                    code: Pii::new(l.holder_code),
                    code_type_name: if holder_type.is_company() {
                        "统一社会信用代码"
                    } else {
                        "公民身份号码"
                    }
                    .to_owned(),
                    code_type: holder_type,
                }],
                area_code: "430981".to_owned(),
                copy: None,
            },
            attributes: l
                .attributes
                .into_iter()
                .map(|(k, v)| {
                    (
                        k,
                        Pii::new(v.as_str().map_or_else(|| v.to_string(), str::to_owned)),
                    )
                })
                .collect(),
            representative,
        },
    })
}

fn rows(app: &App, dir: &Path, password_hash: &str, summary: &mut Summary) -> Result<Rows> {
    let county: County = parse("county.json", COUNTY)?;
    let people: Vec<Person> = parse("people.json", PEOPLE)?;
    summary.people = people.len();
    let people: HashMap<String, Person> = people.into_iter().map(|p| (p.id.clone(), p)).collect();
    let companies: HashMap<String, Company> = parse::<Vec<Company>>("companies.json", COMPANIES)?
        .into_iter()
        .map(|c| (c.id.clone(), c))
        .collect();
    let types: Vec<serde_json::Value> = parse("licence-types.json", LICENCE_TYPES)?;
    let types = types
        .into_iter()
        .map(|doc| {
            let t: TypeFile = serde_json::from_value(doc.clone())?;
            Ok(licence::LicenceType {
                code: t.code,
                name_zh: t.name.zh,
                name_en: t.name.en,
                doc: doc.to_string(),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let type_names: HashMap<String, String> = types
        .iter()
        .map(|t| (t.code.clone(), t.name_zh.clone()))
        .collect();
    let licences = parse::<Vec<LicenceFile>>("licences.json", LICENCES)?
        .into_iter()
        .map(|l| licence_row(app, l, &people, &companies, &type_names))
        .collect::<Result<Vec<_>>>()?;
    let accepts = accept_rows(&county.halls);
    let halls = hall_rows(county.halls);
    let Some(first) = halls.first() else {
        bail!("the county has no hall")
    };
    let staff = parse::<Vec<Member>>("staff.json", STAFF)?
        .into_iter()
        .map(|m| {
            summary
                .accounts
                .push((m.account.clone(), m.name.clone(), m.roles.join(",")));
            staff::Staff {
                id: stable::<StaffId>("staff", &m.account),
                account: m.account,
                name: m.name,
                number_index: app.vault.index("citizen", &m.id_number),
                password_hash: password_hash.to_owned(),
                totp_enc: None,
                roles: m.roles,
                hall_id: m
                    .hall
                    .map_or_else(|| first.id.clone(), |h| stable("hall", &h)),
                department: Some(if m.departments.is_empty() {
                    m.department
                } else {
                    m.departments.join(",")
                }),
                skills: m.skills,
                active: true,
                failures: 0,
                locked_until: None,
            }
        })
        .collect();
    let keys = dir.join("booths");
    std::fs::create_dir_all(&keys).with_context(|| format!("cannot make {}", keys.display()))?;
    let mut booths = Vec::new();
    for b in county.booths {
        let path = keys.join(format!("{}.key", b.id));
        let id: BoothId = stable("booth", &b.id);
        let key = std::path::absolute(&path)?;
        // What the booth host reads: `booth serve --config <this>`.
        let settings = format!(
            "server = {:?}\nbooth = {:?}\nkey = {:?}\n",
            app.public_url,
            id.as_str(),
            key.display().to_string()
        );
        std::fs::write(keys.join(format!("{}.toml", b.id)), settings)?;
        summary.booths.push((
            id.to_string(),
            b.name.zh.clone(),
            path.display().to_string(),
        ));
        booths.push(booth::Booth {
            id,
            hall_id: stable("hall", &b.hall),
            name_zh: b.name.zh,
            name_en: b.name.en,
            public_key: device_key(&path)?,
            active: true,
        });
    }
    let mut slots = vec![];
    for s in parse::<Vec<Slots>>("slots.json", SLOTS)? {
        let rule = crate::app::slots::Rule::check(&s.rule).and_then(|r| r.text());
        let rule = rule.map_err(|e| anyhow!("demo slots of {}: {e}", s.queue))?;
        slots.push((stable("hall", &s.hall), s.queue, rule));
    }
    let known = county.skills.iter().map(|s| s.code.clone()).collect();
    let mut queues = vec![];
    for mut q in county.queues {
        let hall: HallId = stable("hall", &q.hall);
        for to in q.rule.steps.iter_mut().filter_map(|s| s.overflow.as_mut()) {
            *to = stable::<HallId>("hall", to).to_string();
        }
        q.rule
            .check(&known, &hall)
            .map_err(|f| anyhow!("demo queue {}: {f:?}", q.code))?;
        queues.push((hall, q.code, serde_json::to_string(&q.rule)?));
    }
    summary.halls = halls.iter().map(|h| h.id.to_string()).collect();
    summary.seats = county.seats.len();
    summary.licences = licences.len();
    Ok(Rows {
        halls,
        skills: county
            .skills
            .into_iter()
            .map(|s| named(s.code, s.name))
            .collect(),
        departments: county
            .departments
            .into_iter()
            .map(|d| named(d.id, d.name))
            .collect(),
        seats: county
            .seats
            .into_iter()
            .map(|s| (stable("seat", &s.id), stable("hall", &s.hall), s.name))
            .collect(),
        slots,
        accepts,
        queues,
        booths,
        staff,
        types,
        licences,
    })
}

/// Loads the county; `dir` is the data directory, for device keys, the calendar and what papers say of the county. Safe to repeat.
pub async fn load(app: &App, dir: &Path) -> Result<Summary> {
    let mut summary = Summary::default();
    let hash = tokio::task::spawn_blocking(|| auth::hash_password(PASSWORD)).await??;
    let rows = std::sync::Arc::new(rows(app, dir, &hash, &mut summary)?);
    app.write("demo", move |tx, w| {
        let rows = rows.clone();
        async move {
            let mut new = vec![];
            for h in &rows.halls {
                if hall::get(tx, &h.id).await?.is_none() {
                    new.push(&h.id);
                }
                hall::upsert(tx, h).await?;
            }
            // A word that a hall has taken back since stays taken back.
            let fresh = |a: &&(HallId, HallId)| new.contains(&&a.0) || new.contains(&&a.1);
            for (hall, from) in rows.accepts.iter().filter(fresh) {
                hall::set_accepts(tx, hall, from, true).await?;
            }
            for s in &rows.skills {
                hall::upsert_skill(tx, s).await?;
            }
            for d in &rows.departments {
                hall::upsert_department(tx, d).await?;
            }
            for s in &rows.staff {
                staff::upsert(tx, s).await?;
            }
            for (id, hall, name) in &rows.seats {
                seat::upsert(tx, id, hall, &name.zh, &name.en, w.now).await?;
            }
            for b in &rows.booths {
                booth::upsert(tx, b).await?;
            }
            for (hall, queue, rule) in &rows.slots {
                appointment::save_rule(tx, hall, queue, rule, 0).await?;
            }
            for (hall, code, rule) in &rows.queues {
                // A rule that somebody has kept stays.
                queue::save(tx, hall, code, rule, 0).await?;
            }
            for t in &rows.types {
                licence::upsert_type(tx, t).await?;
            }
            for l in &rows.licences {
                licences::load(tx, w, l).await?;
            }
            w.audit(
                tx,
                "demo.loaded",
                "demo",
                serde_json::json!({"licences": rows.licences.len()}),
            )
            .await
        }
        .boxed()
    })
    .await
    .context("the demo county could not be stored")?;
    for doc in ITEMS {
        catalogue::publish(app, "demo", (*doc).to_owned())
            .await
            .map_err(|e| match &e {
                crate::problem::AppError::Rejected { fields, .. } => {
                    anyhow!("demo item: {e}: {fields:?}")
                }
                crate::problem::AppError::Store(_) => anyhow!("demo item: {e}"),
            })?;
        summary.items += 1;
    }
    let calendar = dir.join("calendar");
    std::fs::create_dir_all(&calendar)
        .with_context(|| format!("cannot make {}", calendar.display()))?;
    for (file, text) in [
        (calendar.join("calendar-2027.json"), CALENDAR_2027),
        (dir.join(county::FILE), COUNTY_FILE),
    ] {
        // An administrator's own file is never overwritten.
        if !file.exists() {
            std::fs::write(&file, text)
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
    }
    Ok(summary)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use domain::calendar::Calendar;

    #[test]
    fn the_provisional_year_can_be_counted_in() {
        let c = Calendar::vendored().with_extra(CALENDAR_2027).unwrap();
        let day = |s| parse_date(s).unwrap();
        assert!(!c.is_working_day(day("2027-01-01")).unwrap());
        assert_eq!(
            c.add_working_days(day("2026-12-31"), 1).unwrap(),
            day("2027-01-04")
        );
    }

    #[test]
    fn ids_follow_from_names() {
        assert_eq!(stable::<HallId>("hall", "a"), stable::<HallId>("hall", "a"));
        assert_ne!(stable::<HallId>("hall", "a"), stable::<HallId>("hall", "b"));
        assert_ne!(
            stable::<SeatId>("seat", "a").as_str()[4..],
            stable::<SeatId>("booth", "a").as_str()[4..]
        );
    }
}
