//! `GET /ws/check`: says back what it hears, so that a page learns before a call whether its network lets WebSockets through,
//! and how long they take. Needs no token, knows nobody, ends by itself. Limits: `ECHO_*` in `domain::limits`.

use super::origin_allowed;
use crate::{
    app::App,
    problem::{AppError, no},
};
use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::HeaderMap,
    response::Response,
};
use domain::limits;
use std::time::Duration;

/// Codes: `origin_refused`, `slow_down`.
pub async fn upgrade(
    State(app): State<App>,
    headers: HeaderMap,
    ws: WebSocketUpgrade,
) -> Result<Response, AppError> {
    if !origin_allowed(&headers, &app.public_url) {
        return Err(no("origin_refused"));
    }
    app.reach
        .rates
        .take("echo", "", limits::ECHOES_PER_MIN, app.now())?;
    Ok(ws
        .read_buffer_size(limits::WS_READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(limits::ECHO_BYTES)
        .max_frame_size(limits::ECHO_BYTES)
        .on_upgrade(|mut socket| async move {
            let life = Duration::from_secs(limits::ECHO_LIFE_S);
            let _ = tokio::time::timeout(life, echo(&mut socket)).await;
        }))
}

async fn echo(socket: &mut WebSocket) {
    for _ in 0..limits::ECHO_MESSAGES {
        let Some(Ok(m)) = socket.recv().await else {
            return;
        };
        let answered = match m {
            Message::Text(_) | Message::Binary(_) => socket.send(m).await,
            // The library answers these.
            Message::Ping(_) | Message::Pong(_) => Ok(()),
            Message::Close(_) => return,
        };
        if answered.is_err() {
            return;
        }
    }
    let _ = socket.send(Message::Close(None)).await;
}
