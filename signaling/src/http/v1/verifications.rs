//! Verification of issued papers: public.

use crate::{
    app::{App, verify},
    http::extract::Json,
    problem::AppError,
};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use protocol::{FileDigest, Verification, Verify};
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(check)).merge(
        OpenApiRouter::new()
            .routes(routes!(digest))
            .layer(DefaultBodyLimit::max(domain::limits::MATERIAL_BYTES)),
    )
}

/// Valid, revoked, altered, reissued, expired, unknown.
#[utoipa::path(post, path = "/verifications", request_body = Verify, responses((status = 200, body = Verification), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn check(
    State(app): State<App>,
    Json(body): Json<Verify>,
) -> Result<axum::Json<Verification>, AppError> {
    verify::verify(&app, body).await.map(axum::Json)
}

/// SM3 of a file; the file is not kept.
#[utoipa::path(post, path = "/verifications/file-digest", request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 200, body = FileDigest), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn digest(bytes: Bytes) -> Result<axum::Json<FileDigest>, AppError> {
    Ok(axum::Json(verify::file_digest(&bytes)))
}
