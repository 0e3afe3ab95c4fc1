//! One WebSocket as a page has it: a real single-use ticket, hello, welcome, heartbeats answered.

use crate::api::Api;
use anyhow::{Context as _, Result, bail};
use futures::{SinkExt as _, StreamExt as _};
use protocol::{ClientFrame, Language, PROTOCOL_VERSION, SUBPROTOCOL, ServerFrame};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Message, client::IntoClientRequest as _, http::HeaderValue, protocol::WebSocketConfig,
    },
};

/// Handshake and welcome, each.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// Ten thousand of these live in one generator.
const BUFFER: usize = 4 * 1024;

pub struct Wire(WebSocketStream<TcpStream>);

impl Wire {
    /// Spends a ticket of `token`'s and is welcomed.
    pub async fn connect(api: &Api, token: &str) -> Result<Self> {
        let ticket = api.ws_ticket(token).await?;
        let mut request = format!("ws://{}/ws", api.host()).into_client_request()?;
        let protocols = HeaderValue::from_str(&format!("{SUBPROTOCOL}, ticket.{ticket}"))?;
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocols);
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .write_buffer_size(0);
        let open = async {
            let stream = TcpStream::connect(api.host()).await?;
            stream.set_nodelay(true)?;
            let (socket, _) = client_async_with_config(request, stream, Some(config)).await?;
            anyhow::Ok(Self(socket))
        };
        let mut wire = tokio::time::timeout(ANSWER_WITHIN, open)
            .await
            .context("the handshake took too long")??;
        wire.send(&ClientFrame::Hello {
            versions: vec![PROTOCOL_VERSION],
            language: Language::Zh,
            client: "bench".into(),
        })
        .await?;
        match tokio::time::timeout(ANSWER_WITHIN, wire.next()).await {
            Ok(Ok(ServerFrame::Welcome { .. })) => Ok(wire),
            Ok(Ok(other)) => bail!("no welcome but {other:?}"),
            Ok(Err(e)) => Err(e),
            Err(_) => bail!("no welcome"),
        }
    }

    pub async fn send(&mut self, frame: &ClientFrame) -> Result<()> {
        let text = serde_json::to_string(frame)?;
        self.0.send(Message::text(text)).await.map_err(Into::into)
    }

    /// The next frame. A ping is answered before it is handed over.
    pub async fn next(&mut self) -> Result<ServerFrame> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(t))) => {
                    let frame: ServerFrame =
                        serde_json::from_str(&t).context("a frame that is not known")?;
                    if let ServerFrame::Ping { n } = frame {
                        self.send(&ClientFrame::Pong { n }).await?;
                    }
                    return Ok(frame);
                }
                Some(Ok(Message::Close(_))) | None => bail!("the server ended the connection"),
                Some(Ok(_)) => {}
                Some(Err(e)) => return Err(e.into()),
            }
        }
    }
}
