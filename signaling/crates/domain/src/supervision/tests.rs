use super::*;
use proptest::prelude::*;

const IN: [Mode; 3] = [Mode::Listen, Mode::Whisper, Mode::Barge];

#[test]
fn the_whole_table() {
    let code = |r: Result<State, Rejected>| r.map_err(|e| e.code);
    for from in Mode::ALL {
        for to in Mode::ALL {
            let want = match (from, to) {
                (Mode::TakeOver, _) => Err("supervision_over"),
                (a, b) if a == b => Err("supervision_same"),
                (_, to) => Ok(State::In(to)),
            };
            assert_eq!(
                code(State::In(from).apply(Cmd::To(to))),
                want,
                "{from:?} {to:?}"
            );
        }
        assert_eq!(State::In(from).apply(Cmd::End), Ok(State::Over));
        let begins = State::Off.apply(Cmd::To(from));
        let unheard = Err("supervision_unheard");
        let want = if from == Mode::TakeOver {
            unheard
        } else {
            Ok(State::In(from))
        };
        assert_eq!(code(begins), want);
        assert_eq!(
            code(State::Over.apply(Cmd::To(from))),
            Err("supervision_over")
        );
    }
    for s in [State::Off, State::Over] {
        assert_eq!(code(s.apply(Cmd::End)), Err("supervision_over"));
    }
}

#[test]
fn the_first_reason_is_told() {
    let clear = Meets {
        inside: false,
        taken: false,
        elsewhere: false,
        private: false,
        full: false,
    };
    for to in Mode::ALL {
        assert!(clear.check(to).is_ok());
        for (meets, code) in [
            (
                Meets {
                    inside: true,
                    taken: true,
                    ..clear
                },
                "supervision_own",
            ),
            (
                Meets {
                    taken: true,
                    ..clear
                },
                "supervision_taken",
            ),
            (
                Meets {
                    elsewhere: true,
                    ..clear
                },
                "supervision_elsewhere",
            ),
            (
                Meets {
                    private: true,
                    full: true,
                    ..clear
                },
                "supervision_private",
            ),
        ] {
            assert_eq!(meets.check(to), Err(Rejected::new(code)));
        }
        let full = Meets {
            full: true,
            ..clear
        }
        .check(to);
        // A listener takes nobody's line.
        assert_eq!(
            full.is_err(),
            matches!(to, Mode::Whisper | Mode::Barge),
            "{to:?}"
        );
    }
}

#[test]
fn nobody_is_listened_to_unannounced() {
    let law = Policy::default();
    assert_eq!(law.check(), Ok(()));
    let codes = |p: &Policy| -> Vec<_> {
        let faults = p.check().err().unwrap_or_default();
        faults
            .into_iter()
            .map(|f| (f.code, f.pointer.unwrap()))
            .collect()
    };
    let silent = Policy {
        standing: false,
        listen: Told::ALL,
        ..Policy::default()
    };
    assert_eq!(
        codes(&silent),
        [("policy_unannounced", "/policy/whisper/citizen".to_owned())]
    );
    assert_eq!(
        Policy {
            whisper: Told::ALL,
            ..silent
        }
        .check(),
        Ok(())
    );
    let unseen = Policy {
        whisper: Told::default(),
        text_en: "x".repeat(TEXT_CHARS + 1),
        text_zh: " ".into(),
        ..Policy::default()
    };
    let told = codes(&unseen);
    let codes: Vec<_> = told.iter().map(|(c, _)| *c).collect();
    assert_eq!(codes, ["policy_whisper", "policy_text", "policy_text"]);
}

proptest! {
    /// Whatever a supervisor does: nothing comes after a take-over or the end, nobody takes over what they were not in, who
    /// speaks to somebody is told to them, and who was told once is told until the end.
    #[test]
    fn any_commands(
        steps in prop::collection::vec(0usize..5, 0..24),
        standing: bool, agent: bool, citizen: bool, whisper_citizen: bool,
    ) {
        let policy = Policy {
            standing,
            listen: Told { agent, citizen },
            whisper: Told { agent: true, citizen: whisper_citizen },
            ..Policy::default()
        };
        let (mut state, mut told) = (State::Off, Told::default());
        for step in steps {
            let cmd = Mode::ALL.get(step).map_or(Cmd::End, |m| Cmd::To(*m));
            let Ok(next) = state.apply(cmd) else { continue };
            prop_assert_ne!(next, state, "an accepted command changes something");
            prop_assert!(!matches!(state, State::Over | State::In(Mode::TakeOver)) || next == State::Over);
            if next == State::In(Mode::TakeOver) {
                prop_assert!(matches!(state, State::In(m) if IN.contains(&m)));
            }
            if let State::In(mode) = next {
                let now = told.and(policy.told(mode));
                prop_assert!(now.agent >= told.agent && now.citizen >= told.citizen);
                prop_assert!(!mode.speaks() || now.agent);
                prop_assert!(!matches!(mode, Mode::Barge | Mode::TakeOver) || now == Told::ALL);
                told = now;
            }
            state = next;
        }
    }
}
