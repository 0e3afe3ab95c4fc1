//! The host's shared state: one booth, one key, one desk, one reader, and the stream of what happens to them.

use crate::{
    card::{Card, CardReader, DeviceState, SimulatedReader},
    desk::{Answer, Desk, Now, Swiped},
    people::Person,
};
use protocol::{CardRead, DeviceKey, booth_login_bytes, card_read_bytes};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use time::format_description::well_known::Rfc3339;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

/// Events a slow page may be behind before it misses some.
const EVENTS: usize = 16;
/// Pages (and reloads of pages) that may listen at once.
pub const LISTENERS_MAX: usize = 8;

/// What the page is told over `GET /v1/events`.
#[derive(Clone)]
pub enum Event {
    /// A card lies there and nobody asked.
    CardPresent,
    CardRead(Box<CardRead>),
    Status,
}

pub struct Host {
    pub booth: String,
    key: DeviceKey,
    desk: Mutex<Desk>,
    pub events: broadcast::Sender<Event>,
    pub reader: Arc<dyn CardReader>,
    /// The same reader, where it is a simulated one, and its cards.
    pub simulator: Option<(Arc<SimulatedReader>, Vec<Person>)>,
    /// Rung by a wipe: the kiosk starts a fresh window.
    pub wiped: Notify,
    pub stop: CancellationToken,
}

impl Host {
    #[must_use]
    pub fn simulated(booth: String, key: DeviceKey, people: Vec<Person>) -> Arc<Self> {
        let reader = Arc::new(SimulatedReader::default());
        Arc::new(Self {
            booth,
            key,
            desk: Mutex::default(),
            events: broadcast::channel(EVENTS).0,
            reader: reader.clone(),
            simulator: Some((reader, people)),
            wiped: Notify::new(),
            stop: CancellationToken::new(),
        })
    }

    /// A panic elsewhere leaves the desk as it was: each method of it is complete by itself.
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signature of a booth's log-in, base64url.
    #[must_use]
    pub fn sign_login(&self, nonce: &str) -> String {
        self.key.sign(&booth_login_bytes(&self.booth, nonce))
    }

    fn sign(&self, a: &Answer) -> CardRead {
        // Whole seconds: enough to judge the age of a read.
        let read_at = a
            .read_at
            .replace_nanosecond(0)
            .unwrap_or(a.read_at)
            .format(&Rfc3339)
            .unwrap_or_default();
        let message = card_read_bytes(
            &a.nonce,
            &a.card.name,
            &a.card.number,
            &read_at,
            &self.booth,
        );
        CardRead {
            nonce: a.nonce.clone(),
            name: a.card.name.clone(),
            number: a.card.number.clone(),
            signature: self.key.sign(&message),
            read_at,
            booth: self.booth.clone(),
        }
    }

    /// Nobody listening is no failure: the page is being reloaded.
    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    pub fn swiped(&self, card: Card, now: Now) {
        let outcome = self.desk().swipe(card, now);
        match outcome {
            Swiped::Answers(answer) => {
                tracing::info!("card read, signed");
                self.tell(Event::CardRead(Box::new(self.sign(&answer))));
            }
            Swiped::Kept => {
                tracing::info!("card present, nobody asked");
                self.tell(Event::CardPresent);
            }
        }
    }

    pub fn arm(&self, nonce: String, now: Now) {
        let answer = self.desk().arm(nonce, now);
        if let Some(answer) = answer {
            tracing::info!("card of a moment ago, signed");
            self.tell(Event::CardRead(Box::new(self.sign(&answer))));
        }
    }

    pub fn disarm(&self) {
        self.desk().disarm();
    }

    /// Forgets the citizen; the kiosk's window is made anew.
    pub fn wipe(&self) {
        self.desk().wipe();
        tracing::info!("wiped");
        self.wiped.notify_one();
    }

    #[must_use]
    pub fn is_armed(&self) -> bool {
        self.desk().is_armed()
    }

    /// Takes cards from the reader, watches the reader's state and forgets old cards, until the host stops.
    pub async fn run(self: Arc<Self>) {
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        let mut state = self.reader.state();
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                card = self.reader.next_card() => match card {
                    Some(card) => self.swiped(card, Now::read()),
                    None => return,
                },
                _ = tick.tick() => {
                    self.desk().expire(Now::read());
                    let now = self.reader.state();
                    if now != state {
                        state = now;
                        tracing::warn!(ready = state == DeviceState::Ready, "card reader changed");
                        self.tell(Event::Status);
                    }
                }
            }
        }
    }
}
