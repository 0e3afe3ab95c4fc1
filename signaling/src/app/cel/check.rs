//! Limits of the catalogue's expressions, checked before an item is published: size, operators, comprehensions, names.
//!
//! Runs on the CEL thread like everything that parses. Never evaluates.

use super::{LIST_MAX, OPERATORS_MAX, on_worker};
use crate::problem::AppError;
use cel::{
    Program,
    common::ast::{EntryExpr, Expr, operators},
};
use domain::{
    catalogue::{CEL_BYTES, Item},
    error::Rejected,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

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
