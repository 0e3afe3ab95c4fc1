//! Signing in.

use crate::{
    app::{App, auth},
    http::extract::{Call, Json},
    problem::{AppError, no},
};
use axum::extract::State;
use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use domain::{limits, pii::Pii};
use protocol::{
    BoothChallenge, BoothLogin, BoothNonce, BoothToken, Done, Login, StaffToken, StaffView,
    WsTicket,
};

const COOKIE: &str = "cb_refresh";

fn cookie(app: &App, value: &str, max_age_s: i64) -> Result<HeaderValue, AppError> {
    let secure = if app.public_url.starts_with("https://") {
        "; Secure"
    } else {
        ""
    };
    HeaderValue::from_str(&format!("{COOKIE}={value}; Path=/api/v1/auth; HttpOnly; SameSite=Strict; Max-Age={max_age_s}{secure}")).map_err(|_| no("internal"))
}

fn refresh_of(headers: &HeaderMap) -> Result<String, AppError> {
    let all = headers
        .get(header::COOKIE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let found = all
        .split(';')
        .filter_map(|c| c.trim().split_once('='))
        .find(|(k, _)| *k == COOKIE);
    found
        .map(|(_, v)| v.to_owned())
        .ok_or_else(|| no("signed_out"))
}

fn signed_in(app: &App, s: auth::SignedIn) -> Result<Response, AppError> {
    let mut r = axum::Json(s.token).into_response();
    r.headers_mut().insert(
        header::SET_COOKIE,
        cookie(app, &s.refresh, limits::REFRESH_LIFE.0 / 1_000_000)?,
    );
    Ok(r)
}

use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(login))
        .routes(routes!(refresh))
        .routes(routes!(logout))
        .routes(routes!(me))
        .routes(routes!(challenge))
        .routes(routes!(booth))
        .routes(routes!(ws_ticket))
}

/// Staff: account and password (argon2id). The refresh token comes as an HttpOnly cookie.
#[utoipa::path(post, path = "/auth/login", request_body = Login, responses((status = 200, body = StaffToken), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn login(State(app): State<App>, Json(body): Json<Login>) -> Result<Response, AppError> {
    let s = auth::login(&app, body.account, Pii::new(body.password)).await?;
    signed_in(&app, s)
}

/// A new access token; the refresh token rotates.
#[utoipa::path(post, path = "/auth/refresh", responses((status = 200, body = StaffToken), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn refresh(State(app): State<App>, headers: HeaderMap) -> Result<Response, AppError> {
    let s = auth::refresh(&app, &refresh_of(&headers)?).await?;
    signed_in(&app, s)
}

/// Sign out everywhere that came from this log-in.
#[utoipa::path(post, path = "/auth/logout", responses((status = 200, body = Done), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn logout(State(app): State<App>, headers: HeaderMap) -> Result<Response, AppError> {
    if let Ok(t) = refresh_of(&headers) {
        auth::logout(&app, &t).await?;
    }
    let mut r = axum::Json(Done {}).into_response();
    r.headers_mut()
        .insert(header::SET_COOKIE, cookie(&app, "", 0)?);
    Ok(r)
}

/// Who I am.
#[utoipa::path(get, path = "/me", responses((status = 200, body = StaffView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn me(State(app): State<App>, Call(caller): Call) -> Result<axum::Json<StaffView>, AppError> {
    let crate::app::token::Principal::Staff { id, .. } = caller.who else {
        return Err(no("role_missing"));
    };
    auth::me(&app, id).await.map(axum::Json)
}

/// A nonce for the booth host to sign.
#[utoipa::path(post, path = "/auth/booth/challenge", request_body = BoothChallenge, responses((status = 200, body = BoothNonce), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn challenge(
    State(app): State<App>,
    Json(body): Json<BoothChallenge>,
) -> Result<axum::Json<BoothNonce>, AppError> {
    auth::booth_challenge(&app, &body.booth)
        .await
        .map(axum::Json)
}

/// A booth, by its device key.
#[utoipa::path(post, path = "/auth/booth", request_body = BoothLogin, responses((status = 200, body = BoothToken), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn booth(
    State(app): State<App>,
    Json(body): Json<BoothLogin>,
) -> Result<axum::Json<BoothToken>, AppError> {
    auth::booth_login(&app, body).await.map(axum::Json)
}

/// One WebSocket handshake, within 30 s.
#[utoipa::path(post, path = "/ws-tickets", responses((status = 200, body = WsTicket), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn ws_ticket(
    State(app): State<App>,
    Call(caller): Call,
) -> Result<axum::Json<WsTicket>, AppError> {
    auth::ws_ticket(&app, &caller.who).await.map(axum::Json)
}
