//! Materials (材料) of a session: stills from the camera, files from the phone, copies of licences.
//!
//! Owns what is taken (by content, never by name or header), where it lies (sealed under the visit's key), and who may read it.
//! Adding or removing one voids a signature. Never looks at what a picture shows.

use super::{
    App, Caller,
    call_flow::{self, journal, live, membership},
    files, forms, signing,
    token::Principal,
};
use crate::problem::{AppError, no};
use domain::{
    digest::sm3_hex,
    id::{Id as _, MaterialId, SessionId},
    invite::Permission,
    limits,
    material::MediaType,
    session::Role,
};
use image::ImageReader;
use protocol::{Bilingual, CommandReply, EventBody, MaterialView};
use serde_json::json;
use std::io::Cursor;
use store::{Tx, material, session, visit};

/// Side of a picture (pixels): larger ones are bombs or mistakes.
const SIDE_MAX: u32 = 12_000;
/// A free picture that no material of the item asks for.
pub const STILL: &str = "still";

#[must_use]
pub fn view(m: &material::Material) -> MaterialView {
    MaterialView {
        id: m.id.to_string(),
        code: m.code.clone(),
        name: Bilingual {
            zh: m.name_zh.clone(),
            en: m.name_en.clone(),
        },
        source: m.source.clone(),
        media_type: m.media_type.clone(),
        bytes: m.bytes,
        sm3: m.sm3.clone(),
        at: m.at.rfc3339(),
    }
}

/// What a file is by its own bytes; a picture's header must be sound and its size sane.
///
/// Codes: `material_type`, `too_large`.
pub fn examine(bytes: &[u8]) -> Result<MediaType, AppError> {
    if bytes.len() > limits::MATERIAL_BYTES {
        return Err(no("too_large"));
    }
    let kind = MediaType::sniff(bytes).ok_or_else(|| no("material_type"))?;
    if kind.is_image() {
        let reader = ImageReader::new(Cursor::new(bytes))
            .with_guessed_format()
            .map_err(|_| no("material_type"))?;
        let (w, h) = reader.into_dimensions().map_err(|_| no("material_type"))?;
        if w == 0 || h == 0 || w > SIDE_MAX || h > SIDE_MAX {
            return Err(no("material_type"));
        }
    }
    Ok(kind)
}

/// By the citizen or the agent. `code`: a material of the open item, or `still`.
///
/// Codes: `form_frozen`, `material_unknown`, `material_type`, `material_camera`, `materials_full`, `too_large`, `role_missing`.
pub async fn add(
    app: &App,
    caller: &Caller,
    id: SessionId,
    code: String,
    bytes: Vec<u8>,
) -> Result<MaterialView, AppError> {
    let (who, sid) = (caller.who.clone(), id.clone());
    // Strangers' bytes are not even looked at.
    let s = app
        .read(|tx| {
            Box::pin(async move {
                let (s, _, me) = membership(tx, &who, &sid).await?;
                call_flow::allowed(&me, Permission::ReadMaterials)?;
                Ok(s)
            })
        })
        .await?;
    let (kind, sm3, bytes) =
        tokio::task::spawn_blocking(move || examine(&bytes).map(|k| (k, sm3_hex(&bytes), bytes)))
            .await
            .map_err(|_| no("internal"))??;
    let size = bytes.len();
    let key = files::key_of(app, &s.key_id).await?;
    files::put(app, &key, bytes).await?;
    let who = caller.who.clone();
    app.command(
        caller,
        &format!("materials.add:{id}"),
        &json!({"code": code, "sm3": sm3}),
        move |tx, w| {
            let (id, who, code, sm3) = (id.clone(), who.clone(), code.clone(), sm3.clone());
            Box::pin(async move {
                let (s, me) = live(tx, &who, &id).await?;
                if !matches!(me.role, Role::Citizen | Role::Agent) {
                    return Err(no("role_missing"));
                }
                forms::thawed(&s)?;
                if material::count_of_session(tx, &id).await?
                    >= i64::try_from(limits::MATERIALS_PER_CASE).unwrap_or(i64::MAX)
                {
                    return Err(no("materials_full"));
                }
                let v = visit::get(tx, &s.visit_id)
                    .await?
                    .ok_or_else(|| no("visit_ended"))?;
                // A booth has a camera and no files; the agent takes stills of what the camera shows.
                let camera = kind.is_image() && (v.channel == "booth" || me.role == Role::Agent);
                let names = if code == STILL {
                    // A file's own name may tell of a person: it is not kept.
                    Bilingual {
                        zh: "现场照片".into(),
                        en: "Still".into(),
                    }
                } else {
                    let d = forms::document(&w.app, tx, &id)
                        .await?
                        .ok_or_else(|| no("form_not_open"))?;
                    let spec = d
                        .item
                        .material(&code)
                        .ok_or_else(|| no("material_unknown"))?;
                    if camera && !spec.camera_ok {
                        return Err(no("material_camera"));
                    }
                    Bilingual {
                        zh: spec.name.zh.clone(),
                        en: spec.name.en.clone(),
                    }
                };
                let row = material::Material {
                    id: w.id(),
                    session_id: Some(id.clone()),
                    case_id: None,
                    key_id: s.key_id.clone(),
                    code,
                    name_zh: names.zh,
                    name_en: names.en,
                    source: if camera { "camera" } else { "upload" }.into(),
                    media_type: kind.as_str().into(),
                    bytes: i64::try_from(size).unwrap_or(i64::MAX),
                    sm3: sm3.clone(),
                    // Seen by the agent within the call or not: to be checked by the reviewer.
                    trust: "C".into(),
                    licence_id: None,
                    added_by: me.id.to_string(),
                    at: w.now,
                    removed_at: None,
                };
                files::record(tx, w, &s.key_id, &sm3, size, kind.as_str()).await?;
                material::insert(tx, &row).await?;
                signing::void(tx, w, &s).await?;
                session::touch(tx, &id).await?;
                w.audit(
                    tx,
                    "material.added",
                    row.id.as_str(),
                    json!({"session": id.as_str(), "code": row.code}),
                )
                .await?;
                journal(
                    tx,
                    w,
                    &s,
                    Some(&me.id),
                    &EventBody::MaterialAdded {
                        material: row.id.to_string(),
                    },
                )
                .await?;
                Ok(view(&row))
            })
        },
    )
    .await
}

/// By the citizen or the agent, until the hand-off. Codes: `material_unknown`, `form_frozen`, `role_missing`.
pub async fn remove(
    app: &App,
    caller: &Caller,
    id: SessionId,
    material_id: MaterialId,
) -> Result<CommandReply, AppError> {
    let who = caller.who.clone();
    app.command(
        caller,
        &format!("material_remove:{id}"),
        &json!({"material": material_id.as_str()}),
        move |tx, w| {
            let (id, who, mid) = (id.clone(), who.clone(), material_id.clone());
            Box::pin(async move {
                let (s, me) = live(tx, &who, &id).await?;
                if !matches!(me.role, Role::Citizen | Role::Agent) {
                    return Err(no("role_missing"));
                }
                forms::thawed(&s)?;
                let mine = material::get(tx, &mid)
                    .await?
                    .filter(|m| m.session_id.as_ref() == Some(&id))
                    .is_some();
                if !mine || !material::remove(tx, &mid, w.now).await? {
                    return Err(no("material_unknown"));
                }
                signing::void(tx, w, &s).await?;
                session::touch(tx, &id).await?;
                w.audit(
                    tx,
                    "material.removed",
                    mid.as_str(),
                    json!({"session": id.as_str()}),
                )
                .await?;
                journal(
                    tx,
                    w,
                    &s,
                    Some(&me.id),
                    &EventBody::MaterialRemoved {
                        material: mid.to_string(),
                    },
                )
                .await?;
                Ok(CommandReply::Done {})
            })
        },
    )
    .await
}

/// Media type and bytes, for members of the session. Codes: `not_a_member`, `material_unknown`.
pub async fn read(
    app: &App,
    who: &Principal,
    id: SessionId,
    material_id: MaterialId,
) -> Result<(String, Vec<u8>), AppError> {
    let (who, a) = (who.clone(), app.clone());
    let (m, key) = app
        .read(|tx| {
            Box::pin(async move {
                let (_, _, me) = membership(tx, &who, &id).await?;
                call_flow::allowed(&me, Permission::ReadMaterials)?;
                let m = material::get(tx, &material_id)
                    .await?
                    .filter(|m| m.session_id.as_ref() == Some(&id) && m.removed_at.is_none());
                let m = m.ok_or_else(|| no("material_unknown"))?;
                let key = a.vault.key(tx, &m.key_id).await?;
                Ok((m, key))
            })
        })
        .await?;
    let bytes = files::get(app, &key, &m.sm3).await?;
    Ok((m.media_type, bytes))
}

/// The session's materials, oldest first.
pub async fn views(tx: &mut Tx, s: &session::Session) -> Result<Vec<MaterialView>, AppError> {
    Ok(material::of_session(tx, &s.id)
        .await?
        .iter()
        .map(view)
        .collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn files_are_what_their_bytes_say() {
        let mut png = Vec::new();
        image::RgbImage::new(2, 2)
            .write_to(&mut Cursor::new(&mut png), image::ImageFormat::Png)
            .unwrap();
        assert_eq!(examine(&png).unwrap(), MediaType::Png);
        assert_eq!(examine(b"%PDF-1.7\n").unwrap(), MediaType::Pdf);
        let code = |b: &[u8]| examine(b).unwrap_err().code().to_owned();
        assert_eq!(code(b"<html>"), "material_type");
        assert_eq!(
            code(&png[..20]),
            "material_type",
            "a header alone is no picture"
        );
        assert_eq!(code(&vec![0; limits::MATERIAL_BYTES + 1]), "too_large");
    }
}
