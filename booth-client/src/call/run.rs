//! The loop that carries one call: hears the line, the connection, the clock and the signals; moves the stage; does what follows.

mod arrive;
mod heard;
mod judge;

use super::{
    Plan,
    flow::{Heard, Stage},
    http::{Api, Fault},
    line::{Answer, Line, Reply},
    media::{Media, Todo},
    play::Live,
    report::{Outcome, Report},
};
use arrive::{arrive, end_visit, own_address};
use futures::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use protocol::{
    CallMode, Command, CommandReply, SessionState, SessionView, TicketMode, TicketView,
};
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant as Moment},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep_until, timeout},
};

/// The counts of seats may be this much behind the seats.
const EMPTY_FOR: Duration = Duration::from_secs(3);
/// From the accept to the session.
const ENTRY: Duration = Duration::from_secs(15);
/// For saying goodbye to a server that may be gone.
const GOODBYE: Duration = Duration::from_secs(6);
/// So that the agent knows; it is the first thing said.
const HELLO: &str = "【自动监测呼叫，无需办理】Automatic test call, nothing to do.";

enum Done {
    Joined(Reply),
    Answered(u32, Result<String, String>),
    Said,
}

struct Caller<'p> {
    plan: &'p Plan,
    api: Api,
    visit: String,
    began: Moment,
    report: Report,
    line: Line,
    media: Media,
    stage: Stage,
    ticket: TicketView,
    session: Option<SessionView>,
    jobs: FuturesUnordered<BoxFuture<'static, Done>>,
    patience: Instant,
    /// When "nobody on duty" is believed.
    empty_at: Option<Instant>,
    entry: Option<Instant>,
    talk_end: Option<Instant>,
    talking_since: Option<Moment>,
    held_since: Option<Moment>,
    held: Duration,
    /// The agent's last question about the mode.
    asked: Option<CallMode>,
    told: Option<Live>,
    /// Own words came back in the journal.
    echoed: bool,
    /// The line was lost since nobody answers any more.
    unreachable: bool,
}

/// Places the call and sees it through; the report says what it came to.
pub async fn place(plan: &Plan, mut report: Report) -> Report {
    let api = match Api::new(&plan.server, plan.language) {
        Ok(api) => api,
        Err(e) => {
            report.detail = Some(e.to_string());
            return report.came_to(Outcome::BadInput);
        }
    };
    let stop = stopped();
    tokio::pin!(stop);
    let began = Moment::now();
    let arrived = tokio::select! {
        arrived = Box::pin(arrive(plan, api, &mut report, began)) => arrived,
        () = &mut stop => return report.came_to(Outcome::Interrupted),
    };
    let (api, visit, ticket) = match arrived {
        Ok(arrived) => arrived,
        Err(fault) => return refused(report, &fault),
    };
    report.times.ticket = Some(began.elapsed());
    let media = Media::new(
        own_address(&plan.server).await,
        plan.network,
        plan.video.clone(),
        plan.audio.clone(),
    );
    let mut caller = Caller {
        plan,
        line: Line::open(api.clone()),
        api,
        visit,
        began,
        report,
        media,
        stage: Stage::Waiting,
        ticket: ticket.clone(),
        session: None,
        jobs: FuturesUnordered::new(),
        patience: Instant::now() + plan.answer_within,
        empty_at: None,
        entry: None,
        talk_end: None,
        talking_since: None,
        held_since: None,
        held: Duration::ZERO,
        asked: None,
        told: None,
        echoed: false,
        unreachable: false,
    };
    caller.line.watch(&ticket.id).await;
    if plan.mode != TicketMode::Text {
        caller.media.begin();
    }
    caller.ticket(ticket).await;
    while caller.stage.end().is_none() {
        let due = caller.next_due();
        let Caller {
            line, media, jobs, ..
        } = &mut caller;
        tokio::select! {
            told = line.told.recv() => match told {
                Some(told) => caller.told(told).await,
                None => caller.heard(Heard::LineLost),
            },
            state = media.changed() => {
                let todo = caller.media.is_now(state).await;
                caller.todo(todo).await;
            }
            Some(done) = jobs.next(), if !jobs.is_empty() => caller.done(done).await,
            () = sleep_until(due) => caller.due().await,
            () = &mut stop => caller.heard(Heard::Interrupted),
        }
    }
    Box::pin(caller.leave()).await
}

async fn stopped() {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut s) => s.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate => {}
    }
}

fn refused(mut report: Report, fault: &Fault) -> Report {
    report.code = fault.code().map(str::to_owned);
    report.detail = Some(fault.to_string());
    let outcome = match fault {
        Fault::Unreachable(_) => Outcome::ServerUnreachable,
        Fault::Refused(p) if p.code == "queue_closed" => Outcome::QueueClosed,
        Fault::Refused(_) | Fault::Strange(_) => Outcome::Refused,
    };
    report.came_to(outcome)
}

impl Caller<'_> {
    fn heard(&mut self, heard: Heard) {
        let stage = std::mem::replace(&mut self.stage, Stage::Waiting);
        self.stage = stage.after(heard);
    }

    fn since(&self) -> Duration {
        self.began.elapsed()
    }

    fn next_due(&self) -> Instant {
        let in_line = matches!(self.stage, Stage::Waiting | Stage::Ringing);
        [
            in_line.then_some(self.patience),
            self.empty_at,
            self.entry,
            self.talk_end,
            self.media.due(),
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600))
    }

    async fn due(&mut self) {
        let now = Instant::now();
        let is_over = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if is_over(self.media.due()) {
            let todo = self.media.tick().await;
            self.todo(todo).await;
        }
        if is_over(self.empty_at.take_if(|at| *at <= now)) {
            self.heard(Heard::NobodyOnDuty);
        }
        if is_over(self.entry.take_if(|at| *at <= now)) {
            self.heard(Heard::EntryOver);
        }
        if is_over(self.talk_end.take_if(|at| *at <= now)) {
            self.heard(Heard::TalkedEnough);
        }
        if self.patience <= now {
            self.heard(Heard::PatienceOver);
        }
    }

    fn job(&self, answer: Answer, make: impl FnOnce(Reply) -> Done + Send + 'static) {
        self.jobs.push(Box::pin(async move {
            match answer.await {
                Ok(reply) => make(reply),
                // The line is gone; it says so itself.
                Err(_) => Done::Said,
            }
        }));
    }

    async fn say(&self, command: Command) {
        let answer = self.line.command(command).await;
        self.job(answer, |_| Done::Said);
    }

    async fn done(&mut self, done: Done) {
        match done {
            Done::Said => {}
            Done::Answered(round, answer) => {
                let todo = self.media.answered(round, answer).await;
                self.todo(todo).await;
            }
            Done::Joined(Ok(CommandReply::Joined { session, .. })) => {
                self.entry = None;
                self.report.times.joined = Some(self.since());
                self.heard(Heard::Joined);
                let (session_id, text) = (session.id.clone(), HELLO.to_owned());
                self.session(*session).await;
                let session = session_id;
                self.say(Command::Chat { session, text }).await;
            }
            Done::Joined(Ok(_)) => self.heard(Heard::EntryOver),
            Done::Joined(Err(problem)) => {
                self.report.detail = Some(problem.title.clone());
                self.report.code = Some(problem.code);
                self.heard(Heard::EntryOver);
            }
        }
    }

    async fn todo(&mut self, todo: Todo) {
        match todo {
            Todo::Nothing => {}
            Todo::Failed => self.heard(Heard::MediaFailed),
            Todo::Offer(round, sdp) => {
                let room = self.ticket.id.clone();
                let answer = self
                    .line
                    .command(Command::MediaOffer {
                        room,
                        sdp,
                        sources: vec![],
                    })
                    .await;
                self.job(answer, move |reply| {
                    let sdp = match reply {
                        Ok(CommandReply::MediaAnswer { sdp }) => Ok(sdp),
                        Ok(_) => Err("no answer to the offer".to_owned()),
                        Err(p) => Err(format!("{} ({})", p.title, p.code)),
                    };
                    Done::Answered(round, sdp)
                });
            }
        }
    }

    /// Hangs up properly, whatever happened, and fills in the figures.
    async fn leave(mut self) -> Report {
        let ended = std::time::Instant::now();
        let talked = self.talking_since.map_or(Duration::ZERO, |t| t.elapsed());
        let held = self.held + self.held_since.map_or(Duration::ZERO, |t| t.elapsed());
        self.report.talk_ms = u64::try_from(talked.as_millis()).unwrap_or(u64::MAX);
        self.report.hold_ms = u64::try_from(held.as_millis()).unwrap_or(u64::MAX);
        self.media.set_live(Live::default());
        let _ = timeout(GOODBYE, self.goodbye()).await;
        self.media.hang_up().await;
        self.report.reconnects = self.line.reconnects.load(Ordering::Relaxed);
        self.fill();
        let outcome = self.judge(ended);
        self.line.close().await;
        self.report.came_to(outcome)
    }

    async fn goodbye(&self) {
        let ended = self
            .session
            .as_ref()
            .is_some_and(|s| s.state == SessionState::Ended);
        let (path, body) = match &self.report.session {
            Some(session) => (
                format!("/sessions/{session}/end"),
                serde_json::json!({"reason": "citizen_left"}),
            ),
            None => (
                format!("/tickets/{}/cancel", self.ticket.id),
                serde_json::json!({}),
            ),
        };
        if !ended {
            let _ = self.api.post::<serde_json::Value>(&path, &body).await;
        }
        // Ends whatever is left of it, a place in line included.
        end_visit(&self.api, &self.visit).await;
    }
}
