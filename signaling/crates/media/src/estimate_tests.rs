//! The estimator on made-up networks: one bottleneck with a buffer, a page that reports every 100 ms, a camera that follows.

use super::*;

const MS: u64 = 1_000;
const S: u64 = 1_000 * MS;
const AUDIO: u32 = 120;

struct World<C, V> {
    /// bit/s at a time.
    capacity: C,
    /// What the camera sends (bit/s) at a time, if it knows the estimate of a quarter of a second ago.
    camera: V,
    buffer_bytes: f64,
    /// Of so many packets one is lost on the way; 0: none.
    lose_every: u64,
}

struct Run {
    /// Time and estimate (bit/s), every 100 ms.
    estimates: Vec<(u64, f64)>,
    /// When audio left, and whether it came.
    audio: Vec<(u64, bool)>,
}

impl Run {
    fn at(&self, time: u64) -> f64 {
        let found = self.estimates.iter().find(|(t, _)| *t >= time);
        found.map_or(0.0, |(_, e)| *e)
    }

    fn most(&self, from: u64, to: u64) -> f64 {
        let within = self
            .estimates
            .iter()
            .filter(|(t, _)| (from..to).contains(t));
        within.fold(0.0, |most, (_, e)| most.max(*e))
    }

    fn least(&self, from: u64, to: u64) -> f64 {
        let within = self
            .estimates
            .iter()
            .filter(|(t, _)| (from..to).contains(t));
        within.fold(f64::MAX, |least, (_, e)| least.min(*e))
    }

    /// Lost and all audio packets of a time.
    fn audio(&self, from: u64, to: u64) -> (usize, usize) {
        let within = || self.audio.iter().filter(|(t, _)| (from..to).contains(t));
        (within().filter(|(_, came)| !came).count(), within().count())
    }
}

impl<C: Fn(u64) -> f64, V: Fn(u64, f64) -> f64> World<C, V> {
    fn run(&self, length: u64) -> Run {
        let mut estimator = Estimator::default();
        let mut run = Run {
            estimates: Vec::new(),
            audio: Vec::new(),
        };
        // Packets on the way: left, size, arrived.
        let mut way: VecDeque<(u64, u32, Option<u64>)> = VecDeque::new();
        let mut lagging = VecDeque::from([estimator.target; 3]);
        let (mut free_at, mut count, mut owed) = (0u64, 0u64, 0.0);
        let mut send = |now: u64, size: u32, way: &mut VecDeque<_>| {
            let capacity = (self.capacity)(now);
            let queued = free_at.saturating_sub(now) as f64 * capacity / 8e6;
            count += 1;
            let unlucky = self.lose_every > 0 && (count * 7_919) % self.lose_every == 0;
            let arrived = (queued < self.buffer_bytes && !unlucky).then(|| {
                free_at = free_at.max(now) + (f64::from(size) * 8e6 / capacity) as u64;
                free_at + 25 * MS
            });
            way.push_back((now, size, arrived));
            arrived.is_some()
        };
        for tick in 0..length / (10 * MS) {
            let now = S + tick * 10 * MS;
            if tick % 2 == 0 {
                let came = send(now, AUDIO, &mut way);
                run.audio.push((now, came));
            }
            if tick % 3 == 0 {
                let known = *lagging.front().unwrap_or(&0.0);
                owed += (self.camera)(now, known) * 0.03 / 8.0;
                while owed >= 200.0 {
                    let size = f64::min(owed, 1_100.0);
                    owed -= size;
                    send(now, size as u32, &mut way);
                }
            }
            if tick % 10 == 9 {
                // What has come by now, with the report's own way back; what was overtaken is lost.
                let by = now - 25 * MS;
                let told = way.iter().rposition(|(_, _, a)| a.is_some_and(|a| a <= by));
                let report: Vec<Arrival> = way
                    .drain(..told.map_or(0, |n| n + 1))
                    .map(|(sent_us, size, arrived)| Arrival {
                        sent_us,
                        arrived_us: arrived.map(|a| a + 77 * S),
                        size,
                    })
                    .collect();
                estimator.heard(now, &report);
                estimator.tick(now, true, false);
                lagging.pop_front();
                lagging.push_back(estimator.target);
                run.estimates.push((now - S, estimator.target));
            }
        }
        for one in &mut run.audio {
            one.0 -= S;
        }
        run
    }
}

fn follows(_: u64, known: f64) -> f64 {
    (known * 0.9 - 60_000.0).clamp(50_000.0, 2_500_000.0)
}

/// Fifty packets that arrive as they left, told of at the end; half of them lost if the network was away.
fn second(estimator: &mut Estimator, from: u64, away: bool) {
    let packets: Vec<Arrival> = (0..50)
        .map(|n| Arrival {
            sent_us: from + n * 20 * MS,
            arrived_us: (!away || n > 25).then_some(from + n * 20 * MS + 77 * S),
            size: 1_100,
        })
        .collect();
    estimator.heard(from + S, &packets);
}

#[test]
fn a_page_that_is_cut_off_says_nothing_of_the_width_of_its_network() {
    let began = |estimator: &mut Estimator| {
        (1..9).for_each(|n| second(estimator, n * S, false));
        estimator.target
    };
    let mut estimator = Estimator::default();
    let before = began(&mut estimator);
    (18..40).for_each(|n| estimator.tick(n * S / 2, true, true));
    // The first word after it is of what was lost in it.
    second(&mut estimator, 19 * S, true);
    second(&mut estimator, 20 * S, false);
    assert!(estimator.target >= before, "{}", estimator.target);
    assert!(estimator.estimate(21 * S).is_some_and(|e| !e.congested));
    // One whose reports alone stay away is drowned.
    let mut estimator = Estimator::default();
    let before = began(&mut estimator);
    (18..40).for_each(|n| estimator.tick(n * S / 2, true, false));
    assert!(estimator.target < before / 10.0);
}

#[test]
fn a_fast_network_is_used_within_seconds() {
    let world = World {
        capacity: |_| 20e6,
        camera: follows,
        buffer_bytes: 1e6,
        lose_every: 0,
    };
    let run = world.run(20 * S);
    assert!(run.at(10 * S) > 2.2e6, "{}", run.at(10 * S));
    assert_eq!(run.audio(0, 20 * S).0, 0);
}

#[test]
fn a_fall_of_the_network_is_followed_within_two_seconds_and_its_recovery_within_twenty() {
    let world = World {
        capacity: |t| {
            if (11 * S..31 * S).contains(&t) {
                200e3
            } else {
                2e6
            }
        },
        camera: follows,
        buffer_bytes: 100e3,
        lose_every: 0,
    };
    let run = world.run(52 * S);
    assert!(run.at(10 * S - 1) > 1.2e6, "before: {}", run.at(10 * S - 1));
    assert!(run.at(12 * S) < 200e3, "two seconds: {}", run.at(12 * S));
    assert!(
        run.most(13 * S, 30 * S) < 330e3,
        "{}",
        run.most(13 * S, 30 * S)
    );
    assert!(
        run.least(13 * S, 30 * S) > 90e3,
        "{}",
        run.least(13 * S, 30 * S)
    );
    assert!(run.at(50 * S) > 1.4e6, "recovered: {}", run.at(50 * S));
    let (lost, all) = run.audio(12 * S, 52 * S);
    assert_eq!(lost, 0, "of {all} sounds");
}

#[test]
fn an_idle_connection_proves_nothing() {
    let world = World {
        capacity: |_| 20e6,
        camera: |_, _| 0.0,
        buffer_bytes: 1e6,
        lose_every: 0,
    };
    let run = world.run(60 * S);
    assert!(
        run.most(0, 60 * S) <= ESTIMATE_START,
        "{}",
        run.most(0, 60 * S)
    );
}

#[test]
fn a_camera_that_does_not_follow_proves_what_comes_through() {
    let world = World {
        capacity: |_| 5e6,
        camera: |_, _| 1.5e6,
        buffer_bytes: 1e6,
        lose_every: 0,
    };
    let run = world.run(10 * S);
    assert!(run.at(2 * S) > 1.4e6, "{}", run.at(2 * S));
}

#[test]
fn a_gentle_overload_is_noticed() {
    let world = World {
        capacity: |_| 500e3,
        camera: |_, _| 560e3,
        buffer_bytes: 200e3,
        lose_every: 0,
    };
    let run = world.run(8 * S);
    assert!(run.at(5 * S) < 510e3, "{}", run.at(5 * S));
}

#[test]
fn a_bad_radio_link_is_not_taken_for_a_narrow_one() {
    let world = World {
        capacity: |_| 5e6,
        camera: |_, _| 300e3,
        buffer_bytes: 1e6,
        lose_every: 10,
    };
    let run = world.run(30 * S);
    assert!(run.least(0, 30 * S) > 400e3, "{}", run.least(0, 30 * S));
}

#[test]
fn a_page_that_is_not_heard_of_any_more_gets_less_and_less() {
    let mut estimator = Estimator::default();
    assert_eq!(estimator.estimate(0), None);
    estimator.tick(5 * S, true, false);
    assert_eq!(estimator.estimate(5 * S), None, "nothing was ever said");
    let packet = |n: u64| Arrival {
        sent_us: n * 20 * MS,
        arrived_us: Some(n * 20 * MS),
        size: 1_000,
    };
    for n in 250..300 {
        estimator.heard(n * 20 * MS, &[packet(n)]);
    }
    let before = estimator.estimate(6 * S).map_or(0, |e| e.bitrate);
    estimator.tick(6_500 * MS, true, false);
    assert_eq!(estimator.estimate(6 * S).map_or(0, |e| e.bitrate), before);
    for n in 0..12 {
        estimator.tick(8 * S + n * 500 * MS, true, false);
    }
    let after = estimator.estimate(13_600 * MS);
    let calm = |e: &Estimator, at| e.estimate(at).is_some_and(|e| !e.congested);
    assert_eq!(after.map(|e| e.bitrate), Some(ESTIMATE_LEAST as u32));
    assert!(after.is_some_and(|e| e.congested));
    // Nothing was sent for a while: the first packet after that is not late yet.
    estimator.heard(14 * S, &[packet(700)]);
    estimator.tick(80 * S, false, false);
    estimator.tick(80_500 * MS, true, false);
    assert!(calm(&estimator, 80_500 * MS));
}

/// A page that tells nothing of single packets, and what it is sent (bit/s) from its last report to this.
struct Reporter {
    estimator: Estimator,
    now: u64,
    octets: u64,
}

impl Reporter {
    fn new() -> Self {
        Self {
            estimator: Estimator::default(),
            now: 0,
            octets: 0,
        }
    }

    /// The next report: `lost` of `of` packets.
    fn after(&mut self, us: u64, lost: u32, of: u32, sent: u64) {
        self.now += us;
        self.octets += sent * us / 8_000_000;
        let lost = f64::from(lost);
        self.estimator.reported(self.now, lost, of, self.octets);
    }

    fn bitrate(&self) -> Option<u32> {
        self.estimator.estimate(self.now).map(|e| e.bitrate)
    }
}

#[test]
fn receiver_reports_alone_lower_and_raise_it() {
    let mut page = Reporter::new();
    page.after(S, 0, 50, 500_000);
    page.after(S, 15, 50, 500_000);
    assert_eq!(page.bitrate(), None, "one bad report says little");
    page.after(S, 15, 50, 500_000);
    assert_eq!(page.bitrate(), Some(425_000));
    for _ in 4..30 {
        page.after(S, 0, 50, 400_000);
    }
    let grown = page.bitrate().unwrap_or(0);
    assert!((1_000_000..=1_100_000).contains(&grown), "{grown}");
}

#[test]
fn reports_just_after_each_other_are_one() {
    let mut page = Reporter::new();
    page.after(S, 15, 50, 500_000);
    page.after(MS, 15, 50, 500_000);
    assert_eq!(page.bitrate(), None, "two bad reports, and one bad time");
    // One for each stream: nearly nothing was sent in between, which says nothing of the network.
    for _ in 0..2 {
        page.after(S, 0, 25, 500_000);
        page.after(MS, 15, 25, 500_000);
    }
    let fallen = page.bitrate().unwrap_or(0);
    assert!((424_000..=426_000).contains(&fallen), "{fallen}");
}

#[test]
fn a_stream_of_few_packets_says_little() {
    let mut page = Reporter::new();
    // Somebody is silent: one of two packets is lost, beside a picture that is whole.
    for _ in 0..20 {
        page.after(S, 1, 2, 500_000);
        page.after(MS, 0, 60, 500_000);
    }
    assert_eq!(page.bitrate(), None);
}

#[test]
fn a_clock_of_the_page_that_steps_back_stops_no_measuring() {
    let mut came = Came::default();
    let mut second = |from: u64, size| {
        for n in 0..100 {
            came.add(from + n * 10 * MS, size);
        }
        came.rate()
    };
    let rate = |rate: Option<f64>| rate.map_or(0, |r| r as u64);
    assert_eq!(rate(second(3_600 * S, 1_000)), 800_000);
    assert_eq!(rate(second(3_600 * S - S, 9_000)), 800_000, "overtaken");
    assert_eq!(rate(second(5 * S, 500)), 400_000);
}
