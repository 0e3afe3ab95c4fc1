//! Replay (回放): open a recording, look at its parts, make one file of it. The bytes are reached by a cookie, since a player sends no header.

use crate::{
    app::{
        App,
        replay::{export, opening, parts},
    },
    http::{
        extract::{Call, Json, object},
        range,
    },
    problem::{AppError, no},
};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use domain::{id::ReplayId, time::Span};
use protocol::{ExportView, OpenReplay, ReplayView};
use utoipa_axum::{router::OpenApiRouter, routes};

const COOKIE: &str = "cb_replay";

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(open))
        .routes(routes!(get))
        .routes(routes!(part))
        .routes(routes!(begin_export))
        .routes(routes!(get_export))
        .routes(routes!(export_file))
}

/// Sent back to this replay's own addresses alone.
fn cookie(app: &App, id: &str, secret: &str, life: Span) -> Result<HeaderValue, AppError> {
    let secure = if app.public_url.starts_with("https://") {
        "; Secure"
    } else {
        ""
    };
    let age = life.0 / 1_000_000;
    HeaderValue::from_str(&format!(
        "{COOKIE}={secret}; Path=/api/v1/replays/{id}/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}"
    ))
    .map_err(|_| no("internal"))
}

fn secret_of(headers: &HeaderMap) -> Result<String, AppError> {
    let all = headers.get_all(header::COOKIE).iter();
    let found = all
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|c| c.trim().split_once('='))
        .find(|(k, v)| *k == COOKIE && !v.is_empty());
    found
        .map(|(_, v)| v.to_owned())
        .ok_or_else(|| no("signed_out"))
}

/// Open a recording, with a reason; the answer sets the cookie under which its parts are read.
#[utoipa::path(post, path = "/recordings/{id}/replays", params(("id" = String, Path)), request_body = OpenReplay, responses((status = 200, body = ReplayView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn open(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<OpenReplay>,
) -> Result<Response, AppError> {
    let o = opening::open(&app, &caller, object(&id)?, body).await?;
    let cookie = cookie(&app, &o.view.id, &o.secret, o.life)?;
    let mut r = axum::Json(o.view).into_response();
    r.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(r)
}

/// The replay as it stands.
#[utoipa::path(get, path = "/replays/{id}", params(("id" = String, Path)), responses((status = 200, body = ReplayView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn get(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<ReplayView>, AppError> {
    opening::get(&app, &caller.who, object(&id)?)
        .await
        .map(axum::Json)
}

/// The bytes of a part, or some of them (Range, RFC 9110 §14).
#[utoipa::path(get, path = "/replays/{id}/legs/{leg}/parts/{part}", params(("id" = String, Path), ("leg" = u32, Path), ("part" = u32, Path)), responses((status = 200), (status = 206), (status = 416), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn part(
    State(app): State<App>,
    Path((id, leg, part)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    let secret = secret_of(&headers)?;
    let unknown = |_| no("recording_part_unknown");
    let (leg, part) = (
        leg.parse().map_err(unknown)?,
        part.parse().map_err(unknown)?,
    );
    let p = parts::open(&app, &secret, object(&id)?, leg, part).await?;
    let (length, kind) = (p.length(), p.content_type());
    range::answer(&headers, length, kind, |r| p.bytes(app, r))
}

/// Make one file of all legs.
#[utoipa::path(post, path = "/replays/{id}/exports", params(("id" = String, Path)), responses((status = 200, body = ExportView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn begin_export(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<ExportView>, AppError> {
    export::begin(&app, &caller, object(&id)?)
        .await
        .map(axum::Json)
}

/// How far it is.
#[utoipa::path(get, path = "/replays/{id}/exports/{export}", params(("id" = String, Path), ("export" = String, Path)), responses((status = 200, body = ExportView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn get_export(
    State(app): State<App>,
    Call(caller): Call,
    Path((id, e)): Path<(String, String)>,
) -> Result<axum::Json<ExportView>, AppError> {
    export::get(&app, &caller.who, object(&id)?, object(&e)?)
        .await
        .map(axum::Json)
}

/// The file, or some of it (Range).
#[utoipa::path(get, path = "/replays/{id}/exports/{export}/file", params(("id" = String, Path), ("export" = String, Path)), responses((status = 200), (status = 206), (status = 416), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn export_file(
    State(app): State<App>,
    Path((id, e)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    let secret = secret_of(&headers)?;
    let replay: ReplayId = object(&id)?;
    let film = export::file(&app, &secret, replay, object(&e)?).await?;
    let (length, kind) = (film.length(), film.content_type());
    let mut r = range::answer(&headers, length, kind, |r| film.bytes(app, r))?;
    let name = format!("attachment; filename=\"{e}.mp4\"");
    if let Ok(v) = HeaderValue::from_str(&name) {
        r.headers_mut().insert(header::CONTENT_DISPOSITION, v);
    }
    Ok(r)
}
