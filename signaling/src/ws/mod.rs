//! The WebSocket: handshake, frames, one actor a connection. See `docs/protocol.md`.
//!
//! An actor owns no state that matters: it remembers what it has sent, so as to send less. It reads rows after a wake-up
//! and lets the use cases do the rest.

mod actor;
mod commands;
pub mod echo;

use crate::{
    app::{App, auth},
    problem::{AppError, no},
};
use axum::{
    extract::{State, WebSocketUpgrade},
    http::{HeaderMap, header},
    response::Response,
};
use domain::limits;
use protocol::SUBPROTOCOL;

/// Bytes that may wait for a slow reader before it is cut.
const WRITE_BUFFER_MAX: usize = 2 * 1024 * 1024;

/// Pages of this installation alone may connect: a browser always says where a page comes from. Native clients send none.
fn origin_allowed(headers: &HeaderMap, public_url: &str) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let host = headers
        .get(header::HOST)
        .and_then(|h| h.to_str().ok())
        .unwrap_or_default();
    origin == public_url
        || origin
            .split_once("://")
            .is_some_and(|(_, h)| !host.is_empty() && h == host)
}

/// `GET /ws`, with the subprotocols `cloud-booth.v1` and `ticket.<secret>`.
pub async fn upgrade(
    State(app): State<App>,
    headers: HeaderMap,
    ws: WebSocketUpgrade,
) -> Result<Response, AppError> {
    if !origin_allowed(&headers, &app.public_url) {
        return Err(no("origin_refused"));
    }
    let offered = headers
        .get(header::SEC_WEBSOCKET_PROTOCOL)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let ticket = offered
        .split(',')
        .map(str::trim)
        .find_map(|p| p.strip_prefix("ticket."))
        .ok_or_else(|| no("signed_out"))?
        .to_owned();
    let who = auth::spend_ws_ticket(&app, &ticket).await?;
    Ok(ws
        .protocols([SUBPROTOCOL])
        .read_buffer_size(limits::WS_READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_MAX)
        .max_message_size(limits::WS_MESSAGE_BYTES)
        .max_frame_size(limits::WS_MESSAGE_BYTES)
        .on_upgrade(move |socket| Box::pin(actor::run(app, who, socket))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn another_site_is_refused() {
        let mut h = HeaderMap::new();
        h.insert(header::HOST, HeaderValue::from_static("127.0.0.1:8080"));
        assert!(
            origin_allowed(&h, "http://x"),
            "native clients send no origin"
        );
        h.insert(
            header::ORIGIN,
            HeaderValue::from_static("http://127.0.0.1:8080"),
        );
        assert!(origin_allowed(&h, "http://x"));
        h.insert(
            header::ORIGIN,
            HeaderValue::from_static("http://evil.example"),
        );
        assert!(!origin_allowed(&h, "http://x"));
    }
}
