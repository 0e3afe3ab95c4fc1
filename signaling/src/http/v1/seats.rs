//! Seats (坐席): the agent's own, and what a supervisor does with them.

use super::Items;
use crate::{
    app::{App, desk, supervise, token::Principal},
    http::extract::{Call, Json, object},
    problem::{AppError, no},
};
use axum::extract::{Path, Query, State};
use protocol::{ForceSeat, GoAway, NoticeView, OpenSeat, SeatTimes, SeatView, SendNotice};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(open))
        .routes(routes!(ready))
        .routes(routes!(away))
        .routes(routes!(close))
        .routes(routes!(of_hall))
        .routes(routes!(extend))
        .routes(routes!(force))
        .routes(routes!(times))
        .routes(routes!(notices))
        .routes(routes!(send_notice))
        .routes(routes!(read_notice))
}

#[derive(Deserialize, IntoParams)]
struct Day {
    /// `2026-01-31`, Beijing; absent: today.
    date: Option<String>,
}

/// The seats of my hall.
#[utoipa::path(get, path = "/seats", responses((status = 200, body = Items<SeatView>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn list(
    State(app): State<App>,
    Call(caller): Call,
) -> Result<axum::Json<Items<SeatView>>, AppError> {
    let Principal::Staff { hall, .. } = caller.who else {
        return Err(no("role_missing"));
    };
    Ok(axum::Json(Items {
        items: desk::list(&app, hall).await?,
    }))
}

/// Sit down, ready.
#[utoipa::path(post, path = "/seats/{id}/open", params(("id" = String, Path)), request_body = OpenSeat, responses((status = 200, body = SeatView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn open(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<OpenSeat>,
) -> Result<axum::Json<SeatView>, AppError> {
    desk::open(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}

/// Ready for the next.
#[utoipa::path(post, path = "/seats/{id}/ready", params(("id" = String, Path)), responses((status = 200, body = SeatView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn ready(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<SeatView>, AppError> {
    desk::ask(&app, &caller, object(&id)?, desk::Ask::Ready)
        .await
        .map(axum::Json)
}

/// Away for a reason.
#[utoipa::path(post, path = "/seats/{id}/away", params(("id" = String, Path)), request_body = GoAway, responses((status = 200, body = SeatView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn away(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<GoAway>,
) -> Result<axum::Json<SeatView>, AppError> {
    desk::ask(&app, &caller, object(&id)?, desk::Ask::Away(body.reason))
        .await
        .map(axum::Json)
}

/// Sign off.
#[utoipa::path(post, path = "/seats/{id}/close", params(("id" = String, Path)), responses((status = 200, body = SeatView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn close(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<SeatView>, AppError> {
    desk::ask(&app, &caller, object(&id)?, desk::Ask::Close)
        .await
        .map(axum::Json)
}

/// The seats of a hall, for its supervisors.
#[utoipa::path(get, path = "/halls/{id}/seats", params(("id" = String, Path)), responses((status = 200, body = Items<SeatView>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn of_hall(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<Items<SeatView>>, AppError> {
    Ok(axum::Json(Items {
        items: supervise::seats(&app, &caller.who, object(&id)?).await?,
    }))
}

/// A minute more for the notes, once.
#[utoipa::path(post, path = "/seats/{id}/extend-wrap-up", params(("id" = String, Path)), responses((status = 200, body = SeatView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn extend(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<SeatView>, AppError> {
    desk::extend_wrap_up(&app, &caller, object(&id)?)
        .await
        .map(axum::Json)
}

/// Put a seat into a state.
#[utoipa::path(post, path = "/seats/{id}/force", params(("id" = String, Path)), request_body = ForceSeat, responses((status = 200, body = SeatView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn force(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<ForceSeat>,
) -> Result<axum::Json<SeatView>, AppError> {
    supervise::force(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}

/// How long the seat was in which state that day.
#[utoipa::path(get, path = "/seats/{id}/times", params(("id" = String, Path), Day), responses((status = 200, body = SeatTimes), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn times(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Query(q): Query<Day>,
) -> Result<axum::Json<SeatTimes>, AppError> {
    supervise::times(&app, &caller.who, object(&id)?, q.date)
        .await
        .map(axum::Json)
}

/// What supervisors have said to the seat.
#[utoipa::path(get, path = "/seats/{id}/notices", params(("id" = String, Path)), responses((status = 200, body = Items<NoticeView>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn notices(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<Items<NoticeView>>, AppError> {
    Ok(axum::Json(Items {
        items: supervise::notices(&app, &caller.who, object(&id)?).await?,
    }))
}

/// Speak to a seat.
#[utoipa::path(post, path = "/seats/{id}/notices", params(("id" = String, Path)), request_body = SendNotice, responses((status = 200, body = NoticeView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn send_notice(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<SendNotice>,
) -> Result<axum::Json<NoticeView>, AppError> {
    supervise::send_notice(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}

/// The agent has read it.
#[utoipa::path(post, path = "/notices/{id}/read", params(("id" = String, Path)), responses((status = 200, body = NoticeView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn read_notice(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<NoticeView>, AppError> {
    supervise::read_notice(&app, &caller, object(&id)?)
        .await
        .map(axum::Json)
}
