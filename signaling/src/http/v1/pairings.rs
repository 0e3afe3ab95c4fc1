//! Offers (派单) to my seat.

use crate::{
    app::{App, desk},
    http::extract::{Call, Json, object},
    problem::AppError,
};
use axum::extract::{Path, State};
use protocol::{Accepted, Decline, SeatView};
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(accept))
        .routes(routes!(decline))
}

/// Answer.
#[utoipa::path(post, path = "/pairings/{id}/accept", params(("id" = String, Path)), responses((status = 200, body = Accepted), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn accept(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<Accepted>, AppError> {
    desk::accept(&app, &caller, object(&id)?)
        .await
        .map(axum::Json)
}

/// Not me, with a reason.
#[utoipa::path(post, path = "/pairings/{id}/decline", params(("id" = String, Path)), request_body = Decline, responses((status = 200, body = SeatView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn decline(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<Decline>,
) -> Result<axum::Json<SeatView>, AppError> {
    desk::decline(&app, &caller, object(&id)?, body.reason)
        .await
        .map(axum::Json)
}
