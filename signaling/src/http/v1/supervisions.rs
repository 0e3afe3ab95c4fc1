//! Supervision of live sessions (监督): listen, whisper, barge in, take over; and what a hall tells of it.

use crate::{
    app::{App, supervision},
    http::extract::{Call, Json, object},
    problem::AppError,
};
use axum::extract::{Path, State};
use protocol::{PutSupervisionPolicy, SetSupervision, SupervisionPolicyView, SupervisionView};
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(set))
        .routes(routes!(leave))
        .routes(routes!(policy))
        .routes(routes!(put_policy))
}

/// Begin to supervise a session, or go on in another mode.
#[utoipa::path(post, path = "/sessions/{id}/supervision", params(("id" = String, Path)), request_body = SetSupervision, responses((status = 200, body = SupervisionView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn set(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<SetSupervision>,
) -> Result<axum::Json<SupervisionView>, AppError> {
    supervision::set(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}

/// Leave the session.
#[utoipa::path(delete, path = "/sessions/{id}/supervision", params(("id" = String, Path)), responses((status = 200, body = SupervisionView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn leave(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<SupervisionView>, AppError> {
    supervision::leave(&app, &caller, object(&id)?)
        .await
        .map(axum::Json)
}

/// What the hall tells of supervision.
#[utoipa::path(get, path = "/halls/{id}/supervision-policy", params(("id" = String, Path)), responses((status = 200, body = SupervisionPolicyView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn policy(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<SupervisionPolicyView>, AppError> {
    supervision::policy(&app, &caller.who, object(&id)?)
        .await
        .map(axum::Json)
}

/// Keep what the hall tells of supervision.
#[utoipa::path(put, path = "/halls/{id}/supervision-policy", params(("id" = String, Path)), request_body = PutSupervisionPolicy, responses((status = 200, body = SupervisionPolicyView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn put_policy(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<PutSupervisionPolicy>,
) -> Result<axum::Json<SupervisionPolicyView>, AppError> {
    supervision::put_policy(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}
