//! The signature: what is signed, the drawn strokes, and what a hand-off still lacks.
//!
//! Bound to SM3 over the RFC 8785 form of {values, ledger, materials, declaration, language}: the digest on the screen must still be
//! that of the form when the strokes arrive. Any change makes a signature void. Strokes and picture are sealed; nothing judges them.

use super::{
    App, Caller, Work,
    call_flow::{journal, live},
    forms, recording,
};
use crate::problem::{AppError, no};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    catalogue::LegalStep,
    cofill::view::{self as form_rules, Why},
    digest::{Language as Read, MaterialHash, SigningDigest, signing_digest},
    error::Rejected,
    id::{Id as _, SessionId},
    material::MediaType,
    pii::Pii,
    session::Role,
};
use image::ImageReader;
use protocol::{Bilingual, CommandReply, EventBody, SignView};
use serde_json::json;
use std::{collections::BTreeSet, io::Cursor};
use store::{Tx, material, session, signature, visit};

/// The picture (bytes): the strokes and it fit one message.
const IMAGE_BYTES: usize = 120 * 1024;
/// Side of the picture (pixels).
const IMAGE_SIDE: u32 = 2_400;
/// Strokes, and points of all of them: a name of four characters has about 60 strokes.
const STROKES: usize = 200;
const POINTS: usize = 10_000;
/// Extent below which a drawing is a slip of the finger (pad pixels).
const EXTENT_MIN: i32 = 24;

/// What would be signed now.
pub struct Content {
    pub digest: SigningDigest,
    pub declaration: Bilingual,
}

/// The content of a form as it stands, in a language.
pub async fn content(
    tx: &mut Tx,
    s: &session::Session,
    d: &forms::Document,
    language: Read,
) -> Result<Content, AppError> {
    let declaration = super::catalogue::bilingual(&d.item.declaration);
    let materials: Vec<MaterialHash> = material::of_session(tx, &s.id)
        .await?
        .into_iter()
        .map(|m| MaterialHash {
            material: m.id.to_string(),
            sm3: m.sm3,
        })
        .collect();
    let cel = &d.facts.evaluation;
    let text = match language {
        Read::Zh => &declaration.zh,
        Read::En => &declaration.en,
    };
    let digest = signing_digest(
        &form_rules::values_to_sign(d.doc(), cel),
        &form_rules::ledger_to_sign(d.doc(), &d.item, cel),
        &materials,
        text,
        language,
    )?;
    Ok(Content {
        digest,
        declaration,
    })
}

fn language(word: &str) -> Read {
    if word == "en" { Read::En } else { Read::Zh }
}

fn open_fields(d: &forms::Document) -> Vec<Rejected> {
    let code = |w: Why| match w {
        Why::Missing => "field_required",
        Why::Problem => "field_invalid",
        Why::RuleFailed => "rule_failed",
        Why::Unconfirmed => "field_unconfirmed",
    };
    form_rules::ready_to_sign(d.doc(), &d.item, &d.facts.evaluation)
        .into_iter()
        .map(|o| Rejected::at(code(o.why), o.path))
        .collect()
}

/// By the agent: the declaration and the pad on the citizen's screen. Asking again over the same content changes nothing.
///
/// Codes: `agent_only`, `form_not_open`, `form_frozen`, `recording_not_live`, `prompts_unread`, `identity_required`,
/// `identity_unrecorded`, `form_not_ready` (with the fields).
pub async fn ask(app: &App, caller: &Caller, id: SessionId) -> Result<CommandReply, AppError> {
    let who = caller.who.clone();
    app.command(
        caller,
        &format!("sign_ask:{id}"),
        &json!({}),
        move |tx, w| {
            let (id, who) = (id.clone(), who.clone());
            Box::pin(async move {
                let (s, me) = live(tx, &who, &id).await?;
                if me.role != Role::Agent {
                    return Err(no("agent_only"));
                }
                forms::thawed(&s)?;
                recording::check(tx, &s, LegalStep::Sign).await?;
                let d = forms::document(&w.app, tx, &id)
                    .await?
                    .ok_or_else(|| no("form_not_open"))?;
                let v = visit::get(tx, &s.visit_id)
                    .await?
                    .ok_or_else(|| no("visit_ended"))?;
                recording::check_card(tx, &s).await?;
                let open = open_fields(&d);
                if !open.is_empty() {
                    return Err(no("form_not_ready").with_fields(open));
                }
                let c = content(tx, &s, &d, language(&v.language)).await?;
                if signature::live(tx, &id)
                    .await?
                    .is_some_and(|x| x.digest == c.digest.sm3)
                {
                    return Ok(CommandReply::Done {});
                }
                signature::void_live(tx, &id).await?;
                let row = signature::Signature {
                    id: w.id(),
                    session_id: id.clone(),
                    case_id: None,
                    key_id: s.key_id.clone(),
                    state: "asked".into(),
                    digest: c.digest.sm3,
                    language: v.language,
                    declaration_zh: c.declaration.zh,
                    declaration_en: c.declaration.en,
                    canonical_enc: d.key.seal_bytes(c.digest.canonical.expose()),
                    strokes_enc: None,
                    image_enc: None,
                    asked_at: w.now,
                    signed_at: None,
                };
                signature::insert(tx, &row).await?;
                session::touch(tx, &id).await?;
                journal(tx, w, &s, Some(&me.id), &EventBody::SignAsked {}).await?;
                Ok(CommandReply::Done {})
            })
        },
    )
    .await
}

/// Bounds of a drawing. Codes: `sign_empty`, `too_large`.
fn check_strokes(strokes: &[Vec<[i32; 3]>]) -> Result<(), AppError> {
    if strokes.len() > STROKES || strokes.iter().map(Vec::len).sum::<usize>() > POINTS {
        return Err(no("too_large"));
    }
    let points = || strokes.iter().flatten();
    let extent = |axis: usize| {
        let (lo, hi) = (
            points().map(|p| p[axis]).min(),
            points().map(|p| p[axis]).max(),
        );
        lo.zip(hi).map_or(0, |(a, b)| b.saturating_sub(a))
    };
    if extent(0).max(extent(1)) < EXTENT_MIN {
        Err(no("sign_empty"))
    } else {
        Ok(())
    }
}

/// A PNG of sane size that decodes. Codes: `too_large`, `field_kind`.
fn check_image(text: &str) -> Result<Vec<u8>, AppError> {
    if text.len() > IMAGE_BYTES.div_ceil(3) * 4 + 4 {
        return Err(no("too_large"));
    }
    let bad = |_| no("field_kind");
    let bytes = STANDARD.decode(text).map_err(|_| no("field_kind"))?;
    if bytes.len() > IMAGE_BYTES {
        return Err(no("too_large"));
    }
    if MediaType::sniff(&bytes) != Some(MediaType::Png) {
        return Err(no("field_kind"));
    }
    let mut reader = ImageReader::with_format(Cursor::new(&bytes), image::ImageFormat::Png);
    let mut bounds = image::Limits::default();
    bounds.max_image_width = Some(IMAGE_SIDE);
    bounds.max_image_height = Some(IMAGE_SIDE);
    reader.limits(bounds);
    reader.decode().map_err(bad)?;
    Ok(bytes)
}

/// By the citizen: the drawn signature over the digest that was on the screen.
///
/// Codes: `citizen_only`, `recording_not_live`, `prompts_unread`, `identity_required`, `identity_unrecorded`, `sign_not_asked`,
/// `sign_stale`, `sign_empty`, `field_kind`, `too_large`, `form_frozen`.
pub async fn sign(
    app: &App,
    caller: &Caller,
    id: SessionId,
    digest: String,
    strokes: Vec<Vec<[i32; 3]>>,
    image: String,
) -> Result<CommandReply, AppError> {
    let hash = app.vault.secret_hash(&image);
    let (strokes, picture) = tokio::task::spawn_blocking(move || {
        check_strokes(&strokes)?;
        let picture = check_image(&image)?;
        Ok::<_, AppError>((Pii::new(strokes), Pii::new(picture)))
    })
    .await
    .map_err(|_| no("internal"))??;
    let who = caller.who.clone();
    app.command(
        caller,
        &format!("sign:{id}"),
        &json!({"digest": digest, "image": hash}),
        move |tx, w| {
            let (id, who, digest, strokes, picture) = (
                id.clone(),
                who.clone(),
                digest.clone(),
                strokes.clone(),
                picture.clone(),
            );
            Box::pin(async move {
                let (s, me) = live(tx, &who, &id).await?;
                if me.role != Role::Citizen {
                    return Err(no("citizen_only"));
                }
                forms::thawed(&s)?;
                recording::check(tx, &s, LegalStep::Sign).await?;
                recording::check_card(tx, &s).await?;
                let asked = signature::live(tx, &id)
                    .await?
                    .filter(|x| x.state == "asked")
                    .ok_or_else(|| no("sign_not_asked"))?;
                let d = forms::document(&w.app, tx, &id)
                    .await?
                    .ok_or_else(|| no("form_not_open"))?;
                let now = content(tx, &s, &d, language(&asked.language))
                    .await?
                    .digest
                    .sm3;
                if digest != asked.digest || now != asked.digest {
                    return Err(no("sign_stale"));
                }
                let (ink, png) = (
                    d.key.seal(strokes.expose())?,
                    d.key.seal_bytes(picture.expose()),
                );
                if !signature::sign(tx, &asked.id, ink, png, w.now).await? {
                    return Err(no("sign_not_asked"));
                }
                session::touch(tx, &id).await?;
                w.audit(
                    tx,
                    "signature.signed",
                    asked.id.as_str(),
                    json!({"session": id.as_str(), "digest": digest}),
                )
                .await?;
                journal(tx, w, &s, Some(&me.id), &EventBody::Signed {}).await?;
                Ok(CommandReply::Done {})
            })
        },
    )
    .await
}

/// By the citizen: not now; the pad closes. Codes: `citizen_only`, `sign_not_asked`.
pub async fn decline(app: &App, caller: &Caller, id: SessionId) -> Result<CommandReply, AppError> {
    let who = caller.who.clone();
    app.command(
        caller,
        &format!("sign_decline:{id}"),
        &json!({}),
        move |tx, w| {
            let (id, who) = (id.clone(), who.clone());
            Box::pin(async move {
                let (s, me) = live(tx, &who, &id).await?;
                if me.role != Role::Citizen {
                    return Err(no("citizen_only"));
                }
                let asked = signature::live(tx, &id)
                    .await?
                    .filter(|x| x.state == "asked")
                    .ok_or_else(|| no("sign_not_asked"))?;
                signature::decline(tx, &asked.id).await?;
                session::touch(tx, &id).await?;
                journal(tx, w, &s, Some(&me.id), &EventBody::SignDeclined {}).await?;
                Ok(CommandReply::Done {})
            })
        },
    )
    .await
}

/// What would be signed has changed: the open question and the signature are void. True if there was one.
pub async fn void(tx: &mut Tx, w: &mut Work, s: &session::Session) -> Result<bool, AppError> {
    let was = signature::void_live(tx, &s.id).await?;
    if was {
        w.audit(tx, "signature.voided", s.id.as_str(), json!({}))
            .await?;
    }
    Ok(was)
}

/// The signature step as both see it; none while it is not asked for.
pub async fn view(tx: &mut Tx, s: &session::Session) -> Result<Option<SignView>, AppError> {
    Ok(signature::live(tx, &s.id).await?.map(|x| SignView {
        declaration: Bilingual {
            zh: x.declaration_zh,
            en: x.declaration_en,
        },
        digest: x.digest,
        requested_at: x.asked_at.rfc3339(),
        signed_at: x.signed_at.map(domain::time::Timestamp::rfc3339),
    }))
}

/// What a hand-off still lacks: `identity`, `form`, `confirm`, `recording`, `prompts`, `signature`, `material:<code>`. Empty: it may be
/// handed off.
pub async fn missing(
    app: &App,
    tx: &mut Tx,
    s: &session::Session,
) -> Result<Vec<String>, AppError> {
    let mut out = Vec::new();
    if recording::card(tx, s).await? != recording::Card::Read {
        out.push("identity".to_owned());
    }
    match forms::document(app, tx, &s.id).await? {
        None => out.push("form".to_owned()),
        Some(d) => {
            let open = form_rules::ready_to_sign(d.doc(), &d.item, &d.facts.evaluation);
            if open.iter().any(|o| o.why != Why::Unconfirmed) {
                out.push("form".to_owned());
            }
            if open.iter().any(|o| o.why == Why::Unconfirmed) {
                out.push("confirm".to_owned());
            }
            let there: BTreeSet<String> = material::of_session(tx, &s.id)
                .await?
                .into_iter()
                .map(|m| m.code)
                .collect();
            out.extend(
                d.facts
                    .needed
                    .iter()
                    .filter(|m| !there.contains(*m))
                    .map(|m| format!("material:{m}")),
            );
        }
    }
    out.extend(recording::missing(tx, s).await?);
    if signature::live(tx, &s.id)
        .await?
        .is_none_or(|x| x.state != "signed")
    {
        out.push("signature".to_owned());
    }
    Ok(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_is_no_signature_and_a_flood_is_none_either() {
        let code = |s: &[Vec<[i32; 3]>]| check_strokes(s).unwrap_err().code().to_owned();
        assert_eq!(code(&[]), "sign_empty");
        assert_eq!(code(&[vec![[5, 5, 0], [6, 7, 10]]]), "sign_empty");
        assert_eq!(code(&[vec![[0, 0, 0]; POINTS + 1]]), "too_large");
        assert_eq!(code(&vec![vec![]; STROKES + 1]), "too_large");
        assert!(check_strokes(&[vec![[0, 0, 0], [80, 30, 40]]]).is_ok());
    }

    #[test]
    fn only_a_sound_png_of_sane_size_is_a_picture() {
        let png = |w, h| {
            let mut b = Vec::new();
            image::GrayImage::new(w, h)
                .write_to(&mut Cursor::new(&mut b), image::ImageFormat::Png)
                .unwrap();
            b
        };
        assert!(check_image(&STANDARD.encode(png(300, 120))).is_ok());
        let code = |b: &[u8]| {
            check_image(&STANDARD.encode(b))
                .unwrap_err()
                .code()
                .to_owned()
        };
        assert_eq!(code(&png(IMAGE_SIDE + 1, 1)), "field_kind");
        assert_eq!(code(&png(300, 120)[..60]), "field_kind");
        assert_eq!(code(b"\xff\xd8\xff\xe0"), "field_kind");
        assert_eq!(check_image("%%%").unwrap_err().code(), "field_kind");
        assert_eq!(
            check_image(&"A".repeat(IMAGE_BYTES * 2))
                .unwrap_err()
                .code(),
            "too_large"
        );
    }
}
