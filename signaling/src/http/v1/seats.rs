//! Seats (坐席): the agent's own.

use super::Items;
use crate::{
    app::{App, desk, token::Principal},
    http::extract::{Call, Json, object},
    problem::{AppError, no},
};
use axum::extract::{Path, State};
use protocol::{GoAway, OpenSeat, SeatView};
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(open))
        .routes(routes!(ready))
        .routes(routes!(away))
        .routes(routes!(close))
}

/// The seats of my hall.
#[utoipa::path(get, path = "/seats", responses((status = 200, body = Items<SeatView>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn list(
    State(app): State<App>,
    Call(caller): Call,
) -> Result<axum::Json<Items<SeatView>>, AppError> {
    let Principal::Staff { hall, .. } = caller.who else {
        return Err(no("role_missing"));
    };
    Ok(axum::Json(Items {
        items: desk::list(&app, hall).await?,
    }))
}

/// Sit down, ready.
#[utoipa::path(post, path = "/seats/{id}/open", params(("id" = String, Path)), request_body = OpenSeat, responses((status = 200, body = SeatView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn open(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<OpenSeat>,
) -> Result<axum::Json<SeatView>, AppError> {
    desk::open(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}

/// Ready for the next.
#[utoipa::path(post, path = "/seats/{id}/ready", params(("id" = String, Path)), responses((status = 200, body = SeatView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn ready(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<SeatView>, AppError> {
    desk::ask(&app, &caller, object(&id)?, desk::Ask::Ready)
        .await
        .map(axum::Json)
}

/// Away for a reason.
#[utoipa::path(post, path = "/seats/{id}/away", params(("id" = String, Path)), request_body = GoAway, responses((status = 200, body = SeatView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn away(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<GoAway>,
) -> Result<axum::Json<SeatView>, AppError> {
    desk::ask(&app, &caller, object(&id)?, desk::Ask::Away(body.reason))
        .await
        .map(axum::Json)
}

/// Sign off.
#[utoipa::path(post, path = "/seats/{id}/close", params(("id" = String, Path)), responses((status = 200, body = SeatView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn close(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<SeatView>, AppError> {
    desk::ask(&app, &caller, object(&id)?, desk::Ask::Close)
        .await
        .map(axum::Json)
}
