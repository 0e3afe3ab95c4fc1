//! Canned replies: a hall's, kept by its supervisors, and an agent's own.

use super::{App, Caller, Work, supervise, token::Principal};
use crate::problem::{AppError, no};
use domain::{
    error::Rejected,
    id::{HallId, Id as _, PhraseId, StaffId},
};
use protocol::{Bilingual, Done, NewPhrase, PhraseScope, PhraseView, PutPhrase, Role};
use serde_json::json;
use store::{Tx, phrase};

/// One text (characters).
const TEXT_CHARS: usize = 500;
const SHORTCUT_CHARS: usize = 16;
/// Of one owner.
const PHRASES_MAX: i64 = 200;

fn me(who: &Principal) -> Result<(StaffId, HallId), AppError> {
    match who {
        Principal::Staff {
            id, roles, hall, ..
        } if roles.contains(&Role::Agent) || roles.contains(&Role::Supervisor) => {
            Ok((id.clone(), hall.clone()))
        }
        _ => Err(no("role_missing")),
    }
}

fn view(p: phrase::Phrase) -> PhraseView {
    PhraseView {
        scope: if p.owner == p.hall_id.as_str() {
            PhraseScope::Hall
        } else {
            PhraseScope::Own
        },
        id: p.id.to_string(),
        text: Bilingual {
            zh: p.text_zh,
            en: p.text_en,
        },
        shortcut: p.shortcut,
    }
}

fn check(text: &Bilingual, shortcut: &str) -> Result<(), AppError> {
    let mut faults = vec![];
    if text.zh.trim().is_empty() || text.zh.chars().count() > TEXT_CHARS {
        faults.push(Rejected::at("phrase_invalid", "/text/zh"));
    }
    if text.en.chars().count() > TEXT_CHARS {
        faults.push(Rejected::at("phrase_invalid", "/text/en"));
    }
    let plain = |c: char| c.is_whitespace() || c.is_control();
    if shortcut.is_empty() || shortcut.chars().count() > SHORTCUT_CHARS || shortcut.contains(plain)
    {
        faults.push(Rejected::at("phrase_invalid", "/shortcut"));
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(no("phrase_invalid").with_fields(faults))
    }
}

/// The hall's and one's own.
pub async fn list(app: &App, who: &Principal) -> Result<Vec<PhraseView>, AppError> {
    let (id, hall) = me(who)?;
    app.read(move |tx| {
        Box::pin(async move {
            let mut all = phrase::of_owner(tx, hall.as_str(), PHRASES_MAX).await?;
            all.extend(phrase::of_owner(tx, id.as_str(), PHRASES_MAX).await?);
            Ok(all.into_iter().map(view).collect())
        })
    })
    .await
}

pub async fn add(app: &App, caller: &Caller, body: NewPhrase) -> Result<PhraseView, AppError> {
    let (id, hall) = me(&caller.who)?;
    let owner = match body.scope {
        PhraseScope::Own => id.to_string(),
        PhraseScope::Hall => {
            supervise::supervisor(&caller.who, &hall)?;
            hall.to_string()
        }
    };
    check(&body.text, &body.shortcut)?;
    app.command(caller, "phrases.add", &body.clone(), move |tx, w| {
        let p = phrase::Phrase {
            id: w.id(),
            hall_id: hall.clone(),
            owner: owner.clone(),
            text_zh: body.text.zh.clone(),
            text_en: body.text.en.clone(),
            shortcut: body.shortcut.clone(),
        };
        Box::pin(async move {
            if phrase::of_owner(tx, &p.owner, PHRASES_MAX).await?.len() as i64 >= PHRASES_MAX {
                return Err(no("phrases_full"));
            }
            if !phrase::insert(tx, &p).await? {
                return Err(no("shortcut_taken"));
            }
            noted(tx, w, "phrase.added", &p.id).await?;
            Ok(view(p))
        })
    })
    .await
}

async fn noted(tx: &mut Tx, w: &Work, action: &str, id: &PhraseId) -> Result<(), AppError> {
    w.audit(tx, action, id.as_str(), json!({})).await
}

/// The phrase, if the caller may change it.
async fn mine(tx: &mut Tx, who: &Principal, id: &PhraseId) -> Result<phrase::Phrase, AppError> {
    let p = phrase::get(tx, id).await?.ok_or_else(|| no("not_found"))?;
    if p.owner == p.hall_id.as_str() {
        supervise::supervisor(who, &p.hall_id)?;
    } else if me(who)?.0.as_str() != p.owner {
        return Err(no("not_found"));
    }
    Ok(p)
}

pub async fn put(
    app: &App,
    caller: &Caller,
    id: PhraseId,
    body: PutPhrase,
) -> Result<PhraseView, AppError> {
    check(&body.text, &body.shortcut)?;
    let who = caller.who.clone();
    let route = format!("phrases.put:{id}");
    app.command(caller, &route, &body.clone(), move |tx, w| {
        let (id, who, body) = (id.clone(), who.clone(), body.clone());
        Box::pin(async move {
            let mut p = mine(tx, &who, &id).await?;
            p.text_zh = body.text.zh;
            p.text_en = body.text.en;
            p.shortcut = body.shortcut;
            if !phrase::save(tx, &p).await? {
                return Err(no("shortcut_taken"));
            }
            noted(tx, w, "phrase.changed", &id).await?;
            Ok(view(p))
        })
    })
    .await
}

pub async fn remove(app: &App, caller: &Caller, id: PhraseId) -> Result<Done, AppError> {
    let who = caller.who.clone();
    let route = format!("phrases.remove:{id}");
    app.command(caller, &route, &json!({}), move |tx, w| {
        let (id, who) = (id.clone(), who.clone());
        Box::pin(async move {
            mine(tx, &who, &id).await?;
            phrase::remove(tx, &id).await?;
            noted(tx, w, "phrase.removed", &id).await?;
            Ok(Done {})
        })
    })
    .await
}
