//! Behaviour of the form document, on the demo item 无犯罪记录证明.

#![allow(clippy::unwrap_used)]

use super::view::*;
use super::*;
use crate::id::Id;
use crate::identifiers::check_format;
use proptest::prelude::*;
use serde_json::json;
use std::sync::LazyLock;

const T0: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const ID: &str = "430903198506150028";

fn item() -> &'static Item {
    static ITEM: LazyLock<Item> = LazyLock::new(|| crate::catalogue::demo::items().remove(0));
    &ITEM
}
fn who(role: Role) -> Actor {
    let id = match role {
        Role::Citizen => "mem_citizen",
        Role::Agent => "mem_agent",
        Role::System => "system",
    };
    Actor {
        role,
        id: id.into(),
    }
}
fn run(doc: Doc, role: Role, cmd: Cmd, cel: &Evaluation) -> Result<(Doc, Vec<Effect>), Refusal> {
    let (item, actor) = (item(), who(role));
    apply(
        doc,
        cmd,
        &Ctx {
            item,
            actor: &actor,
            now: T0,
            cel,
            check: check_format,
        },
    )
}
fn plain() -> Evaluation {
    Evaluation::plain(item())
}
fn set(path: &str, base_version: u64, value: Value) -> Cmd {
    Cmd::Set {
        path: path.into(),
        base_version,
        value: Pii::new(value),
    }
}
fn did(doc: Doc, role: Role, cmd: Cmd) -> Doc {
    run(doc, role, cmd, &plain()).unwrap().0
}
fn code(doc: &Doc, role: Role, cmd: Cmd) -> &'static str {
    run(doc.clone(), role, cmd, &plain()).unwrap_err().code()
}
fn new() -> Doc {
    Doc::new(item())
}
fn card() -> LicenceSource {
    LicenceSource {
        licence_id: LicenceId::make(1, 1),
        licence_type: "11100000000013338W011".into(),
        version: "003".into(),
        consent_id: ConsentId::make(1, 1),
        date: "2026-03-12".into(),
    }
}
fn prefill(values: &[(&str, &str)]) -> Cmd {
    let values = values
        .iter()
        .map(|(p, v)| ((*p).to_owned(), Pii::new(json!(v))))
        .collect();
    Cmd::Prefill {
        values,
        licence: card(),
    }
}
fn seen(doc: &Doc) -> BTreeMap<String, u64> {
    doc.fields
        .iter()
        .map(|(p, f)| (p.clone(), f.version))
        .collect()
}
fn confirm(doc: &Doc, group: &str) -> Cmd {
    Cmd::ConfirmGroup {
        group: group.into(),
        seen: seen(doc),
    }
}
/// Every field of the group "applicant" that is needed.
fn applicant() -> Doc {
    let values = [
        ("applicant.name", "刘洋"),
        ("applicant.sex", "女"),
        ("applicant.id_number", ID),
        ("applicant.birth_date", "1985-06-15"),
        ("applicant.address", "湖南省沅江市南大膳镇康宁路12号"),
    ];
    did(new(), Role::System, prefill(&values))
}

#[test]
fn a_stale_base_is_refused_with_the_current_value() {
    let doc = did(
        new(),
        Role::Agent,
        set("purpose.recipient", 0, json!("甲公司")),
    );
    let r = run(
        doc.clone(),
        Role::Citizen,
        set("purpose.recipient", 0, json!("乙公司")),
        &plain(),
    );
    let Err(Refusal::Stale { path, current }) = r else {
        panic!("stale expected")
    };
    assert_eq!(path, "purpose.recipient");
    assert_eq!(
        (
            current.as_ref().unwrap().version,
            current.unwrap().value.expose().clone()
        ),
        (1, json!("甲公司"))
    );
    // Another field's version does not matter, and the same words are no conflict.
    did(
        doc.clone(),
        Role::Citizen,
        set("applicant.name", 0, json!("刘洋")),
    );
    let (same, effects) = run(
        doc.clone(),
        Role::Citizen,
        set("purpose.recipient", 0, json!(" 甲公司 ")),
        &plain(),
    )
    .unwrap();
    assert_eq!((same, effects.len()), (doc, 0));
}

#[test]
fn citizen_only_fields_refuse_the_agent() {
    let cmd = || set("statement.pending_case", 0, json!("no"));
    assert_eq!(code(&new(), Role::Agent, cmd()), "citizen_only");
    assert_eq!(
        did(new(), Role::Citizen, cmd()).value("statement.pending_case"),
        Some(&json!("no"))
    );
}

#[test]
fn wrong_types_are_refused_and_wrong_numbers_are_named() {
    let refused = [
        ("applicant.name", json!(5), "value_type"),
        ("applicant.has_former_name", json!("yes"), "value_type"),
        ("purpose.kind", json!("holiday"), "value_option"),
        (
            "applicant.id_number",
            json!("1".repeat(19)),
            "value_too_long",
        ),
        (
            "purpose.recipient",
            json!("甲\u{202E}公司"),
            "value_characters",
        ),
        ("purpose.recipient", json!("甲\n公司"), "value_characters"),
        ("purpose.detail", json!("签证"), "field_hidden"),
        ("nobody.knows", json!("x"), "field_unknown"),
    ];
    for (path, value, want) in refused {
        assert_eq!(
            code(&new(), Role::Citizen, set(path, 0, value)),
            want,
            "{path}"
        );
    }
    let named = [
        ("applicant.id_number", "43090319850615002", true),
        ("applicant.id_number", "430903198506150029", true),
        ("applicant.id_number", ID, false),
        ("contact.mobile", "12345", true),
        ("contact.mobile", "１３８ ０００００ ００５", false),
        ("applicant.birth_date", "2026-02-30", true),
        ("applicant.birth_date", "1985-06-15", false),
        ("applicant.name", "李𬱖", false),
        ("applicant.name", "阿依古丽·麦麦提", false),
        ("applicant.name", "12<b>", true),
    ];
    for (path, value, wrong) in named {
        let doc = did(new(), Role::Citizen, set(path, 0, json!(value)));
        assert_eq!(doc.fields[path].problem.is_some(), wrong, "{path} {value}");
    }
}

#[test]
fn prefill_carries_its_origin_and_leaves_the_citizens_words() {
    let doc = did(
        new(),
        Role::Citizen,
        set("applicant.address", 0, json!("长沙市某路1号")),
    );
    let cmd = prefill(&[
        ("applicant.name", "刘洋"),
        ("applicant.address", "湖南省沅江市"),
    ]);
    let (doc, effects) = run(doc, Role::System, cmd, &plain()).unwrap();
    assert_eq!(
        doc.value("applicant.address"),
        Some(&json!("长沙市某路1号"))
    );
    assert!(effects.contains(&Effect::Kept {
        path: "applicant.address".into()
    }));
    let Origin::Licence {
        consent_id,
        version,
        ..
    } = &doc.fields["applicant.name"].source
    else {
        panic!("licence")
    };
    assert_eq!((consent_id, version.as_str()), (&card().consent_id, "003"));
    // Only what the item maps from this licence type.
    assert_eq!(
        code(
            &doc,
            Role::System,
            prefill(&[("contact.mobile", "13800000005")])
        ),
        "mapping_unknown"
    );
}

#[test]
fn only_the_citizen_confirms_and_only_what_they_saw() {
    let doc = applicant();
    assert_eq!(
        code(&doc, Role::Agent, confirm(&doc, "applicant")),
        "citizen_confirms"
    );
    assert_eq!(
        code(&new(), Role::Citizen, confirm(&new(), "applicant")),
        "field_required"
    );
    let old = confirm(&doc, "applicant");
    let changed = did(
        doc.clone(),
        Role::Agent,
        set("applicant.address", 1, json!("湖南省沅江市新址")),
    );
    assert_eq!(code(&changed, Role::Citizen, old), "stale_version");
    let (done, effects) = run(
        doc.clone(),
        Role::Citizen,
        confirm(&doc, "applicant"),
        &plain(),
    )
    .unwrap();
    assert!(done.fields.values().all(|f| {
        f.confirmed
            .as_ref()
            .is_some_and(|c| c.by.role == Role::Citizen)
    }));
    assert!(effects.contains(&Effect::GroupConfirmed {
        group: "applicant".into()
    }));
    // A wrong value or a failing rule blocks.
    let bad = did(
        doc.clone(),
        Role::Citizen,
        set("applicant.id_number", 1, json!("430903198506150029")),
    );
    assert_eq!(
        code(&bad, Role::Citizen, confirm(&bad, "applicant")),
        "field_problem"
    );
    let mut cel = plain();
    cel.failing.insert("applicant.birth_date".into(), vec![0]);
    let r = run(doc.clone(), Role::Citizen, confirm(&doc, "applicant"), &cel);
    assert_eq!(r.unwrap_err().code(), "rule_failed");
}

#[test]
fn deciding_facts_are_confirmed_one_by_one() {
    let doc = did(
        new(),
        Role::Agent,
        set("purpose.kind", 0, json!("employment")),
    );
    let doc = did(
        doc,
        Role::Agent,
        set("purpose.recipient", 0, json!("甲公司")),
    );
    let cmd = confirm(&doc, "purpose");
    let doc = did(doc, Role::Citizen, cmd);
    assert!(doc.fields["purpose.recipient"].confirmed.is_some());
    assert!(doc.fields["purpose.kind"].confirmed.is_none());
    let doc = did(
        doc,
        Role::Citizen,
        Cmd::ConfirmField {
            path: "purpose.kind".into(),
            version: 1,
        },
    );
    assert!(doc.fields["purpose.kind"].confirmed.is_some());
}

#[test]
fn a_change_after_confirmation_clears_it_and_says_so() {
    let doc = applicant();
    let cmd = confirm(&doc, "applicant");
    let doc = did(doc, Role::Citizen, cmd);
    for role in [Role::Agent, Role::Citizen] {
        let next = did(
            doc.clone(),
            role,
            set("applicant.address", 1, json!("别处")),
        );
        let f = &next.fields["applicant.address"];
        assert!(f.confirmed.is_none() && f.changed_since_confirm && f.version == 2);
        let again = did(
            next,
            Role::Citizen,
            Cmd::ConfirmField {
                path: "applicant.address".into(),
                version: 2,
            },
        );
        assert!(!again.fields["applicant.address"].changed_since_confirm);
    }
    let doc = did(
        doc,
        Role::Citizen,
        Cmd::Unconfirm {
            group: "applicant".into(),
        },
    );
    assert!(doc.fields.values().all(|f| f.confirmed.is_none()));
    assert_eq!(
        code(
            &doc,
            Role::Agent,
            Cmd::Unconfirm {
                group: "applicant".into()
            }
        ),
        "citizen_confirms"
    );
}

#[test]
fn an_agent_sees_masks_and_cannot_write_them_back() {
    let doc = applicant();
    let unmasked = BTreeSet::new();
    let agent = Viewer::Agent {
        id: "mem_agent",
        unmasked: &unmasked,
    };
    let seen = masked(&doc, item(), agent);
    assert_eq!(
        seen["applicant.id_number"].value.expose(),
        &json!("4309**********0028")
    );
    assert_eq!(seen["applicant.name"].value.expose(), &json!("刘*"));
    assert_eq!(
        seen["applicant.address"].value.expose(),
        &json!("湖南省沅江市****")
    );
    assert!(!seen["applicant.sex"].masked);
    assert!(!serde_json::to_string(&seen).unwrap().contains(ID));
    assert!(
        !format!("{doc:?}").contains("刘洋"),
        "values stay out of Debug"
    );
    assert_eq!(
        code(
            &doc,
            Role::Agent,
            set("applicant.id_number", 1, json!("4309**********0028"))
        ),
        "masked_value"
    );
    let open: BTreeSet<String> = ["applicant.id_number".to_owned()].into();
    let clear = masked(
        &doc,
        item(),
        Viewer::Agent {
            id: "mem_agent",
            unmasked: &open,
        },
    );
    assert_eq!(clear["applicant.id_number"].value.expose(), &json!(ID));
    // What this agent typed is theirs to see; another agent does not.
    let doc = did(
        doc,
        Role::Agent,
        set("contact.mobile", 0, json!("13800000005")),
    );
    assert!(!masked(&doc, item(), agent)["contact.mobile"].masked);
    let other = Viewer::Agent {
        id: "mem_other",
        unmasked: &unmasked,
    };
    assert_eq!(
        masked(&doc, item(), other)["contact.mobile"].value.expose(),
        &json!("138****0005")
    );
    assert_eq!(
        masked(&doc, item(), Viewer::Entitled)["applicant.name"]
            .value
            .expose(),
        &json!("刘洋")
    );
}

#[test]
fn addresses_keep_the_county_at_most() {
    for (full, want) in [
        ("湖南省沅江市琼湖街道桔城大道118号", "湖南省沅江市****"),
        ("长沙市某路1号", "长沙市****"),
        ("和平街25号", "****"),
        ("沅江市", "****"),
        ("", "****"),
    ] {
        assert_eq!(mask_address(full), want, "{full}");
    }
}

#[test]
fn signing_waits_for_every_visible_field() {
    let mut cel = plain();
    let open = |doc: &Doc, cel: &Evaluation| ready_to_sign(doc, item(), cel);
    let doc = applicant();
    let all = open(&doc, &cel);
    assert!(all.contains(&Open {
        path: "applicant.name".into(),
        why: Why::Unconfirmed
    }));
    assert!(all.contains(&Open {
        path: "contact.mobile".into(),
        why: Why::Missing
    }));
    assert!(
        !all.iter().any(|o| o.path == "purpose.detail"),
        "hidden fields are not asked for"
    );
    cel.visible.insert("purpose.detail".into());
    cel.required.insert("purpose.detail".into());
    assert!(open(&doc, &cel).contains(&Open {
        path: "purpose.detail".into(),
        why: Why::Missing
    }));
    let mut doc = doc;
    for (path, value) in [
        ("purpose.kind", "employment"),
        ("purpose.recipient", "甲公司"),
        ("period.kind", "all"),
        ("contact.mobile", "13800000005"),
        ("contact.delivery", "electronic"),
        ("statement.pending_case", "no"),
    ] {
        doc = did(doc, Role::Citizen, set(path, 0, json!(value)));
    }
    for (path, version) in seen(&doc) {
        doc = did(doc, Role::Citizen, Cmd::ConfirmField { path, version });
    }
    assert_eq!(open(&doc, &plain()), vec![]);
    let paths: Vec<String> = ledger(&doc, item()).into_iter().map(|e| e.path).collect();
    assert_eq!(paths[..2], ["applicant.name", "applicant.sex"]);
    assert_eq!(paths.len(), doc.fields.len());
    let mut hidden = plain();
    hidden.visible.remove("contact.mobile");
    assert!(!values_to_sign(&doc, &hidden).contains_key("contact.mobile"));
    let form = cel_form(&doc, item());
    assert_eq!(form["contact"]["mobile"], "13800000005");
    assert_eq!(form["purpose"]["detail"], Value::Null);
}

fn any_cmd() -> impl Strategy<Value = (Role, Cmd)> {
    let role = prop_oneof![Just(Role::Citizen), Just(Role::Agent), Just(Role::System)];
    let path = prop::sample::select(vec![
        "applicant.name",
        "applicant.address",
        "statement.pending_case",
        "contact.mobile",
    ]);
    let value = prop::sample::select(vec!["no", "yes", "刘洋", "13800000005", "王*某", ""]);
    let cmd = prop_oneof![
        (path.clone(), 0u64..4, value.clone()).prop_map(|(p, v, s)| set(p, v, json!(s))),
        (path.clone(), value).prop_map(|(p, s)| prefill(&[(p, s)])),
        (path, 1u64..4).prop_map(|(p, version)| Cmd::ConfirmField {
            path: p.into(),
            version
        }),
        Just(Cmd::Unconfirm {
            group: "applicant".into()
        }),
    ];
    (role, cmd)
}

proptest! {
    #[test]
    fn versions_only_rise_and_confirmations_are_the_citizens(steps in prop::collection::vec(any_cmd(), 1..40)) {
        let mut doc = new();
        for (role, cmd) in steps {
            let Ok((next, effects)) = run(doc.clone(), role, cmd, &plain()) else { continue };
            for (path, f) in &next.fields {
                let before = doc.fields.get(path);
                let rose = f.version - doc.version_of(path);
                let changed = effects.contains(&Effect::Changed { path: path.clone(), version: f.version });
                prop_assert_eq!(rose, u64::from(changed));
                if rose == 1 {
                    prop_assert!(f.confirmed.is_none());
                    let was = before.is_some_and(|b| b.confirmed.is_some() || b.changed_since_confirm);
                    prop_assert_eq!(f.changed_since_confirm, was);
                } else {
                    prop_assert_eq!(Some(f.value.clone()), before.map(|b| b.value.clone()));
                }
                if let Some(c) = &f.confirmed {
                    prop_assert!(c.by.role == Role::Citizen && f.problem.is_none() && !f.is_empty());
                }
            }
            if let Some(f) = next.fields.get("statement.pending_case") {
                prop_assert_eq!(f.actor.role, Role::Citizen);
            }
            doc = next;
        }
    }
}
