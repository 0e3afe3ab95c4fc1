//! The single steps of [`super::apply`]: typing, filling, confirming.
//!
//! [`write`] is the only place where a value changes. Never called from outside `apply`.

use super::*;
use crate::catalogue::{Mask, WhoFills};

pub(super) fn refuse(code: &'static str, path: &str) -> Refusal {
    Refusal::Rejected(Rejected::at(code, path))
}

/// The citizen decides on their own screen: nobody confirms for them.
pub(super) fn citizen(ctx: &Ctx) -> Result<(), Refusal> {
    if ctx.actor.role == Role::Citizen {
        Ok(())
    } else {
        Err(Rejected::new("citizen_confirms").into())
    }
}

pub(super) fn set(
    doc: &mut Doc,
    effects: &mut Vec<Effect>,
    ctx: &Ctx,
    path: String,
    base: u64,
    value: Value,
) -> Result<(), Refusal> {
    let spec = ctx
        .item
        .field(&path)
        .ok_or_else(|| refuse("field_unknown", &path))?;
    if ctx.actor.role == Role::System {
        return Err(refuse("role_forbidden", &path));
    }
    if spec.who == WhoFills::CitizenOnly && ctx.actor.role != Role::Citizen {
        return Err(refuse("citizen_only", &path));
    }
    if !ctx.cel.visible.contains(&path) {
        return Err(refuse("field_hidden", &path));
    }
    let value = check::normalise(spec, value).map_err(|c| refuse(c, &path))?;
    // An agent sees stars; stars that come back are the mask, not a value.
    let starred = value.as_str().is_some_and(|s| s.contains('*'));
    if ctx.actor.role == Role::Agent && spec.sensitive != Mask::None && starred {
        return Err(refuse("masked_value", &path));
    }
    let current = doc.fields.get(&path);
    if current.map_or(&Value::Null, |f| f.value.expose()) == &value {
        return Ok(()); // The same words again: no new version, no lost confirmation.
    }
    if doc.version_of(&path) != base {
        return Err(Refusal::Stale {
            current: current.cloned().map(Box::new),
            path,
        });
    }
    write(
        doc,
        effects,
        ctx,
        &path,
        value,
        Origin::Typed { by: ctx.actor.role },
    );
    Ok(())
}

pub(super) fn fill(
    doc: &mut Doc,
    effects: &mut Vec<Effect>,
    ctx: &Ctx,
    values: Vec<(String, Pii<Value>)>,
    source: &Origin,
) -> Result<(), Refusal> {
    for (path, value) in values {
        let spec = ctx
            .item
            .field(&path)
            .ok_or_else(|| refuse("field_unknown", &path))?;
        let value = check::normalise(spec, value.into_inner()).map_err(|c| refuse(c, &path))?;
        let current = doc.fields.get(&path);
        let same = current.is_some_and(|f| f.value.expose() == &value && f.source == *source);
        if value.is_null() || same {
            continue;
        }
        let own = current
            .is_some_and(|f| !f.is_empty() && f.source == Origin::Typed { by: Role::Citizen });
        if own && *source != Origin::Computed {
            effects.push(Effect::Kept { path });
        } else {
            write(doc, effects, ctx, &path, value, source.clone());
        }
    }
    Ok(())
}

/// Every change passes here: version up, confirmation gone, 已改 if there was one.
pub(super) fn write(
    doc: &mut Doc,
    effects: &mut Vec<Effect>,
    ctx: &Ctx,
    path: &str,
    value: Value,
    source: Origin,
) {
    let Some(spec) = ctx.item.field(path) else {
        return;
    };
    let before = doc.fields.get(path);
    let version = before.map_or(0, |f| f.version) + 1;
    let changed = before.is_some_and(|f| f.confirmed.is_some() || f.changed_since_confirm);
    let problem = check::problem(spec, &value, ctx.check).map(str::to_owned);
    let field = Field {
        value: Pii::new(value),
        version,
        actor: ctx.actor.clone(),
        at: ctx.now,
        source,
        confirmed: None,
        changed_since_confirm: changed,
        problem,
    };
    doc.fields.insert(path.to_owned(), field);
    effects.push(Effect::Changed {
        path: path.to_owned(),
        version,
    });
}

pub(super) fn confirm_group(
    doc: &mut Doc,
    effects: &mut Vec<Effect>,
    ctx: &Ctx,
    group: &str,
    seen: &BTreeMap<String, u64>,
) -> Result<(), Refusal> {
    citizen(ctx)?;
    let g = ctx
        .item
        .group(group)
        .ok_or_else(|| refuse("group_unknown", group))?;
    let mut paths = Vec::new();
    for path in g.fields.iter().filter(|p| ctx.cel.visible.contains(*p)) {
        match doc.fields.get(path).filter(|f| !f.is_empty()) {
            Some(f) => {
                confirmable(ctx, path, f, seen.get(path).copied().unwrap_or(0))?;
                if ctx.item.field(path).is_some_and(|s| !s.confirm_single) {
                    paths.push(path);
                }
            }
            None if ctx.cel.required.contains(path) => return Err(refuse("field_required", path)),
            None => {}
        }
    }
    if paths.is_empty() && !g.fields.iter().any(|p| doc.value(p).is_some()) {
        return Err(refuse("group_empty", group));
    }
    for path in paths {
        confirm(doc, effects, ctx, path);
    }
    effects.push(Effect::GroupConfirmed {
        group: group.to_owned(),
    });
    Ok(())
}

pub(super) fn confirmable(ctx: &Ctx, path: &str, f: &Field, seen: u64) -> Result<(), Refusal> {
    if f.version != seen {
        return Err(Refusal::Stale {
            path: path.to_owned(),
            current: Some(Box::new(f.clone())),
        });
    }
    if f.problem.is_some() {
        return Err(refuse("field_problem", path));
    }
    if ctx.cel.failing.get(path).is_some_and(|r| !r.is_empty()) {
        return Err(refuse("rule_failed", path));
    }
    Ok(())
}

pub(super) fn confirm(doc: &mut Doc, effects: &mut Vec<Effect>, ctx: &Ctx, path: &str) {
    if let Some(f) = doc.fields.get_mut(path)
        && f.confirmed.is_none()
    {
        f.confirmed = Some(Confirmation {
            by: ctx.actor.clone(),
            at: ctx.now,
        });
        f.changed_since_confirm = false;
        effects.push(Effect::Confirmed {
            path: path.to_owned(),
            version: f.version,
        });
    }
}
