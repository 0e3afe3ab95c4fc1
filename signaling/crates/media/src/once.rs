//! One number, one text: the rollover counter of a stream that is sent (RFC 3711 §3.3.1), and what may leave under its numbers.
//!
//! Two texts under one number are two under one nonce: with AES-GCM that gives the authentication key away, in counter mode the
//! texts. Whoever publishes chooses texts and numbers, so nothing is taken on trust here. Pure. Limits: [`Seen`]'s window, [`HISTORY`].

use crate::config::HISTORY;
use crate::seen::Seen;

/// Of the authentication tag, what every profile has (bytes; HMAC-SHA1-80).
const TAG: usize = 10;

/// How a number is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Round {
    /// Once: what is missed is repeated under another number, or not at all.
    #[default]
    Only,
    /// For the first time; the page may ask for it again under the same number.
    First,
    /// Once more, and the same to the byte.
    Again,
}

/// One outgoing stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct Once {
    rollovers: u32,
    seen: Seen,
    /// Tags of what may be asked for again; empty where that never happens. A tag tells texts apart without a hash of its own.
    kept: Vec<Option<(u16, [u8; TAG])>>,
}

impl Once {
    /// The rollover counter that belongs to a number; none: nothing may be sent under it. A number half a turn ahead is one far behind,
    /// as every receiver takes it.
    pub(crate) fn claim(&mut self, sequence: u16, round: Round) -> Option<u32> {
        let highest = self.seen.highest().unwrap_or(sequence);
        let may = match round {
            Round::Only | Round::First => self.seen.note(sequence),
            Round::Again => self.seen.met(sequence),
        };
        if !may {
            return None;
        }
        if sequence.wrapping_sub(highest) < 0x8000 {
            if sequence < highest {
                self.rollovers = self.rollovers.checked_add(1)?;
            }
            Some(self.rollovers)
        } else if sequence > highest {
            self.rollovers.checked_sub(1)
        } else {
            Some(self.rollovers)
        }
    }

    /// A claimed number's packet was sealed; whether it may leave.
    pub(crate) fn sealed(&mut self, sequence: u16, round: Round, packet: &[u8]) -> bool {
        let Some(tag) = packet.last_chunk::<TAG>() else {
            return false;
        };
        let (at, entry) = (usize::from(sequence) % HISTORY, Some((sequence, *tag)));
        match round {
            Round::Only => true,
            Round::First => {
                if self.kept.is_empty() {
                    self.kept.resize(HISTORY, None);
                }
                self.kept[at] = entry;
                true
            }
            Round::Again => self.kept.get(at) == Some(&entry),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Round::{Again, First, Only};

    /// A stream that has come to this number by the way of all numbers.
    fn at(highest: u32) -> Once {
        let mut once = Once::default();
        for n in 0..=highest {
            assert_eq!(once.claim(n as u16, Only), Some(n >> 16), "{n}");
        }
        once
    }

    #[test]
    fn the_counter_goes_with_the_number() {
        let mut once = Once::default();
        assert_eq!(once.claim(65_534, Only), Some(0));
        assert_eq!(once.claim(0, Only), Some(1));
        assert_eq!(
            once.claim(65_535, Only),
            Some(0),
            "late, from before the wrap"
        );
        assert_eq!(once.claim(1, Only), Some(1));
        assert_eq!(once.claim(30_000, Only), Some(1));
    }

    #[test]
    fn a_leap_of_half_a_turn_steps_nothing_back() {
        let mut once = at(65_536 + 10);
        for leap in [40_000, 10 + 0x8000, 65_536 - 4_000] {
            assert_eq!(once.claim(leap as u16, Only), None, "{leap}");
        }
        assert_eq!(once.claim(11, Only), Some(1), "and the stream goes on");
        let mut young = Once::default();
        assert_eq!(young.claim(5, Only), Some(0));
        assert_eq!(young.claim(65_530, Only), None, "before the first turn");
    }

    #[test]
    fn a_number_is_claimed_once_and_again_for_the_same_text_alone() {
        let mut once = at(65_536 + 10);
        assert_eq!(once.claim(10, Only), None);
        assert_eq!(once.claim(10, First), None);
        assert_eq!(once.claim(65_535, Only), None, "also from before the wrap");
        assert_eq!(once.claim(12, Again), None, "never sent");

        let (text, other) = ([1; 30], [2; 30]);
        assert_eq!(once.claim(12, First), Some(1));
        assert!(once.sealed(12, First, &text));
        assert_eq!(once.claim(12, Again), Some(1));
        assert!(once.sealed(12, Again, &text));
        assert!(!once.sealed(12, Again, &other));
        assert!(!once.sealed(10, Again, &text), "its tag was not kept");
        assert!(!once.sealed(12, Again, &text[..TAG - 1]));
    }
}
