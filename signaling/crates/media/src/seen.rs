//! Which sequence numbers of one stream have been met, as a replay list keeps them (RFC 3711 §3.3.2). Pure. Limit: [`WINDOW`].

const WORDS: usize = 32;
/// Numbers remembered: more than the history of a picture, so that every repetition of it can be told. Divides 65,536.
const WINDOW: u16 = WORDS as u16 * 64;

#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    highest: Option<u16>,
    bits: [u64; WORDS],
}

fn place(sequence: u16) -> (usize, u64) {
    let at = usize::from(sequence % WINDOW);
    (at / 64, 1 << (at % 64))
}

impl Seen {
    pub(crate) fn highest(&self) -> Option<u16> {
        self.highest
    }

    /// Whether a number was noted, as far as can be told.
    pub(crate) fn met(&self, sequence: u16) -> bool {
        let (word, bit) = place(sequence);
        let within = |highest: u16| highest.wrapping_sub(sequence) < WINDOW;
        self.highest.is_some_and(within) && self.bits[word] & bit != 0
    }

    /// What was noted under this number did not happen.
    pub(crate) fn forget(&mut self, sequence: u16) {
        if self.met(sequence) {
            let (word, bit) = place(sequence);
            self.bits[word] &= !bit;
        }
    }

    /// Notes a number; `false` if it was met before, or lies too far back to tell.
    pub(crate) fn note(&mut self, sequence: u16) -> bool {
        let Some(highest) = self.highest else {
            self.highest = Some(sequence);
            return self.set(sequence);
        };
        let ahead = sequence.wrapping_sub(highest);
        if ahead >= 0x8000 {
            return highest.wrapping_sub(sequence) < WINDOW && self.set(sequence);
        }
        if ahead >= WINDOW {
            self.bits = [0; WORDS];
        } else {
            for n in 1..=ahead {
                let (word, bit) = place(highest.wrapping_add(n));
                self.bits[word] &= !bit;
            }
        }
        self.highest = Some(sequence);
        self.set(sequence)
    }

    fn set(&mut self, sequence: u16) -> bool {
        let (word, bit) = place(sequence);
        let fresh = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_new_once_also_late_and_through_the_wrap() {
        let mut seen = Seen::default();
        for n in 65_000..70_000u32 {
            if n % 7 != 3 {
                assert!(seen.note(n as u16), "{n}");
            }
            let before = n - 1 - u32::from((n - 1) % 7 == 3);
            assert!(n < 65_010 || !seen.note(before as u16), "{before} again");
            // What was left out comes late, once.
            if n > 65_100 && (n - 100) % 7 == 3 {
                assert!(seen.note((n - 100) as u16));
                assert!(!seen.note((n - 100) as u16));
            }
        }
    }

    #[test]
    fn what_was_noted_is_met_until_it_is_forgotten() {
        let mut seen = Seen::default();
        assert!(!seen.met(0));
        for n in [65_534, 65_535, 1] {
            assert!(seen.note(n) && seen.met(n), "{n}");
        }
        assert!(!seen.met(0), "left out");
        assert!(!seen.met(2), "not yet");
        assert!(!seen.met(1u16.wrapping_sub(WINDOW)), "too far back");
        seen.forget(1);
        assert!(!seen.met(1) && seen.met(65_535));
        assert!(seen.note(1) && !seen.note(1));
    }

    #[test]
    fn too_old_is_not_new_and_a_leap_forgets() {
        let mut seen = Seen::default();
        assert!(seen.note(5));
        assert!(seen.note(5 + WINDOW));
        assert!(!seen.note(5), "too old to tell");
        assert!(seen.note(6 + 10 * WINDOW));
        assert!(seen.note(5 + 10 * WINDOW), "the place is free after a leap");
        assert!(!seen.note(6 + 10 * WINDOW));
    }
}
