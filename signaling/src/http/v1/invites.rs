//! Help within a session (咨询、邀请、转接), guests, notes and history.

use super::Items;
use crate::{
    app::{App, guests, invites, notes},
    http::extract::{Call, Json, Key, object},
    problem::AppError,
};
use axum::extract::{Path, State};
use protocol::{
    Colleagues, ExchangeGuest, GuestToken, HistoryView, InviteStep, InviteView, Invited, NewInvite,
    NewNote, NoteView,
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(step))
        .routes(routes!(guest))
        .routes(routes!(note, list_notes))
        .routes(routes!(history))
        .routes(routes!(colleagues))
}

/// Consult, invite, transfer; by the session's agent.
#[utoipa::path(post, path = "/sessions/{id}/invites", params(("id" = String, Path)), request_body = NewInvite, responses((status = 200, body = Invited), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn create(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<NewInvite>,
) -> Result<axum::Json<Invited>, AppError> {
    invites::create(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}

/// Who could be asked for help, in my hall and in those that serve its people; for agents.
#[utoipa::path(get, path = "/halls/{id}/colleagues", params(("id" = String, Path)), responses((status = 200, body = Colleagues), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn colleagues(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<Colleagues>, AppError> {
    invites::colleagues(&app, &caller.who, object(&id)?)
        .await
        .map(axum::Json)
}

/// Answer, introduce, finish, take back.
#[utoipa::path(post, path = "/invites/{id}/step", params(("id" = String, Path)), request_body = InviteStep, responses((status = 200, body = InviteView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn step(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<InviteStep>,
) -> Result<axum::Json<InviteView>, AppError> {
    invites::step(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}

/// A family member opens the link, once.
#[utoipa::path(post, path = "/guests", request_body = ExchangeGuest, responses((status = 200, body = GuestToken), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn guest(
    State(app): State<App>,
    Key(key): Key,
    Json(body): Json<ExchangeGuest>,
) -> Result<axum::Json<GuestToken>, AppError> {
    guests::exchange(&app, key.as_deref(), body)
        .await
        .map(axum::Json)
}

/// A note for the other staff of the session.
#[utoipa::path(post, path = "/sessions/{id}/notes", params(("id" = String, Path)), request_body = NewNote, responses((status = 200, body = NoteView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn note(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<NewNote>,
) -> Result<axum::Json<NoteView>, AppError> {
    notes::add(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}

/// The notes of the session's staff.
#[utoipa::path(get, path = "/sessions/{id}/notes", params(("id" = String, Path)), responses((status = 200, body = Items<NoteView>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn list_notes(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<Items<NoteView>>, AppError> {
    Ok(axum::Json(Items {
        items: notes::list(&app, &caller.who, object(&id)?).await?,
    }))
}

/// The citizen's earlier visits and cases, masked; for the agent of the live session, and in the audit log.
#[utoipa::path(get, path = "/sessions/{id}/history", params(("id" = String, Path)), responses((status = 200, body = HistoryView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn history(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<HistoryView>, AppError> {
    notes::history(&app, &caller.who, object(&id)?)
        .await
        .map(axum::Json)
}
