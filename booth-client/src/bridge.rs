//! The page's door, `http://127.0.0.1:8091/v1/*`. Every request passes [`crate::guard::bridge`].
//!
//! | route | answer |
//! |-|-|
//! | `GET /v1/status` | `{booth, devices: {card_reader: "ready" or "absent"}}` |
//! | `POST /v1/login {nonce}` | `{booth, nonce, signature}`: SM2 over `protocol::booth_login_bytes` |
//! | `POST /v1/arm {nonce}` | 204; the next swipe within 120 s, or one of the last 10 s, is signed over the nonce |
//! | `POST /v1/disarm` | 204 |
//! | `POST /v1/wipe` | 204; kept cards forgotten, kiosk window made anew |
//! | `GET /v1/events` | SSE: `status`, `card_present` `{}`, `card_read` `CardRead` |
//!
//! Errors are RFC 9457: 403 `host_not_allowed`, `origin_not_allowed`; 422 `nonce_invalid`; 503 `card_reader_absent`, `too_many_listeners`.

use crate::{
    card::DeviceState,
    desk::Now,
    guard::{self, Origins},
    host::{Event, Host, LISTENERS_MAX},
};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    middleware,
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
    routing::{get, post},
};
use futures::{Stream, StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::broadcast::error::RecvError;

/// Longest request body, bytes.
const BODY_MAX: usize = 4096;
/// Longest nonce, characters (the server's have 43).
const NONCE_MAX: usize = 128;

/// RFC 9457, without words: the page has its own in both languages.
#[must_use]
pub fn problem(status: StatusCode, code: &str) -> Response {
    let body = serde_json::json!({
        "type": format!("https://cloud-booth.example/problems/{code}"),
        "title": code, "status": status.as_u16(), "code": code,
    });
    (
        status,
        [(header::CONTENT_TYPE, "application/problem+json")],
        body.to_string(),
    )
        .into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nonce {
    nonce: String,
}

impl Nonce {
    fn is_valid(&self) -> bool {
        (1..=NONCE_MAX).contains(&self.nonce.len())
            && self
                .nonce
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    }
}

#[derive(Serialize)]
struct Status<'a> {
    booth: &'a str,
    devices: Devices,
}

#[derive(Serialize)]
struct Devices {
    card_reader: DeviceState,
}

fn status_of(host: &Host) -> Status<'_> {
    Status {
        booth: &host.booth,
        devices: Devices {
            card_reader: host.reader.state(),
        },
    }
}

/// The bridge's routes for one host.
pub fn router(host: Arc<Host>, origins: Origins) -> Router {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/login", post(login))
        .route("/v1/arm", post(arm))
        .route("/v1/disarm", post(disarm))
        .route("/v1/wipe", post(wipe))
        .route("/v1/events", get(events))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(middleware::from_fn_with_state(
            Arc::new(origins),
            guard::bridge,
        ))
        .with_state(host)
}

async fn status(State(host): State<Arc<Host>>) -> Response {
    Json(status_of(&host)).into_response()
}

async fn login(State(host): State<Arc<Host>>, Json(body): Json<Nonce>) -> Response {
    if !body.is_valid() {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "nonce_invalid");
    }
    let signature = host.sign_login(&body.nonce);
    Json(protocol::BoothLogin {
        booth: host.booth.clone(),
        nonce: body.nonce,
        signature,
    })
    .into_response()
}

async fn arm(State(host): State<Arc<Host>>, Json(body): Json<Nonce>) -> Response {
    if !body.is_valid() {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "nonce_invalid");
    }
    if host.reader.state() == DeviceState::Absent {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "card_reader_absent");
    }
    host.arm(body.nonce, Now::read());
    StatusCode::NO_CONTENT.into_response()
}

async fn disarm(State(host): State<Arc<Host>>) -> StatusCode {
    host.disarm();
    StatusCode::NO_CONTENT
}

async fn wipe(State(host): State<Arc<Host>>) -> StatusCode {
    host.wipe();
    StatusCode::NO_CONTENT
}

async fn events(State(host): State<Arc<Host>>) -> Response {
    if host.events.receiver_count() >= LISTENERS_MAX {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "too_many_listeners");
    }
    Sse::new(follow(host))
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
        .into_response()
}

/// The state first, then what happens; a listener that fell behind goes on with what is left.
fn follow(host: Arc<Host>) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    let receiver = host.events.subscribe();
    let first = stream::iter([frame(&host, &Event::Status)]);
    let stop = host.stop.clone();
    let rest = stream::unfold((host, receiver), |(host, mut receiver)| async move {
        loop {
            match receiver.recv().await {
                Ok(event) => return Some((frame(&host, &event), (host, receiver))),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    });
    first.chain(rest).map(Ok).take_until(stop.cancelled_owned())
}

fn frame(host: &Host, event: &Event) -> sse::Event {
    let (name, data) = match event {
        Event::CardPresent => ("card_present", Ok("{}".to_owned())),
        Event::CardRead(read) => ("card_read", serde_json::to_string(read)),
        Event::Status => ("status", serde_json::to_string(&status_of(host))),
    };
    // These shapes always serialise; an empty object is what a page ignores.
    sse::Event::default()
        .event(name)
        .data(data.unwrap_or_else(|_| "{}".to_owned()))
}
