//! A WebSocket client: handshake, hello, commands, and frames awaited by what they say.
//!
//! Of snapshots only the newest is remembered, as a page does; events, replies and the rest stay until they are asked for.

use crate::{
    PATIENCE,
    http::{Http, key},
};
use futures::{SinkExt as _, StreamExt as _};
use protocol::{
    ClientFrame, Command, CommandReply, FormView, Language, MediaLine, PROTOCOL_VERSION, Problem,
    ReplyResult, SUBPROTOCOL, ServerFrame, SessionEvent, SessionState, SessionView, WsTicket,
};
use std::{collections::VecDeque, mem::discriminant, time::Duration};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        http::{HeaderValue, Request},
    },
};

/// What a refused handshake says.
pub type Refused = (u16, String);

/// What `join` answers.
pub struct Joined {
    pub session: SessionView,
    pub form: Option<FormView>,
    pub events: Vec<SessionEvent>,
}

pub struct Line {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    heard: VecDeque<ServerFrame>,
    /// Code of the server's close frame; 0: it went without one.
    pub closed: Option<u16>,
    /// How long a frame is waited for.
    pub patience: Duration,
}

/// A fresh ticket for a handshake.
pub async fn ticket(http: &Http) -> String {
    http.post::<WsTicket>("/ws-tickets", serde_json::json!({}))
        .await
        .unwrap()
        .ticket
}

/// The handshake's request; without a ticket the subprotocol alone.
#[must_use]
pub fn request(base: &str, ticket: Option<&str>) -> Request<()> {
    let mut r = format!("{}/ws", base.replacen("http", "ws", 1))
        .into_client_request()
        .unwrap();
    let offered = ticket.map_or_else(
        || SUBPROTOCOL.to_owned(),
        |t| format!("{SUBPROTOCOL}, ticket.{t}"),
    );
    r.headers_mut().insert(
        "sec-websocket-protocol",
        HeaderValue::from_str(&offered).unwrap(),
    );
    r
}

impl Line {
    /// Shakes hands and says nothing yet.
    pub async fn connect(request: Request<()>) -> Result<Self, Refused> {
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self {
                socket,
                heard: VecDeque::new(),
                closed: None,
                patience: PATIENCE,
            }),
            Err(Error::Http(r)) => {
                let text = String::from_utf8_lossy(r.body().as_deref().unwrap_or_default());
                let code = serde_json::from_str::<Problem>(&text)
                    .map_or_else(|_| text.to_string(), |p| p.code);
                Err((r.status().as_u16(), code))
            }
            Err(e) => panic!("{e}"),
        }
    }

    /// Connected and welcomed.
    pub async fn open(http: &Http) -> Self {
        let mut l = Self::connect(request(http.base(), Some(&ticket(http).await)))
            .await
            .unwrap();
        l.hello(vec![PROTOCOL_VERSION]).await;
        l.until("welcome", |f| {
            matches!(f, ServerFrame::Welcome { .. }).then_some(())
        })
        .await;
        l
    }

    pub async fn hello(&mut self, versions: Vec<u32>) {
        self.send(&ClientFrame::Hello {
            versions,
            language: Language::En,
            client: "test".into(),
        })
        .await;
    }

    pub async fn send(&mut self, frame: &ClientFrame) {
        self.text(&serde_json::to_string(frame).unwrap()).await;
    }

    pub async fn text(&mut self, text: &str) {
        self.message(Message::text(text.to_owned())).await.unwrap();
    }

    pub async fn message(&mut self, m: Message) -> Result<(), Error> {
        self.socket.send(m).await
    }

    /// The next frame; none once the server has closed.
    async fn read(&mut self) -> Option<ServerFrame> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(t))) => {
                    let f = serde_json::from_str(&t).unwrap_or_else(|e| panic!("{e}: {t}"));
                    if let ServerFrame::Ping { n } = f {
                        self.send(&ClientFrame::Pong { n }).await;
                    }
                    return Some(f);
                }
                Some(Ok(Message::Close(f))) => {
                    self.closed = Some(f.map_or(0, |f| f.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => {
                    self.closed.get_or_insert(0);
                    return None;
                }
            }
        }
    }

    /// Waits for a frame that `pick` takes.
    pub async fn until<T>(&mut self, what: &str, pick: impl Fn(&ServerFrame) -> Option<T>) -> T {
        for (i, f) in self.heard.iter().enumerate() {
            if let Some(t) = pick(f) {
                self.heard.remove(i);
                return t;
            }
        }
        let found = tokio::time::timeout(self.patience, async {
            loop {
                let Some(f) = self.read().await else {
                    panic!("{what}: the connection ended ({:?})", self.closed)
                };
                if let Some(t) = pick(&f) {
                    return t;
                }
                self.keep(f);
            }
        })
        .await;
        found.unwrap_or_else(|_| panic!("{what} did not come; heard {:#?}", self.heard))
    }

    fn keep(&mut self, f: ServerFrame) {
        let snapshot = matches!(
            f,
            ServerFrame::Ticket { .. }
                | ServerFrame::Seat { .. }
                | ServerFrame::Session { .. }
                | ServerFrame::Form { .. }
        );
        if snapshot {
            self.heard.retain(|h| discriminant(h) != discriminant(&f));
        }
        self.heard.push_back(f);
    }

    /// Waits for the server to end the connection; answers its close code.
    pub async fn ended(&mut self) -> u16 {
        tokio::time::timeout(PATIENCE, async {
            while let Some(f) = self.read().await {
                self.keep(f);
            }
        })
        .await
        .expect("the connection stays");
        self.closed.unwrap()
    }

    pub async fn problem(&mut self) -> Problem {
        self.until("an error", |f| match f {
            ServerFrame::Error { problem } => Some(problem.clone()),
            _ => None,
        })
        .await
    }

    pub async fn reply(&mut self, id: &str) -> Result<CommandReply, Problem> {
        self.until(&format!("the reply to {id}"), |f| match f {
            ServerFrame::Reply { id: i, result } if i == id => Some(match result {
                ReplyResult::Ok { ok } => Ok(ok.clone()),
                ReplyResult::Problem { problem } => Err(problem.clone()),
            }),
            _ => None,
        })
        .await
    }

    pub async fn command(&mut self, command: Command) -> Result<CommandReply, Problem> {
        self.command_as(&key(), command).await
    }

    pub async fn command_as(
        &mut self,
        id: &str,
        command: Command,
    ) -> Result<CommandReply, Problem> {
        self.send(&ClientFrame::Command {
            id: id.to_owned(),
            command,
        })
        .await;
        self.reply(id).await
    }

    pub async fn join(&mut self, session: &str, after_seq: i64) -> Joined {
        let r = self
            .command(Command::Join {
                session: session.to_owned(),
                after_seq,
            })
            .await
            .unwrap();
        let CommandReply::Joined {
            session,
            form,
            events,
        } = r
        else {
            panic!("{r:?}")
        };
        Joined {
            session: *session,
            form: form.map(|f| *f),
            events,
        }
    }

    pub async fn chat(&mut self, session: &str, text: &str) {
        self.command(Command::Chat {
            session: session.to_owned(),
            text: text.to_owned(),
        })
        .await
        .unwrap();
    }

    /// An offer into a room; the answer.
    pub async fn offer(&mut self, room: &str, sdp: String) -> Result<String, Problem> {
        self.offer_showing(room, sdp, vec![]).await
    }

    /// One that says what its lines show.
    pub async fn offer_showing(
        &mut self,
        room: &str,
        sdp: String,
        sources: Vec<MediaLine>,
    ) -> Result<String, Problem> {
        let r = self
            .command(Command::MediaOffer {
                room: room.to_owned(),
                sdp,
                sources,
            })
            .await?;
        let CommandReply::MediaAnswer { sdp } = r else {
            panic!("{r:?}")
        };
        Ok(sdp)
    }

    /// The next entry of the journal.
    pub async fn event(&mut self) -> SessionEvent {
        self.until("an event", |f| match f {
            ServerFrame::Event { event, .. } => Some(event.clone()),
            _ => None,
        })
        .await
    }

    pub async fn event_where(&mut self, is: impl Fn(&SessionEvent) -> bool) -> SessionEvent {
        self.until("an event", |f| match f {
            ServerFrame::Event { event, .. } if is(event) => Some(event.clone()),
            _ => None,
        })
        .await
    }

    pub async fn session_state(&mut self, state: SessionState) -> SessionView {
        self.until(&format!("a session {state:?}"), |f| match f {
            ServerFrame::Session { session } if session.state == state => Some(session.clone()),
            _ => None,
        })
        .await
    }

    /// Goodbye as a page says it.
    pub async fn close(mut self) {
        self.socket.close(None).await.unwrap();
        self.ended().await;
    }
}
