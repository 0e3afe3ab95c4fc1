//! Halls (大厅): public.

use super::Items;
use crate::{
    app::{App, halls},
    http::extract::object,
    problem::AppError,
};
use axum::extract::{Path, State};
use protocol::HallView;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
}

/// All halls, with seats on duty and the honest wait.
#[utoipa::path(get, path = "/halls", responses((status = 200, body = Items<HallView>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn list(State(app): State<App>) -> Result<axum::Json<Items<HallView>>, AppError> {
    Ok(axum::Json(Items {
        items: halls::list(&app).await?,
    }))
}

/// One hall.
#[utoipa::path(get, path = "/halls/{id}", params(("id" = String, Path)), responses((status = 200, body = HallView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn get(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<axum::Json<HallView>, AppError> {
    halls::get(&app, object(&id)?).await.map(axum::Json)
}
