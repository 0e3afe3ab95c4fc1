//! CEL of the catalogue: compiled and run on one thread with a 16 MiB stack, because the parser recurses.
//!
//! Owns the limits of an expression (CEL has no cost limit of its own) and what a broken one means: closed, that is visible,
//! required, rule not held. Programs are compiled once a published version. Never reads a database, never logs a value.

mod check;
#[cfg(test)]
mod tests;

pub use check::check_item;

use super::{App, catalogue::ItemRef};
use crate::problem::{AppError, no};
use cel::{Context, Program, Value};
use domain::{
    catalogue::{Item, Necessity},
    cofill::{Doc, Evaluation, view},
};
use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::LazyLock,
};
use time::Date;
use tokio::sync::{mpsc, oneshot};

/// Stack of the thread (bytes): [`domain::catalogue::CEL_BYTES`] of opening brackets parse within it.
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
