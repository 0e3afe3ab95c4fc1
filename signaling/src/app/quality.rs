//! How good each member's line is: measured by the media plane, hinted at by the page, said in one word, kept as a series.
//!
//! One task a node owns what is known of the lines in its rooms. The engine's event path only hands readings over; rows are
//! written together, a few times a minute. A page's own word about its picture comes over the hub, from whichever node the page
//! is connected to, and can only make its own line look worse.

mod series;

pub use series::view;

use super::{App, media::room_name};
use crate::{
    cluster::{Connection, Live, Signal},
    problem::AppError,
};
use domain::{
    id::{Id as _, MemberId, SessionId, TicketId},
    quality::{self as rule, Cmd, Figures, Line, State},
    session::State as Phase,
    time::Timestamp,
};
use protocol::{Ephemeral, QualityState};
use std::{collections::HashMap, time::Duration};
use store::{
    quality::{self as kept, Sample},
    session,
};
use tokio::sync::mpsc;

/// Readings on their way to the task; more are dropped, the next come in seconds.
const WAITING: usize = 256;
/// Rows are written, and who is lost is told again, this often.
const WRITE: Duration = Duration::from_secs(5);
/// Rows that wait for a write at most; a database that is away loses the oldest.
const UNWRITTEN: usize = 2_000;

/// Whether a page may say this of its reception.
#[must_use]
pub fn is_plausible(body: &Ephemeral) -> bool {
    matches!(body, Ephemeral::Reception { freeze_ms, period_ms }
        if rule::freeze_pct(*freeze_ms, *period_ms).is_some())
}

pub(super) const fn state_view(s: State) -> QualityState {
    match s {
        State::Good => QualityState::Good,
        State::Fair => QualityState::Fair,
        State::Poor => QualityState::Poor,
        State::Lost => QualityState::Lost,
    }
}

/// What the engine says of a member of a room.
struct Reading {
    room: String,
    member: String,
    said: Cmd,
}

/// Where readings are handed over; the task ends when this goes, or at the server's stop.
pub(super) struct Intake(mpsc::Sender<Reading>);

impl Intake {
    pub(super) fn open(app: &App) -> Self {
        let (tx, rx) = mpsc::channel(WAITING);
        let hub = app.bus.hub().connect("quality".into());
        let lines = Lines {
            app: app.clone(),
            hub,
            sessions: HashMap::new(),
            unwritten: vec![],
        };
        tokio::spawn(lines.run(rx));
        Self(tx)
    }

    pub(super) fn measured(
        &self,
        room: String,
        member: String,
        loss_pct: f32,
        jitter_ms: f32,
        rtt_ms: Option<f32>,
    ) {
        let figures = Figures {
            loss_pct,
            jitter_ms,
            rtt_ms,
            freeze_pct: None,
        };
        self.hand_over(room, member, Cmd::Measured(figures));
    }

    /// The connection ended, or nothing comes over it.
    pub(super) fn ended(&self, room: String, member: String) {
        self.hand_over(room, member, Cmd::Ended);
    }

    /// Something comes again.
    pub(super) fn back(&self, room: String, member: String) {
        self.hand_over(room, member, Cmd::Back);
    }

    fn hand_over(&self, room: String, member: String, said: Cmd) {
        let _ = self.0.try_send(Reading { room, member, said });
    }
}

/// What a page said of its picture, and when.
#[derive(Clone, Copy)]
struct Reception {
    at: Timestamp,
    freeze_ms: u32,
    period_ms: u32,
}

#[derive(Default)]
struct Track {
    line: Line,
    /// The newest row.
    kept: Option<(Timestamp, State)>,
    reception: Option<Reception>,
}

struct Lines {
    app: App,
    /// Hears what pages say in the sessions below.
    hub: Connection,
    sessions: HashMap<SessionId, HashMap<MemberId, Track>>,
    unwritten: Vec<Sample>,
}

impl Lines {
    async fn run(mut self, mut readings: mpsc::Receiver<Reading>) {
        let mut tick = tokio::time::interval(WRITE);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                r = readings.recv() => match r {
                    Some(r) => {
                        if let Err(e) = self.read(r).await {
                            tracing::warn!(error = %e, "a reading of a line was not kept");
                        }
                    }
                    None => break,
                },
                s = self.hub.next() => match s {
                    Signal::Live(l) => self.hear(*l),
                    Signal::Dirty(_) => {}
                    Signal::Stop => break,
                },
                _ = tick.tick() => {
                    self.write().await;
                    self.tell_lost().await;
                }
            }
        }
        self.write().await;
    }

    fn hear(&mut self, l: Live) {
        let Live::Hint {
            session,
            from: Some(member),
            body:
                Ephemeral::Reception {
                    freeze_ms,
                    period_ms,
                },
            ..
        } = l
        else {
            return;
        };
        let (Some(session), Some(member)) = (SessionId::parse(&session), MemberId::parse(&member))
        else {
            return;
        };
        let at = self.app.now();
        if let Some(track) = self
            .sessions
            .get_mut(&session)
            .and_then(|members| members.get_mut(&member))
        {
            track.reception = Some(Reception {
                at,
                freeze_ms,
                period_ms,
            });
        }
    }

    async fn read(&mut self, r: Reading) -> Result<(), AppError> {
        let Some(ticket) = TicketId::parse(&r.room) else {
            return Ok(());
        };
        let name = r.member;
        let found = self
            .app
            .read(move |tx| {
                Box::pin(async move {
                    let Some(s) = session::by_ticket(tx, &ticket).await? else {
                        return Ok(None);
                    };
                    let members = session::members(tx, &s.id).await?;
                    // Whoever was taken out and came back has two rows: the one that is not out.
                    let member = members
                        .into_iter()
                        .find(|m| !m.is_out() && room_name(m) == name)
                        .map(|m| m.id);
                    Ok(Some((s.id, s.state == Phase::Ended, member)))
                })
            })
            .await?;
        let Some((session, over, member)) = found else {
            return Ok(());
        };
        if over {
            self.forget(&session);
            return Ok(());
        }
        let Some(member) = member else {
            return Ok(());
        };
        let topic = session.to_string();
        self.hub.watch_quietly(&topic);
        let now = self.app.now();
        let track = self
            .sessions
            .entry(session.clone())
            .or_default()
            .entry(member.clone())
            .or_default();
        let reception = track
            .reception
            .filter(|said| now.since(said.at) <= rule::RECEPTION_LIFE);
        let figures = match r.said {
            Cmd::Measured(f) => Some(Figures {
                freeze_pct: reception.and_then(|s| rule::freeze_pct(s.freeze_ms, s.period_ms)),
                ..f
            }),
            Cmd::Ended | Cmd::Back => None,
        };
        let before = track.line;
        track.line = before.apply(figures.map_or(r.said, Cmd::Measured));
        // A connection that is up was no news to a line that was not lost.
        if r.said == Cmd::Back && track.line == before {
            return Ok(());
        }
        let Some(state) = track.line.state() else {
            return Ok(());
        };
        // A row of a line that is there has figures: after a return the next reading brings them.
        let due = (figures.is_some() || state == State::Lost)
            && track
                .kept
                .is_none_or(|(at, before)| before != state || now.since(at) >= rule::SAMPLE_EVERY);
        if due {
            track.kept = Some((now, state));
            // What a reading says while the word is still `lost` cannot be: an end has none.
            let sample = Sample {
                session_id: session.clone(),
                member_id: member.clone(),
                at: now,
                state,
                loss_bp: figures.map(|f| (f.loss_pct.clamp(0.0, 100.0) * 100.0).round() as i64),
                jitter_ms: figures.map(|f| i64::from(ms(f.jitter_ms))),
                rtt_ms: figures.and_then(|f| f.rtt_ms).map(|v| i64::from(ms(v))),
                freeze_ms: figures.and(reception).map(|said| i64::from(said.freeze_ms)),
            };
            self.keep(sample);
        }
        self.tell(&session, &member, state, figures.as_ref()).await;
        Ok(())
    }

    fn keep(&mut self, sample: Sample) {
        if self.unwritten.len() == UNWRITTEN {
            self.unwritten.remove(0);
        }
        self.unwritten.push(sample);
    }

    fn forget(&mut self, session: &SessionId) {
        if self.sessions.remove(session).is_some() {
            self.hub.unwatch(session.as_str());
        }
    }

    async fn tell(
        &self,
        session: &SessionId,
        member: &MemberId,
        state: State,
        figures: Option<&Figures>,
    ) {
        let body = Ephemeral::Quality {
            member: member.to_string(),
            state: state_view(state),
            loss_pct: figures.map(|f| f.loss_pct),
            jitter_ms: figures.map(|f| ms(f.jitter_ms)),
            rtt_ms: figures.and_then(|f| f.rtt_ms).map(ms),
        };
        let hint = Live::Hint {
            session: session.to_string(),
            from: None,
            said: None,
            body,
        };
        self.app.bus.live(hint).await;
    }

    /// Nothing is measured of a line that is gone; a page that comes meanwhile learns of it all the same.
    async fn tell_lost(&self) {
        for (session, members) in &self.sessions {
            for (member, track) in members {
                if track.line.state() == Some(State::Lost) {
                    self.tell(session, member, State::Lost, None).await;
                }
            }
        }
    }

    async fn write(&mut self) {
        if self.unwritten.is_empty() {
            return self.sweep().await;
        }
        let samples = std::mem::take(&mut self.unwritten);
        let rows = samples.clone();
        let done = self
            .app
            .write("server", move |tx, _| {
                let rows = rows.clone();
                Box::pin(async move {
                    for s in &rows {
                        kept::insert(tx, s, rule::SAMPLES_PER_SESSION).await?;
                    }
                    Ok(())
                })
            })
            .await;
        if let Err(e) = done {
            tracing::warn!(error = %e, "readings of lines were not written; they are tried again");
            self.unwritten = samples;
        }
        self.sweep().await;
    }

    /// A session that ended while a member's line was gone leaves no event behind.
    async fn sweep(&mut self) {
        let quiet: Vec<SessionId> = self
            .sessions
            .iter()
            .filter(|(_, members)| {
                members
                    .values()
                    .all(|t| t.line.state() == Some(State::Lost))
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in quiet {
            let of = id.clone();
            let over = self
                .app
                .read(move |tx| {
                    Box::pin(async move {
                        let s = session::get(tx, &of).await?;
                        Ok(s.is_none_or(|s| s.state == Phase::Ended))
                    })
                })
                .await;
            if over.unwrap_or(false) {
                self.forget(&id);
            }
        }
    }
}

/// Whole milliseconds of what was measured.
fn ms(v: f32) -> u32 {
    v.clamp(0.0, 1e6).round() as u32
}
