//! Snapshots (抓拍): the agent takes a member's picture; the server writes time and session into it, hashes it and seals it.
//!
//! A picture is decoded and encoded anew: nothing that was in the file beside the picture stays, and a small file that would become a huge
//! picture is refused before it is one (`snapshots/picture.rs`). Never looks at what a picture shows, never finds faces.

mod picture;

use super::{
    App, Caller,
    call_flow::{self, journal, live, membership},
    files, replay,
    token::Principal,
};
use crate::problem::{AppError, no};
use domain::{
    digest::sm3_hex,
    id::{Id as _, MemberId, RecordingId, SessionId, SnapshotId},
    invite::{Member as Part, Permission},
    limits,
    recording::{End, State as Recorded},
    session::{Role, State},
    time::Timestamp,
};
use picture::{develop, watermark};
use protocol::{EventBody, SnapshotView};
use serde_json::json;
use store::{Tx, recording, session, snapshot};

const KIND: &str = "image/jpeg";

fn view(s: &snapshot::Snapshot) -> SnapshotView {
    SnapshotView {
        id: s.id.to_string(),
        member: s.member_id.to_string(),
        at: s.at.rfc3339(),
        at_ms: s.recording.as_ref().map(|(_, ms)| *ms),
        sm3: s.sm3.clone(),
        width: u32::try_from(s.width).unwrap_or_default(),
        height: u32::try_from(s.height).unwrap_or_default(),
        src: format!("/api/v1/snapshots/{}", s.id),
    }
}

/// The session's agent, of a member who can be seen, and there is room for one more.
async fn may_take(
    tx: &mut Tx,
    s: &session::Session,
    me: &session::Member,
    of: &MemberId,
) -> Result<(), AppError> {
    if me.role != Role::Agent {
        return Err(no("agent_only"));
    }
    let seen = |m: &session::Member| m.id == *of && !m.is_out() && m.part != Part::Supervisor;
    if !session::members(tx, &s.id).await?.iter().any(seen) {
        return Err(no("not_found"));
    }
    if snapshot::count(tx, &s.id).await? >= limits::SNAPSHOTS_PER_SESSION {
        return Err(no("snapshots_full"));
    }
    Ok(())
}

/// Where a moment lies on the clock of the recording that runs.
async fn place(
    tx: &mut Tx,
    s: &SessionId,
    at: Timestamp,
) -> Result<Option<(RecordingId, i64)>, AppError> {
    let newest = recording::newest(tx, s).await?;
    Ok(newest.filter(|r| r.state.is_running()).and_then(|r| {
        let zero = r.started_at?;
        Some((r.id, at.since(zero).0.max(0) / 1000))
    }))
}

/// By the session's agent, of a member who is there.
///
/// Codes: `agent_only`, `not_found`, `session_ended`, `snapshot_type`, `too_large`, `snapshots_full`.
pub async fn take(
    app: &App,
    caller: &Caller,
    id: SessionId,
    of: MemberId,
    bytes: Vec<u8>,
) -> Result<SnapshotView, AppError> {
    let (who, sid, member) = (caller.who.clone(), id.clone(), of.clone());
    // Strangers' bytes are not even looked at.
    let s = app
        .read(|tx| {
            Box::pin(async move {
                let (s, _, me) = membership(tx, &who, &sid).await?;
                if s.state == State::Ended {
                    return Err(no("session_ended"));
                }
                may_take(tx, &s, &me, &member).await?;
                Ok(s)
            })
        })
        .await?;
    let (at, papers) = (app.now(), app.papers.clone());
    let text = watermark(&id, at);
    let (made, sent) = tokio::task::spawn_blocking(move || {
        // The bytes as they came are what makes a repeated command the same one.
        let sent = sm3_hex(&bytes);
        let made = papers.with(|fonts| develop(fonts, &bytes, &text))??;
        Ok::<_, AppError>((made, sent))
    })
    .await
    .map_err(|_| no("internal"))??;
    let size = made.jpeg.len();
    let key = files::key_of(app, &s.key_id).await?;
    let sm3 = files::put(app, &key, made.jpeg).await?;
    let (width, height) = (i64::from(made.width), i64::from(made.height));
    let (who, put) = (caller.who.clone(), sm3.clone());
    let (route, print) = (
        format!("sessions.snapshot:{id}"),
        json!({"member": of.as_str(), "sm3": sent}),
    );
    let taken = app.command(caller, &route, &print, move |tx, w| {
        let (id, who, of, sm3) = (id.clone(), who.clone(), of.clone(), put.clone());
        Box::pin(async move {
            let (s, me) = live(tx, &who, &id).await?;
            may_take(tx, &s, &me, &of).await?;
            let row = snapshot::Snapshot {
                id: w.id(),
                session_id: id.clone(),
                member_id: of.clone(),
                taken_by: me.id.clone(),
                key_id: s.key_id.clone(),
                sm3: sm3.clone(),
                bytes: i64::try_from(size).unwrap_or(i64::MAX),
                width,
                height,
                at,
                recording: place(tx, &id, at).await?,
            };
            files::record(tx, w, &s.key_id, &sm3, size, KIND).await?;
            snapshot::insert(tx, &row).await?;
            session::touch(tx, &id).await?;
            w.audit(
                tx,
                "snapshot.taken",
                row.id.as_str(),
                json!({"session": id.as_str(), "member": of.as_str(), "sm3": sm3}),
            )
            .await?;
            let body = EventBody::SnapshotTaken {
                snapshot: row.id.to_string(),
                member: of.to_string(),
            };
            journal(tx, w, &s, Some(&me.id), &body).await?;
            Ok(view(&row))
        })
    });
    let taken: Result<SnapshotView, AppError> = taken.await;
    // Refused after all, or a command that comes again, whose picture was another moment's.
    if taken.as_ref().map_or(true, |v| v.sm3 != sm3) {
        files::forget(app, &key, &sm3).await?;
    }
    taken
}

/// Whether a picture may still be looked at: with the recording on which it lies it goes, and with the consent to it.
async fn stands(tx: &mut Tx, s: &snapshot::Snapshot) -> Result<bool, AppError> {
    let Some((id, _)) = &s.recording else {
        return Ok(true);
    };
    let r = recording::get(tx, id).await?;
    Ok(r.is_some_and(|r| {
        r.state != Recorded::Deleted && r.end_reason.as_deref() != Some(End::Withdrawn.as_str())
    }))
}

/// For those who read the session's materials. Codes: `not_a_member`, `role_missing`.
pub async fn list(
    app: &App,
    who: &Principal,
    id: SessionId,
) -> Result<Vec<SnapshotView>, AppError> {
    let who = who.clone();
    app.read(|tx| {
        Box::pin(async move {
            let (_, _, me) = membership(tx, &who, &id).await?;
            call_flow::allowed(&me, Permission::ReadMaterials)?;
            let mut out = vec![];
            for s in snapshot::of_session(tx, &id).await? {
                if stands(tx, &s).await? {
                    out.push(view(&s));
                }
            }
            Ok(out)
        })
    })
    .await
}

/// Media type and bytes: for those who read the session's materials, and for whoever has opened the recording on which it lies, which is
/// noted.
///
/// Codes: `not_found`, `replay_needed`, and those of [`replay::access::entitled`].
pub async fn read(
    app: &App,
    who: &Principal,
    id: SnapshotId,
) -> Result<(&'static str, Vec<u8>), AppError> {
    let (a, by) = (app.clone(), who.clone());
    let (s, key, opened) = app
        .read(|tx| {
            Box::pin(async move {
                let s = snapshot::get(tx, &id).await?;
                let s = s.ok_or_else(|| no("not_found"))?;
                let mine = match membership(tx, &by, &s.session_id).await {
                    Ok((_, _, me)) => call_flow::allowed(&me, Permission::ReadMaterials).is_ok(),
                    Err(AppError::Rejected { .. }) => false,
                    Err(e) => return Err(e),
                };
                let opened = match (&by, &s.recording) {
                    _ if mine => None,
                    (Principal::Staff { id: staff, .. }, Some((r, _))) => {
                        Some(replay::access::opened(&a, tx, staff, r).await?)
                    }
                    _ => return Err(no("not_found")),
                };
                if !stands(tx, &s).await? {
                    return Err(no("not_found"));
                }
                let key = a.vault.key(tx, &s.key_id).await?;
                Ok((s, key, opened))
            })
        })
        .await?;
    let bytes = files::get(app, &key, &s.sm3).await?;
    if let Some(opened) = opened {
        app.write(who.name(), move |tx, w| {
            let (s, replay) = (s.id.clone(), opened.id.clone());
            let detail =
                json!({"recording": opened.recording_id.as_str(), "replay": replay.as_str()});
            Box::pin(async move { w.audit(tx, "snapshot.seen", s.as_str(), detail).await })
        })
        .await?;
    }
    Ok((KIND, bytes))
}
