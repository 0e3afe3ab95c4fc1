//! The server as a whole: real HTTP, WebSocket and media in this process, on SQLite and, where it matters, on PostgreSQL.
#![allow(clippy::unwrap_used)]

/// `both!(name, |county| { … })`: two tests, `name::sqlite` and `name::postgres`.
macro_rules! both {
    ($name:ident, |$county:ident| $body:block) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            async fn run($county: it::county::County) $body
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                run(it::county::County::new(it::county::Target::Sqlite).await).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                run(it::county::County::new(it::county::Target::Postgres).await).await;
            }
        }
    };
}

mod across;
mod appointments;
mod callbacks;
mod cluster;
mod death;
mod film;
mod headless;
mod invites;
mod journal;
mod keeping;
mod kept_films;
mod ladder;
mod lines;
mod lists;
mod media_check;
#[path = "../../../signaling/crates/media/tests/common/mod.rs"]
mod peer;
mod quality;
mod queue;
mod recording;
mod recording_ends;
mod recording_gate;
mod recording_kept;
mod refusals;
mod replay;
mod ring;
mod routing;
mod seen;
mod shared;
mod snapshots;
mod supervise;
mod supervision;
mod supervision_policy;
mod take_over;
mod text;
mod tracks;
mod transfers;
mod wallboard;
