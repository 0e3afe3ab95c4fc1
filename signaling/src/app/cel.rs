//! CEL of the catalogue: compiled and run on one thread with a 16 MiB stack, because the parser recurses.
//!
//! Owns the limits of an expression (CEL has no cost limit of its own) and what a broken one means: closed, that is visible,
//! required, rule not held. Programs are compiled once a published version. Never reads a database, never logs a value.

use super::{App, catalogue::ItemRef};
use crate::problem::{AppError, no};
use cel::{
    Context, Program, Value,
    common::ast::{EntryExpr, Expr, operators},
};
use domain::{
    catalogue::{CEL_BYTES, Item, Necessity},
    cofill::{Doc, Evaluation, view},
    error::Rejected,
};
use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::LazyLock,
};
use time::Date;
use tokio::sync::{mpsc, oneshot};

/// Stack of the thread (bytes): [`CEL_BYTES`] of opening brackets parse within it.
const STACK_BYTES: usize = 16 * 1024 * 1024;
/// Evaluations that may wait; more wait at the door.
const QUEUE: usize = 256;
/// Operators and calls of one expression.
pub const OPERATORS_MAX: usize = 40;
/// Elements of one list or map.
pub const LIST_MAX: usize = 200;

type Job = Box<dyn FnOnce() + Send>;

static WORKER: LazyLock<mpsc::Sender<Job>> = LazyLock::new(|| {
    let (tx, mut rx) = mpsc::channel::<Job>(QUEUE);
    let started = std::thread::Builder::new()
        .name("cel".into())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            while let Some(job) = rx.blocking_recv() {
                // One expression that trips over a bug of the interpreter must not silence the others.
                let _ = catch_unwind(AssertUnwindSafe(job));
            }
        });
    if let Err(e) = started {
        tracing::error!(error = %e, "the CEL thread could not be started");
    }
    tx
});

async fn on_worker<T: Send + 'static>(
    f: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AppError> {
    let (tx, rx) = oneshot::channel();
    let job = move || {
        let _ = tx.send(f()); // Nobody waits any more: nothing to tell.
    };
    WORKER
        .send(Box::new(job))
        .await
        .map_err(|_| no("unavailable"))?;
    rx.await.map_err(|_| no("internal"))
}

/// A program, or nothing where the source is broken: published items were checked, so that is an alarm, not a case.
type Slot = Option<Program>;

#[derive(Debug, Default)]
struct FieldPrograms {
    visible: Option<Slot>,
    required: Option<Slot>,
    rules: Vec<Slot>,
}

/// The programs of one version of one item, in the item's own order.
#[derive(Debug, Default)]
pub struct Compiled {
    fields: Vec<FieldPrograms>,
    materials: Vec<Option<Slot>>,
    conditions: Vec<Option<Slot>>,
}

/// What CEL says of a document.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    pub evaluation: Evaluation,
    /// Ids of the materials that must be there now.
    pub needed: Vec<String>,
    /// Ids of the materials that may follow later (容缺) and are asked for now.
    pub deferred: Vec<String>,
    /// Ids of the conditions (受理条件) that can be computed and do not hold.
    pub unmet: Vec<String>,
}

fn compile(item: &Item) -> Compiled {
    let slot = |src: &String| -> Slot {
        let p = catch_unwind(|| Program::compile(src).ok()).ok().flatten();
        if p.is_none() {
            tracing::error!(
                item = item.id,
                version = item.version,
                code = "cel_broken",
                "an expression of a published item does not compile"
            );
        }
        p
    };
    Compiled {
        fields: item
            .fields
            .iter()
            .map(|f| FieldPrograms {
                visible: f.visible_when.as_ref().map(slot),
                required: f.required_when.as_ref().map(slot),
                rules: f.rules.iter().map(|r| slot(&r.cel)).collect(),
            })
            .collect(),
        materials: item
            .materials
            .iter()
            .map(|m| m.required_when.as_ref().map(slot))
            .collect(),
        conditions: item
            .conditions
            .iter()
            .map(|c| c.cel.as_ref().map(slot))
            .collect(),
    }
}

fn to_cel(v: &serde_json::Value) -> Value {
    match v {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(b) => Value::Bool(*b),
        serde_json::Value::Number(n) => n
            .as_i64()
            .map_or_else(|| n.as_f64().map_or(Value::Null, Value::Float), Value::Int),
        serde_json::Value::String(s) => Value::from(s.clone()),
        serde_json::Value::Array(a) => Value::from(a.iter().map(to_cel).collect::<Vec<_>>()),
        serde_json::Value::Object(o) => Value::from(
            o.iter()
                .map(|(k, v)| (k.clone(), to_cel(v)))
                .collect::<HashMap<_, _>>(),
        ),
    }
}

/// True or false; None: broken, not boolean, or failing.
fn truth(slot: &Slot, cx: &Context) -> Option<bool> {
    let p = slot.as_ref()?;
    match catch_unwind(AssertUnwindSafe(|| p.execute(cx))) {
        Ok(Ok(Value::Bool(b))) => Some(b),
        _ => None,
    }
}

fn facts_of(item: &Item, programs: &Compiled, doc: &Doc, today: Date) -> Facts {
    let mut cx = Context::default();
    cx.add_variable_from_value("form", to_cel(&view::cel_form(doc, item)));
    cx.add_variable_from_value("today", today.to_string());
    let mut broken = 0u32;
    let mut ask = |slot: &Slot, otherwise: bool| {
        truth(slot, &cx).unwrap_or_else(|| {
            broken += 1;
            otherwise
        })
    };
    let mut out = Facts::default();
    for (f, p) in item.fields.iter().zip(&programs.fields) {
        if !p.visible.as_ref().is_none_or(|s| ask(s, true)) {
            continue;
        }
        out.evaluation.visible.insert(f.path.clone());
        if f.required || p.required.as_ref().is_some_and(|s| ask(s, true)) {
            out.evaluation.required.insert(f.path.clone());
        }
        if doc.value(&f.path).is_some() {
            // A rule over a field that is still empty cannot hold and is not broken: it just does not hold yet.
            let failing: Vec<usize> = p
                .rules
                .iter()
                .enumerate()
                .filter(|(_, s)| truth(s, &cx) != Some(true))
                .map(|(i, _)| i)
                .collect();
            if !failing.is_empty() {
                out.evaluation.failing.insert(f.path.clone(), failing);
            }
        }
    }
    for (m, p) in item.materials.iter().zip(&programs.materials) {
        let now = p.as_ref().map(|s| ask(s, true));
        let needed = match m.necessity {
            Necessity::Required => now.unwrap_or(true),
            Necessity::Optional => now.unwrap_or(false),
            // 容缺: may follow later.
            Necessity::Deferrable => {
                if now.unwrap_or(true) {
                    out.deferred.push(m.id.clone());
                }
                false
            }
        };
        if needed {
            out.needed.push(m.id.clone());
        }
    }
    for (c, p) in item.conditions.iter().zip(&programs.conditions) {
        if p.as_ref().is_some_and(|s| !ask(s, false)) {
            out.unmet.push(c.id.clone());
        }
    }
    if broken > 0 {
        tracing::error!(
            item = item.id,
            version = item.version,
            broken,
            code = "cel_failed",
            "expressions failed and were taken as closed"
        );
    }
    out
}

/// All that CEL says of the document as it stands. Below a millisecond once the item's programs are compiled.
pub async fn facts(item: &ItemRef, doc: &Doc, today: Date) -> Result<Facts, AppError> {
    let (item, doc) = (item.clone(), doc.clone());
    on_worker(move || {
        facts_of(
            &item,
            item.compiled.get_or_init(|| compile(&item)),
            &doc,
            today,
        )
    })
    .await
}

/// Visibility, need and failing rules of the form alone.
pub async fn evaluate(
    _app: &App,
    item: &ItemRef,
    doc: &Doc,
    today: Date,
) -> Result<Evaluation, AppError> {
    facts(item, doc, today).await.map(|f| f.evaluation)
}

/// Compiles an item's programs now, so that no transaction has to.
pub async fn warm(item: &ItemRef) -> Result<(), AppError> {
    let item = item.clone();
    on_worker(move || {
        item.compiled.get_or_init(|| compile(&item));
    })
    .await
}

/// Every expression of an item: it compiles, keeps the limits, and names fields that exist.
///
/// Codes: `cel_size`, `cel_syntax`, `cel_operators`, `cel_comprehension`, `cel_list`, `cel_name`, `cel_path`; pointers into the document.
pub async fn check_item(item: &Item) -> Result<Vec<Rejected>, AppError> {
    let item = item.clone();
    on_worker(move || {
        let mut out = Vec::new();
        for (pointer, src) in sources(&item) {
            let code = catch_unwind(AssertUnwindSafe(|| check_source(&item, src)))
                .unwrap_or(Some("cel_syntax"));
            out.extend(code.map(|c| Rejected::at(c, pointer)));
        }
        out
    })
    .await
}

fn sources(item: &Item) -> Vec<(String, &str)> {
    let mut out = Vec::new();
    for (i, f) in item.fields.iter().enumerate() {
        out.extend(
            f.visible_when
                .as_deref()
                .map(|s| (format!("/fields/{i}/visible_when"), s)),
        );
        out.extend(
            f.required_when
                .as_deref()
                .map(|s| (format!("/fields/{i}/required_when"), s)),
        );
        out.extend(
            f.rules
                .iter()
                .enumerate()
                .map(|(j, r)| (format!("/fields/{i}/rules/{j}"), r.cel.as_str())),
        );
    }
    out.extend(item.materials.iter().enumerate().filter_map(|(i, m)| {
        Some((
            format!("/materials/{i}/required_when"),
            m.required_when.as_deref()?,
        ))
    }));
    out.extend(
        item.conditions
            .iter()
            .enumerate()
            .filter_map(|(i, c)| Some((format!("/conditions/{i}/cel"), c.cel.as_deref()?))),
    );
    out
}

fn check_source(item: &Item, src: &str) -> Option<&'static str> {
    if src.len() > CEL_BYTES {
        return Some("cel_size");
    }
    let Ok(program) = Program::compile(src) else {
        return Some("cel_syntax");
    };
    let mut walk = Walk {
        item,
        operators: 0,
        names: vec!["form".into(), "today".into()],
        inside: false,
    };
    walk.expr(&program.expression().expr).err()
}

/// Counts and bounds while it goes down the tree.
struct Walk<'a> {
    item: &'a Item,
    operators: usize,
    names: Vec<String>,
    /// Within a comprehension: no second one, and nothing that grows.
    inside: bool,
}

impl Walk<'_> {
    fn expr(&mut self, e: &Expr) -> Result<(), &'static str> {
        match e {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(n) => {
                if n.starts_with('@') || self.names.contains(n) {
                    Ok(())
                } else {
                    Err("cel_name")
                }
            }
            Expr::Select(s) => {
                if let Some(path) = form_path(e) {
                    let known = self.item.fields.iter().any(|f| {
                        f.path == path
                            || f.path
                                .strip_prefix(&path)
                                .is_some_and(|r| r.starts_with('.'))
                    });
                    return if known { Ok(()) } else { Err("cel_path") };
                }
                self.expr(&s.operand.expr)
            }
            Expr::Call(c) => {
                self.operators += 1;
                if self.operators > OPERATORS_MAX {
                    return Err("cel_operators");
                }
                // The macros' own sums are not the author's: `exists_one` counts, `map` and `filter` collect.
                if self.inside && c.func_name == operators::ADD && !own_sum(&c.args) {
                    return Err("cel_comprehension");
                }
                if let Some(t) = &c.target {
                    self.expr(&t.expr)?;
                }
                c.args.iter().try_for_each(|a| self.expr(&a.expr))
            }
            Expr::Comprehension(c) => {
                if self.inside {
                    return Err("cel_comprehension");
                }
                self.expr(&c.iter_range.expr)?;
                self.inside = true;
                let known = self.names.len();
                self.names.extend([c.iter_var.clone(), c.accu_var.clone()]);
                self.names.extend(c.iter_var2.clone());
                let r = [&c.accu_init, &c.loop_cond, &c.loop_step, &c.result]
                    .into_iter()
                    .try_for_each(|x| self.expr(&x.expr));
                self.names.truncate(known);
                self.inside = false;
                r
            }
            Expr::List(l) => {
                if l.elements.len() > LIST_MAX {
                    return Err("cel_list");
                }
                l.elements.iter().try_for_each(|x| self.expr(&x.expr))
            }
            Expr::Map(m) => self.entries(&m.entries),
            Expr::Struct(s) => self.entries(&s.entries),
        }
    }

    fn entries(&mut self, entries: &[cel::common::ast::IdedEntryExpr]) -> Result<(), &'static str> {
        if entries.len() > LIST_MAX {
            return Err("cel_list");
        }
        entries.iter().try_for_each(|e| match &e.expr {
            EntryExpr::StructField(f) => self.expr(&f.value.expr),
            EntryExpr::MapEntry(m) => {
                self.expr(&m.key.expr)?;
                self.expr(&m.value.expr)
            }
        })
    }
}

fn own_sum(args: &[cel::IdedExpr]) -> bool {
    args.iter()
        .any(|a| matches!(&a.expr, Expr::Ident(n) if n.starts_with('@')))
}

/// `form.a.b` → `a.b`.
fn form_path(e: &Expr) -> Option<String> {
    let mut parts = Vec::new();
    let mut at = e;
    loop {
        match at {
            Expr::Select(s) => {
                parts.push(s.field.as_str());
                at = &s.operand.expr;
            }
            Expr::Ident(n) if n == "form" && !parts.is_empty() => {
                parts.reverse();
                return Some(parts.join("."));
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::app::catalogue;
    use domain::pii::Pii;
    use serde_json::json;

    const DOC: &str = include_str!("../../demo/catalogue/no-criminal-record.json");

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
}
