//! The harness itself, on loopback and for a second: what it says of a server that loses nothing, and of one that does.
#![allow(clippy::unwrap_used)]

use bench::media::floor::Floor;
use bench::media::media_run::{Times, Window, measure};
use bench::media::ours::Ours;
use bench::media::sdp::Direction;
use bench::media::world::{Out, World};
use std::net::Ipv4Addr;
use std::process::Command;
use std::time::Duration;

const VIEWERS: usize = 4;

fn world() -> World {
    World::new(Ipv4Addr::LOCALHOST).unwrap()
}

fn short() -> Times {
    Times {
        // A keyframe comes every second, and video begins at one.
        warm: Duration::from_millis(1_200),
        learn: Duration::from_millis(500),
        steady: Duration::from_secs(1),
        drain: Duration::from_millis(500),
    }
}

fn ours(members: usize) -> Ours {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench-media-server"));
    command.args(["--bind", "127.0.0.1:0", "--members", &members.to_string()]);
    Ours::over(command).unwrap()
}

fn floor() -> Floor {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench-media-floor"));
    command.args(["--bind", "127.0.0.1:0"]);
    Floor::over(command).unwrap()
}

/// A second of the stream at so many pages, give or take a burst at either end.
fn assert_whole(window: Window, pages: usize) {
    assert_eq!(window.received, window.expected);
    let a_second = (pages * (104 + 50)) as u64;
    assert!(
        window.expected.abs_diff(a_second) <= (pages * 10) as u64,
        "{window:?}"
    );
    assert!(
        window.p50_ms > 0.0 && window.p50_ms <= window.p99_ms,
        "{window:?}"
    );
    assert!(window.rss_kib > 0);
}

#[test]
fn a_hall_of_ours_loses_nothing() {
    let (mut world, mut ours) = (world(), ours(VIEWERS + 1));
    let source = ours.stage(&mut world).unwrap();
    for _ in 0..VIEWERS {
        let page = world.add_peer(Some(source)).unwrap();
        ours.join(&mut world, page, "hall", "listener", Direction::Receive)
            .unwrap();
    }
    let late = world.add_peer(None).unwrap();
    let full = ours.join(&mut world, late, "hall", "listener", Direction::Receive);
    assert!(full.unwrap_err().to_string().contains("room_full"));
    world.forget_last();
    world.run_until_connected(Duration::from_secs(20)).unwrap();
    let window = measure(&mut world, short(), || ours.usage()).unwrap();
    assert_whole(window, VIEWERS);
}

#[test]
fn a_call_of_ours_runs_both_ways_and_again_after_a_window() {
    let (mut world, mut ours) = (world(), ours(6));
    for (side, role) in ["citizen", "agent"].into_iter().enumerate() {
        let page = world.add_peer(Some(side ^ 1)).unwrap();
        let ssrc = world.next_ssrc();
        ours.join(&mut world, page, "call", role, Direction::Both(ssrc))
            .unwrap();
        world.add_source(Out::Page(page), side as u64 * 10_000_000);
    }
    ours.live("call").unwrap();
    world.run_until_connected(Duration::from_secs(20)).unwrap();
    for _ in 0..2 {
        let window = measure(&mut world, short(), || ours.usage()).unwrap();
        assert_whole(window, 2);
    }
}

#[test]
fn the_floor_carries_the_stream_and_a_page_that_it_forgets_is_missed() {
    let (mut world, mut floor) = (world(), floor());
    let source = floor.stage(&mut world).unwrap();
    for _ in 0..VIEWERS {
        let page = world.add_peer(Some(source)).unwrap();
        floor.join(&mut world, page).unwrap();
    }
    floor.go().unwrap();
    let window = measure(&mut world, short(), || floor.usage()).unwrap();
    assert_whole(window, VIEWERS);
    // A page that nobody sends to counts as one that lost everything.
    world.add_peer(Some(source)).unwrap();
    let window = measure(&mut world, short(), || floor.usage()).unwrap();
    assert_eq!(
        window.received * (VIEWERS as u64 + 1),
        window.expected * VIEWERS as u64
    );
}
