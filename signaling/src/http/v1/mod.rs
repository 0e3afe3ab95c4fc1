//! The API, version 1: one file a noun.

mod admin;
mod auth;
mod cases;
mod halls;
mod items;
mod pairings;
mod seats;
mod sessions;
mod tickets;
mod verifications;
mod visits;

use crate::app::App;
use axum::Router;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema, openapi};
use utoipa_axum::router::OpenApiRouter;

/// A list that is not paged.
#[derive(Serialize, ToSchema)]
pub struct Items<T: ToSchema> {
    pub items: Vec<T>,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cloud Booth 云窗",
        description = "Remote video counter: HTTP API. Errors are RFC 9457 problems with stable codes; commands carry Idempotency-Key."
    ),
    components(schemas(
        protocol::ClientFrame,
        protocol::ServerFrame,
        protocol::Problem,
        protocol::FieldCurrent,
        protocol::CardRead
    ))
)]
struct Document;

/// The routes and their description.
pub fn router() -> (Router<App>, openapi::OpenApi) {
    OpenApiRouter::with_openapi(Document::openapi())
        .nest("/api/v1", routes())
        .split_for_parts()
}

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(auth::routes())
        .merge(visits::routes())
        .merge(halls::routes())
        .merge(items::routes())
        .merge(tickets::routes())
        .merge(seats::routes())
        .merge(pairings::routes())
        .merge(sessions::routes())
        .merge(cases::routes())
        .merge(verifications::routes())
        .merge(admin::routes())
}
