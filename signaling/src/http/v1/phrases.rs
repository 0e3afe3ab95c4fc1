//! Canned replies.

use super::Items;
use crate::{
    app::{App, phrases},
    http::extract::{Call, Json, object},
    problem::AppError,
};
use axum::extract::{Path, State};
use protocol::{Done, NewPhrase, PhraseView, PutPhrase};
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(add))
        .routes(routes!(put))
        .routes(routes!(remove))
}

/// The hall's and one's own.
#[utoipa::path(get, path = "/phrases", responses((status = 200, body = Items<PhraseView>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn list(
    State(app): State<App>,
    Call(caller): Call,
) -> Result<axum::Json<Items<PhraseView>>, AppError> {
    Ok(axum::Json(Items {
        items: phrases::list(&app, &caller.who).await?,
    }))
}

/// A new one.
#[utoipa::path(post, path = "/phrases", request_body = NewPhrase, responses((status = 200, body = PhraseView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn add(
    State(app): State<App>,
    Call(caller): Call,
    Json(body): Json<NewPhrase>,
) -> Result<axum::Json<PhraseView>, AppError> {
    phrases::add(&app, &caller, body).await.map(axum::Json)
}

/// Change one.
#[utoipa::path(put, path = "/phrases/{id}", params(("id" = String, Path)), request_body = PutPhrase, responses((status = 200, body = PhraseView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn put(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<PutPhrase>,
) -> Result<axum::Json<PhraseView>, AppError> {
    phrases::put(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}

/// Remove one.
#[utoipa::path(delete, path = "/phrases/{id}", params(("id" = String, Path)), responses((status = 200, body = Done), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn remove(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<Done>, AppError> {
    phrases::remove(&app, &caller, object(&id)?)
        .await
        .map(axum::Json)
}
