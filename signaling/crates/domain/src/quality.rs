//! How good a member's line is, as one word that people understand: good, fair, poor, lost.
//!
//! Owns the bounds between the words and how long a change must last before it is said. Never knows where figures come from.
//!
//! Where the bounds come from:
//! - delay: ITU-T G.114, 150 ms one way do not disturb a talk, beyond 400 ms it suffers; a round trip is both ways.
//! - loss: ITU-T G.1010 table I.1, under 3 % for conversational voice; above 10 % what forward error correction and concealment
//!   can do for Opus ends (this product's own fault tests measure that bound).
//! - jitter: ITU-T Y.1541 class 0, 50 ms of delay variation; beyond 150 ms a page's jitter buffer makes the delay itself too long.
//! - freeze: the share of the time for which a picture stood still. A frame or two (2 %) is seen by nobody, and with a fifth of
//!   the time nobody can follow lips, hands or paper (ITU-T P.910-like viewing: an own bound, no standard gives one).

use crate::time::Span;

/// A row of a member's series at most this often, beside those at a change.
pub const SAMPLE_EVERY: Span = Span::seconds(10);
/// Rows of one session: six members for two hours; what comes later is not kept.
pub const SAMPLES_PER_SESSION: i64 = 4_500;
/// What a page says of its own reception counts this long.
pub const RECEPTION_LIFE: Span = Span::seconds(12);
/// The period that a page may speak of (ms): a shorter one says nothing, a longer one is old.
pub const RECEPTION_PERIOD_MS: std::ops::RangeInclusive<u32> = 1_000..=15_000;
/// Two worse readings in a row (ten seconds) before the word gets worse, three before it gets better.
const WORSE_AFTER: u8 = 2;
const BETTER_AFTER: u8 = 3;
/// A better word needs figures that are clearly within its bounds, so that a line at the bound does not flicker.
const MARGIN: f32 = 0.8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Good,
    Fair,
    Poor,
    /// Nothing comes through: the connection is silent or gone.
    Lost,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Good, Self::Fair, Self::Poor, Self::Lost];
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Fair => "fair",
            Self::Poor => "poor",
            Self::Lost => "lost",
        }
    }
    #[must_use]
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == s)
    }
}

/// One reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Lost of what was sent, percent, the worse direction.
    pub loss_pct: f32,
    /// Interarrival jitter (RFC 3550 §6.4.1), milliseconds.
    pub jitter_ms: f32,
    /// Round trip, milliseconds; unknown until the page has reported.
    pub rtt_ms: Option<f32>,
    /// Share of the time for which the received picture stood still, percent; unknown where the page does not say.
    pub freeze_pct: Option<f32>,
}

struct Bounds {
    loss_pct: f32,
    jitter_ms: f32,
    rtt_ms: f32,
    freeze_pct: f32,
}

const GOOD: Bounds = Bounds {
    loss_pct: 3.0,
    jitter_ms: 50.0,
    rtt_ms: 300.0,
    freeze_pct: 2.0,
};
const FAIR: Bounds = Bounds {
    loss_pct: 10.0,
    jitter_ms: 150.0,
    rtt_ms: 800.0,
    freeze_pct: 20.0,
};

impl Bounds {
    /// What is no number is within no bounds.
    fn hold(&self, f: &Figures, margin: f32) -> bool {
        let within = |v: f32, bound: f32| v <= bound * margin;
        within(f.loss_pct, self.loss_pct)
            && within(f.jitter_ms, self.jitter_ms)
            && f.rtt_ms.is_none_or(|v| within(v, self.rtt_ms))
            && f.freeze_pct.is_none_or(|v| within(v, self.freeze_pct))
    }
}

fn judge_within(f: &Figures, margin: f32) -> State {
    if GOOD.hold(f, margin) {
        State::Good
    } else if FAIR.hold(f, margin) {
        State::Fair
    } else {
        State::Poor
    }
}

/// The word for one reading: the worst figure decides.
#[must_use]
pub fn judge(f: &Figures) -> State {
    judge_within(f, 1.0)
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cmd {
    Measured(Figures),
    /// The connection ended, or nothing comes over it any more.
    Ended,
    /// Something comes again.
    Back,
}

/// What is said of a line, and what may be said next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Line {
    said: Option<State>,
    /// The mildest change that the last readings agree on, and how many they are.
    next: Option<(State, u8)>,
    /// The word before the line was lost.
    before: Option<State>,
}

impl Line {
    /// The word now; none before the first reading.
    #[must_use]
    pub const fn state(self) -> Option<State> {
        self.said
    }

    const fn saying(state: State) -> Self {
        Self {
            said: Some(state),
            next: None,
            before: None,
        }
    }

    fn lost(self) -> Self {
        Self {
            before: match self.said {
                Some(State::Lost) => self.before,
                said => said,
            },
            ..Self::saying(State::Lost)
        }
    }

    /// What was said before the loss holds until it is measured anew.
    fn back(self) -> Self {
        match self.said {
            Some(State::Lost) => Self {
                said: self.before,
                ..Self::default()
            },
            _ => self,
        }
    }

    /// The one place that says how the word changes: an end and a return at once, a first reading and one after an end at once,
    /// anything else when several readings in a row agree on its direction.
    #[must_use]
    pub fn apply(self, cmd: Cmd) -> Self {
        let figures = match cmd {
            Cmd::Ended => return self.lost(),
            Cmd::Back => return self.back(),
            Cmd::Measured(f) => f,
        };
        let plain = judge(&figures);
        let said = match self.said {
            None | Some(State::Lost) => return Self::saying(plain),
            Some(said) => said,
        };
        let read = if plain < said {
            judge_within(&figures, MARGIN).min(said)
        } else {
            plain
        };
        if read == said {
            return Self::saying(said);
        }
        let worse = read > said;
        let (next, times) = match self.next {
            Some((before, times)) if (before > said) == worse => {
                let nearer = if worse {
                    before.min(read)
                } else {
                    before.max(read)
                };
                (nearer, times + 1)
            }
            _ => (read, 1),
        };
        let needed = if worse { WORSE_AFTER } else { BETTER_AFTER };
        if times >= needed {
            Self::saying(next)
        } else {
            Self {
                next: Some((next, times)),
                ..Self::saying(said)
            }
        }
    }
}

/// Share of the period that a page says it saw a still picture, percent; none where it says what cannot be.
#[must_use]
pub fn freeze_pct(freeze_ms: u32, period_ms: u32) -> Option<f32> {
    (RECEPTION_PERIOD_MS.contains(&period_ms) && freeze_ms <= period_ms)
        .then(|| freeze_ms as f32 * 100.0 / period_ms as f32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::State::{Fair, Good, Lost, Poor};
    use super::*;
    use proptest::prelude::*;

    fn loss(loss_pct: f32) -> Cmd {
        Cmd::Measured(Figures {
            loss_pct,
            jitter_ms: 5.0,
            rtt_ms: Some(20.0),
            freeze_pct: None,
        })
    }

    /// The table that the pages' own judgement before a call is held against, too.
    #[test]
    fn each_figure_decides_at_its_bound() {
        let cases: Vec<serde_json::Value> =
            serde_json::from_str(include_str!("quality/cases.json")).unwrap();
        assert!(cases.len() > 10);
        for c in cases {
            let of = |name: &str| c[name].as_f64().map(|v| v as f32);
            let f = Figures {
                loss_pct: of("loss_pct").unwrap(),
                jitter_ms: of("jitter_ms").unwrap(),
                rtt_ms: of("rtt_ms"),
                freeze_pct: of("freeze_pct"),
            };
            assert_eq!(judge(&f).as_str(), c["state"].as_str().unwrap(), "{c}");
        }
        let nonsense = Figures {
            loss_pct: f32::NAN,
            jitter_ms: 0.0,
            rtt_ms: None,
            freeze_pct: None,
        };
        assert_eq!(judge(&nonsense), Poor, "no number is no good news");
    }

    #[test]
    fn the_word_changes_when_readings_agree_and_not_before() {
        // Readings (loss in percent; none: the connection ended) and the word after each.
        type Step = (Option<f32>, State);
        let table: &[(&str, &[Step])] = &[
            ("the first reading counts", &[(Some(20.0), Poor)]),
            (
                "one bad reading says nothing",
                &[
                    (Some(0.0), Good),
                    (Some(50.0), Good),
                    (Some(0.0), Good),
                    (Some(50.0), Good),
                ],
            ),
            (
                "two do",
                &[(Some(0.0), Good), (Some(50.0), Good), (Some(50.0), Poor)],
            ),
            (
                "two that differ agree on the milder",
                &[(Some(0.0), Good), (Some(50.0), Good), (Some(5.0), Fair)],
            ),
            (
                "better takes three",
                &[
                    (Some(50.0), Poor),
                    (Some(0.0), Poor),
                    (Some(0.0), Poor),
                    (Some(0.0), Good),
                ],
            ),
            (
                "three that differ agree on the worse",
                &[
                    (Some(50.0), Poor),
                    (Some(0.0), Poor),
                    (Some(5.0), Poor),
                    (Some(0.0), Fair),
                ],
            ),
            (
                "at the bound nothing flickers",
                &[
                    (Some(3.5), Fair),
                    (Some(2.9), Fair),
                    (Some(2.9), Fair),
                    (Some(2.9), Fair),
                    (Some(2.9), Fair),
                    (Some(2.0), Fair),
                    (Some(2.0), Fair),
                    (Some(2.0), Good),
                ],
            ),
            (
                "an end is said at once, and so is the return",
                &[
                    (Some(0.0), Good),
                    (None, Lost),
                    (None, Lost),
                    (Some(5.0), Fair),
                ],
            ),
        ];
        for (what, steps) in table {
            let mut line = Line::default();
            assert_eq!(line.state(), None);
            for (n, (reading, said)) in steps.iter().enumerate() {
                line = line.apply(reading.map_or(Cmd::Ended, loss));
                assert_eq!(line.state(), Some(*said), "{what}, reading {n}");
            }
        }
    }

    #[test]
    fn a_return_says_what_was_said_before_the_loss() {
        let poor = Line::default().apply(loss(50.0));
        let gone = poor.apply(Cmd::Ended).apply(Cmd::Ended);
        assert_eq!(gone.state(), Some(Lost));
        let back = gone.apply(Cmd::Back);
        assert_eq!(back, poor);
        assert_eq!(back.apply(Cmd::Back), poor, "once is enough");
        assert_eq!(
            back.apply(loss(0.0)).state(),
            Some(Poor),
            "better takes three"
        );
        // What was never measured is not known.
        let unknown = Line::default().apply(Cmd::Ended).apply(Cmd::Back);
        assert_eq!(unknown, Line::default());
    }

    #[test]
    fn what_a_page_says_of_its_picture_is_held_to_what_can_be() {
        assert_eq!(freeze_pct(500, 5_000), Some(10.0));
        assert_eq!(freeze_pct(5_000, 5_000), Some(100.0));
        for (freeze, period) in [
            (5_001, 5_000),
            (0, 0),
            (0, 999),
            (1, 15_001),
            (u32::MAX, u32::MAX),
        ] {
            assert_eq!(freeze_pct(freeze, period), None, "{freeze} of {period}");
        }
    }

    #[test]
    fn the_words_are_read_back() {
        for s in State::ALL {
            assert_eq!(State::parse(s.as_str()), Some(s));
        }
        assert_eq!(State::parse("slow"), None);
    }

    proptest! {
        /// The word is never better than the best or worse than the worst of the readings since it last changed by an end.
        #[test]
        fn the_word_stays_within_what_was_read(readings in prop::collection::vec(0f32..60.0, 1..60)) {
            let mut line = Line::default();
            let mut seen = vec![];
            for r in readings {
                let Cmd::Measured(f) = loss(r) else { unreachable!() };
                seen.push(judge(&f));
                line = line.apply(loss(r));
                let said = line.state().unwrap();
                prop_assert!(said <= *seen.iter().max().unwrap() && said >= *seen.iter().min().unwrap());
            }
        }
    }
}
