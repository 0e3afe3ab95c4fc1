//! Queues of a hall: rules, overflow, consent between halls, AB seats; tickets as supervisors move them; skills of staff.

use super::Items;
use crate::{
    app::{App, queues, supervise},
    http::extract::{Call, Json, object},
    problem::AppError,
};
use axum::extract::{Path, State};
use protocol::{
    HallConsents, HallStaff, ItemPair, MoveTicket, PutHallConsent, PutItemPair, PutOverflow,
    PutQueue, PutStaffSkills, QueueView, StaffSkills, TicketLine,
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(put))
        .routes(routes!(overflow))
        .routes(routes!(consents))
        .routes(routes!(consent))
        .routes(routes!(pairs))
        .routes(routes!(put_pair))
        .routes(routes!(remove_pair))
        .routes(routes!(staff))
        .routes(routes!(skills))
        .routes(routes!(put_skills))
        .routes(routes!(tickets))
        .routes(routes!(move_ticket))
}

/// Queues with their rules as they act.
#[utoipa::path(get, path = "/halls/{id}/queues", params(("id" = String, Path)), responses((status = 200, body = Items<QueueView>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn list(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<Items<QueueView>>, AppError> {
    Ok(axum::Json(Items {
        items: queues::list(&app, &caller.who, object(&id)?).await?,
    }))
}

/// Keep a queue's rule.
#[utoipa::path(put, path = "/halls/{id}/queues/{code}", params(("id" = String, Path), ("code" = String, Path)), request_body = PutQueue, responses((status = 200, body = QueueView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn put(
    State(app): State<App>,
    Call(caller): Call,
    Path((id, code)): Path<(String, String)>,
    Json(body): Json<PutQueue>,
) -> Result<axum::Json<QueueView>, AppError> {
    queues::save(&app, &caller, object(&id)?, code, body)
        .await
        .map(axum::Json)
}

/// Let another hall serve a queue too until switched off, or no longer.
#[utoipa::path(put, path = "/halls/{id}/queues/{code}/overflow", params(("id" = String, Path), ("code" = String, Path)), request_body = PutOverflow, responses((status = 200, body = QueueView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn overflow(
    State(app): State<App>,
    Call(caller): Call,
    Path((id, code)): Path<(String, String)>,
    Json(body): Json<PutOverflow>,
) -> Result<axum::Json<QueueView>, AppError> {
    queues::overflow(&app, &caller, object(&id)?, code, body)
        .await
        .map(axum::Json)
}

/// Whose citizens this hall serves too, and who serves its own.
#[utoipa::path(get, path = "/halls/{id}/consents", params(("id" = String, Path)), responses((status = 200, body = HallConsents), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn consents(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<HallConsents>, AppError> {
    queues::consents(&app, &caller.who, object(&id)?)
        .await
        .map(axum::Json)
}

/// Serve another hall's citizens, or no longer.
#[utoipa::path(put, path = "/halls/{id}/consents/{from}", params(("id" = String, Path), ("from" = String, Path)), request_body = PutHallConsent, responses((status = 200, body = HallConsents), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn consent(
    State(app): State<App>,
    Call(caller): Call,
    Path((id, from)): Path<(String, String)>,
    Json(body): Json<PutHallConsent>,
) -> Result<axum::Json<HallConsents>, AppError> {
    queues::consent(&app, &caller, object(&id)?, object(&from)?, body)
        .await
        .map(axum::Json)
}

/// AB seats of items.
#[utoipa::path(get, path = "/halls/{id}/item-pairs", params(("id" = String, Path)), responses((status = 200, body = Items<ItemPair>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn pairs(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<Items<ItemPair>>, AppError> {
    Ok(axum::Json(Items {
        items: queues::pairs(&app, &caller.who, object(&id)?).await?,
    }))
}

/// Set the AB seats of an item.
#[utoipa::path(put, path = "/halls/{id}/item-pairs/{item}", params(("id" = String, Path), ("item" = String, Path)), request_body = PutItemPair, responses((status = 200, body = Items<ItemPair>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn put_pair(
    State(app): State<App>,
    Call(caller): Call,
    Path((id, item)): Path<(String, String)>,
    Json(body): Json<PutItemPair>,
) -> Result<axum::Json<Items<ItemPair>>, AppError> {
    Ok(axum::Json(Items {
        items: queues::put_pair(&app, &caller, object(&id)?, item, Some(body)).await?,
    }))
}

/// The item has no AB seats any more.
#[utoipa::path(delete, path = "/halls/{id}/item-pairs/{item}", params(("id" = String, Path), ("item" = String, Path)), responses((status = 200, body = Items<ItemPair>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn remove_pair(
    State(app): State<App>,
    Call(caller): Call,
    Path((id, item)): Path<(String, String)>,
) -> Result<axum::Json<Items<ItemPair>>, AppError> {
    Ok(axum::Json(Items {
        items: queues::put_pair(&app, &caller, object(&id)?, item, None).await?,
    }))
}

/// Who works in the hall, with the level of each skill.
#[utoipa::path(get, path = "/halls/{id}/staff", params(("id" = String, Path)), responses((status = 200, body = Items<HallStaff>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn staff(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<Items<HallStaff>>, AppError> {
    Ok(axum::Json(Items {
        items: queues::staff(&app, &caller.who, object(&id)?).await?,
    }))
}

/// What a person may serve.
#[utoipa::path(get, path = "/staff/{id}/skills", params(("id" = String, Path)), responses((status = 200, body = StaffSkills), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn skills(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<StaffSkills>, AppError> {
    queues::skills(&app, &caller.who, object(&id)?)
        .await
        .map(axum::Json)
}

/// Set what a person may serve, and how well.
#[utoipa::path(put, path = "/staff/{id}/skills", params(("id" = String, Path)), request_body = PutStaffSkills, responses((status = 200, body = StaffSkills), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn put_skills(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<PutStaffSkills>,
) -> Result<axum::Json<StaffSkills>, AppError> {
    queues::put_skills(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}

/// Who is in line, in order of service.
#[utoipa::path(get, path = "/halls/{id}/tickets", params(("id" = String, Path)), responses((status = 200, body = Items<TicketLine>), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn tickets(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<Items<TicketLine>>, AppError> {
    Ok(axum::Json(Items {
        items: supervise::tickets(&app, &caller.who, object(&id)?).await?,
    }))
}

/// Put a waiting ticket elsewhere.
#[utoipa::path(post, path = "/tickets/{id}/move", params(("id" = String, Path)), request_body = MoveTicket, responses((status = 200, body = TicketLine), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn move_ticket(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<MoveTicket>,
) -> Result<axum::Json<TicketLine>, AppError> {
    supervise::move_ticket(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}
