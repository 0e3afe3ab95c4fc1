//! What an expression may be, and what a broken one means.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::app::catalogue;
use domain::{catalogue::CEL_BYTES, pii::Pii};
use serde_json::json;

const DOC: &str = include_str!("../../../demo/catalogue/no-criminal-record.json");

fn item(change: impl FnOnce(&mut Item)) -> Item {
    let mut i: Item = serde_json::from_str(DOC).unwrap();
    change(&mut i);
    i
}

fn document(item: &Item, values: &[(&str, serde_json::Value)]) -> Doc {
    let mut d = Doc::new(item);
    for (path, v) in values {
        let actor = domain::cofill::Actor {
            role: domain::cofill::Role::Citizen,
            id: "m".into(),
        };
        let f = domain::cofill::Field {
            value: Pii::new(v.clone()),
            version: 1,
            actor,
            at: domain::time::Timestamp(0),
            source: domain::cofill::Origin::Typed {
                by: domain::cofill::Role::Citizen,
            },
            confirmed: None,
            changed_since_confirm: false,
            problem: None,
        };
        d.fields.insert((*path).into(), f);
    }
    d
}

async fn code_of(src: &str) -> Option<&'static str> {
    let i = item(|i| i.fields[0].visible_when = Some(src.to_owned()));
    check_item(&i).await.unwrap().first().map(|r| r.code)
}

#[tokio::test]
async fn limits_of_an_expression() {
    assert_eq!(code_of("form.purpose.kind == 'other'").await, None);
    assert_eq!(code_of("[1, 2].exists(x, x > 1)").await, None);
    assert_eq!(code_of("form.purpose.kind == ").await, Some("cel_syntax"));
    assert_eq!(
        code_of("form.purpose.kine == 'other'").await,
        Some("cel_path")
    );
    assert_eq!(code_of("secret == 1").await, Some("cel_name"));
    assert_eq!(
        code_of(&format!("{}1 == 0", "1 + ".repeat(41))).await,
        Some("cel_operators")
    );
    assert_eq!(
        code_of("[1].all(x, [2].all(y, y > x))").await,
        Some("cel_comprehension")
    );
    assert_eq!(
        code_of("[1].map(x, x + 1) == [2]").await,
        Some("cel_comprehension")
    );
    assert_eq!(
        code_of(&format!(
            "[{}] == []",
            "1,".repeat(201).trim_end_matches(',')
        ))
        .await,
        Some("cel_list")
    );
    assert_eq!(
        code_of(&format!("'{}' == ''", "x".repeat(CEL_BYTES))).await,
        Some("cel_size")
    );
}

#[tokio::test]
async fn two_kilobytes_of_brackets_do_not_overflow_the_stack() {
    let n = CEL_BYTES / 2 - 8;
    assert!(
        code_of(&format!("{}true{}", "(".repeat(n), ")".repeat(n)))
            .await
            .is_none_or(|c| c == "cel_syntax")
    );
}

#[tokio::test]
async fn a_broken_expression_closes() {
    let today = Date::from_calendar_date(2026, time::Month::November, 21).unwrap();
    let broken = item(|i| {
        let f = i
            .fields
            .iter_mut()
            .find(|f| f.path == "purpose.detail")
            .unwrap();
        f.visible_when = Some("form.purpose.kind.nothing.there".into());
        f.required_when = Some("form.purpose.kind + 1".into());
        f.rules.push(domain::catalogue::Rule {
            cel: "1".into(),
            message: i.name.clone(),
        });
    });
    let item = catalogue::unpublished(broken);
    let f = facts(
        &item,
        &document(
            &item,
            &[
                ("purpose.kind", json!("employment")),
                ("purpose.detail", json!("x")),
            ],
        ),
        today,
    )
    .await
    .unwrap();
    assert!(
        f.evaluation.visible.contains("purpose.detail")
            && f.evaluation.required.contains("purpose.detail")
    );
    assert_eq!(f.evaluation.failing["purpose.detail"], [0]);
}

#[tokio::test]
async fn what_is_needed_follows_from_what_is_filled() {
    let today = Date::from_calendar_date(2026, time::Month::November, 21).unwrap();
    let item = catalogue::unpublished(item(|_| {}));
    let at = |v: &[(&str, serde_json::Value)]| {
        let (item, doc) = (item.clone(), document(&item, v));
        async move { facts(&item, &doc, today).await }
    };
    let mut doc = vec![("purpose.kind", json!("employment"))];
    let f = at(&doc).await.unwrap();
    assert!(
        !f.evaluation.visible.contains("purpose.detail")
            && !f.needed.contains(&"purpose-proof".to_owned())
    );
    doc[0].1 = json!("other");
    doc.push(("statement.pending_case", json!("yes")));
    let f = at(&doc).await.unwrap();
    assert!(
        f.evaluation.required.contains("purpose.detail")
            && f.needed.contains(&"purpose-proof".to_owned())
    );
    assert_eq!(f.unmet, ["no-pending"]);
    assert!(
        !at(&[("applicant.birth_date", json!("2999-01-01"))])
            .await
            .unwrap()
            .evaluation
            .failing
            .is_empty()
    );
}
