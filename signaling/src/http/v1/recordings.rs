//! Recordings (录音录像) as they are kept: lists, manifest, legal hold, who has looked.

use super::Items;
use crate::{
    app::{
        App,
        replay::lines::{self, Asked},
    },
    http::extract::{Call, Json, object},
    problem::AppError,
};
use axum::extract::{Path, Query, State};
use protocol::{PutHold, RecordingLine, RecordingPage, ReplayNote, SignedManifest};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(hold))
        .routes(routes!(manifest))
        .routes(routes!(replays))
}

#[derive(Deserialize, IntoParams)]
struct Which {
    /// None: the caller's own.
    hall: Option<String>,
    session: Option<String>,
    case: Option<String>,
    /// A part of the case's number.
    number: Option<String>,
    state: Option<String>,
    /// Held ones alone.
    #[serde(default)]
    held: bool,
    /// First day in Beijing, `2026-11-22`.
    from: Option<String>,
    /// Last day in Beijing.
    to: Option<String>,
    /// Those older than this one.
    before: Option<String>,
    limit: Option<i64>,
}

/// Newest first.
#[utoipa::path(get, path = "/recordings", params(Which), responses((status = 200, body = RecordingPage), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn list(
    State(app): State<App>,
    Call(caller): Call,
    Query(q): Query<Which>,
) -> Result<axum::Json<RecordingPage>, AppError> {
    let asked = Asked {
        hall: q.hall,
        session: q.session,
        case: q.case,
        number: q.number,
        state: q.state,
        held: q.held,
        from: q.from,
        to: q.to,
        before: q.before,
        limit: q.limit,
    };
    lines::list(&app, &caller.who, asked).await.map(axum::Json)
}

/// Legal hold (封存) on or off.
#[utoipa::path(put, path = "/recordings/{id}/hold", params(("id" = String, Path)), request_body = PutHold, responses((status = 200, body = RecordingLine), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn hold(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<PutHold>,
) -> Result<axum::Json<RecordingLine>, AppError> {
    lines::hold(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}

/// What was signed.
#[utoipa::path(get, path = "/recordings/{id}/manifest", params(("id" = String, Path)), responses((status = 200, body = SignedManifest), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn manifest(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<SignedManifest>, AppError> {
    lines::manifest(&app, &caller.who, object(&id)?)
        .await
        .map(axum::Json)
}

/// Who has opened it and why, newest first.
#[utoipa::path(get, path = "/recordings/{id}/replays", params(("id" = String, Path)), responses((status = 200, body = Items<ReplayNote>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn replays(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<Items<ReplayNote>>, AppError> {
    let items = lines::replays(&app, &caller.who, object(&id)?).await?;
    Ok(axum::Json(Items { items }))
}
