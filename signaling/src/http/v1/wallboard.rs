//! The supervisors' live view.

use super::Items;
use crate::{
    app::{App, supervise, wallboard},
    http::extract::{Call, object},
    problem::AppError,
};
use axum::extract::{Path, State};
use protocol::{LiveSession, Wallboard};
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(board))
        .routes(routes!(sessions))
}

/// Queues, seats and the day so far.
#[utoipa::path(get, path = "/halls/{id}/wallboard", params(("id" = String, Path)), responses((status = 200, body = Wallboard), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn board(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<Wallboard>, AppError> {
    let hall = object(&id)?;
    wallboard::may_look(&caller.who, &hall)?;
    let board = wallboard::get(&app, &hall).await?;
    Ok(axum::Json(Wallboard::clone(&board)))
}

/// Live sessions of the hall.
#[utoipa::path(get, path = "/halls/{id}/sessions", params(("id" = String, Path)), responses((status = 200, body = Items<LiveSession>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn sessions(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<Items<LiveSession>>, AppError> {
    Ok(axum::Json(Items {
        items: supervise::sessions(&app, &caller.who, object(&id)?).await?,
    }))
}
