//! What comes up the line, and what a page does about it: the ticket, the session with its mode and its hold.

use super::{Caller, Done, EMPTY_FOR, ENTRY, HELLO};
use crate::call::{
    flow::{Heard, Stage},
    http::Fault,
    line::Told,
    play::Live,
};
use protocol::{
    CallMode, Command, EventBody, MemberRole, ServerFrame, SessionState, SessionView, TicketMode,
    TicketState, TicketView,
};
use std::time::Instant as Moment;
use tokio::time::Instant;

impl Caller<'_> {
    pub(super) async fn told(&mut self, told: Told) {
        match told {
            Told::Lost(fault) => {
                self.unreachable = matches!(fault, Fault::Unreachable(_));
                self.report.code = fault.code().map(str::to_owned);
                self.report.detail = Some(fault.to_string());
                self.heard(Heard::LineLost);
            }
            Told::Out(problem) => {
                self.report.code = Some(problem.code.clone());
                self.heard(Heard::SessionEnded(problem.code));
            }
            Told::Frame(frame) => match *frame {
                ServerFrame::Ticket { ticket } => self.ticket(ticket).await,
                ServerFrame::Session { session } => self.session(session).await,
                ServerFrame::Superseded {
                    session: Some(_), ..
                } => self.heard(Heard::Superseded),
                ServerFrame::Event { event, .. } => {
                    self.echoed |= matches!(event.body, EventBody::Chat { text } if text == HELLO);
                }
                _ => {}
            },
        }
    }

    pub(super) async fn ticket(&mut self, ticket: TicketView) {
        if ticket.id != self.ticket.id || ticket.version < self.ticket.version {
            return;
        }
        let since = self.since();
        match ticket.state {
            TicketState::Offered => {
                self.report.times.ring.get_or_insert(since);
            }
            TicketState::Paired => {
                self.report.times.accepted.get_or_insert(since);
            }
            _ => {}
        }
        self.empty_at = (ticket.state == TicketState::Waiting && ticket.seats_on_duty == 0)
            .then(|| self.empty_at.unwrap_or_else(|| Instant::now() + EMPTY_FOR));
        self.heard(Heard::Ticket(ticket.state, ticket.reason.clone()));
        if self.stage == Stage::Entering
            && self.report.session.is_none()
            && let Some(session) = ticket.session.clone()
        {
            // The accept: from now on what is played is heard.
            self.send_as(match ticket.mode {
                TicketMode::Video => CallMode::Video,
                TicketMode::Audio => CallMode::Audio,
                TicketMode::Text => CallMode::Text,
            });
            self.entry = Some(Instant::now() + ENTRY);
            let answer = self.line.join(&session).await;
            self.report.session = Some(session);
            self.job(answer, Done::Joined);
        }
        self.ticket = ticket;
    }

    /// What the mode lets through, as far as there are files for it.
    fn send_as(&mut self, mode: CallMode) {
        let audio = matches!(mode, CallMode::Video | CallMode::Audio) && self.plan.audio.is_some();
        let video = mode == CallMode::Video && self.plan.video.is_some();
        if audio || video {
            self.media.begin();
        }
        self.media.set_live(Live { audio, video });
    }

    pub(super) async fn session(&mut self, session: SessionView) {
        if self.report.session.as_ref() != Some(&session.id)
            || self
                .session
                .as_ref()
                .is_some_and(|s| s.version > session.version)
        {
            return;
        }
        if session.state == SessionState::Ended {
            let reason = session.end_reason.clone().unwrap_or_default();
            self.heard(Heard::SessionEnded(reason));
            // The last one before the end says how it was.
            if let Some(before) = &mut self.session {
                before.state = SessionState::Ended;
            }
            return;
        }
        if session.state == SessionState::Active && self.talk_end.is_none() {
            self.talk_end = Some(Instant::now() + self.plan.talk);
            self.talking_since = Some(Moment::now());
        }
        match (session.hold, self.held_since) {
            (true, None) => self.held_since = Some(Moment::now()),
            (false, Some(since)) => {
                self.held += since.elapsed();
                self.held_since = None;
            }
            _ => {}
        }
        self.send_as(session.mode);
        let live = self.media.live();
        if self.told != Some(live) {
            self.told = Some(live);
            self.say(Command::MediaState {
                session: session.id.clone(),
                mic_on: live.audio,
                camera_on: live.video,
            })
            .await;
        }
        if let Some(asked) = session.mode_asked
            && self.asked != Some(asked)
        {
            let session = session.id.clone();
            let can = match asked {
                CallMode::Video => self.plan.video.is_some() && self.plan.audio.is_some(),
                CallMode::Audio => self.plan.audio.is_some(),
                CallMode::Text => true,
                // Nobody picks up a telephone here.
                CallMode::Phone => false,
            };
            let command = if can {
                Command::ModeAgree { session }
            } else {
                Command::ModeRefuse { session }
            };
            self.say(command).await;
        }
        self.asked = session.mode_asked;
        self.session = Some(session);
    }

    /// The agent as last seen: microphone and camera on.
    pub(super) fn agent(&self) -> Option<(bool, bool)> {
        let members = &self.session.as_ref()?.members;
        let agent = members.iter().find(|m| m.role == MemberRole::Agent)?;
        Some((agent.mic_on, agent.camera_on))
    }
}
