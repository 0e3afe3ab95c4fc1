//! Tickets (排队号): the citizen's own.

use crate::{
    app::{App, lanes, queue},
    http::extract::{Call, Json, object},
    problem::AppError,
};
use axum::extract::{Path, State};
use protocol::{SetTicketMode, TakeTicket, TicketView};
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(take))
        .routes(routes!(get))
        .routes(routes!(cancel))
        .routes(routes!(mode))
}

/// Queue.
#[utoipa::path(post, path = "/tickets", request_body = TakeTicket, responses((status = 200, body = TicketView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn take(
    State(app): State<App>,
    Call(caller): Call,
    Json(body): Json<TakeTicket>,
) -> Result<axum::Json<TicketView>, AppError> {
    queue::take(&app, &caller, body).await.map(axum::Json)
}

/// Where I stand.
#[utoipa::path(get, path = "/tickets/{id}", params(("id" = String, Path)), responses((status = 200, body = TicketView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn get(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<TicketView>, AppError> {
    queue::own(&app, caller.who.citizen()?, object(&id)?)
        .await
        .map(axum::Json)
}

/// Leave the queue.
#[utoipa::path(post, path = "/tickets/{id}/cancel", params(("id" = String, Path)), responses((status = 200, body = TicketView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn cancel(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<TicketView>, AppError> {
    queue::cancel(&app, &caller, object(&id)?)
        .await
        .map(axum::Json)
}

/// Talk in another way; the place in line is kept.
#[utoipa::path(put, path = "/tickets/{id}/mode", params(("id" = String, Path)), request_body = SetTicketMode, responses((status = 200, body = TicketView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn mode(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<SetTicketMode>,
) -> Result<axum::Json<TicketView>, AppError> {
    lanes::set_mode(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}
