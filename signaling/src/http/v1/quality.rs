//! How good the lines of a session were.

use crate::{
    app::{App, quality},
    http::extract::{Call, object},
    problem::AppError,
};
use axum::extract::{Path, State};
use protocol::QualityView;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get))
}

/// The series of each member's line, for the session's agent and the supervisors of its hall.
#[utoipa::path(get, path = "/sessions/{id}/quality", params(("id" = String, Path)), responses((status = 200, body = QualityView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn get(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<QualityView>, AppError> {
    quality::view(&app, &caller.who, object(&id)?)
        .await
        .map(axum::Json)
}
