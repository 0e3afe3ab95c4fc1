//! Cases (办件) after hand-off.

use super::sessions::NewMaterial;
use crate::{
    app::{App, case_papers, cases, handover, issue, ratings},
    http::extract::{Call, Json, Key, object},
    problem::AppError,
};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::{
    body::Bytes,
    http::header,
    response::{IntoResponse as _, Response},
};
use protocol::{
    AskCorrection, AtVersion, CaseList, CaseToken, CaseView, ExchangeCode, Grant, Rate, RatingView,
    Refuse, ReplyCorrection,
};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
struct Work {
    /// `review`, `issue`, `done`
    queue: String,
    after: Option<String>,
    limit: Option<i64>,
}

/// A file that is shown, never guessed at and never cached.
pub fn file(kind: &str, bytes: Vec<u8>) -> Response {
    (
        [
            (header::CONTENT_TYPE, kind.to_owned()),
            (header::CONTENT_DISPOSITION, "inline".to_owned()),
        ],
        bytes,
    )
        .into_response()
}

use utoipa_axum::{router::OpenApiRouter, routes};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(claim))
        .routes(routes!(release))
        .routes(routes!(correction))
        .routes(routes!(refuse))
        .routes(routes!(grant))
        .routes(routes!(withdraw))
        .routes(routes!(reply))
        .routes(routes!(issue))
        // A photo is larger than any JSON body.
        .merge(
            OpenApiRouter::new()
                .routes(routes!(add_material))
                .layer(DefaultBodyLimit::max(domain::limits::MATERIAL_BYTES)),
        )
        .routes(routes!(material))
        .routes(routes!(receipt))
        .routes(routes!(certificate))
        .routes(routes!(decision))
        .routes(routes!(signature))
        .routes(routes!(rate))
        .routes(routes!(exchange))
}

/// My work.
#[utoipa::path(get, path = "/cases", params(Work), responses((status = 200, body = CaseList), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn list(
    State(app): State<App>,
    Call(caller): Call,
    Query(q): Query<Work>,
) -> Result<axum::Json<CaseList>, AppError> {
    cases::list(
        &app,
        &caller.who,
        &q.queue,
        q.after.as_deref(),
        q.limit.unwrap_or(50),
    )
    .await
    .map(axum::Json)
}

/// One case as the caller may see it.
#[utoipa::path(get, path = "/cases/{id}", params(("id" = String, Path)), responses((status = 200, body = CaseView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn get(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<axum::Json<CaseView>, AppError> {
    cases::get(&app, &caller.who, object(&id)?)
        .await
        .map(axum::Json)
}

/// Work on it.
#[utoipa::path(post, path = "/cases/{id}/claim", params(("id" = String, Path)), request_body = AtVersion, responses((status = 200, body = CaseView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn claim(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<AtVersion>,
) -> Result<axum::Json<CaseView>, AppError> {
    cases::claim(&app, &caller, object(&id)?, body.version)
        .await
        .map(axum::Json)
}

/// Give it back.
#[utoipa::path(post, path = "/cases/{id}/release", params(("id" = String, Path)), request_body = AtVersion, responses((status = 200, body = CaseView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn release(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<AtVersion>,
) -> Result<axum::Json<CaseView>, AppError> {
    cases::release(&app, &caller, object(&id)?, body.version)
        .await
        .map(axum::Json)
}

/// One complete notice (一次性告知).
#[utoipa::path(post, path = "/cases/{id}/correction", params(("id" = String, Path)), request_body = AskCorrection, responses((status = 200, body = CaseView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn correction(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<AskCorrection>,
) -> Result<axum::Json<CaseView>, AppError> {
    cases::ask_correction(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}

/// With reasons and remedies.
#[utoipa::path(post, path = "/cases/{id}/refuse", params(("id" = String, Path)), request_body = Refuse, responses((status = 200, body = CaseView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn refuse(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<Refuse>,
) -> Result<axum::Json<CaseView>, AppError> {
    cases::refuse(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}

/// With an opinion; goes to issuance.
#[utoipa::path(post, path = "/cases/{id}/grant", params(("id" = String, Path)), request_body = Grant, responses((status = 200, body = CaseView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn grant(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<Grant>,
) -> Result<axum::Json<CaseView>, AppError> {
    cases::grant(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}

/// By the applicant, before the decision.
#[utoipa::path(post, path = "/cases/{id}/withdraw", params(("id" = String, Path)), request_body = AtVersion, responses((status = 200, body = CaseView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn withdraw(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<AtVersion>,
) -> Result<axum::Json<CaseView>, AppError> {
    cases::withdraw(&app, &caller, object(&id)?, body.version)
        .await
        .map(axum::Json)
}

/// By the citizen.
#[utoipa::path(post, path = "/cases/{id}/correction-reply", params(("id" = String, Path)), request_body = ReplyCorrection, responses((status = 200, body = CaseView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn reply(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<ReplyCorrection>,
) -> Result<axum::Json<CaseView>, AppError> {
    cases::reply_correction(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}

/// Seal and issue; afterwards only revocable.
#[utoipa::path(post, path = "/cases/{id}/issue", params(("id" = String, Path)), request_body = AtVersion, responses((status = 200, body = CaseView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn issue(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<AtVersion>,
) -> Result<axum::Json<CaseView>, AppError> {
    issue::issue(&app, &caller, object(&id)?, body.version)
        .await
        .map(axum::Json)
}

/// By the citizen, while a correction is open.
#[utoipa::path(post, path = "/cases/{id}/materials", params(("id" = String, Path), NewMaterial), request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 200, body = CaseView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn add_material(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Query(q): Query<NewMaterial>,
    bytes: Bytes,
) -> Result<axum::Json<CaseView>, AppError> {
    cases::add_material(&app, &caller, object(&id)?, q.code, q.name, bytes.to_vec())
        .await
        .map(axum::Json)
}

/// The file of a material.
#[utoipa::path(get, path = "/cases/{id}/materials/{material}", params(("id" = String, Path), ("material" = String, Path)), responses((status = 200), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn material(
    State(app): State<App>,
    Call(caller): Call,
    Path((c, m)): Path<(String, String)>,
) -> Result<Response, AppError> {
    case_papers::material(&app, &caller.who, object(&c)?, object(&m)?)
        .await
        .map(|(kind, bytes)| file(&kind, bytes))
}

/// The dated receipt.
#[utoipa::path(get, path = "/cases/{id}/receipt.pdf", params(("id" = String, Path)), responses((status = 200), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn receipt(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    case_papers::receipt(&app, &caller.who, object(&id)?)
        .await
        .map(|b| file("application/pdf", b))
}

/// The issued paper; before issue, for the issuer, what it would be.
#[utoipa::path(get, path = "/cases/{id}/certificate.pdf", params(("id" = String, Path)), responses((status = 200), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn certificate(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    case_papers::certificate(&app, &caller.who, object(&id)?)
        .await
        .map(|b| file("application/pdf", b))
}

/// The refusal or the one-time notice.
#[utoipa::path(get, path = "/cases/{id}/decision.pdf", params(("id" = String, Path)), responses((status = 200), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn decision(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    case_papers::decision(&app, &caller.who, object(&id)?)
        .await
        .map(|b| file("application/pdf", b))
}

/// The handwritten signature.
#[utoipa::path(get, path = "/cases/{id}/signature.png", params(("id" = String, Path)), responses((status = 200), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn signature(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    case_papers::signature_png(&app, &caller.who, object(&id)?)
        .await
        .map(|b| file("image/png", b))
}

/// 好差评, once, voluntary.
#[utoipa::path(post, path = "/cases/{id}/rating", params(("id" = String, Path)), request_body = Rate, responses((status = 200, body = RatingView), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn rate(
    State(app): State<App>,
    Call(caller): Call,
    Path(id): Path<String>,
    Json(body): Json<Rate>,
) -> Result<axum::Json<RatingView>, AppError> {
    ratings::rate(&app, &caller, object(&id)?, body)
        .await
        .map(axum::Json)
}

/// The one-time code of the QR for a case-scoped token.
#[utoipa::path(post, path = "/handover-codes/exchange", request_body = ExchangeCode, responses((status = 200, body = CaseToken), (status = "default", body = protocol::Problem, content_type = "application/problem+json")))]
async fn exchange(
    State(app): State<App>,
    Key(key): Key,
    Json(body): Json<ExchangeCode>,
) -> Result<axum::Json<CaseToken>, AppError> {
    handover::exchange(&app, key.as_deref(), body.code)
        .await
        .map(axum::Json)
}
