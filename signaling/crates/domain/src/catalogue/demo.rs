//! The demo county's files: they load, the items pass every lint, the numbers are valid, the references hold.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::identifiers as id;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

macro_rules! demo {
    ($path:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo/", $path))
    };
}

/// The three items, for tests of other modules too.
pub(crate) fn items() -> Vec<Item> {
    [
        demo!("catalogue/no-criminal-record.json"),
        demo!("catalogue/medical-offsite.json"),
        demo!("catalogue/hygiene-licence.json"),
    ]
    .into_iter()
    .map(|s| serde_json::from_str(s).unwrap())
    .collect()
}

fn rows(s: &str) -> Vec<Value> {
    serde_json::from_str(s).unwrap()
}
fn text<'a>(v: &'a Value, key: &str) -> &'a str {
    v[key].as_str().unwrap_or_else(|| panic!("{key} in {v}"))
}
fn texts<'a>(v: &'a Value, key: &str) -> Vec<&'a str> {
    v[key]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s.as_str().unwrap())
        .collect()
}
fn set<'a>(rows: &'a [Value], key: &str) -> BTreeSet<&'a str> {
    let out: BTreeSet<_> = rows.iter().map(|r| text(r, key)).collect();
    assert_eq!(out.len(), rows.len(), "{key} is unique");
    out
}
/// Licence type → attribute → mask kind.
fn licence_types() -> BTreeMap<String, BTreeMap<String, String>> {
    rows(demo!("licence-types.json"))
        .iter()
        .map(|t| {
            assert!(check::is_licence_type(text(t, "code")));
            assert_eq!(&text(t, "code")[..18], text(&t["defined_by"], "code"));
            id::Uscc::parse(text(&t["defined_by"], "code")).unwrap();
            let attributes = t["attributes"].as_array().unwrap();
            for a in attributes {
                serde_json::from_value::<Text>(a["label"].clone()).unwrap();
                serde_json::from_value::<Mask>(a["sensitive"].clone()).unwrap();
            }
            let of = |a: &Value| (text(a, "id").to_owned(), text(a, "sensitive").to_owned());
            (
                text(t, "code").to_owned(),
                attributes.iter().map(of).collect(),
            )
        })
        .collect()
}

#[test]
fn items_pass_every_lint_and_round_trip() {
    let county: Value = serde_json::from_str(demo!("county.json")).unwrap();
    let skills = county["skills"].as_array().unwrap();
    let departments = county["departments"].as_array().unwrap();
    let types = licence_types();
    for item in items() {
        assert_eq!(item.check(), Ok(()), "{}", item.id);
        let again: Item = serde_json::from_str(&serde_json::to_string(&item).unwrap()).unwrap();
        assert_eq!(again, item);
        id::Uscc::parse(&item.department.code).unwrap();
        assert!(set(skills, "code").contains(item.skill.as_str()));
        let d = departments
            .iter()
            .find(|d| text(d, "id") == item.department.id)
            .unwrap();
        assert_eq!(text(d, "code"), item.department.code);
        for f in &item.fields {
            for m in &f.licence {
                let mask = types.get(&m.licence_type).and_then(|t| t.get(&m.attribute));
                let mask = mask.unwrap_or_else(|| panic!("{} {m:?}", item.id));
                // A company's name is public; what a licence type calls sensitive stays so in the form otherwise.
                let open = item.service_objects.contains(&ServiceObject::Enterprise);
                assert!(
                    mask == "none" || open || f.sensitive != Mask::None,
                    "{} {}",
                    item.id,
                    f.path
                );
            }
        }
        let registered = &types[&item.result.licence_type];
        assert!(
            item.result
                .attributes
                .iter()
                .all(|a| registered.contains_key(&a.attribute)),
            "{}",
            item.id
        );
        let linked = item
            .materials
            .iter()
            .filter_map(|m| m.licence_type.as_ref());
        assert!(
            linked.into_iter().all(|t| types.contains_key(t)),
            "{}",
            item.id
        );
        assert!(!item.licence_types().is_empty());
        assert!(
            item.fields.iter().any(|f| f.who == WhoFills::CitizenOnly),
            "{}",
            item.id
        );
        assert!(item.fields.iter().any(|f| f.confirm_single), "{}", item.id);
    }
}

#[test]
fn people_and_companies_have_valid_numbers() {
    let people = rows(demo!("people.json"));
    let keys = set(&people, "id");
    set(&people, "id_number");
    for p in &people {
        let n = id::CitizenId::parse(text(p, "id_number")).unwrap();
        assert_eq!(n.birth_date().to_string(), text(p, "birth_date"));
        assert_eq!(n.sex() == id::Sex::Male, text(p, "sex") == "男");
        id::check_format("mobile", text(p, "mobile")).unwrap();
        if let Some(old) = p.get("id_number_15") {
            assert_eq!(
                id::CitizenId::parse(old.as_str().unwrap()).unwrap(),
                n,
                "15 digits become the same 18"
            );
        }
    }
    assert!(people.iter().any(|p| p.get("id_number_15").is_some()));
    assert!(
        people
            .iter()
            .any(|p| text(p, "name").chars().any(|c| c as u32 > 0xFFFF)),
        "a rare character"
    );
    let companies = rows(demo!("companies.json"));
    set(&companies, "uscc");
    let mut of: BTreeMap<&str, usize> = BTreeMap::new();
    for c in &companies {
        id::Uscc::parse(text(c, "uscc")).unwrap();
        assert!(keys.contains(text(c, "legal_representative")));
        *of.entry(text(c, "legal_representative")).or_default() += 1;
    }
    assert!(
        of.values().any(|n| *n == 2),
        "one person represents two companies"
    );
}

#[test]
fn licences_belong_to_somebody_and_hold_known_attributes() {
    let people = rows(demo!("people.json"));
    let companies = rows(demo!("companies.json"));
    let licences = rows(demo!("licences.json"));
    let types = licence_types();
    set(&licences, "identifier");
    for l in &licences {
        let parsed = id::LicenceIdentifier::parse(text(l, "identifier")).unwrap();
        assert_eq!(parsed.type_code(), text(l, "type"));
        assert_eq!(parsed.issuer(), text(&l["issuer"], "code"));
        id::Uscc::parse(text(&l["issuer"], "code")).unwrap();
        let attributes = &types[text(l, "type")];
        assert!(
            l["attributes"]
                .as_object()
                .unwrap()
                .keys()
                .all(|k| attributes.contains_key(k)),
            "{l}"
        );
        let find = |rows: &'_ [Value]| rows.iter().find(|r| r["id"] == l["holder"]).cloned();
        let (holder, number) = match text(l, "holder_code_type") {
            "111" => (find(&people).unwrap(), "id_number"),
            "001" => (find(&companies).unwrap(), "uscc"),
            other => panic!("{other}"),
        };
        assert_eq!(text(l, "holder_code"), text(&holder, number));
        assert_eq!(text(l, "holder_name"), text(&holder, "name"));
    }
    let status = |s: &str| licences.iter().filter(|l| text(l, "status") == s).count();
    assert!(
        status("05") >= 1 && status("07") >= 1,
        "one lapsed, one revoked"
    );
    for p in &people {
        assert!(
            licences.iter().any(|l| l["holder"] == p["id"]),
            "{p} holds something"
        );
    }
}

#[test]
fn every_mapped_attribute_is_a_value_that_its_field_takes() {
    for item in items() {
        for l in rows(demo!("licences.json")) {
            for (field, attribute) in item.mapped_from(text(&l, "type")) {
                let Some(v) = l["attributes"].get(attribute) else {
                    continue;
                };
                let kept = crate::cofill::check::normalise(field, v.clone());
                let kept = kept.unwrap_or_else(|c| panic!("{c}: {} {attribute}", field.path));
                let problem = crate::cofill::check::problem(field, &kept, id::check_format);
                assert_eq!(problem, None, "{} {attribute}", field.path);
            }
        }
    }
}

#[test]
fn county_and_staff_hold_together() {
    let county: Value = serde_json::from_str(demo!("county.json")).unwrap();
    let part = |key: &str| county[key].as_array().unwrap().clone();
    let (skills, departments, halls) = (part("skills"), part("departments"), part("halls"));
    let (skills, departments, halls) = (
        set(&skills, "code"),
        set(&departments, "id"),
        set(&halls, "id"),
    );
    assert_eq!((part("booths").len(), part("seats").len()), (2, 7));
    // Two counties that serve each other's people.
    for h in &part("halls") {
        let accepts = texts(h, "accepts");
        assert!(
            !accepts.is_empty()
                && accepts
                    .iter()
                    .all(|a| halls.contains(a) && *a != text(h, "id"))
        );
    }
    for place in part("booths").iter().chain(&part("seats")) {
        assert!(halls.contains(text(place, "hall")));
    }
    let staff = rows(demo!("staff.json"));
    set(&staff, "account");
    let people = rows(demo!("people.json"));
    let citizens = set(&people, "id_number");
    let numbers = set(&staff, "id_number");
    assert!(numbers.is_disjoint(&citizens));
    assert!(numbers.iter().all(|n| id::CitizenId::parse(n).is_ok()));
    for s in &part("seats") {
        assert!(texts(s, "skills").iter().all(|k| skills.contains(k)), "{s}");
    }
    for s in &staff {
        let mastered = s["skills"].as_object().unwrap();
        let level = |l: &Value| l.as_u64().is_some_and(|l| (1..=5).contains(&l));
        assert!(
            mastered
                .iter()
                .all(|(k, l)| skills.contains(k.as_str()) && level(l)),
            "{s}"
        );
    }
    let with = |role: &str| {
        staff
            .iter()
            .filter(|s| texts(s, "roles").contains(&role))
            .count()
    };
    assert!(with("agent") >= 4 && with("reviewer") >= 3 && with("issuer") >= 2);
    assert!(with("supervisor") == halls.len() && with("admin") == 1);
    let elsewhere = |s: &Value| s["hall"].as_str().is_none_or(|h| halls.contains(h));
    assert!(staff.iter().all(elsewhere));
    for item in items() {
        for role in ["reviewer", "issuer"] {
            let serves = |s: &&Value| {
                texts(s, "roles").contains(&role)
                    && texts(s, "departments").contains(&item.department.id.as_str())
            };
            assert!(staff.iter().any(|s| serves(&s)), "{role} for {}", item.id);
        }
        assert!(staff.iter().any(|s| s["skills"].get(&item.skill).is_some()));
    }
    assert!(
        staff
            .iter()
            .all(|s| departments.contains(text(s, "department")))
    );
}

/// One fault at a time: each lint finds it, at its place.
#[test]
fn lints_name_each_fault() {
    type Fault = fn(&mut Item);
    let faults: &[(&str, &str, Fault)] = &[
        ("promise_exceeds_statutory", "/promise_days", |i| {
            i.promise_days = i.statutory_days + 1;
        }),
        ("handling_not_promised", "/handling", |i| {
            i.handling = Handling::Immediate;
        }),
        ("no_visit_needs_remote_channel", "/channels", |i| {
            i.channels = vec![Channel::Window];
        }),
        ("visits_reason_missing", "/visits_reason", |i| i.visits = 1),
        ("item_code_format", "/code", |i| i.code.truncate(30)),
        ("item_code_level", "/code", |i| i.level = Level::City),
        ("path_duplicate", "/fields/1/path", |i| {
            i.fields[1].path = i.fields[0].path.clone();
        }),
        ("field_without_group", "/fields/0/path", |i| {
            i.groups[0].fields.retain(|p| p != "applicant.name");
        }),
        ("path_unknown", "/groups/1/fields/0", |i| {
            i.groups[1].fields[0] = "no.such".into();
        }),
        ("path_in_two_groups", "/groups/1/fields/4", |i| {
            i.groups[1].fields.push("applicant.name".into());
        }),
        ("cel_too_long", "/fields/0/visible_when", |i| {
            i.fields[0].visible_when = Some("x".repeat(CEL_BYTES + 1));
        }),
        ("mask_missing", "/fields/2/sensitive", |i| {
            i.fields[2].sensitive = Mask::None;
        }),
        ("options_mismatch", "/fields/1/options", |i| {
            i.fields[1].options.clear();
        }),
        (
            "licence_type_format",
            "/fields/0/licence/0/licence_type",
            |i| {
                i.fields[0].licence[0].licence_type = "身份证".into();
            },
        ),
        ("template_placeholder", "/result/body/0/zh", |i| {
            i.result.body[0].zh = "{applicant.nickname}".into();
        }),
        ("template_brace", "/result/body/0/en", |i| {
            i.result.body[0].en = "{applicant.name".into();
        }),
        ("text_empty", "/name/en", |i| i.name.en = " ".into()),
        ("material_unknown", "/correction_reasons/0/material", |i| {
            i.correction_reasons[0].material = Some("lost".into());
        }),
        ("opinion_outcome_missing", "/opinions", |i| {
            i.opinions.retain(|o| o.outcome == Outcome::Grant);
        }),
        ("group_too_large", "/groups/0/fields", |i| {
            let mut f = i.fields[0].clone();
            f.path = "applicant.eighth".into();
            i.groups[0].fields.push(f.path.clone());
            i.fields.push(f);
        }),
        ("path_nested", "/fields/1/path", |i| {
            i.fields[1].path = "applicant.name.last".into();
        }),
    ];
    for (code, pointer, fault) in faults {
        let mut item = items().remove(0);
        fault(&mut item);
        let found = item.check().unwrap_err();
        assert!(
            found.contains(&Rejected::at(code, *pointer)),
            "{code} {pointer}: {found:?}"
        );
    }
}

#[test]
fn what_an_item_asks_of_a_recording_is_checked() {
    type Fault = fn(&mut RecordingRule);
    let faults: &[(&str, &str, Fault)] = &[
        ("id_duplicate", "/recording/steps/3", |r| {
            r.steps.push(LegalStep::Sign);
        }),
        ("list_empty", "/recording/script", |r| r.script.clear()),
        ("recording_gate", "/recording/steps", |r| {
            r.steps.retain(|s| *s != LegalStep::Sign);
        }),
        ("id_duplicate", "/recording/script/1/id", |r| {
            r.script[1].id = r.script[0].id.clone();
        }),
        ("list_too_long", "/recording/script", |r| {
            let more = (0..recording::PROMPTS_MAX).map(|n| Prompt {
                id: format!("more-{n}"),
                ..r.script[0].clone()
            });
            r.script.extend(more.collect::<Vec<_>>());
        }),
        ("text_empty", "/recording/script/0/text/en", |r| {
            r.script[0].text.en = " ".into();
        }),
        ("text_too_long", "/recording/script/2/text/zh", |r| {
            r.script[2].text.zh = "长".repeat(recording::PROMPT_CHARS + 1);
        }),
    ];
    let with_rule = items().into_iter().find(|i| i.recording.is_some()).unwrap();
    for (code, pointer, fault) in faults {
        let mut item = with_rule.clone();
        fault(item.recording.as_mut().unwrap());
        let found = item.check().unwrap_err();
        assert!(
            found.contains(&Rejected::at(code, *pointer)),
            "{code} {pointer}: {found:?}"
        );
    }
    // Items from before there were recordings are read as ever, and written without a word of it.
    let plain = serde_json::to_value(items().remove(0)).unwrap();
    assert!(plain.get("recording").is_none());
}

#[test]
fn unknown_members_are_refused() {
    let mut v: Value = serde_json::from_str(demo!("catalogue/no-criminal-record.json")).unwrap();
    v["fields"][0]["colour"] = "red".into();
    assert!(serde_json::from_value::<Item>(v).is_err());
}

#[test]
fn templates_are_filled_once_and_wholly() {
    let value = |n: &str| match n {
        "a" => Some("{b}".to_owned()),
        "b" => Some("2".to_owned()),
        _ => None,
    };
    assert_eq!(render("甲{a}乙{b}丙", value).unwrap(), "甲{b}乙2丙");
    assert_eq!(
        render("{c}", value),
        Err(Rejected::at("template_placeholder", "c"))
    );
    for bad in ["{", "}", "{}", "a{b", "{a{b}}"] {
        assert_eq!(
            placeholders(bad),
            Err(Rejected::new("template_brace")),
            "{bad}"
        );
    }
}

#[test]
fn the_schema_lists_every_field() {
    for item in items() {
        let schema = item.form_schema();
        assert_eq!(
            schema["properties"].as_object().unwrap().len(),
            item.fields.len()
        );
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(
            schema["x-groups"].as_array().unwrap().len(),
            item.groups.len()
        );
    }
    let schema = items().remove(0).form_schema();
    assert_eq!(
        schema["properties"]["purpose.kind"]["enum"][0],
        "employment"
    );
    assert_eq!(
        schema["properties"]["applicant.id_number"]["x-sensitive"],
        "id_number"
    );
    assert!(
        !schema["required"]
            .as_array()
            .unwrap()
            .iter()
            .any(|p| p == "purpose.detail")
    );
}
