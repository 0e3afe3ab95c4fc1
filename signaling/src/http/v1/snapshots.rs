//! Snapshots (抓拍): taken by the agent, shown to those who read the session's materials.

use super::{Items, cases::file};
use crate::{
    app::{App, snapshots},
    http::extract::{Call, object},
    problem::{AppError, no},
};
use axum::{
    extract::{DefaultBodyLimit, Multipart, Path, State, multipart::MultipartError},
    http::StatusCode,
    response::Response,
};
use domain::{id::MemberId, limits};
use protocol::SnapshotView;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What is read of a request (bytes): twice the largest picture, so that one that is too large is refused in words and not by a
/// connection that breaks off.
const READ: usize = 2 * limits::SNAPSHOT_BYTES + 16 * 1024;

/// The form's fields.
#[derive(ToSchema)]
#[allow(dead_code, reason = "the form's description")]
struct TakeSnapshot {
    /// Whose picture: member id.
    member: String,
    /// JPEG or PNG, at most 2 MiB.
    #[schema(value_type = String, format = Binary)]
    image: Vec<u8>,
}

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(
            OpenApiRouter::new()
                .routes(routes!(take))
                .layer(DefaultBodyLimit::max(READ)),
        )
        .routes(routes!(list))
        .routes(routes!(get))
}

fn broken(e: &MultipartError) -> AppError {
    match e.status() {
        StatusCode::PAYLOAD_TOO_LARGE => no("too_large"),
        _ => no("body_invalid"),
    }
}

/// Take a picture; the server writes time and session into it.
#[utoipa::path(post, path = "/sessions/{id}/snapshots", params(("id" = String, Path)), request_body(content = TakeSnapshot, content_type = "multipart/form-data"), responses((status = 200, body = SnapshotView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn take(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    mut form: Multipart,
) -> Result<axum::Json<SnapshotView>, AppError> {
    let (mut member, mut image): (Option<MemberId>, Option<Vec<u8>>) = (None, None);
    while let Some(f) = form.next_field().await.map_err(|e| broken(&e))? {
        match f.name() {
            Some("member") => {
                member = Some(object(&f.text().await.map_err(|e| broken(&e))?)?);
            }
            Some("image") => {
                image = Some(f.bytes().await.map_err(|e| broken(&e))?.to_vec());
            }
            _ => return Err(no("body_invalid")),
        }
    }
    let (Some(member), Some(image)) = (member, image) else {
        return Err(no("body_invalid"));
    };
    snapshots::take(&app, &caller, object(&id)?, member, image)
        .await
        .map(axum::Json)
}

/// Those of a session, in order.
#[utoipa::path(get, path = "/sessions/{id}/snapshots", params(("id" = String, Path)), responses((status = 200, body = Items<SnapshotView>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn list(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<Items<SnapshotView>>, AppError> {
    let items = snapshots::list(&app, &caller.who, object(&id)?).await?;
    Ok(axum::Json(Items { items }))
}

/// The picture.
#[utoipa::path(get, path = "/snapshots/{id}", params(("id" = String, Path)), responses((status = 200), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn get(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    snapshots::read(&app, &caller.who, object(&id)?)
        .await
        .map(|(kind, bytes)| file(kind, bytes))
}
