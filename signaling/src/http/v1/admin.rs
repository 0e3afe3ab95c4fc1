//! The administrator's overview and the audit of one object.

use crate::{
    app::{App, admin, token::Principal},
    http::extract::Call,
    problem::{AppError, no},
};
use axum::extract::{Query, State};
use protocol::{AdminOverview, AuditList, Role};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(overview))
        .routes(routes!(audit))
}

#[derive(Deserialize, IntoParams)]
struct Of {
    /// An object's id.
    object: String,
}

fn administrator(who: &Principal) -> Result<(), AppError> {
    match who {
        Principal::Staff { roles, .. } if roles.contains(&Role::Admin) => Ok(()),
        _ => Err(no("role_missing")),
    }
}

/// Staff, seats, booths, items, head of the audit log.
#[utoipa::path(get, path = "/admin/overview", responses((status = 200, body = AdminOverview), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn overview(
    State(app): State<App>,
    Call(caller): Call,
) -> Result<axum::Json<AdminOverview>, AppError> {
    administrator(&caller.who)?;
    admin::overview(&app).await.map(axum::Json)
}

/// Who did what to an object.
#[utoipa::path(get, path = "/admin/audit", params(Of), responses((status = 200, body = AuditList), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn audit(
    State(app): State<App>,
    Call(caller): Call,
    Query(of): Query<Of>,
) -> Result<axum::Json<AuditList>, AppError> {
    administrator(&caller.who)?;
    admin::audit(&app, &of.object).await.map(axum::Json)
}
