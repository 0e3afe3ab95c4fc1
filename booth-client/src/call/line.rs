//! The WebSocket line (`docs/protocol.md`): hello, heartbeat, and what a client must do on a reconnect: a new ticket, the watches
//! again, the session entered again after the last entry seen, and every open command again under its old id.

mod socket;

use super::http::{Api, Fault, key};
use protocol::{ClientFrame, Command, CommandReply, Problem, ReplyResult, ServerFrame};
use socket::{Socket, connect, hear, say};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};

const CONNECT: Duration = Duration::from_secs(10);
/// The server keeps a citizen's place for longer than this.
const GIVE_UP: Duration = Duration::from_secs(30);
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
const ASKS: usize = 64;
const TOLD: usize = 256;

/// What the server replied.
pub type Reply = Result<CommandReply, Box<Problem>>;
pub type Answer = oneshot::Receiver<Reply>;
type Asker = oneshot::Sender<Reply>;

/// What comes up the line.
pub enum Told {
    Frame(Box<ServerFrame>),
    /// The session cannot be entered again.
    Out(Box<Problem>),
    /// There is no line any more, and no use in trying.
    Lost(Fault),
}

enum Ask {
    Watch(String),
    Join(String, Asker),
    Command(Box<Command>, Asker),
    Close,
}

pub struct Line {
    asks: mpsc::Sender<Ask>,
    pub told: mpsc::Receiver<Told>,
    /// How often the line was lost and found again.
    pub reconnects: Arc<AtomicU32>,
    task: JoinHandle<()>,
}

impl Line {
    #[must_use]
    pub fn open(api: Api) -> Self {
        let (asks_tx, asks) = mpsc::channel(ASKS);
        let (told_tx, told) = mpsc::channel(TOLD);
        let reconnects = Arc::<AtomicU32>::default();
        let worker = Worker {
            api,
            asks,
            told: told_tx,
            tickets: vec![],
            session: None,
            open: vec![],
        };
        let count = reconnects.clone();
        Self {
            asks: asks_tx,
            told,
            reconnects,
            task: tokio::spawn(Box::pin(worker.run(count))),
        }
    }

    /// Watched again after each reconnect.
    pub async fn watch(&self, ticket: &str) {
        let _ = self.asks.send(Ask::Watch(ticket.to_owned())).await;
    }
    /// Entered again after each reconnect.
    pub async fn join(&self, session: &str) -> Answer {
        let (tx, rx) = oneshot::channel();
        let _ = self.asks.send(Ask::Join(session.to_owned(), tx)).await;
        rx
    }
    pub async fn command(&self, command: Command) -> Answer {
        let (tx, rx) = oneshot::channel();
        let _ = self.asks.send(Ask::Command(Box::new(command), tx)).await;
        rx
    }

    /// Goodbye, so that the server need not wait for silence.
    pub async fn close(mut self) {
        let _ = self.asks.try_send(Ask::Close);
        self.told.close();
        let _ = timeout(Duration::from_secs(2), &mut self.task).await;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Open {
    id: String,
    command: Command,
    /// None: the line's own entry after a reconnect.
    answer: Option<Asker>,
}

struct Worker {
    api: Api,
    asks: mpsc::Receiver<Ask>,
    told: mpsc::Sender<Told>,
    tickets: Vec<String>,
    /// The joined session and the last entry seen of its journal.
    session: Option<(String, i64)>,
    open: Vec<Open>,
}

enum Left {
    /// By us, or by the server for good.
    Done,
    Broken,
}

/// Doubles up to eight seconds, with jitter; `chance` is 0 to 1.
fn backoff(attempt: u32, chance: f64) -> Duration {
    let whole = LONGEST_WAIT.min(FIRST_WAIT * 2u32.pow(attempt.min(10)));
    whole.mul_f64(0.5 + chance / 2.0)
}

impl Worker {
    async fn run(mut self, reconnects: Arc<AtomicU32>) {
        let (mut attempt, mut down_since) = (0, Instant::now());
        loop {
            let connected = match timeout(CONNECT, connect(&self.api)).await {
                Ok(c) => c,
                Err(_) => Err(Fault::Unreachable("no answer on the line".into())),
            };
            match connected {
                Ok((socket, dead)) => {
                    if let Left::Done = self.talk(socket, dead).await {
                        return;
                    }
                    (attempt, down_since) = (0, Instant::now());
                    reconnects.fetch_add(1, Ordering::Relaxed);
                }
                Err(fault) => {
                    let refused = matches!(&fault, Fault::Refused(p) if p.status < 500);
                    let refused = refused || matches!(fault, Fault::Strange(_));
                    if refused || down_since.elapsed() > GIVE_UP {
                        let _ = self.told.send(Told::Lost(fault)).await;
                        return;
                    }
                }
            }
            let until = Instant::now() + backoff(attempt, rand::random());
            attempt += 1;
            loop {
                tokio::select! {
                    () = sleep_until(until) => break,
                    ask = self.asks.recv() => match ask {
                        None | Some(Ask::Close) => return,
                        Some(ask) => { self.note(ask); }
                    },
                }
            }
        }
    }

    /// What is asked for is kept before it is sent, so that a reconnect repeats it. Answers the frame, if one is due now.
    fn note(&mut self, ask: Ask) -> Option<ClientFrame> {
        let (command, answer) = match ask {
            Ask::Watch(ticket) => {
                self.tickets.push(ticket.clone());
                return Some(ClientFrame::WatchTicket { ticket });
            }
            Ask::Join(session, answer) => {
                self.session = Some((session.clone(), 0));
                let after_seq = 0;
                (Command::Join { session, after_seq }, answer)
            }
            Ask::Command(command, answer) => (*command, answer),
            Ask::Close => return None,
        };
        Some(self.keep(command, Some(answer)))
    }

    fn keep(&mut self, command: Command, answer: Option<Asker>) -> ClientFrame {
        let id = key();
        self.open.push(Open {
            id: id.clone(),
            command: command.clone(),
            answer,
        });
        ClientFrame::Command { id, command }
    }

    /// After a welcome: watches, the entry, then what is still without an answer.
    fn again(&mut self) -> Vec<ClientFrame> {
        let mut frames: Vec<ClientFrame> = self
            .tickets
            .iter()
            .cloned()
            .map(|ticket| ClientFrame::WatchTicket { ticket })
            .collect();
        let early: Vec<ClientFrame> = self
            .open
            .iter()
            .map(|o| ClientFrame::Command {
                id: o.id.clone(),
                command: o.command.clone(),
            })
            .collect();
        let joining = self
            .open
            .iter()
            .any(|o| matches!(o.command, Command::Join { .. }));
        if let (Some((session, after_seq)), false) = (self.session.clone(), joining) {
            frames.push(self.keep(Command::Join { session, after_seq }, None));
        }
        frames.extend(early);
        frames
    }

    async fn talk(&mut self, mut socket: Socket, dead: Duration) -> Left {
        for frame in self.again() {
            if say(&mut socket, &frame).await.is_err() {
                return Left::Broken;
            }
        }
        loop {
            let frame = tokio::select! {
                ask = self.asks.recv() => {
                    let frame = match ask {
                        None | Some(Ask::Close) => {
                            let _ = socket.close(None).await;
                            return Left::Done;
                        }
                        Some(ask) => self.note(ask),
                    };
                    if let Some(frame) = frame && say(&mut socket, &frame).await.is_err() {
                        return Left::Broken;
                    }
                    continue;
                }
                heard = timeout(dead, hear(&mut socket)) => match heard {
                    Ok(Some(frame)) => frame,
                    Ok(None) | Err(_) => return Left::Broken,
                },
            };
            let pass = match frame {
                ServerFrame::Ping { n } => {
                    if say(&mut socket, &ClientFrame::Pong { n }).await.is_err() {
                        return Left::Broken;
                    }
                    continue;
                }
                ServerFrame::Reply { id, result } => match self.reply(&id, result) {
                    Some(told) => told,
                    None => continue,
                },
                ServerFrame::Event { session, event } => {
                    match &mut self.session {
                        Some((s, seq)) if *s == session && event.seq > *seq => *seq = event.seq,
                        _ => continue,
                    }
                    Told::Frame(Box::new(ServerFrame::Event { session, event }))
                }
                ServerFrame::SignedOut {} => {
                    let gone = Fault::Strange("signed out".into());
                    let _ = self.told.send(Told::Lost(gone)).await;
                    return Left::Done;
                }
                frame => Told::Frame(Box::new(frame)),
            };
            if self.told.send(pass).await.is_err() {
                let _ = socket.close(None).await;
                return Left::Done;
            }
        }
    }

    fn reply(&mut self, id: &str, result: ReplyResult) -> Option<Told> {
        let at = self.open.iter().position(|o| o.id == id)?;
        let open = self.open.remove(at);
        if let (
            ReplyResult::Ok {
                ok: CommandReply::Joined { session, .. },
            },
            Some((_, seq)),
        ) = (&result, &mut self.session)
        {
            *seq = (*seq).max(session.seq);
        }
        let result = match result {
            ReplyResult::Ok { ok } => Ok(ok),
            ReplyResult::Problem { problem } => Err(Box::new(problem)),
        };
        let Some(answer) = open.answer else {
            return match result {
                Ok(CommandReply::Joined { session, .. }) => {
                    Some(Told::Frame(Box::new(ServerFrame::Session {
                        session: *session,
                    })))
                }
                Ok(_) => None,
                Err(problem) => Some(Told::Out(problem)),
            };
        };
        // Whoever asked may have left.
        let _ = answer.send(result);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_eight_seconds() {
        let ms: Vec<u128> = (0..8).map(|n| backoff(n, 1.0).as_millis()).collect();
        assert_eq!(ms, [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
        assert_eq!(backoff(0, 0.0).as_millis(), 125);
    }
}
