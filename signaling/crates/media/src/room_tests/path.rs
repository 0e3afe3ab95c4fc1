//! The packet path where senders and receivers ask much of it: numbers twice, repetitions without end, long holds, narrow networks.

use super::*;
use crate::config::{PICTURE_LEAST, REPEATED_BURST};
use crate::estimate::Estimate;

/// VP8 in two temporal layers: a keyframe, a picture of the base, one of the upper layer.
const BASE_KEY: &[u8] = &[0x90, 0x20, 0x00, 0x00];
const BASE: &[u8] = &[0x90, 0x20, 0x00, 0x01];
const UPPER: &[u8] = &[0x90, 0x20, 0x40, 0x01];

/// Of a network on which something was lost just now.
fn narrow(bitrate: u32) -> Estimate {
    Estimate {
        bitrate,
        congested: false,
        calm_us: 0,
    }
}

impl Peer {
    /// Pictures of both layers in turn, from a number on.
    fn layered(&self, from: u16, count: u16) {
        for n in from..from + count {
            let payload = if n % 2 == 0 { BASE } else { UPPER };
            self.rtp(Lane::Camera, n, payload);
        }
    }
}

#[tokio::test]
async fn a_number_goes_on_once_whatever_comes_under_it() {
    let b = Bench::new();
    b.room.set_live(true);
    let citizen = b.join("c", Citizen).await;
    let agent = b.join("a", Agent).await;
    citizen.key(10);
    citizen.delta(11);
    citizen.rtp(Lane::Camera, 11, &[0x10, 0x01, 9]);
    citizen.delta(10);
    citizen.audio(5);
    citizen.audio(5);
    citizen.delta(12);
    assert_eq!(agent.got(), [(1, 10), (1, 11), (0, 5), (1, 12)]);
}

#[tokio::test]
async fn a_page_that_asks_for_two_packets_in_turns_gets_each_some_times() {
    let b = Bench::new();
    b.room.set_live(true);
    let citizen = b.join("c", Citizen).await;
    let agent = b.join("a", Agent).await;
    citizen.key(0);
    (1..300).for_each(|n| citizen.delta(n));
    for _ in 0..500 {
        // The last was never sent.
        for number in [20, 20 + 128, 20 + 512] {
            agent.sink.on_lost(1, &[number]);
        }
    }
    let repeated = b.counters.snapshot().rtp_repeated;
    assert!((2..=16).contains(&repeated), "{repeated}");
}

#[tokio::test]
async fn a_page_that_misses_all_gets_a_burst_and_then_half_of_what_is_sent() {
    let b = Bench::new();
    b.room.set_live(true);
    let citizen = b.join("c", Citizen).await;
    let agent = b.join("a", Agent).await;
    static LARGE: [u8; 1_200] = {
        let mut large = [1; 1_200];
        large[0] = 0x10;
        large
    };
    citizen.key(0);
    let numbers: Vec<u16> = (1..400).collect();
    numbers
        .iter()
        .for_each(|n| citizen.rtp(Lane::Camera, *n, &LARGE));
    let ask = |numbers: &[u16]| {
        let before = b.counters.snapshot().rtp_repeated;
        for some in numbers.chunks(50) {
            agent.sink.on_lost(1, some);
        }
        b.counters.snapshot().rtp_repeated - before
    };
    assert_eq!(ask(&numbers), REPEATED_BURST as u64 / 1_200);
    (400..420).for_each(|n| citizen.rtp(Lane::Camera, n, &LARGE));
    let rest: Vec<u16> = (200..420).collect();
    assert_eq!(ask(&rest), 10);
}

#[tokio::test]
async fn a_picture_that_was_ever_thinned_comes_back_after_a_long_hold() {
    let b = Bench::new();
    b.room.set_live(true);
    let citizen = b.join("c", Citizen).await;
    let agent = b.join("a", Agent).await;
    let told = |ms: u64| {
        let estimate = narrow(130_000);
        b.room.estimated_at("a", 2, Some(ms * 1_000), estimate);
    };
    citizen.rtp(Lane::Camera, 100, BASE_KEY);
    told(0);
    citizen.layered(101, 200);
    told(400);
    citizen.layered(301, 800);
    told(2_000);
    let before = agent.got().len();
    citizen.layered(1_101, 100);
    let thinned = agent.got().len() - before;
    assert!((50..=51).contains(&thinned), "{thinned} of 100");

    b.room.set_live(false);
    b.room.set_live(true);
    let (before, last) = (agent.got().len(), agent.got().last().unwrap().1);
    citizen.rtp(Lane::Camera, 41_000, BASE_KEY);
    citizen.layered(41_001, 4);
    let numbers: Vec<u16> = agent.got()[before..].iter().map(|(_, n)| *n).collect();
    assert_eq!(numbers, [last + 1, last + 2, last + 3]);
}

#[tokio::test]
async fn a_picture_that_rests_lifts_no_limit_of_the_others() {
    let b = Bench::new();
    b.room.set_live(true);
    let showing = offer("c", 5, VP8, &[Lane::Document]);
    b.offer("c", Citizen, showing).await.unwrap();
    let (leg, sink) = b.fakes.made.lock().unwrap().last().cloned().unwrap();
    sink.on_connected();
    let citizen = Peer { leg, sink };
    b.join("a", Agent).await;
    let told = |ms: u64, bitrate| {
        let estimate = narrow(bitrate);
        b.room.estimated_at("a", 2, Some(ms * 1_000), estimate);
        // As twice a second.
        citizen.sink.on_report_due();
        *citizen.leg.caps.lock().unwrap().last().unwrap()
    };
    let sound = 64_000;
    citizen.key(10);
    citizen.rtp(Lane::Document, 0, &[0x10, 0x00]);
    assert_eq!(told(0, 500_000), PICTURE_LEAST + sound, "room to begin");
    (11..100).for_each(|n| citizen.delta(n));
    // The camera alone: all but the room for sound.
    let camera = told(400, 500_000);
    assert!((500_000..530_000).contains(&camera), "{camera}");
}

#[tokio::test]
async fn nobody_is_put_on_a_line_that_the_page_has_closed() {
    let b = Bench::new();
    b.room.set_live(true);
    let citizen = b.join("c", Citizen).await;
    let agent = b.join("a", Agent).await;
    citizen.audio(1);
    let mut closing = offer("a", 5, VP8, &[]);
    for section in &mut closing.sections[..2] {
        section.receives = false;
    }
    b.offer("a", Agent, closing).await.unwrap();
    let on = |mids: [&str; 2]| mids.map(|mid| (mid.to_owned(), "c".to_owned()));
    assert_eq!(b.map_of("a").await, on(["2", "3"]));
    citizen.audio(2);
    citizen.key(2);
    assert_eq!(agent.got(), [(0, 1), (2, 2), (3, 2)]);
    // Two people and one line of each kind that is open: the first of them.
    let mut closing = offer("a", 5, VP8, &[]);
    for (n, section) in closing.sections.iter_mut().enumerate() {
        if n / 2 != 4 {
            section.receives = false;
        }
    }
    b.offer("a", Agent, closing).await.unwrap();
    b.join("g", MemberRole::Guest).await;
    assert_eq!(b.map_of("a").await, on(["8", "9"]));
}
