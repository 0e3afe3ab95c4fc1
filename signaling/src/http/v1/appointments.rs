//! Appointments (预约): what can be booked, booking, check-in.

use super::Items;
use crate::{
    app::{App, appointments, slots},
    http::extract::{Call, Json, object},
    problem::AppError,
};
use axum::extract::{Path, Query, State};
use protocol::{
    AppointmentView, BookAppointment, Booked, ByCode, OneTimeCode, SetSlotRule, SlotList,
    SlotRuleView, TicketView,
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(slots_of_day))
        .routes(routes!(rules))
        .routes(routes!(set_rule))
        .routes(routes!(book))
        .routes(routes!(mine))
        .routes(routes!(find))
        .routes(routes!(check_in))
        .routes(routes!(cancel))
}

#[derive(Deserialize, IntoParams)]
struct Day {
    /// Queue, for example `general`.
    queue: String,
    /// Beijing day, `2026-11-23`.
    date: String,
}

/// Slots of a Beijing day that have not begun, with the places left. Public.
#[utoipa::path(get, path = "/halls/{id}/slots", params(("id" = String, Path), Day), responses((status = 200, body = SlotList), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn slots_of_day(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(q): Query<Day>,
) -> Result<axum::Json<SlotList>, AppError> {
    slots::list(&app, object(&id)?, q.queue, q.date)
        .await
        .map(axum::Json)
}

/// What can be booked, queue by queue: for supervisors and administrators of the hall.
#[utoipa::path(get, path = "/halls/{id}/slot-rules", params(("id" = String, Path)), responses((status = 200, body = Items<SlotRuleView>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn rules(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<Items<SlotRuleView>>, AppError> {
    let items = slots::rules(&app, &caller.who, object(&id)?).await?;
    Ok(axum::Json(Items { items }))
}

/// Set what can be booked for a queue.
#[utoipa::path(put, path = "/halls/{id}/slot-rules/{queue}", params(("id" = String, Path), ("queue" = String, Path)), request_body = SetSlotRule, responses((status = 200, body = SlotRuleView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn set_rule(
    State(app): State<App>,
    Call(caller): Call,
    Path((id, queue)): Path<(String, String)>,
    Json(body): Json<SetSlotRule>,
) -> Result<axum::Json<SlotRuleView>, AppError> {
    slots::set(&app, &caller, object(&id)?, queue, body)
        .await
        .map(axum::Json)
}

/// Book, at the hall of the citizen's visit.
#[utoipa::path(post, path = "/appointments", request_body = BookAppointment, responses((status = 200, body = Booked), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn book(
    State(app): State<App>,
    Call(caller): Call,
    Json(body): Json<BookAppointment>,
) -> Result<axum::Json<Booked>, AppError> {
    appointments::book(&app, &caller, body)
        .await
        .map(axum::Json)
}

/// My appointments, latest first.
#[utoipa::path(get, path = "/appointments", responses((status = 200, body = Items<AppointmentView>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn mine(
    State(app): State<App>,
    Call(caller): Call,
) -> Result<axum::Json<Items<AppointmentView>>, AppError> {
    let items = appointments::mine(&app, &caller).await?;
    Ok(axum::Json(Items { items }))
}

/// The appointment of a code.
#[utoipa::path(post, path = "/appointments/find", request_body = OneTimeCode, responses((status = 200, body = AppointmentView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn find(
    State(app): State<App>,
    Call(caller): Call,
    Json(body): Json<OneTimeCode>,
) -> Result<axum::Json<AppointmentView>, AppError> {
    appointments::find(&app, &caller, &body.code)
        .await
        .map(axum::Json)
}

/// Check in, by code or by the card that was read: a ticket.
#[utoipa::path(post, path = "/appointments/check-in", request_body = ByCode, responses((status = 200, body = TicketView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn check_in(
    State(app): State<App>,
    Call(caller): Call,
    Json(body): Json<ByCode>,
) -> Result<axum::Json<TicketView>, AppError> {
    appointments::check_in(&app, &caller, body.code)
        .await
        .map(axum::Json)
}

/// Cancel, by its person or by code.
#[utoipa::path(post, path = "/appointments/{id}/cancel", params(("id" = String, Path)), request_body = ByCode, responses((status = 200, body = AppointmentView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn cancel(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<ByCode>,
) -> Result<axum::Json<AppointmentView>, AppError> {
    appointments::cancel(&app, &caller, object(&id)?, body.code)
        .await
        .map(axum::Json)
}
