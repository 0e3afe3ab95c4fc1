//! Proof of the desk, below HTTP: the use cases of the server on a held clock, on SQLite and PostgreSQL.
//!
//! `world` two halls and their `App`, which a crash replaces · `calls` what people and timers do (`booking`, `help`, `keep`) ·
//! `look` the rows · `holds` and `moves` what must hold of them · `random` random commands, `play` what they mean · `day` a
//! day in virtual time, `history` its order · `times` what time alone brings about. Failing inputs are kept beside
//! (`regressions.txt`, `seeds.txt`) and played first. Never reaches into the server: what it asks is what a route would ask.
#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod booking;
mod calls;
mod day;
mod help;
mod history;
mod holds;
mod keep;
mod look;
mod moves;
mod play;
mod random;
mod times;
mod world;

/// The futures of a debug build are large: more stack than the thread of a test has.
fn with_room(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(32 << 20).spawn(run);
    if let Err(e) = thread.unwrap().join() {
        std::panic::resume_unwind(e);
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}
