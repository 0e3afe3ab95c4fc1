//! The socket under a line: handshake with a single-use ticket, frames as text.

use crate::call::http::{Api, Fault};
use futures::{SinkExt as _, StreamExt as _};
use protocol::{ClientFrame, PROTOCOL_VERSION, Problem, SUBPROTOCOL, ServerFrame, WsTicket};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        http::{HeaderValue, header::SEC_WEBSOCKET_PROTOCOL},
        protocol::WebSocketConfig,
    },
};

/// Largest frame from the server, bytes; its own limit for ours is a quarter of it.
const FRAME_MAX: usize = 1 << 20;

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A fresh ticket, the handshake, hello; answers how long a silence is a dead line.
pub(super) async fn connect(api: &Api) -> Result<(Socket, Duration), Fault> {
    let nothing = serde_json::json!({});
    let ticket: WsTicket = api.post("/ws-tickets", &nothing).await?;
    let strange = |e: &dyn std::fmt::Display| Fault::Strange(e.to_string());
    let url = format!("{}/ws", api.base().replacen("http", "ws", 1));
    let mut request = url.into_client_request().map_err(|e| strange(&e))?;
    let offered = format!("{SUBPROTOCOL}, ticket.{}", ticket.ticket);
    let offered = HeaderValue::from_str(&offered).map_err(|e| strange(&e))?;
    request
        .headers_mut()
        .insert(SEC_WEBSOCKET_PROTOCOL, offered);
    let connector = match &api.tls {
        Some(tls) => Connector::Rustls(tls.clone()),
        None => Connector::Plain,
    };
    let limits = WebSocketConfig::default()
        .max_message_size(Some(FRAME_MAX))
        .max_frame_size(Some(FRAME_MAX));
    let connecting = connect_async_tls_with_config(request, Some(limits), true, Some(connector));
    let (mut socket, _) = connecting.await.map_err(|e| refusal(&e))?;
    let hello = ClientFrame::Hello {
        versions: vec![PROTOCOL_VERSION],
        language: api.language(),
        client: "headless".into(),
    };
    say(&mut socket, &hello).await.map_err(|e| refusal(&e))?;
    loop {
        match hear(&mut socket).await {
            Some(ServerFrame::Welcome { limits, .. }) => {
                let dead = Duration::from_secs(u64::from(limits.dead_s.max(5)));
                return Ok((socket, dead));
            }
            Some(ServerFrame::Error { problem }) => {
                return Err(Fault::Refused(Box::new(problem)));
            }
            Some(_) => {}
            None => return Err(Fault::Unreachable("the line was closed".into())),
        }
    }
}

pub(super) async fn say(socket: &mut Socket, frame: &ClientFrame) -> Result<(), Error> {
    let text = serde_json::to_string(frame).unwrap_or_default();
    socket.send(Message::text(text)).await
}

/// The next frame that is known; none: the line is gone. Frames may be added within a version: others are passed over.
pub(super) async fn hear(socket: &mut Socket) -> Option<ServerFrame> {
    loop {
        match socket.next().await? {
            Ok(Message::Text(text)) => {
                if let Ok(frame) = serde_json::from_str(&text) {
                    return Some(frame);
                }
            }
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

/// A refused handshake holds a problem.
fn refusal(error: &Error) -> Fault {
    if let Error::Http(r) = error {
        let body = r.body().as_deref().unwrap_or_default();
        if let Ok(problem) = serde_json::from_slice::<Problem>(body) {
            return Fault::Refused(Box::new(problem));
        }
        if !r.status().is_server_error() {
            return Fault::Strange(r.status().to_string());
        }
    }
    Fault::Unreachable(error.to_string())
}
