//! The simulator's page at `/`: the demo people's cards, press = swipe. Owns nothing but the page; it exists only where the
//! reader is simulated, and it says so in large letters. Numbers are shown masked.

use crate::{
    bridge::problem,
    card::{CardReader as _, DeviceState},
    guard,
    host::Host,
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderName, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use std::sync::Arc;

const HTML: &str = include_str!("demo/index.html");
const CSS: &str = include_str!("demo/demo.css");
const JS: &str = include_str!("demo/demo.js");
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub fn router(host: Arc<Host>) -> Router {
    Router::new()
        .route(
            "/",
            get(|| async { asset("text/html; charset=utf-8", HTML) }),
        )
        .route(
            "/demo.css",
            get(|| async { asset("text/css; charset=utf-8", CSS) }),
        )
        .route(
            "/demo.js",
            get(|| async { asset("text/javascript; charset=utf-8", JS) }),
        )
        .route("/demo/state", get(state))
        .route("/demo/swipe/{id}", post(swipe))
        .route("/demo/reader/{state}", post(reader))
        .layer(middleware::from_fn(guard::own_page))
        .with_state(host)
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers: [(HeaderName, &str); 4] = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, text).into_response()
}

async fn state(State(host): State<Arc<Host>>) -> Response {
    let Some((reader, people)) = &host.simulator else {
        return problem(StatusCode::NOT_FOUND, "no_simulator");
    };
    let cards: Vec<_> =
        people.iter().map(|p| serde_json::json!({"id": p.id, "name": p.name, "number": p.number_masked(), "note": p.note})).collect();
    Json(serde_json::json!({
        "booth": host.booth, "armed": host.is_armed(), "reader": reader.state(), "cards": cards,
    }))
    .into_response()
}

async fn swipe(State(host): State<Arc<Host>>, Path(id): Path<String>) -> Response {
    let Some((reader, people)) = &host.simulator else {
        return problem(StatusCode::NOT_FOUND, "no_simulator");
    };
    let Some(person) = people.iter().find(|p| p.id == id) else {
        return problem(StatusCode::NOT_FOUND, "no_such_card");
    };
    if reader.state() == DeviceState::Absent || !reader.swipe(person.card()) {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "card_reader_absent");
    }
    StatusCode::NO_CONTENT.into_response()
}

async fn reader(State(host): State<Arc<Host>>, Path(wanted): Path<String>) -> Response {
    let Some((reader, _)) = &host.simulator else {
        return problem(StatusCode::NOT_FOUND, "no_simulator");
    };
    match wanted.as_str() {
        "ready" => reader.set_present(true),
        "absent" => reader.set_present(false),
        _ => return problem(StatusCode::NOT_FOUND, "no_such_state"),
    }
    StatusCode::NO_CONTENT.into_response()
}
