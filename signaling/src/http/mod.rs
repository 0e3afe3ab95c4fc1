//! HTTP: decode, authorise, call the app, encode; nothing else. Pages, API, WebSocket and the nodes' own calls.

pub mod extract;
mod internal;
mod pages;
mod range;
pub mod v1;

use crate::{app::App, problem::AppError, ws};
use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use domain::limits;
use protocol::Problem;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer, DefaultPredicate, Predicate as _, predicate::NotForContentType,
    },
};

/// What pages may load and reach. No inline script or style; the booth's own host on loopback is the one other origin.
fn content_policy(bridge: &str) -> HeaderValue {
    let p = format!(
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self' {bridge}; frame-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&p).unwrap_or_else(|_| HeaderValue::from_static("default-src 'self'"))
}

impl IntoResponse for AppError {
    /// The body is written by [`problems`], which knows the caller's language.
    fn into_response(self) -> Response {
        if matches!(self, Self::Store(_)) {
            tracing::error!(error = %self, "a request failed");
        }
        let status = StatusCode::from_u16(crate::problem::kind_of(self.code()).status)
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut r = status.into_response();
        r.extensions_mut().insert(self);
        r
    }
}

/// RFC 9457 in the language that the caller reads.
fn problem_response(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut r = (
        status,
        [(header::CONTENT_TYPE, "application/problem+json")],
        serde_json::to_vec(problem).unwrap_or_default(),
    )
        .into_response();
    if let Some(s) = problem.retry_after {
        r.headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(s));
    }
    r
}

async fn problems(request: Request, next: Next) -> Response {
    let language = extract::language(request.headers());
    let api = request.uri().path().starts_with("/api/");
    let r = next.run(request).await;
    if let Some(e) = r.extensions().get::<AppError>() {
        return problem_response(&e.problem(language));
    }
    // What the framework refuses by itself is told in the same form.
    let code = match r.status() {
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        StatusCode::NOT_FOUND if api => "not_found",
        StatusCode::METHOD_NOT_ALLOWED if api => "not_found",
        _ => return r,
    };
    problem_response(&crate::problem::no(code).problem(language))
}

async fn harden(State(policy): State<HeaderValue>, request: Request, next: Next) -> Response {
    let api = request.uri().path().starts_with("/api/");
    let mut r = next.run(request).await;
    let h = r.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            header::HeaderName::from_static("permissions-policy"),
            "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
        ),
        (
            header::HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        h.insert(name, HeaderValue::from_static(value));
    }
    h.insert(header::CONTENT_SECURITY_POLICY, policy);
    if api && !h.contains_key(header::CACHE_CONTROL) {
        h.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    r
}

async fn ready(State(app): State<App>) -> Response {
    let ok = app.store.healthy().await;
    let status = if ok {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        axum::Json(serde_json::json!({"database": ok, "media": app.media.engine().is_some()})),
    )
        .into_response()
}

fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> axum::http::Response<Body> {
    crate::problem::no("internal").into_response()
}

/// All that the server answers.
pub fn router(app: App) -> Router {
    let (api, _) = v1::router();
    let json = v1::document().to_string();
    Router::new()
        .merge(api)
        .route(
            "/api/v1/openapi.json",
            get(move || async move { ([(header::CONTENT_TYPE, "application/json")], json) }),
        )
        .route("/ws", get(ws::upgrade))
        .route("/ws/check", get(ws::echo::upgrade))
        .route("/internal/v1/media", post(internal::media))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/", get(|| async { Redirect::temporary("/phone/") }))
        .fallback(pages::serve)
        .layer(DefaultBodyLimit::max(limits::HTTP_JSON_BYTES))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(problems))
        .layer(middleware::from_fn_with_state(
            content_policy(&app.bridge_url),
            harden,
        ))
        // Pictures that move are small already, and an answer's length must be the file's.
        .layer(
            CompressionLayer::new().compress_when(
                DefaultPredicate::new()
                    .and(NotForContentType::const_new("video/"))
                    .and(NotForContentType::const_new("audio/")),
            ),
        )
        .with_state(app)
}
