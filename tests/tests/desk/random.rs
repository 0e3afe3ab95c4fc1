//! Random commands of citizens, agents, helpers, supervisors, pages and the clock, one after another and two at once, with
//! crashes between, on both databases. After each step the rows are looked at; at the end everybody leaves, and every ticket
//! has ended once.

use crate::{
    calls::Ask,
    play::{ALL_SEATS, CITIZENS, Checked, Cmd, Play, Step},
    world::{On, QUEUES},
};
use proptest::{
    prelude::*,
    sample::select,
    test_runner::{
        Config, FileFailurePersistence, RngAlgorithm, TestCaseError, TestRng, TestRunner,
    },
};
use protocol::{CallBackDecline, InviteKind, PriorityClass, SeatState, Step as Answer};
use std::{collections::BTreeMap, sync::Mutex};

/// Inputs that failed once: played first, on both databases.
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/desk/regressions.txt");
/// Enough to be the how-manyth of anything.
const MANY: usize = 64;

fn line() -> impl Strategy<Value = Cmd> {
    let (c, n) = (|| 0..CITIZENS, || 0..MANY);
    let queue = || select(vec![None, None, Some(QUEUES[0]), Some(QUEUES[1])]);
    let asks = select(vec![Ask::Ready, Ask::Ready, Ask::Away, Ask::Close]);
    prop_oneof![
        14 => (c(), queue(), prop::bool::weighted(0.2), prop::bool::weighted(0.3)).prop_map(|(c, q, n, p)| Cmd::Take(c, q, n, p)),
        1 => c().prop_map(Cmd::Cancel),
        2 => (c(), any::<bool>()).prop_map(|(c, h)| Cmd::Page(c, h)),
        1 => c().prop_map(Cmd::EndVisit),
        4 => (0..ALL_SEATS).prop_map(|s| Cmd::Open(s, s)),
        1 => (0..ALL_SEATS, 0..ALL_SEATS).prop_map(|(a, b)| Cmd::Open(a, b)),
        4 => (n(), asks).prop_map(|(s, a)| Cmd::Ask(s, a)),
        2 => n().prop_map(Cmd::Hold),
        2 => (n(), any::<bool>()).prop_map(|(s, closed)| Cmd::Gone(s, closed)),
        18 => n().prop_map(Cmd::Accept),
        2 => n().prop_map(Cmd::Decline),
        8 => n().prop_map(Cmd::Join),
        2 => (n(), any::<bool>()).prop_map(|(s, agent)| Cmd::Drop(s, agent)),
        3 => (n(), any::<bool>()).prop_map(|(s, agent)| Cmd::End(s, agent)),
        4 => (n(), prop::bool::weighted(0.2)).prop_map(|(s, away)| Cmd::WrapUp(s, away)),
    ]
}

fn booking() -> impl Strategy<Value = Cmd> {
    let (c, n) = (|| 0..CITIZENS, || 0..MANY);
    prop_oneof![
        5 => (c(), n(), select(vec![0i64, 1, 1, 1, 3, 9])).prop_map(|(c, q, a)| Cmd::Book(c, q, a)),
        1 => n().prop_map(Cmd::Unbook),
        8 => (c(), prop::option::weighted(0.7, n())).prop_map(|(c, k)| Cmd::CheckIn(c, k)),
        5 => c().prop_map(Cmd::CallBack),
        8 => n().prop_map(Cmd::Answer),
        1 => n().prop_map(Cmd::Forget),
        2 => (n(), select(vec![CallBackDecline::Later, CallBackDecline::NoMore])).prop_map(|(n, a)| Cmd::NotNow(n, a)),
    ]
}

fn help() -> impl Strategy<Value = Cmd> {
    let n = || 0..MANY;
    let kind = select(vec![
        InviteKind::Consult,
        InviteKind::Join,
        InviteKind::Guest,
        InviteKind::Guest,
        InviteKind::TransferWarm,
        InviteKind::TransferWarm,
        InviteKind::TransferCold,
        InviteKind::TransferCold,
    ]);
    let leads = select(vec![
        Answer::Cancel,
        Answer::Introduce,
        Answer::Introduce,
        Answer::Finish,
        Answer::Finish,
        Answer::Return,
    ]);
    prop_oneof![
        8 => (n(), kind, n()).prop_map(|(n, k, t)| Cmd::Invite(n, k, t)),
        6 => n().prop_map(|n| Cmd::Helper(n, Answer::Accept)),
        1 => n().prop_map(|n| Cmd::Helper(n, Answer::Decline)),
        4 => n().prop_map(Cmd::Arrive),
        1 => n().prop_map(Cmd::Leave),
        6 => (n(), leads).prop_map(|(n, s)| Cmd::Lead(n, s)),
        4 => n().prop_map(Cmd::Guest),
    ]
}

fn keep() -> impl Strategy<Value = Cmd> {
    let n = || 0..MANY;
    let state = select(vec![SeatState::Ready, SeatState::Away, SeatState::Offline]);
    let class = select(vec![
        PriorityClass::Appointment,
        PriorityClass::Returned,
        PriorityClass::Priority,
        PriorityClass::Normal,
    ]);
    let queues = vec!["general", QUEUES[0], QUEUES[1]];
    let to = prop::option::of(select(queues.clone()));
    prop_oneof![
        3 => (n(), state).prop_map(|(n, s)| Cmd::Force(n, s)),
        3 => (n(), to, prop::option::of(class), any::<bool>()).prop_map(|(n, q, c, h)| Cmd::Move(n, q, c, h)),
        2 => (select(queues), any::<bool>()).prop_map(|(q, on)| Cmd::Overflow(q, on)),
        2 => any::<bool>().prop_map(Cmd::Consent),
    ]
}

fn command() -> impl Strategy<Value = Cmd> {
    prop_oneof![
        12 => line(),
        6 => booking(),
        9 => help(),
        2 => keep(),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        16 => command().prop_map(Step::One),
        4 => (command(), command()).prop_map(|(a, b)| Step::Both(a, b)),
        2 => Just(Step::Again),
        2 => select(vec![1i64, 5, 5, 5, 20, 20, 31, 50, 65, 95, 130, 310, 610, 1000]).prop_map(Step::Pass),
        1 => (command(), 0usize..8).prop_map(|(c, n)| Step::Crash(c, n)),
    ]
}

/// What failed once, in the words of the commands: a seed says nothing any more when the commands change.
fn kept() -> Vec<Vec<Step>> {
    let take = |c| Cmd::Take(c, None, false, false);
    let one = Step::One;
    vec![
        // One citizen takes two tickets at once.
        vec![Step::Both(take(0), take(0))],
        // A hall takes its word back: nobody is sent there.
        vec![one(Cmd::Consent(false)), one(take(0)), Step::Pass(130)],
        // An agent is lost: the next ticket asks what the wait so far gives it.
        vec![
            one(Cmd::Take(0, None, true, false)),
            one(Cmd::Accept(0)),
            one(Cmd::Join(0)),
            one(Cmd::Drop(0, true)),
            Step::Pass(130),
        ],
        // Nobody takes the citizen in time: the first queue again, whatever was asked for on the way.
        vec![
            one(take(0)),
            one(Cmd::Accept(0)),
            one(Cmd::Join(0)),
            one(Cmd::Invite(0, InviteKind::TransferCold, 0)),
            Step::Pass(130),
        ],
        // Handed over by a seat next door to a line at home, and from home to one next door.
        vec![
            one(take(0)),
            one(take(1)),
            one(Cmd::Decline(0)),
            Step::Pass(31),
            Step::Pass(95),
            one(Cmd::Accept(0)),
            one(Cmd::Invite(0, InviteKind::TransferCold, 56)),
        ],
        vec![
            one(take(0)),
            one(Cmd::Accept(0)),
            one(Cmd::Invite(0, InviteKind::TransferCold, 24)),
            Step::Pass(31),
        ],
    ]
}

type Tally = BTreeMap<String, usize>;

async fn play(on: On, steps: &[Step], tally: &Mutex<Tally>) -> Checked<()> {
    let mut p = Play::new(on).await;
    let mut r = Ok(());
    for (i, s) in steps.iter().enumerate() {
        r = p.step(s).await.map_err(|e| format!("step {i}, {s:?}: {e}"));
        if r.is_err() {
            break;
        }
    }
    if r.is_ok() {
        r = p.leave().await;
    }
    for what in p.tally() {
        *tally.lock().unwrap().entry(what).or_default() += 1;
    }
    p.end().await;
    r
}

/// The gate plays the same at each run, so that it says something about a change; `make sim-desk` plays what nobody has played.
fn runner(config: Config) -> TestRunner {
    if std::env::var_os("CLOUD_BOOTH_DESK_CASES").is_some() {
        TestRunner::new(config)
    } else {
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
    }
}

/// Longer, and other plays, on demand: `CLOUD_BOOTH_DESK_CASES=500`, `CLOUD_BOOTH_DESK_STEPS=200`.
fn or_wanted(name: &str, n: u32) -> u32 {
    let wanted = std::env::var(name).ok().and_then(|n| n.parse().ok());
    wanted.unwrap_or(n)
}

fn commands(on: On, cases: u32, steps: u32) {
    let cases = or_wanted("CLOUD_BOOTH_DESK_CASES", cases);
    let steps = or_wanted("CLOUD_BOOTH_DESK_STEPS", steps) as usize;
    let config = Config {
        cases,
        max_shrink_iters: 400,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(KEPT))),
        source_file: Some(file!()),
        ..Config::default()
    };
    let runtime = crate::runtime();
    let all = prop::collection::vec(step(), 1..steps);
    let tally = Mutex::new(Tally::new());
    for steps in kept() {
        let played = runtime.block_on(play(on, &steps, &tally));
        assert_eq!(played, Ok(()), "{steps:?}");
    }
    let played = runner(config).run(&all, |steps| {
        runtime
            .block_on(play(on, &steps, &tally))
            .map_err(TestCaseError::fail)
    });
    if let Err(e) = played {
        panic!("{e}");
    }
    eprintln!("{on:?}, {cases} plays: {:?}", tally.into_inner().unwrap());
}

#[test]
fn random_commands_break_no_invariant_on_sqlite() {
    crate::with_room(|| commands(On::Sqlite, 48, 160));
}

#[test]
fn random_commands_break_no_invariant_on_postgres() {
    crate::with_room(|| commands(On::Postgres, 16, 120));
}
