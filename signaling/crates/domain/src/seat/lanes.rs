//! Text lanes of a seat (文字并行): several text sessions at once beside one place for a call.
//!
//! A lane is a seat of its own under the agent's, so whatever holds for a seat (one live pairing, one session, a ring with
//! its end, wrap-up) holds for a lane. Here is how the two depend on each other, and nothing else: a pure look at the seat
//! and its lanes says which of them have to move. Whoever serves is never moved by it, so no citizen is cut off.

use super::{Cmd, State};
use crate::{limits, time::Timestamp};

/// Most lanes of one seat: a queue's rule allows 1 to 8 text sessions.
pub const LANES_MAX: u8 = 8;
/// Reason of an idle lane that is not rung now because of its seat.
pub const MAIN: &str = "main";
/// Reason of a seat that is busy with texts alone.
pub const TEXT: &str = "text";

/// The agent's seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Main {
    pub state: State,
    /// Busy, and with texts alone.
    pub texting: bool,
    /// Its page is not there.
    pub silent: bool,
    /// Where it has to go when the last text is over: the agent's own word, or a supervisor's.
    pub next: Option<State>,
}

/// An open lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane {
    pub state: State,
    /// Away because nobody answered its ring, or it was declined: it rests until the seat is ready anew.
    pub unanswered: bool,
    /// Its page is not there.
    pub silent: bool,
    /// Its session has climbed from text to sound, picture or telephone: it takes the whole agent.
    pub climbed: bool,
}

impl Lane {
    /// Somebody is rung, served or written up on it.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        matches!(self.state, State::Ringing | State::Busy | State::WrapUp)
    }
}

/// What has to move: first the seat, then these lanes (by place in the list).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    pub main: Option<Cmd>,
    pub lanes: Vec<(usize, Cmd)>,
}

/// Whether a seat that is busy with texts may begin another one, whose place in the order of service is `text`, while the
/// first call that it could serve stands at `call`. Running texts end, and texts before a call are finitely many: so a call's
/// wait has a bound.
#[must_use]
pub fn may_begin(text: Timestamp, call: Option<Timestamp>, now: Timestamp) -> bool {
    call.is_none_or(|c| text < c || now < c + limits::TEXTS_YIELD_AFTER)
}

/// What the seat and its open lanes have to become, whatever moved just now. `unanswered`: it was a ring of a lane that
/// nobody answered; with no other text the seat goes away as after a call's ring.
///
/// - The seat is busy (with texts) exactly while a lane is active, so no call is rung meanwhile.
/// - A lane waits for a ring only while the seat is ready or busy with texts, its page is there, nobody has asked it to go,
///   and no text has climbed to a call.
/// - Asked again, it has nothing to add.
#[must_use]
pub fn settle(main: Main, lanes: &[Lane], unanswered: bool) -> Moves {
    let active = lanes.iter().any(Lane::is_active);
    let texting = main.state == State::Busy && main.texting;
    let cmd = match (main.state, active) {
        (State::Ready, true) => Some(Cmd::TextBegins),
        (State::Busy, false) if texting => Some(Cmd::TextOver(match main.next {
            Some(to @ (State::Away | State::Offline)) => to,
            _ if unanswered => State::Away,
            _ => State::Ready,
        })),
        _ => None,
    };
    let (state, texting) = match cmd {
        Some(Cmd::TextBegins) => (State::Busy, true),
        Some(Cmd::TextOver(to)) => (to, false),
        _ => (main.state, texting),
    };
    let leaves = matches!(main.next, Some(State::Away | State::Offline));
    let takes = match state {
        State::Ready => true,
        State::Busy => texting && !leaves,
        State::Offline | State::Ringing | State::WrapUp | State::Away => false,
    } && !main.silent
        && !lanes.iter().any(|l| l.is_active() && l.climbed);
    let lanes = lanes.iter().enumerate().filter_map(|(i, l)| {
        let cmd = match l.state {
            State::Ready | State::Away if state == State::Offline => Cmd::Close,
            State::Ready if !takes => Cmd::Away,
            State::Away if takes && !l.silent && (!l.unanswered || state == State::Ready) => {
                Cmd::Ready
            }
            _ => return None,
        };
        Some((i, cmd))
    });
    Moves {
        main: cmd,
        lanes: lanes.collect(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A seat with three lanes, moved as the server moves them: every move is followed by what [`settle`] says.
    #[derive(Debug, Clone)]
    struct World {
        main: Main,
        lanes: Vec<Lane>,
    }

    impl World {
        fn new() -> Self {
            Self {
                main: Main {
                    state: State::Ready,
                    texting: false,
                    silent: false,
                    next: None,
                },
                lanes: vec![
                    Lane {
                        state: State::Ready,
                        unanswered: false,
                        silent: false,
                        climbed: false,
                    };
                    3
                ],
            }
        }

        fn main(&mut self, cmd: Cmd) {
            let Ok(to) = self.main.state.apply(cmd) else {
                return;
            };
            self.main.state = to;
            self.main.texting = cmd == Cmd::TextBegins;
            if matches!(cmd, Cmd::TextOver(_)) {
                self.main.next = None;
            }
        }

        fn lane(&mut self, i: usize, cmd: Cmd) {
            let l = &mut self.lanes[i];
            let Ok(to) = l.state.apply(cmd) else { return };
            l.state = to;
            l.climbed &= to == State::Busy;
            l.unanswered = cmd == Cmd::RingUnanswered;
        }

        fn settle(&mut self, unanswered: bool) {
            let was = self.clone();
            let m = settle(self.main, &self.lanes, unanswered);
            if let Some(cmd) = m.main {
                self.main(cmd);
            }
            for (i, cmd) in m.lanes {
                assert!(!was.lanes[i].is_active(), "nobody is cut off");
                self.lane(i, cmd);
            }
            assert_eq!(
                settle(self.main, &self.lanes, false),
                Moves::default(),
                "{was:?}"
            );
        }

        fn holds(&self) {
            let active = self.lanes.iter().any(Lane::is_active);
            assert_eq!(
                active,
                self.main.state == State::Busy && self.main.texting,
                "{self:?}"
            );
            let takes = self.main.state == State::Ready
                || self.main.texting
                    && !matches!(self.main.next, Some(State::Away | State::Offline));
            for l in &self.lanes {
                if l.state == State::Ready {
                    assert!(takes && !self.main.silent, "{self:?}");
                    assert!(!self.lanes.iter().any(|l| l.climbed), "{self:?}");
                } else if l.state == State::Away && !l.unanswered && !l.silent {
                    assert!(
                        !takes || self.main.silent || self.lanes.iter().any(|l| l.climbed),
                        "an idle lane is left out: {self:?}"
                    );
                }
                assert_eq!(
                    l.state == State::Offline,
                    self.main.state == State::Offline,
                    "{self:?}"
                );
            }
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Main(Cmd),
        Lane(usize, Cmd),
        Climb(usize, bool),
        Silent(bool),
        LaneSilent(usize, bool),
        Word(Option<State>),
    }

    fn step() -> impl Strategy<Value = Step> {
        let lane = 0usize..3;
        prop_oneof![
            prop::sample::select(vec![
                Cmd::Ready,
                Cmd::Away,
                Cmd::Ring,
                Cmd::RingCancelled,
                Cmd::RingUnanswered,
                Cmd::Answer,
                Cmd::WrapUp,
                Cmd::Lost,
                Cmd::Close
            ])
            .prop_map(Step::Main),
            (
                lane.clone(),
                prop::sample::select(vec![
                    Cmd::Ring,
                    Cmd::Ring,
                    Cmd::RingCancelled,
                    Cmd::RingUnanswered,
                    Cmd::Answer,
                    Cmd::Answer,
                    Cmd::WrapUp,
                    Cmd::Ready
                ])
            )
                .prop_map(|(i, c)| Step::Lane(i, c)),
            (lane.clone(), any::<bool>()).prop_map(|(i, b)| Step::Climb(i, b)),
            any::<bool>().prop_map(Step::Silent),
            (lane, any::<bool>()).prop_map(|(i, b)| Step::LaneSilent(i, b)),
            prop::option::of(prop::sample::select(vec![
                State::Ready,
                State::Away,
                State::Offline
            ]))
            .prop_map(Step::Word),
        ]
    }

    proptest! {
        /// Whatever happens to a seat and its lanes in any order, the two never contradict each other.
        #[test]
        fn a_seat_and_its_lanes_agree(steps in prop::collection::vec(step(), 0..60)) {
            let mut w = World::new();
            for s in steps {
                let mut unanswered = false;
                match s {
                    // What only a call's session does is the call's: a seat that is busy with texts has none.
                    Step::Main(Cmd::WrapUp) if w.main.texting => continue,
                    Step::Main(cmd) => w.main(cmd),
                    // As the server: a lane that rests is made ready by its seat alone.
                    Step::Lane(i, Cmd::Ready) if w.lanes[i].state != State::WrapUp => continue,
                    Step::Lane(i, cmd) => {
                        unanswered = cmd == Cmd::RingUnanswered && w.lanes[i].state == State::Ringing;
                        w.lane(i, cmd);
                    }
                    Step::Climb(i, up) => w.lanes[i].climbed = up && w.lanes[i].state == State::Busy,
                    Step::Silent(b) => w.main.silent = b,
                    Step::LaneSilent(i, b) => w.lanes[i].silent = b,
                    // A word waits only beside texts: else it comes true at once.
                    Step::Word(next) => w.main.next = next.filter(|_| w.main.texting),
                }
                w.settle(unanswered);
                w.holds();
                if w.main.state == State::Offline { break; }
            }
        }
    }

    #[test]
    fn an_unanswered_text_takes_the_seat_away_only_when_it_was_the_last() {
        let mut w = World::new();
        w.lane(0, Cmd::Ring);
        w.settle(false);
        assert!(w.main.texting);
        w.lane(1, Cmd::Ring);
        w.settle(false);
        w.lane(1, Cmd::RingUnanswered);
        w.settle(true);
        assert_eq!(
            (w.main.state, w.lanes[1].state, w.lanes[2].state),
            (State::Busy, State::Away, State::Ready)
        );
        w.lane(0, Cmd::RingUnanswered);
        w.settle(true);
        assert_eq!(w.main.state, State::Away);
        assert!(w.lanes.iter().all(|l| l.state == State::Away));
        w.main(Cmd::Ready);
        w.settle(false);
        assert!(w.lanes.iter().all(|l| l.state == State::Ready));
    }

    #[test]
    fn who_is_asked_to_go_takes_no_more_and_goes_with_the_last_text() {
        let mut w = World::new();
        w.lane(0, Cmd::Ring);
        w.settle(false);
        w.lane(0, Cmd::Answer);
        w.main.next = Some(State::Offline);
        w.settle(false);
        assert_eq!(
            (w.main.state, w.lanes[0].state, w.lanes[1].state),
            (State::Busy, State::Busy, State::Away)
        );
        w.lane(0, Cmd::WrapUp);
        w.settle(false);
        assert_eq!(w.main.state, State::Busy);
        w.lane(0, Cmd::Ready);
        w.settle(false);
        assert_eq!(w.main.state, State::Offline);
        assert!(w.lanes.iter().all(|l| l.state == State::Offline));
    }

    #[test]
    fn a_call_that_has_waited_is_not_overtaken_by_younger_texts() {
        let at = |s: i64| Timestamp(s * 1_000_000);
        assert!(may_begin(at(10), None, at(999)));
        assert!(may_begin(at(10), Some(at(5)), at(64)), "not for long yet");
        assert!(!may_begin(at(10), Some(at(5)), at(65)));
        assert!(may_begin(at(4), Some(at(5)), at(999)), "it was first");
    }
}
