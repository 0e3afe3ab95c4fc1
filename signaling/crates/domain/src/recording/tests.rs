use super::{
    gate::{self, Read},
    policy::WITHDRAWN_LIFE,
    *,
};
use crate::{
    catalogue::{Asks, LegalStep, Prompt, RecordingRule, Text},
    time::{Span, Timestamp},
};
use proptest::prelude::*;

const CMDS: [Cmd; 11] = [
    Cmd::Ask,
    Cmd::Grant,
    Cmd::Refuse,
    Cmd::Lapse,
    Cmd::Prove,
    Cmd::Interrupt,
    Cmd::Resume,
    Cmd::Withdraw,
    Cmd::Stop,
    Cmd::Seal,
    Cmd::Delete,
];

proptest! {
    /// Whatever is commanded in whatever order: nothing runs that was not agreed to, and what is over stays over.
    #[test]
    fn nothing_runs_without_a_yes_and_nothing_comes_back(cmds in prop::collection::vec(0..CMDS.len(), 0..60)) {
        let mut now = None;
        let mut granted = false;
        for n in cmds {
            let cmd = CMDS[n];
            let was = now;
            match State::apply(now, cmd) {
                Err(refused) => {
                    prop_assert!(["recording_open", "recording_consent_needed", "recording_state"].contains(&refused.code));
                }
                Ok(next) => {
                    if cmd == Cmd::Ask {
                        prop_assert!(!was.is_some_and(State::is_open), "one open a session");
                        granted = false;
                    }
                    granted |= cmd == Cmd::Grant;
                    prop_assert!(granted || matches!(next, State::Asked | State::Refused), "{was:?} {cmd:?}");
                    if was == Some(State::Sealing) && cmd != Cmd::Ask {
                        prop_assert_eq!(next, State::Sealed);
                    }
                    if matches!(was, Some(State::Refused | State::Deleted)) {
                        prop_assert_eq!(cmd, Cmd::Ask);
                    }
                    if next == State::Deleted {
                        prop_assert_eq!(was, Some(State::Sealed));
                    }
                    now = Some(next);
                }
            }
        }
    }

    /// A step of the rule opens with `live` alone, and a signature never before its prompts.
    #[test]
    fn a_locked_step_opens_with_a_live_recording_alone(
        n in 0..State::ALL.len() + 1, step in 0..3usize, named in any::<bool>(), gated in any::<bool>(), answer in prop::option::of(any::<bool>()),
    ) {
        let state = State::ALL.get(n).copied();
        let step = [LegalStep::Identify, LegalStep::Prompts, LegalStep::Sign][step];
        let rule = RecordingRule {
            required: true,
            steps: if named { vec![step] } else { vec![] },
            script: vec![prompt("ok", Asks::YesNo, gated)],
        };
        let read = [Read { prompt: "ok", answer }];
        let open = gate::check(Some(&rule), step, state, &read).is_ok();
        let live = !named || state == Some(State::Live);
        let said = step != LegalStep::Sign || !gated || answer == Some(true);
        prop_assert_eq!(open, live && said);
        prop_assert!(gate::check(None, step, state, &read).is_ok(), "an item that asks for nothing locks nothing");
        // A card counts wherever it was read, but for an item that binds it.
        let bound = named && step == LegalStep::Identify;
        prop_assert_eq!(gate::card_counts(Some(&rule), false), !bound);
        prop_assert!(gate::card_counts(Some(&rule), true) && gate::card_counts(None, false));
    }
}

fn prompt(id: &str, asks: Asks, gate: bool) -> Prompt {
    Prompt {
        id: id.into(),
        text: Text {
            zh: "请听清".into(),
            en: "Please listen".into(),
        },
        asks,
        gate,
    }
}

#[test]
fn a_prompt_without_a_question_counts_when_it_is_read() {
    let rule = RecordingRule {
        required: false,
        steps: vec![],
        script: vec![
            prompt("duty", Asks::None, true),
            prompt("aside", Asks::YesNo, false),
        ],
    };
    assert!(!gate::prompts_done(&rule, &[]));
    let read = [Read {
        prompt: "duty",
        answer: None,
    }];
    assert!(gate::prompts_done(&rule, &read));
}

#[test]
fn words_come_back() {
    for s in State::ALL {
        assert_eq!(State::parse(s.as_str()), Some(s));
    }
    for e in End::ALL {
        assert_eq!(End::parse(e.as_str()), Some(e));
    }
}

#[test]
fn the_default_policy_is_sound_and_others_are_checked() {
    assert_eq!(Policy::default().check(), Ok(()));
    let codes = |p: Policy| {
        let faults = p.check().err().unwrap_or_default();
        faults
            .into_iter()
            .filter_map(|f| f.pointer)
            .collect::<Vec<_>>()
    };
    let p = Policy {
        text_zh: " ".into(),
        text_en: "x".repeat(policy::TEXT_CHARS + 1),
        days_routine: 0,
        ..Policy::default()
    };
    assert_eq!(
        codes(p),
        ["/policy/text/zh", "/policy/text/en", "/policy/days_routine"]
    );
    let shorter = Policy {
        days_routine: 100,
        days_case: 99,
        ..Policy::default()
    };
    assert_eq!(codes(shorter), ["/policy/days_case"]);
}

#[test]
fn it_is_kept_as_long_as_was_promised_and_a_withdrawn_one_not_as_long() {
    let n = Policy {
        days_routine: 30,
        days_case: 400,
        ..Policy::default()
    }
    .notice(3);
    assert_eq!(n.policy_version, "hall-3");
    let end = Timestamp::from_millis(0);
    let days = |d: i64| end + Span::seconds(d * 86_400);
    assert_eq!(n.delete_at(end, End::Finished, false), days(30));
    assert_eq!(n.delete_at(end, End::Crash, true), days(400));
    assert_eq!(
        n.delete_at(end, End::Withdrawn, false),
        end + WITHDRAWN_LIFE
    );
    assert_eq!(n.delete_at(end, End::Withdrawn, true), days(400));
    let short = Notice {
        days_routine: 1,
        ..n
    };
    assert_eq!(short.delete_at(end, End::Withdrawn, false), days(1));
}
