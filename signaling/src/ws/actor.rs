//! One connection: reads frames, carries out commands in order, sends what changed.

use super::commands;
use crate::{
    app::{
        App, Caller, call_flow, callbacks, desk, hall_now::Fresh, hints::Seen, quality, queue,
        session_view, supervise, token::Principal, wallboard,
    },
    cluster::{Connection, Live, Signal},
    problem::{AppError, no},
};
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use domain::{
    id::{HallId, Id as _, SeatId, SessionId, TicketId, VisitId},
    limits,
};
use protocol::{
    ClientFrame, Command, CommandReply, Ephemeral, Language, PROTOCOL_VERSION, ReplyResult,
    ServerFrame, TicketState, TicketView, WsLimits,
};
use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::{Duration, Instant},
};

const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// A reader that does not take a frame within this is cut.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// A goodbye at the server's stop waits no longer.
const BYE_WITHIN: Duration = Duration::from_secs(1);
/// Hints per connection in one second.
const EPHEMERAL_PER_S: u32 = 40;

struct Joined {
    member: String,
    seq: i64,
    /// As the last snapshot showed it: which hints are for this viewer.
    seen: Option<Seen>,
}

struct Actor {
    app: App,
    who: Principal,
    language: Language,
    socket: WebSocket,
    hub: Connection,
    ticket: Option<TicketId>,
    seat: Option<SeatId>,
    /// Whose wallboard the page shows.
    board: Option<HallId>,
    /// As they were last read: when only their hall moved they are not read again.
    last_ticket: Option<Box<queue::Watched>>,
    last_seat: Option<Box<protocol::SeatView>>,
    sessions: HashMap<SessionId, Joined>,
    /// Hash of the last snapshot sent, by topic and kind.
    sent: HashMap<String, u64>,
    budget: Budget,
    /// The person closed the page, as the close frame says.
    closed: bool,
}

/// A token bucket a second.
struct Budget {
    since: Instant,
    commands: u32,
    hints: u32,
}

impl Budget {
    fn roll(&mut self) {
        if self.since.elapsed() >= Duration::from_secs(1) {
            *self = Self {
                since: Instant::now(),
                commands: 0,
                hints: 0,
            };
        }
    }
    fn command(&mut self) -> bool {
        self.roll();
        self.commands += 1;
        self.commands <= limits::WS_COMMANDS_PER_S
    }
    fn hint(&mut self) -> bool {
        self.roll();
        self.hints += 1;
        self.hints <= EPHEMERAL_PER_S
    }
}

/// The connection is to end.
struct End;

pub async fn run(app: App, who: Principal, socket: WebSocket) {
    let id = crate::app::nodes::connection_id(&app);
    let hub = app.bus.hub().connect(id);
    let mut a = Actor {
        app,
        who,
        language: Language::Zh,
        socket,
        hub,
        ticket: None,
        seat: None,
        board: None,
        last_ticket: None,
        last_seat: None,
        sessions: HashMap::new(),
        sent: HashMap::new(),
        budget: Budget {
            since: Instant::now(),
            commands: 0,
            hints: 0,
        },
        closed: false,
    };
    if Box::pin(a.hello()).await.is_ok() {
        let _ = Box::pin(a.serve()).await;
    }
    Box::pin(a.leave()).await;
}

impl Actor {
    async fn send(&mut self, frame: &ServerFrame) -> Result<(), End> {
        let text = serde_json::to_string(frame).map_err(|_| End)?;
        match tokio::time::timeout(SEND_WITHIN, self.socket.send(Message::Text(text.into()))).await
        {
            Ok(Ok(())) => Ok(()),
            _ => Err(End),
        }
    }

    async fn problem(&mut self, e: &AppError) -> Result<(), End> {
        let problem = e.problem(self.language);
        self.send(&ServerFrame::Error { problem }).await
    }

    async fn hello(&mut self) -> Result<(), End> {
        let first = tokio::time::timeout(HELLO_WITHIN, self.socket.recv())
            .await
            .map_err(|_| End)?;
        let Some(Ok(Message::Text(t))) = first else {
            return Err(End);
        };
        match serde_json::from_str(&t) {
            Ok(ClientFrame::Hello {
                versions,
                language,
                client,
            }) => {
                self.language = language;
                if !versions.contains(&PROTOCOL_VERSION) {
                    let _ = self.problem(&no("version_unsupported")).await;
                    return Err(End);
                }
                tracing::debug!(client, "connected");
            }
            _ => {
                let _ = self.problem(&no("hello_expected")).await;
                return Err(End);
            }
        }
        if let Principal::Citizen { visit } = &self.who {
            let topic = visit.to_string();
            self.hub.watch(&topic);
        }
        let welcome = ServerFrame::Welcome {
            version: PROTOCOL_VERSION,
            connection: self.hub.id().to_owned(),
            now: self.app.now().rfc3339(),
            limits: WsLimits {
                message_bytes: limits::WS_MESSAGE_BYTES as u32,
                commands_per_s: limits::WS_COMMANDS_PER_S,
                ping_s: limits::WS_PING_S as u32,
                dead_s: limits::WS_DEAD_S as u32,
            },
        };
        self.send(&welcome).await
    }

    async fn serve(&mut self) -> Result<(), End> {
        let mut ping = tokio::time::interval(Duration::from_secs(limits::WS_PING_S));
        ping.tick().await;
        let (mut n, mut heard) = (0u64, Instant::now());
        loop {
            tokio::select! {
                m = self.socket.recv() => {
                    heard = Instant::now();
                    match m {
                        // What works holds its memory only while it works: ten thousand idle lines stay small.
                        Some(Ok(Message::Text(t))) => Box::pin(self.on_text(&t)).await?,
                        Some(Ok(Message::Close(f))) => {
                            self.closed = f.is_none_or(|f| matches!(f.code, close_code::NORMAL | close_code::AWAY | close_code::STATUS));
                            return Ok(());
                        }
                        Some(Ok(Message::Binary(_))) => Box::pin(self.problem(&no("frame_unknown"))).await?,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Err(_)) | None => return Err(End),
                    }
                }
                s = self.hub.next() => match s {
                    Signal::Dirty(topics) => Box::pin(self.refresh(topics)).await?,
                    Signal::Live(l) => Box::pin(self.on_live(*l)).await?,
                    Signal::Stop => {
                        let bye = CloseFrame { code: close_code::RESTART, reason: "".into() };
                        let _ = tokio::time::timeout(BYE_WITHIN, self.socket.send(Message::Close(Some(bye)))).await;
                        return Err(End);
                    }
                },
                _ = ping.tick() => {
                    if heard.elapsed() > Duration::from_secs(limits::WS_DEAD_S) {
                        return Err(End);
                    }
                    n += 1;
                    Box::pin(self.send(&ServerFrame::Ping { n })).await?;
                }
            }
        }
    }

    async fn on_text(&mut self, text: &str) -> Result<(), End> {
        let frame = match serde_json::from_str::<ClientFrame>(text) {
            Ok(f) => f,
            Err(_) => return self.problem(&no("frame_unknown")).await,
        };
        match frame {
            ClientFrame::Hello { .. } => self.problem(&no("frame_unknown")).await,
            ClientFrame::Ping { n } => self.send(&ServerFrame::Pong { n }).await,
            ClientFrame::Pong { .. } => Ok(()),
            ClientFrame::WatchTicket { ticket } => self.watch_ticket(&ticket).await,
            ClientFrame::WatchSeat { seat } => self.watch_seat(&seat).await,
            ClientFrame::WatchHall { hall } => self.watch_hall(&hall).await,
            ClientFrame::Ephemeral { session, body } => {
                if self.budget.hint() {
                    self.hint(&session, body).await;
                }
                Ok(())
            }
            ClientFrame::Command { id, command } => {
                let r = if self.budget.command() {
                    Box::pin(self.command(&id, command)).await
                } else {
                    Err(no("slow_down"))
                };
                let result = match r {
                    Ok(ok) => ReplyResult::Ok { ok },
                    Err(e) => {
                        if matches!(e, AppError::Store(_)) {
                            tracing::error!(error = %e, "a command failed");
                        }
                        ReplyResult::Problem {
                            problem: e.problem(self.language),
                        }
                    }
                };
                self.send(&ServerFrame::Reply { id, result }).await
            }
        }
    }

    async fn command(&mut self, key: &str, command: Command) -> Result<CommandReply, AppError> {
        if let Command::Join { session, after_seq } = command {
            return self.join(commands::session(&session)?, after_seq).await;
        }
        let caller = Caller {
            who: self.who.clone(),
            key: Some(key.to_owned()),
            language: self.language,
        };
        commands::run(&self.app, &caller, command).await
    }

    async fn join(&mut self, id: SessionId, after_seq: i64) -> Result<CommandReply, AppError> {
        let j = call_flow::join(&self.app, &self.who, id.clone(), self.hub.id(), after_seq).await?;
        if let Some(loser) = j.superseded {
            let topic = id.to_string();
            self.app.bus.live(Live::Superseded { topic, loser }).await;
        }
        // A long absence is answered in parts: the rest follows as events.
        let (seq, seen) = match &j.reply {
            CommandReply::Joined {
                session, events, ..
            } => (
                events.last().map_or(session.seq, |e| e.seq),
                Some(Seen::of(session)),
            ),
            _ => (0, None),
        };
        self.sessions.insert(
            id.clone(),
            Joined {
                member: j.member.to_string(),
                seq,
                seen,
            },
        );
        self.hub.watch(id.as_str());
        let (app, room) = (self.app.clone(), j.room);
        // After the reply: who is on which line of a transport that was warm before.
        tokio::spawn(async move { app.media.announce(&app, &room).await });
        Ok(j.reply)
    }

    async fn watch_ticket(&mut self, text: &str) -> Result<(), End> {
        let r = async {
            let id: TicketId = commands::id(text, "not_found")?;
            let me = self.who.citizen()?;
            queue::own(&self.app, me, id.clone()).await?;
            queue::hold(&self.app, me, id.clone(), self.hub.id()).await?;
            Ok::<_, AppError>(id)
        };
        match r.await {
            Ok(id) => {
                self.hub.watch(id.as_str());
                self.ticket = Some(id);
                Ok(())
            }
            Err(e) => self.problem(&e).await,
        }
    }

    async fn watch_seat(&mut self, text: &str) -> Result<(), End> {
        let r = async {
            let id: SeatId = commands::id(text, "not_found")?;
            let me = self.who.staff(protocol::Role::Agent)?;
            desk::hold(&self.app, me, id.clone(), self.hub.id()).await?;
            Ok::<_, AppError>(id)
        };
        match r.await {
            Ok(id) => {
                self.hub.watch(id.as_str());
                if let Principal::Staff { hall, .. } = &self.who {
                    let hall = hall.to_string();
                    self.hub.watch(&hall);
                }
                self.hub.watch(&supervise::notice_topic(&id));
                self.seat = Some(id);
                Ok(())
            }
            Err(e) => self.problem(&e).await,
        }
    }

    async fn watch_hall(&mut self, text: &str) -> Result<(), End> {
        let r = commands::id(text, "not_found").and_then(|id: HallId| {
            wallboard::may_look(&self.who, &id)?;
            Ok(id)
        });
        match r {
            Ok(id) => {
                // Watched first: what changes while it is read is read again.
                self.hub.watch(id.as_str());
                self.board = Some(id);
                Ok(())
            }
            Err(e) => self.problem(&e).await,
        }
    }

    async fn hint(&mut self, session: &str, body: Ephemeral) {
        let Some(j) = SessionId::parse(session).and_then(|id| self.sessions.get(&id)) else {
            return;
        };
        // Quality is the server's to say; what a page says of its own reception is held to what can be.
        let theirs = match &body {
            Ephemeral::Focus { .. } | Ephemeral::Typing { .. } => true,
            Ephemeral::Reception { .. } => quality::is_plausible(&body),
            Ephemeral::Quality { .. } => false,
        };
        if theirs {
            self.app
                .bus
                .live(Live::Hint {
                    session: session.to_owned(),
                    from: Some(j.member.clone()),
                    said: j.seen.as_ref().and_then(Seen::said),
                    body,
                })
                .await;
        }
    }

    async fn on_live(&mut self, l: Live) -> Result<(), End> {
        match l {
            Live::Hint {
                session,
                from,
                said,
                body,
            } => {
                let Some(j) = SessionId::parse(&session).and_then(|id| self.sessions.get(&id))
                else {
                    return Ok(());
                };
                let theirs = from.as_ref() == Some(&j.member);
                let seen = j.seen.as_ref();
                if theirs || !seen.is_some_and(|s| s.passes(from.as_deref(), said, &body)) {
                    return Ok(());
                }
                self.send(&ServerFrame::Ephemeral {
                    session,
                    from,
                    body,
                })
                .await
            }
            Live::Slots {
                session,
                member,
                slots,
            } => {
                let Some(j) = SessionId::parse(&session).and_then(|id| self.sessions.get(&id))
                else {
                    return Ok(());
                };
                if member != j.member {
                    return Ok(());
                }
                self.send(&ServerFrame::Slots { session, slots }).await
            }
            Live::Renegotiate { session, member } => {
                let j = SessionId::parse(&session).and_then(|id| self.sessions.get(&id));
                if j.is_none_or(|j| j.member != member) {
                    return Ok(());
                }
                self.send(&ServerFrame::Renegotiate { session }).await
            }
            Live::Superseded { topic, loser } => {
                // The topic's other watchers, a session's other member say, keep their places.
                if loser != self.hub.id() {
                    return Ok(());
                }
                if self.seat.as_ref().is_some_and(|s| s.as_str() == topic) {
                    self.seat = None;
                    self.hub.unwatch(&topic);
                    return self
                        .send(&ServerFrame::Superseded {
                            seat: Some(topic),
                            session: None,
                        })
                        .await;
                }
                if let Some(id) =
                    SessionId::parse(&topic).filter(|id| self.sessions.contains_key(id))
                {
                    self.sessions.remove(&id);
                    self.hub.unwatch(&topic);
                    return self
                        .send(&ServerFrame::Superseded {
                            seat: None,
                            session: Some(topic),
                        })
                        .await;
                }
                Ok(())
            }
        }
    }

    /// Reads what changed and sends what differs from what was sent.
    async fn refresh(&mut self, topics: HashSet<String>) -> Result<(), End> {
        let hall = topics.iter().any(|t| t.starts_with("hal_"));
        if let Some(id) = self
            .ticket
            .clone()
            .filter(|t| hall || topics.contains(t.as_str()))
        {
            let r = self.ticket_now(&id, topics.contains(id.as_str())).await;
            self.snapshot(id.as_str(), r.map(|ticket| ServerFrame::Ticket { ticket }))
                .await?;
            if topics.contains(id.as_str())
                && let Some(r) = callbacks::of_ticket(&self.app, id.clone())
                    .await
                    .transpose()
            {
                let topic = format!("call_back:{id}");
                self.snapshot(
                    &topic,
                    r.map(|call_back| ServerFrame::CallBack { call_back }),
                )
                .await?;
            }
        }
        if let Some(id) = self.board.clone().filter(|h| topics.contains(h.as_str())) {
            let r = wallboard::get(&self.app, &id).await;
            let frame = r.map(|b| ServerFrame::Wallboard {
                wallboard: Box::new(protocol::Wallboard::clone(&b)),
            });
            self.snapshot(&format!("board:{id}"), frame).await?;
        }
        if let Some(id) = self
            .seat
            .clone()
            .filter(|s| topics.contains(&supervise::notice_topic(s)))
        {
            for notice in supervise::unread(&self.app, id).await.unwrap_or_default() {
                let topic = notice.id.clone();
                self.snapshot(&topic, Ok(ServerFrame::Notice { notice }))
                    .await?;
            }
        }
        if let Some(id) = self
            .seat
            .clone()
            .filter(|s| hall || topics.contains(s.as_str()))
        {
            let r = match &self.last_seat {
                Some(last) if !topics.contains(id.as_str()) => {
                    desk::again(&self.app, last, Fresh::Lately).await
                }
                _ => desk::view(&self.app, id.clone()).await,
            };
            self.last_seat = r.as_ref().ok().cloned().map(Box::new);
            self.snapshot(id.as_str(), r.map(|seat| ServerFrame::Seat { seat }))
                .await?;
        }
        let touched: Vec<SessionId> = self
            .sessions
            .keys()
            .filter(|s| topics.contains(s.as_str()))
            .cloned()
            .collect();
        for id in touched {
            self.session(id).await?;
        }
        if let Some(visit) = topics.iter().find_map(|t| VisitId::parse(t))
            && matches!(crate::app::auth::visit_view(&self.app, visit).await, Err(e) if e.code() == "visit_ended")
        {
            self.send(&ServerFrame::SignedOut {}).await?;
            let _ = self
                .socket
                .send(Message::Close(Some(CloseFrame {
                    code: close_code::NORMAL,
                    reason: "".into(),
                })))
                .await;
            return Err(End);
        }
        Ok(())
    }

    async fn ticket_now(&mut self, id: &TicketId, changed: bool) -> Result<TicketView, AppError> {
        if let Some(last) = self.last_ticket.as_ref().filter(|_| !changed)
            && let Some(view) = queue::again(&self.app, last).await?
        {
            return Ok(view);
        }
        let (view, row) = queue::watched(&self.app, id.clone()).await?;
        if let (true, Principal::Citizen { visit }) = (row.is_let_go(), &self.who) {
            queue::hold(&self.app, visit, id.clone(), self.hub.id()).await?;
        }
        let hall = row.hall();
        if matches!(view.state, TicketState::Waiting | TicketState::Offered) {
            self.hub.watch_quietly(&hall);
            self.last_ticket = Some(Box::new(row));
        } else {
            self.last_ticket = None;
            if self.seat.is_none() && self.board.is_none() {
                self.hub.unwatch(&hall);
            }
        }
        Ok(view)
    }

    async fn snapshot(
        &mut self,
        topic: &str,
        frame: Result<ServerFrame, AppError>,
    ) -> Result<(), End> {
        let frame = match frame {
            Ok(f) => f,
            Err(e) => {
                tracing::warn!(error = %e, "a watched object could not be read");
                return Ok(());
            }
        };
        let Ok(text) = serde_json::to_string(&frame) else {
            return Ok(());
        };
        let mut h = DefaultHasher::new();
        text.hash(&mut h);
        if self.sent.insert(topic.to_owned(), h.finish()) == Some(h.finish()) {
            return Ok(());
        }
        self.send(&frame).await
    }

    async fn session(&mut self, id: SessionId) -> Result<(), End> {
        let (view, form) = loop {
            let Some(after) = self.sessions.get(&id).map(|j| j.seq) else {
                return Ok(());
            };
            let (view, form, events) =
                match session_view::joined(&self.app, &self.who, id.clone(), after).await {
                    Ok(v) => v,
                    Err(e) if e.code() == "not_a_member" => {
                        // Taken out, or handed over: there is no more of it for this person.
                        self.sessions.remove(&id);
                        self.hub.unwatch(id.as_str());
                        return self
                            .send(&ServerFrame::Superseded {
                                seat: None,
                                session: Some(id.to_string()),
                            })
                            .await;
                    }
                    Err(e) => {
                        tracing::warn!(error = %e, "a session could not be read");
                        return Ok(());
                    }
                };
            let more = events.len() == session_view::PAGE;
            for event in events {
                if let Some(j) = self.sessions.get_mut(&id) {
                    j.seq = event.seq;
                }
                self.send(&ServerFrame::Event {
                    session: id.to_string(),
                    event,
                })
                .await?;
            }
            if !more {
                break (view, form);
            }
        };
        if let Some(j) = self.sessions.get_mut(&id) {
            j.seen = Some(Seen::of(&view));
        }
        self.snapshot(id.as_str(), Ok(ServerFrame::Session { session: view }))
            .await?;
        if let Some(form) = form {
            self.snapshot(
                &format!("form:{id}"),
                Ok(ServerFrame::Form {
                    session: id.to_string(),
                    form,
                }),
            )
            .await?;
        }
        Ok(())
    }

    /// What the others must know of a connection's end.
    async fn leave(&mut self) {
        let conn = self.hub.id().to_owned();
        if let Some(seat) = self.seat.take()
            && let Err(e) = desk::page_gone(&self.app, seat, &conn, self.closed).await
        {
            tracing::warn!(error = %e, "a seat's silence was not noted");
        }
        for id in std::mem::take(&mut self.sessions).into_keys() {
            if let Err(e) = call_flow::dropped(&self.app, id, &conn).await {
                tracing::warn!(error = %e, "a drop was not noted");
            }
        }
        if let Some(t) = self.ticket.take()
            && let Err(e) = queue::page_gone(&self.app, t, &conn).await
        {
            tracing::warn!(error = %e, "a waiting page's end was not noted");
        }
    }
}
