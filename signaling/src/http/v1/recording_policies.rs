//! What a hall tells of recording, and how long it keeps (双录).

use crate::{
    app::{App, recording},
    http::extract::{Call, Json, object},
    problem::AppError,
};
use axum::extract::{Path, State};
use protocol::{PutRecordingPolicy, RecordingPolicyView};
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(policy))
        .routes(routes!(put_policy))
}

/// What the hall tells of recording, and how long it keeps.
#[utoipa::path(get, path = "/halls/{id}/recording-policy", params(("id" = String, Path)), responses((status = 200, body = RecordingPolicyView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn policy(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<RecordingPolicyView>, AppError> {
    recording::policy(&app, &caller.who, object(&id)?)
        .await
        .map(axum::Json)
}

/// Keep what the hall tells of recording, and how long.
#[utoipa::path(put, path = "/halls/{id}/recording-policy", params(("id" = String, Path)), request_body = PutRecordingPolicy, responses((status = 200, body = RecordingPolicyView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn put_policy(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<PutRecordingPolicy>,
) -> Result<axum::Json<RecordingPolicyView>, AppError> {
    recording::put_policy(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}
