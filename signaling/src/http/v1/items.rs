//! Items (事项) and the rating scale: public.

use crate::{
    app::{App, catalogue, ratings},
    problem::AppError,
};
use axum::extract::{Path, Query, State};
use protocol::{ItemList, ItemView, RatingScale};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
struct Search {
    /// Words of a title.
    q: Option<String>,
}

use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(scale))
}

/// Published items.
#[utoipa::path(get, path = "/items", params(Search), responses((status = 200, body = ItemList), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn list(
    State(app): State<App>,
    Query(search): Query<Search>,
) -> Result<axum::Json<ItemList>, AppError> {
    catalogue::list(&app, search.q).await.map(axum::Json)
}

/// The guide of one item.
#[utoipa::path(get, path = "/items/{id}", params(("id" = String, Path)), responses((status = 200, body = ItemView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn get(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<axum::Json<ItemView>, AppError> {
    catalogue::get(&app, id).await.map(axum::Json)
}

/// Levels and national tags of 好差评 (GB/T 39735).
#[utoipa::path(get, path = "/rating-tags", responses((status = 200, body = RatingScale), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn scale() -> Result<axum::Json<RatingScale>, AppError> {
    Ok(axum::Json(ratings::scale()))
}
