//! What is signed: the media plane's manifest with the consent, the prompts and the snapshots, in canonical form (RFC 8785),
//! sealed with the installation's SM2 key (GB/T 32918) over SM3 (GB/T 32905).

use super::{ending, locked, notice_of, save, step, tell};
use crate::{
    app::{App, media::room_name, result_paper},
    problem::{AppError, no},
};
use documents::{SEAL_ALGORITHM, Seal, SealProvider as _};
use domain::{
    digest::sm3_hex,
    id::{Id as _, RecordingId},
    recording::{Cmd, End, State},
    time::Timestamp,
};
use protocol::EventBody;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use store::{
    Tx, consent,
    recording::{self as kept, Recording},
    session, snapshot,
};

/// Version of the signed document.
const SCHEME: &str = "cloud-booth/recording/1";

/// Hashes of the pictures that were taken while it ran, in order of time.
async fn snapshots(tx: &mut Tx, id: &RecordingId) -> Result<Vec<Value>, AppError> {
    let all = snapshot::of_recording(tx, id).await?;
    let entry = |s: &snapshot::Snapshot| json!({"id": s.id.as_str(), "sm3": s.sm3, "at_ms": s.recording.as_ref().map(|(_, ms)| *ms)});
    Ok(all.iter().map(entry).collect())
}

/// The document that is signed.
async fn document(tx: &mut Tx, r: &Recording) -> Result<Option<Value>, AppError> {
    let Some(media) = &r.manifest else {
        return Ok(None);
    };
    let media: Value = serde_json::from_str(media).map_err(|_| no("internal"))?;
    let s = session::get(tx, &r.session_id)
        .await?
        .ok_or_else(|| no("internal"))?;
    // Who is on a leg, and nobody else: who only listened is none of it.
    let legs: BTreeSet<&str> = media["legs"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|l| l["member"].as_str())
        .collect();
    let members: Vec<Value> = session::members(tx, &s.id)
        .await?
        .iter()
        .filter(|m| legs.contains(room_name(m).as_str()))
        .map(|m| json!({"member": m.id.as_str(), "media": room_name(m), "role": m.role.as_str()}))
        .collect();
    let at = |t: Option<Timestamp>| t.map(Timestamp::rfc3339);
    let consents: Vec<Value> = consent::of_session(tx, &s.id)
        .await?
        .into_iter()
        .map(|c| {
            json!({"id": c.id.as_str(), "state": c.state.as_str(), "licence_type": c.licence_type,
                "policy_version": c.policy_version, "asked_at": c.asked_at.rfc3339(), "decided_at": at(c.decided_at)})
        })
        .collect();
    let prompts: Vec<Value> = kept::prompts(tx, &r.id)
        .await?
        .into_iter()
        .map(|p| {
            json!({"item": p.item, "prompt": p.prompt, "text": {"zh": p.text_zh, "en": p.text_en}, "read_ms": p.read_ms, "again_ms": p.again_ms,
                "answer": p.answer.map(|a| json!({"answer": a.answer, "by": a.by, "at_ms": a.ms}))})
        })
        .collect();
    let notice: Value = serde_json::from_str(&r.notice).map_err(|_| no("internal"))?;
    let withdrawn = r.end_reason.as_deref() == Some(End::Withdrawn.as_str());
    Ok(Some(json!({
        "scheme": SCHEME,
        "recording": r.id.as_str(),
        "session": s.id.as_str(),
        "hall": r.hall_id.as_str(),
        "case": s.case_id.as_ref().map(|c| c.as_str()),
        "notice": notice,
        "consent": {
            "asked_at": r.asked_at.rfc3339(),
            "asked_by": r.asked_by.as_str(),
            "answered_at": at(r.answered_at),
            "granted": r.granted,
            "policy_version": r.policy_version,
            "withdrawn_at": at(r.ended_at.filter(|_| withdrawn)),
        },
        "consents": consents,
        "prompts": prompts,
        "snapshots": snapshots(tx, &r.id).await?,
        "members": members,
        "started_at": at(r.started_at),
        "proven_at": at(r.proven_at),
        "ended_at": at(r.ended_at),
        "end_reason": r.end_reason,
        "media": media,
    })))
}

/// Signs what has ended; one that is signed stays as it was signed.
pub(super) async fn seal(app: &App, id: &RecordingId) -> Result<(), AppError> {
    let rid = id.clone();
    let found = app
        .read(move |tx| {
            Box::pin(async move {
                let r = kept::get(tx, &rid).await?;
                match r.filter(|r| r.state == State::Sealing) {
                    Some(r) => document(tx, &r).await,
                    None => Ok(None),
                }
            })
        })
        .await?;
    let Some(doc) = found else { return Ok(()) };
    let text = serde_json_canonicalizer::to_string(&doc).map_err(|_| no("internal"))?;
    let key = result_paper::seal(app)?;
    let signing = text.clone();
    let sealed = tokio::task::spawn_blocking(move || key.sign(signing.as_bytes(), &json!({})))
        .await
        .map_err(|_| no("internal"))?
        .map_err(|_| no("seal_failed"))?;
    let rid = id.clone();
    app.write("server", move |tx, w| {
        let (id, text, sealed) = (rid.clone(), text.clone(), sealed.clone());
        Box::pin(async move {
            let Some(mut r) = locked(tx, &id)
                .await?
                .filter(|r| r.state == State::Sealing && r.manifest.is_some())
            else {
                return Ok(());
            };
            step(&mut r, Cmd::Seal)?;
            let s = session::get(tx, &r.session_id)
                .await?
                .ok_or_else(|| no("internal"))?;
            let end = r.end_reason.as_deref().and_then(End::parse);
            let ended = r.ended_at.unwrap_or(w.now);
            r.delete_at = Some(notice_of(&r)?.delete_at(
                ended,
                end.unwrap_or(End::Crash),
                s.case_id.is_some(),
            ));
            (r.manifest, r.sealed_at) = (Some(text), Some(w.now));
            (r.signature, r.public_key) = (Some(sealed.signature), Some(sealed.public_key));
            save(tx, &mut r).await?;
            let mut detail = ending::summary(&r);
            detail["digest"] = json!(sealed.digest);
            w.audit(tx, "recording.sealed", r.id.as_str(), detail)
                .await?;
            let body = EventBody::RecordingSealed {
                recording: r.id.to_string(),
            };
            tell(tx, w, &r, None, &body).await
        })
    })
    .await
}

/// Whether the manifest of a row is as this installation has signed it.
#[must_use]
pub fn is_ours(app: &App, r: &Recording) -> bool {
    let (Some(text), Some(signature), Some(public_key)) =
        (&r.manifest, &r.signature, &r.public_key)
    else {
        return false;
    };
    let Ok(key) = result_paper::seal(app) else {
        return false;
    };
    // SM3 of the text and of no metadata, as `sign` takes it.
    let stored = Seal {
        algorithm: SEAL_ALGORITHM.to_owned(),
        key_id: key.key_id(),
        public_key: public_key.clone(),
        digest: sm3_hex(format!("{text}{{}}").as_bytes()),
        signature: signature.clone(),
    };
    key.verify(text.as_bytes(), &json!({}), &stored)
        .unwrap_or(false)
}
