//! When no seat is free: call-backs (回拨), tickets that go to the phone, requests that are left (留言).

use super::Items;
use crate::{
    app::{App, callbacks, carry, halls, requests},
    http::extract::{Call, Json, Key, object},
    problem::AppError,
};
use axum::extract::{Path, State};
use protocol::{
    Accepted, AnswerRequest, CallBackTaken, CallBackView, CarryCode, DeclineCallBack, HallView,
    LeaveRequest, OneTimeCode, RequestFull, RequestItem, RequestView, SeatView, VisitToken,
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(take))
        .routes(routes!(get))
        .routes(routes!(answer))
        .routes(routes!(cancel))
        .routes(routes!(decline))
        .routes(routes!(call))
        .routes(routes!(carry_code))
        .routes(routes!(carried))
        .routes(routes!(leave))
        .routes(routes!(mine))
        .routes(routes!(open))
        .routes(routes!(get_request))
        .routes(routes!(claim))
        .routes(routes!(release))
        .routes(routes!(done))
        .routes(routes!(others))
}

/// Call me back: a new ticket in the same place, which needs no page to wait.
#[utoipa::path(post, path = "/tickets/{id}/call-back", params(("id" = String, Path)), responses((status = 200, body = CallBackTaken), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn take(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<CallBackTaken>, AppError> {
    callbacks::take(&app, &caller, object(&id)?)
        .await
        .map(axum::Json)
}

/// How a call-back stands.
#[utoipa::path(get, path = "/call-backs/{id}", params(("id" = String, Path)), responses((status = 200, body = CallBackView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn get(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<CallBackView>, AppError> {
    callbacks::own(&app, &caller.who, object(&id)?)
        .await
        .map(axum::Json)
}

/// Take the call.
#[utoipa::path(post, path = "/call-backs/{id}/answer", params(("id" = String, Path)), responses((status = 200, body = Accepted), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn answer(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<Accepted>, AppError> {
    callbacks::answer(&app, &caller, object(&id)?)
        .await
        .map(axum::Json)
}

/// No longer needed, or not now.
#[utoipa::path(post, path = "/call-backs/{id}/cancel", params(("id" = String, Path)), responses((status = 200, body = CallBackView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn cancel(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<CallBackView>, AppError> {
    callbacks::cancel(&app, &caller, object(&id)?)
        .await
        .map(axum::Json)
}

/// A word to the ring: not now (a try in vain, the next after five minutes), or no more. The agent's seat is ready at once.
#[utoipa::path(post, path = "/call-backs/{id}/decline", params(("id" = String, Path)), request_body = DeclineCallBack, responses((status = 200, body = CallBackView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn decline(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<DeclineCallBack>,
) -> Result<axum::Json<CallBackView>, AppError> {
    callbacks::decline(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}

/// Ring the citizen's phone: by the rung seat, for an offer with `call_back`.
#[utoipa::path(post, path = "/pairings/{id}/call", params(("id" = String, Path)), responses((status = 200, body = SeatView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn call(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<SeatView>, AppError> {
    callbacks::call(&app, &caller, object(&id)?)
        .await
        .map(axum::Json)
}

/// A code that carries the ticket to a phone, for ten minutes.
#[utoipa::path(post, path = "/tickets/{id}/carry", params(("id" = String, Path)), responses((status = 200, body = CarryCode), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn carry_code(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<CarryCode>, AppError> {
    carry::make(&app, &caller, object(&id)?)
        .await
        .map(axum::Json)
}

/// Exchange the code: by the phone that read it, once. The booth's visit ends.
#[utoipa::path(post, path = "/tickets/carry", request_body = OneTimeCode, responses((status = 200, body = VisitToken), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn carried(
    State(app): State<App>,
    Key(key): Key,
    Json(body): Json<OneTimeCode>,
) -> Result<axum::Json<VisitToken>, AppError> {
    carry::exchange(&app, key.as_deref(), &body.code)
        .await
        .map(axum::Json)
}

/// Leave a request, when nobody is on duty.
#[utoipa::path(post, path = "/requests", request_body = LeaveRequest, responses((status = 200, body = RequestView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn leave(
    State(app): State<App>,
    Call(caller): Call,
    Json(body): Json<LeaveRequest>,
) -> Result<axum::Json<RequestView>, AppError> {
    requests::leave(&app, &caller, body).await.map(axum::Json)
}

/// My requests, newest first.
#[utoipa::path(get, path = "/requests/mine", responses((status = 200, body = Items<RequestView>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn mine(
    State(app): State<App>,
    Call(caller): Call,
) -> Result<axum::Json<Items<RequestView>>, AppError> {
    let items = requests::mine(&app, &caller).await?;
    Ok(axum::Json(Items { items }))
}

/// What the hall's agents have to answer, oldest first.
#[utoipa::path(get, path = "/requests", responses((status = 200, body = Items<RequestItem>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn open(
    State(app): State<App>,
    Call(caller): Call,
) -> Result<axum::Json<Items<RequestItem>>, AppError> {
    let items = requests::open(&app, &caller).await?;
    Ok(axum::Json(Items { items }))
}

/// A request, for the agent who claimed it.
#[utoipa::path(get, path = "/requests/{id}", params(("id" = String, Path)), responses((status = 200, body = RequestFull), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn get_request(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<RequestFull>, AppError> {
    requests::get(&app, &caller, object(&id)?)
        .await
        .map(axum::Json)
}

/// Claim a request.
#[utoipa::path(post, path = "/requests/{id}/claim", params(("id" = String, Path)), responses((status = 200, body = RequestFull), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn claim(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<RequestFull>, AppError> {
    requests::claim(&app, &caller, object(&id)?)
        .await
        .map(axum::Json)
}

/// Give a request back.
#[utoipa::path(post, path = "/requests/{id}/release", params(("id" = String, Path)), responses((status = 200, body = RequestItem), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn release(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<RequestItem>, AppError> {
    requests::release(&app, &caller, object(&id)?)
        .await
        .map(axum::Json)
}

/// Answer a request.
#[utoipa::path(post, path = "/requests/{id}/done", params(("id" = String, Path)), request_body = AnswerRequest, responses((status = 200, body = RequestItem), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn done(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<AnswerRequest>,
) -> Result<axum::Json<RequestItem>, AppError> {
    requests::done(&app, &caller, object(&id)?, &body.answer)
        .await
        .map(axum::Json)
}

/// Another county: halls that consent to serve this one's people. Public.
#[utoipa::path(get, path = "/halls/{id}/others", params(("id" = String, Path)), responses((status = 200, body = Items<HallView>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn others(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<axum::Json<Items<HallView>>, AppError> {
    let items = halls::others(&app, object(&id)?).await?;
    Ok(axum::Json(Items { items }))
}
