//! Sessions (会话): what is not said over the WebSocket.

use super::cases::file;
use crate::{
    app::{App, call_flow, case_papers, handoff, handover, materials, session_view},
    http::extract::{Call, Json, object},
    problem::AppError,
};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::{body::Bytes, response::Response};
use protocol::{
    EndSession, FormView, HandOff, HandoverCode, MaterialView, SeatView, SessionView, WrapUp,
};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
pub struct NewMaterial {
    /// Which material of the item; `still` for a free picture.
    pub code: String,
    /// The file's own name; kept with a case's uploads alone.
    #[serde(default)]
    pub name: String,
}

use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get))
        .routes(routes!(form))
        .routes(routes!(end))
        .routes(routes!(wrap_up))
        // A photo is larger than any JSON body.
        .merge(
            OpenApiRouter::new()
                .routes(routes!(add_material))
                .layer(DefaultBodyLimit::max(domain::limits::MATERIAL_BYTES)),
        )
        .routes(routes!(material))
        .routes(routes!(hand_off))
        .routes(routes!(receipt))
        .routes(routes!(handover_code))
}

/// The session as its member sees it.
#[utoipa::path(get, path = "/sessions/{id}", params(("id" = String, Path)), responses((status = 200, body = SessionView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn get(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<SessionView>, AppError> {
    session_view::get(&app, &caller.who, object(&id)?)
        .await
        .map(axum::Json)
}

/// The shared form as its member sees it.
#[utoipa::path(get, path = "/sessions/{id}/form", params(("id" = String, Path)), responses((status = 200, body = FormView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn form(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<FormView>, AppError> {
    session_view::form(&app, &caller.who, object(&id)?)
        .await
        .map(axum::Json)
}

/// End.
#[utoipa::path(post, path = "/sessions/{id}/end", params(("id" = String, Path)), request_body = EndSession, responses((status = 200, body = SessionView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn end(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<EndSession>,
) -> Result<axum::Json<SessionView>, AppError> {
    call_flow::end(&app, &caller, object(&id)?, body.reason)
        .await
        .map(axum::Json)
}

/// Wrap-up (整理) with a disposition.
#[utoipa::path(post, path = "/sessions/{id}/wrap-up", params(("id" = String, Path)), request_body = WrapUp, responses((status = 200, body = SeatView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn wrap_up(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<WrapUp>,
) -> Result<axum::Json<SeatView>, AppError> {
    call_flow::wrap_up(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}

/// A photo or PDF, as it is.
#[utoipa::path(post, path = "/sessions/{id}/materials", params(("id" = String, Path), NewMaterial), request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 200, body = MaterialView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn add_material(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Query(q): Query<NewMaterial>,
    bytes: Bytes,
) -> Result<axum::Json<MaterialView>, AppError> {
    materials::add(&app, &caller, object(&id)?, q.code, bytes.to_vec())
        .await
        .map(axum::Json)
}

/// The file of a material.
#[utoipa::path(get, path = "/sessions/{id}/materials/{material}", params(("id" = String, Path), ("material" = String, Path)), responses((status = 200), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn material(
    State(app): State<App>,
    Call(caller): Call,
    Path((s, m)): Path<(String, String)>,
) -> Result<Response, AppError> {
    materials::read(&app, &caller.who, object(&s)?, object(&m)?)
        .await
        .map(|(kind, bytes)| file(&kind, bytes))
}

/// Received and accepted (收件受理), with number, receipt and clock.
#[utoipa::path(post, path = "/sessions/{id}/hand-off", params(("id" = String, Path)), responses((status = 200, body = HandOff), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn hand_off(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<HandOff>, AppError> {
    handoff::hand_off(&app, &caller, object(&id)?)
        .await
        .map(axum::Json)
}

/// The dated receipt.
#[utoipa::path(get, path = "/sessions/{id}/receipt.pdf", params(("id" = String, Path)), responses((status = 200), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn receipt(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    case_papers::receipt_of_session(&app, &caller.who, object(&id)?)
        .await
        .map(|b| file("application/pdf", b))
}

/// The QR code that carries the case to the phone.
#[utoipa::path(post, path = "/sessions/{id}/handover-code", params(("id" = String, Path)), responses((status = 200, body = HandoverCode), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn handover_code(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<HandoverCode>, AppError> {
    handover::make(&app, &caller, object(&id)?)
        .await
        .map(axum::Json)
}
