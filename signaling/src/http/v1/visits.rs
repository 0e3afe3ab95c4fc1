//! Visits: a citizen's presence.

use crate::{
    app::{App, auth, call_flow},
    http::extract::{Call, Json, Maybe, object},
    problem::AppError,
};
use axum::extract::{Path, State};
use protocol::{Done, Identify, OpenVisit, VisitToken, VisitView};
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(open))
        .routes(routes!(get))
        .routes(routes!(identify))
        .routes(routes!(end))
}

/// Begin: with the booth's token at a booth, without any on a phone.
#[utoipa::path(post, path = "/visits", request_body = OpenVisit, responses((status = 200, body = VisitToken), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn open(
    State(app): State<App>,
    Maybe(who): Maybe,
    Json(body): Json<OpenVisit>,
) -> Result<axum::Json<VisitToken>, AppError> {
    auth::open_visit(&app, who.as_ref(), body)
        .await
        .map(axum::Json)
}

/// Where a reloaded page finds its place.
#[utoipa::path(get, path = "/visits/{id}", params(("id" = String, Path)), responses((status = 200, body = VisitView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn get(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<VisitView>, AppError> {
    let id = object(&id)?;
    if caller.who.citizen()? != &id {
        return Err(crate::problem::no("not_found"));
    }
    auth::visit_view(&app, id).await.map(axum::Json)
}

/// A card read, signed by the booth.
#[utoipa::path(post, path = "/visits/{id}/identity", params(("id" = String, Path)), request_body = Identify, responses((status = 200, body = VisitView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn identify(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<Identify>,
) -> Result<axum::Json<VisitView>, AppError> {
    auth::identify_visit(&app, &caller, object(&id)?, body.read)
        .await
        .map(axum::Json)
}

/// End and wipe.
#[utoipa::path(post, path = "/visits/{id}/end", params(("id" = String, Path)), responses((status = 200, body = Done), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn end(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<Done>, AppError> {
    call_flow::end_visit(&app, &caller, object(&id)?)
        .await
        .map(axum::Json)
}
