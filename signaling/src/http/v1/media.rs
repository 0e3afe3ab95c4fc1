//! How a page reaches the media port: relay credentials, the check before a call. Never cached (every answer of the API is
//! `no-store`).

use crate::{
    app::{App, auth, netcheck, relay, token::Principal},
    http::extract::{Call, Json, Maybe},
    problem::AppError,
};
use axum::extract::State;
use protocol::{CheckAnswer, CheckOffer, IceServers};
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(ice_servers))
        .routes(routes!(check_servers, check))
}

/// Relay credentials for a call: citizen, guest, staff, booth.
#[utoipa::path(get, path = "/media/ice-servers", responses((status = 200, body = IceServers), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn ice_servers(
    State(app): State<App>,
    Call(caller): Call,
) -> Result<axum::Json<IceServers>, AppError> {
    relay::of(&app, &caller.who).map(axum::Json)
}

/// A token that is worth nothing any more makes a stranger of nobody: it is refused, as everywhere.
async fn known(app: &App, who: Option<Principal>) -> Result<Option<Principal>, AppError> {
    if let Some(Principal::Citizen { visit }) = &who {
        auth::still_open(app, visit.clone()).await?;
    }
    Ok(who)
}

/// Relay credentials for a check; a token is optional, and without one they end after a minute.
#[utoipa::path(get, path = "/media/check", responses((status = 200, body = IceServers), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn check_servers(
    State(app): State<App>,
    Maybe(who): Maybe,
) -> Result<axum::Json<IceServers>, AppError> {
    match known(&app, who).await? {
        Some(w) => relay::of(&app, &w),
        None => relay::of_stranger(&app),
    }
    .map(axum::Json)
}

/// One connection to the media port, alone in a room for at most 30 s; a token is optional. Nothing is kept.
#[utoipa::path(post, path = "/media/check", request_body = CheckOffer, responses((status = 200, body = CheckAnswer), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn check(
    State(app): State<App>,
    Maybe(who): Maybe,
    Json(body): Json<CheckOffer>,
) -> Result<axum::Json<CheckAnswer>, AppError> {
    let who = known(&app, who).await?;
    netcheck::offer(&app, who.as_ref(), body)
        .await
        .map(axum::Json)
}
