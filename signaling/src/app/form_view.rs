//! The shared form as one viewer may see it: labels, states, errors in both languages, and values masked before they leave the server.
//!
//! Never changes anything. What the citizen holds in the library is not looked at: prefills come from the item's mappings alone.

use super::{
    catalogue::{bilingual, kind_view},
    forms::{Document, by_view},
    licences,
};
use crate::problem::{AppError, kind_of};
use domain::{
    catalogue::{self as rules, Item, WhoFills},
    cofill::{Field, Origin, view},
    limits,
    session::{Role, State},
};
use protocol::{
    Bilingual, FieldErrorView, FieldView, FormView, GroupView, OptionView, OriginView, PrefillView,
};
use std::collections::{BTreeSet, HashMap};
use store::{Tx, session, signature};

/// Who looks.
#[derive(Debug, Clone, Copy)]
pub enum Viewer<'a> {
    Citizen,
    /// An agent, guest or supervisor of the session, by member id; sensitive values are masked.
    Staff {
        member: &'a str,
        writes: bool,
    },
    /// Who decides the case, or the citizen later: all of it, read-only.
    Official,
}

impl<'a> Viewer<'a> {
    #[must_use]
    pub fn of(me: &'a session::Member) -> Self {
        match me.role {
            Role::Citizen => Self::Citizen,
            Role::Agent => Self::Staff {
                member: id_of(me),
                writes: true,
            },
            Role::Guest | Role::Supervisor => Self::Staff {
                member: id_of(me),
                writes: false,
            },
        }
    }
}

fn id_of(me: &session::Member) -> &str {
    use domain::id::Id as _;
    me.id.as_str()
}

static NOTHING: BTreeSet<String> = BTreeSet::new();

fn masked_for<'a>(v: Viewer<'a>) -> view::Viewer<'a> {
    match v {
        Viewer::Citizen | Viewer::Official => view::Viewer::Entitled,
        Viewer::Staff { member, .. } => view::Viewer::Agent {
            id: member,
            unmasked: &NOTHING,
        },
    }
}

/// One field as a member may see it.
pub(super) fn clear_for(
    path: &str,
    f: &Field,
    item: &Item,
    me: &session::Member,
) -> view::FieldView {
    view::view_field(path, f, item, masked_for(Viewer::of(me)))
}

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The first thing that is wrong with a filled field.
fn error_of(
    spec: &rules::Field,
    f: &Field,
    failing: Option<&Vec<usize>>,
) -> Option<FieldErrorView> {
    if let Some(code) = &f.problem {
        let k = kind_of(code);
        return Some(FieldErrorView {
            code: code.clone(),
            message: Bilingual {
                zh: k.zh.into(),
                en: k.en.into(),
            },
        });
    }
    let rule = failing
        .and_then(|r| r.first())
        .and_then(|i| spec.rules.get(*i))?;
    Some(FieldErrorView {
        code: "rule_failed".into(),
        message: bilingual(&rule.message),
    })
}

fn origin_of(
    f: &Field,
    names: &HashMap<String, String>,
    types: &HashMap<String, licences::Type>,
) -> OriginView {
    let at = f.at.rfc3339();
    match &f.source {
        Origin::Typed { by } => {
            let citizen = Bilingual {
                zh: "办事人".into(),
                en: "the citizen".into(),
            };
            let name = names
                .get(&f.actor.id)
                .filter(|n| !n.is_empty())
                .map_or(citizen, |n| Bilingual {
                    zh: n.clone(),
                    en: n.clone(),
                });
            OriginView::Typed {
                by: by_view(*by),
                name,
                at,
            }
        }
        Origin::Licence {
            licence_id,
            licence_type,
            version,
            consent_id,
            ..
        } => OriginView::Licence {
            licence_name: types.get(licence_type).map_or_else(
                || Bilingual {
                    zh: "电子证照".into(),
                    en: "Electronic licence".into(),
                },
                |t| t.name.clone(),
            ),
            licence_type: licence_type.clone(),
            licence: licence_id.to_string(),
            version: version.parse().unwrap_or(0),
            consent: consent_id.to_string(),
            at,
        },
        Origin::EarlierCase { case_id } => OriginView::EarlierCase {
            case: case_id.to_string(),
            at,
        },
        Origin::Computed => OriginView::Computed { at },
    }
}

/// Licence types that the item uses: for fields first, then for papers that they spare.
#[must_use]
pub fn licence_types(item: &Item) -> Vec<&str> {
    let mut out = item.licence_types();
    for t in item
        .materials
        .iter()
        .filter_map(|m| m.licence_type.as_deref())
    {
        if !out.contains(&t) {
            out.push(t);
        }
    }
    out
}

fn prefills(item: &Item, types: &HashMap<String, licences::Type>) -> Vec<PrefillView> {
    let view = |code: &str| {
        let t = types.get(code)?;
        Some(PrefillView {
            licence_type: code.to_owned(),
            licence_name: t.name.clone(),
            fields: item
                .mapped_from(code)
                .map(|(f, _)| f.path.clone())
                .collect(),
            needs_company: t.of_company(),
        })
    };
    licence_types(item).into_iter().filter_map(view).collect()
}

/// Builds the snapshot.
pub async fn build(
    tx: &mut Tx,
    s: &session::Session,
    d: &Document,
    viewer: Viewer<'_>,
) -> Result<FormView, AppError> {
    let types = licences::types(tx).await?;
    let names: HashMap<String, String> = session::members(tx, &s.id)
        .await?
        .into_iter()
        .map(|m| (m.id.to_string(), m.name))
        .collect();
    let signed = signature::live(tx, &s.id)
        .await?
        .is_some_and(|x| x.state == "signed");
    let writes = s.state != State::Ended && s.case_id.is_none();
    let (item, doc, cel) = (&d.item, d.doc(), &d.facts.evaluation);
    let field_view = |spec: &rules::Field| {
        let own = doc.fields.get(&spec.path);
        let shown = own.map(|f| view::view_field(&spec.path, f, item, masked_for(viewer)));
        let filled = own.filter(|f| !f.is_empty());
        let visible = cel.visible.contains(&spec.path);
        let writable = match viewer {
            Viewer::Citizen => true,
            Viewer::Staff { writes, .. } => writes && spec.who == WhoFills::Any,
            Viewer::Official => false,
        };
        FieldView {
            path: spec.path.clone(),
            kind: kind_view(spec.kind),
            label: bilingual(&spec.label),
            help: spec.help.as_ref().map(bilingual),
            options: spec
                .options
                .iter()
                .map(|o| OptionView {
                    value: o.code.clone(),
                    label: bilingual(&o.label),
                })
                .collect(),
            max_chars: count(
                spec.max_length
                    .unwrap_or(limits::FIELD_CHARS)
                    .min(limits::FIELD_CHARS),
            ),
            visible,
            required: cel.required.contains(&spec.path),
            writable: writes && visible && writable,
            citizen_only: spec.who == WhoFills::CitizenOnly,
            confirm_single: spec.confirm_single,
            value: shown
                .as_ref()
                .map_or(serde_json::Value::Null, |v| v.value.expose().clone()),
            masked: shown.as_ref().is_some_and(|v| v.masked),
            version: number(doc.version_of(&spec.path)),
            origin: filled.map(|f| origin_of(f, &names, &types)),
            confirmed: own.is_some_and(|f| f.confirmed.is_some()),
            changed_since_confirm: own.is_some_and(|f| f.changed_since_confirm),
            error: filled
                .filter(|_| visible)
                .and_then(|f| error_of(spec, f, cel.failing.get(&spec.path))),
        }
    };
    let groups: Vec<GroupView> = item
        .groups
        .iter()
        .map(|g| {
            let fields: Vec<FieldView> = g
                .fields
                .iter()
                .filter_map(|p| item.field(p))
                .map(field_view)
                .collect();
            // Nothing open: what is filled is confirmed, what is empty need not be filled.
            let confirmed = fields
                .iter()
                .filter(|f| f.visible)
                .all(|f| f.confirmed || (f.value.is_null() && !f.required));
            GroupView {
                id: g.id.clone(),
                title: bilingual(&g.title),
                fields,
                confirmed,
                disputed: d.stored.disputed.contains(&g.id),
            }
        })
        .collect();
    let seen = || groups.iter().flat_map(|g| &g.fields).filter(|f| f.visible);
    let (filled, confirmed, total) = (
        count(seen().filter(|f| !f.value.is_null()).count()),
        count(seen().filter(|f| f.confirmed).count()),
        count(seen().count()),
    );
    let errors = count(seen().filter(|f| f.error.is_some()).count());
    Ok(FormView {
        item: item.id.clone(),
        item_version: d.row.item_version,
        title: bilingual(&item.name),
        version: d.row.version,
        filled,
        confirmed,
        total,
        errors,
        ready_to_sign: filled > 0 && view::ready_to_sign(doc, item, cel).is_empty(),
        prefills: prefills(item, &types),
        signed,
        groups,
    })
}
