//! Cards and readers. Owns the trait that a real (serial) reader will implement and the simulated one.
//! A card's holder is never printed: `Debug` redacts, and the memory is cleared on drop.

use futures::future::BoxFuture;
use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};
use tokio::sync::{Mutex, mpsc};
use zeroize::Zeroize;

/// What a second-generation identity card says, as far as the booth passes it on (GA 448: name, 公民身份号码).
#[derive(Clone)]
pub struct Card {
    pub name: String,
    pub number: String,
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Card { .. }")
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        self.name.zeroize();
        self.number.zeroize();
    }
}

/// Of one device, as `GET /v1/status` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    Ready,
    Absent,
}

/// A card reader.
pub trait CardReader: Send + Sync {
    fn state(&self) -> DeviceState;
    /// The next card that is put on the reader; `None` when the reader is gone for good. Cancel-safe.
    fn next_card(&self) -> BoxFuture<'_, Option<Card>>;
}

/// Cards waiting to be taken up; more are dropped, as a real reader would miss them.
const QUEUE: usize = 4;

/// A reader whose cards are pressed on the demo page.
pub struct SimulatedReader {
    present: AtomicBool,
    sender: mpsc::Sender<Card>,
    cards: Mutex<mpsc::Receiver<Card>>,
}

impl Default for SimulatedReader {
    fn default() -> Self {
        let (sender, cards) = mpsc::channel(QUEUE);
        Self {
            present: AtomicBool::new(true),
            sender,
            cards: Mutex::new(cards),
        }
    }
}

impl SimulatedReader {
    /// A card is put on. False: the reader is unplugged or busy.
    pub fn swipe(&self, card: Card) -> bool {
        self.present.load(Ordering::Relaxed) && self.sender.try_send(card).is_ok()
    }
    /// Plugs the reader in or out.
    pub fn set_present(&self, present: bool) {
        self.present.store(present, Ordering::Relaxed);
    }
}

impl CardReader for SimulatedReader {
    fn state(&self) -> DeviceState {
        if self.present.load(Ordering::Relaxed) {
            DeviceState::Ready
        } else {
            DeviceState::Absent
        }
    }
    fn next_card(&self) -> BoxFuture<'_, Option<Card>> {
        Box::pin(async { self.cards.lock().await.recv().await })
    }
}
