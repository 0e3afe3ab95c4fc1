//! The arming rules, pure: which swipe answers which question. A card is signed only over a nonce that the server gave for
//! this visit, so a read cannot be replayed. Owns at most one question and one card; knows no clock, no key, no network.
//!
//! - Armed: the next swipe within [`ARMED`] answers, once.
//! - Not armed: the card is kept for [`KEEP`], so that "swipe first, then the page asks" works; asking takes it, once.

use crate::card::Card;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// How long a question waits for a card.
pub const ARMED: Duration = Duration::from_secs(120);
/// How long a card waits for a question.
pub const KEEP: Duration = Duration::from_secs(10);

/// Both clocks: windows are measured on the one that never jumps.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    pub mono: Instant,
    pub wall: OffsetDateTime,
}

impl Now {
    #[must_use]
    pub fn read() -> Self {
        Self {
            mono: Instant::now(),
            wall: OffsetDateTime::now_utc(),
        }
    }
    /// The same moment later, for tests.
    #[must_use]
    pub fn after(self, d: Duration) -> Self {
        Self {
            mono: self.mono + d,
            wall: self.wall + d,
        }
    }
}

/// A card and the question that it answers: to be signed.
#[derive(Debug)]
pub struct Answer {
    pub nonce: String,
    pub card: Card,
    pub read_at: OffsetDateTime,
}

/// What a swipe led to.
#[derive(Debug)]
pub enum Swiped {
    Answers(Answer),
    /// Nobody asked yet; the card waits.
    Kept,
}

#[derive(Default)]
pub struct Desk {
    question: Option<(String, Instant)>,
    card: Option<(Card, Now)>,
}

impl Desk {
    /// A card was put on the reader.
    pub fn swipe(&mut self, card: Card, now: Now) -> Swiped {
        self.expire(now);
        match self.question.take() {
            Some((nonce, _)) => Swiped::Answers(Answer {
                nonce,
                card,
                read_at: now.wall,
            }),
            None => {
                self.card = Some((card, now));
                Swiped::Kept
            }
        }
    }

    /// The page asks for a card. Some: one of the last [`KEEP`] answers at once. A second question replaces the first.
    pub fn arm(&mut self, nonce: String, now: Now) -> Option<Answer> {
        self.expire(now);
        match self.card.take() {
            Some((card, at)) => {
                self.question = None;
                Some(Answer {
                    nonce,
                    card,
                    read_at: at.wall,
                })
            }
            None => {
                self.question = Some((nonce, now.mono + ARMED));
                None
            }
        }
    }

    pub fn disarm(&mut self) {
        self.question = None;
    }

    /// Nothing of this citizen stays.
    pub fn wipe(&mut self) {
        self.question = None;
        self.card = None;
    }

    /// Forgets what is too old; called every second besides, so that a kept card goes even when nothing happens.
    pub fn expire(&mut self, now: Now) {
        if self
            .question
            .as_ref()
            .is_some_and(|(_, until)| now.mono >= *until)
        {
            self.question = None;
        }
        if self
            .card
            .as_ref()
            .is_some_and(|(_, at)| now.mono >= at.mono + KEEP)
        {
            self.card = None;
        }
    }

    #[must_use]
    pub fn is_armed(&self) -> bool {
        self.question.is_some()
    }
    #[must_use]
    pub fn holds_card(&self) -> bool {
        self.card.is_some()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn card(name: &str) -> Card {
        Card {
            name: name.into(),
            number: "430981199802279647".into(),
        }
    }
    const S: Duration = Duration::from_secs(1);

    #[test]
    fn a_swipe_answers_the_question_once() {
        let (mut desk, t) = (Desk::default(), Now::read());
        assert!(desk.arm("n1".into(), t).is_none());
        let Swiped::Answers(a) = desk.swipe(card("甲"), t.after(S * 119)) else {
            panic!("not answered")
        };
        assert_eq!(
            (a.nonce.as_str(), a.card.name.as_str(), a.read_at),
            ("n1", "甲", t.after(S * 119).wall)
        );
        assert!(!desk.is_armed() && !desk.holds_card());
        assert!(matches!(
            desk.swipe(card("乙"), t.after(S * 119)),
            Swiped::Kept
        ));
    }

    #[test]
    fn a_question_ends_after_120_s() {
        let (mut desk, t) = (Desk::default(), Now::read());
        desk.arm("n1".into(), t);
        assert!(matches!(
            desk.swipe(card("甲"), t.after(ARMED)),
            Swiped::Kept
        ));
    }

    #[test]
    fn a_card_waits_10_s_for_a_question() {
        let (mut desk, t) = (Desk::default(), Now::read());
        desk.swipe(card("甲"), t);
        let a = desk.arm("n1".into(), t.after(S * 9)).unwrap();
        // The time of the read is the swipe's, not the question's.
        assert_eq!((a.card.name.as_str(), a.read_at), ("甲", t.wall));
        assert!(
            desk.arm("n2".into(), t.after(S * 9)).is_none(),
            "a card answers once"
        );
        desk.disarm();
        desk.swipe(card("乙"), t);
        assert!(desk.arm("n3".into(), t.after(KEEP)).is_none());
    }

    #[test]
    fn the_newest_card_and_question_count() {
        let (mut desk, t) = (Desk::default(), Now::read());
        desk.swipe(card("甲"), t);
        desk.swipe(card("乙"), t.after(S));
        assert_eq!(
            desk.arm("n".into(), t.after(S * 2)).unwrap().card.name,
            "乙"
        );
        desk.arm("old".into(), t);
        desk.arm("new".into(), t);
        let Swiped::Answers(a) = desk.swipe(card("甲"), t.after(S)) else {
            panic!("not answered")
        };
        assert_eq!(a.nonce, "new");
    }

    #[test]
    fn disarm_and_wipe_leave_nothing() {
        let (mut desk, t) = (Desk::default(), Now::read());
        desk.arm("n".into(), t);
        desk.disarm();
        assert!(matches!(desk.swipe(card("甲"), t), Swiped::Kept));
        desk.wipe();
        assert!(desk.arm("n".into(), t).is_none());
        desk.disarm();
        desk.swipe(card("甲"), t);
        desk.expire(t.after(KEEP));
        assert!(!desk.holds_card());
    }
}
