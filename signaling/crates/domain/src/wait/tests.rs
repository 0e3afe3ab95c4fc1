use super::*;
use proptest::prelude::*;

fn served(s: i64) -> Sample {
    Sample {
        told_s: None,
        waited: Span(0),
        served: Some(Span::seconds(s)),
    }
}
fn told(lo: u32, hi: u32, waited: i64) -> Sample {
    Sample {
        told_s: Some((lo, hi)),
        waited: Span::seconds(waited),
        served: None,
    }
}
fn queue<'a>(ahead: u32, seats: u32, in_service: &'a [Span], recent: &'a [Sample]) -> Queue<'a> {
    Queue {
        ahead,
        seats,
        in_service,
        recent,
        between: Span(0),
    }
}

#[test]
fn nobody_on_duty_is_not_estimated() {
    assert_eq!(estimate(&queue(0, 0, &[], &[])), None);
}

#[test]
fn whose_turn_it_is_waits_for_the_ring_alone() {
    let busy = [Span::seconds(60)];
    let e = estimate(&queue(1, 3, &busy, &[])).unwrap();
    assert_eq!((e.low_s, e.high_s), (0, TURN_S));
}

/// One seat, exponential service of 300 s: the next turn is exponential, 20 % are over after 67 s, 80 % after 483 s.
#[test]
fn one_busy_seat_without_history_is_the_exponential() {
    let e = estimate(&queue(0, 1, &[Span::seconds(10)], &[])).unwrap();
    assert!((60..=75).contains(&e.low_s), "{e:?}");
    assert!((470..=495).contains(&e.high_s), "{e:?}");
}

/// Ten seats, nine ahead: the tenth completion at 30 s each is Erlang(10): 20th 217 s, 80th 376 s (tables of χ² with 20 degrees).
#[test]
fn the_tenth_of_ten_seats_is_the_erlang_distribution() {
    let busy = [Span::seconds(100); 10];
    let e = estimate(&queue(9, 10, &busy, &[])).unwrap();
    assert!((212..=222).contains(&e.low_s), "{e:?}");
    assert!((370..=381).contains(&e.high_s), "{e:?}");
}

#[test]
fn regular_service_gives_a_narrow_range_and_a_long_running_call_a_near_end() {
    let even: Vec<_> = (0..40).map(|i| served(290 + i % 20)).collect();
    let young = estimate(&queue(4, 1, &[Span::seconds(0)], &even)).unwrap();
    let old = estimate(&queue(4, 1, &[Span::seconds(280)], &even)).unwrap();
    let unknown = estimate(&queue(4, 1, &[Span::seconds(280)], &[])).unwrap();
    assert!(old.high_s < young.high_s && old.low_s < young.low_s);
    assert!(young.high_s - young.low_s < unknown.high_s - unknown.low_s);
}

#[test]
fn one_conversation_left_open_overnight_moves_little() {
    let mut recent: Vec<_> = (0..49).map(|_| served(300)).collect();
    let before = estimate(&queue(3, 2, &[Span(0); 2], &recent)).unwrap();
    recent.push(served(40_000));
    let after = estimate(&queue(3, 2, &[Span(0); 2], &recent)).unwrap();
    assert!(after.high_s < before.high_s * 2, "{before:?} {after:?}");
}

#[test]
fn the_time_between_two_calls_counts() {
    let busy = [Span(0)];
    let mut q = queue(3, 1, &busy, &[]);
    let without = estimate(&q).unwrap();
    q.between = Span::seconds(90);
    assert!(estimate(&q).unwrap().high_s > without.high_s);
}

#[test]
fn the_miss_is_the_distance_from_the_range() {
    let recent = [
        told(60, 120, 180),
        told(60, 120, 30),
        told(60, 120, 90),
        told(60, 120, 60),
    ];
    assert_eq!(miss(&recent), None, "four are too few");
    let five = [&recent[..], &[told(60, 120, 120)]].concat();
    assert_eq!(
        miss(&five),
        Some(Miss {
            mean_s: (60 + 30) / 5,
            outside_pct: 40,
            samples: 5
        })
    );
}

/// A desk in virtual time (ten seats, Poisson arrivals at 90 %, exponential service of 300 s): of those who had to wait, about
/// three in five waited within the range that they were told, which is what a 20th to 80th percentile promises.
#[test]
fn what_is_told_comes_true_as_often_as_it_says() {
    const SEATS: usize = 10;
    let mut seed = 7u64;
    let mut exponential = |mean: f64| {
        // SplitMix64: any fixed sequence will do.
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let u = ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64;
        -mean * (1.0 - u).ln()
    };
    let span = |s: f64| Span((s * 1e6) as i64);
    let (mut seats, mut now) = ([(0.0f64, 0.0f64); SEATS], 0.0);
    let mut starts: Vec<f64> = vec![];
    let mut recent: Vec<Sample> = vec![];
    let (mut inside, mut waited) = (0u32, 0u32);
    for _ in 0..20_000 {
        now += exponential(300.0 / SEATS as f64 / 0.9);
        let ages: Vec<Span> = seats
            .iter()
            .filter(|(_, end)| *end > now)
            .map(|(from, _)| span((now - from).max(0.0)))
            .collect();
        let ahead = starts.iter().rev().take_while(|s| **s > now).count() as u32;
        let e = estimate(&queue(ahead, SEATS as u32, &ages, &recent)).unwrap();
        let first = seats.iter_mut().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        let start = first.1.max(now);
        let service = exponential(300.0);
        *first = (start, start + service);
        starts.push(start);
        let sample = Sample {
            told_s: Some((e.low_s, e.high_s)),
            waited: span(start - now),
            served: Some(span(service)),
        };
        if start > now {
            waited += 1;
            inside +=
                u32::from((f64::from(e.low_s)..=f64::from(e.high_s)).contains(&(start - now)));
        }
        recent.insert(0, sample);
        recent.truncate(50);
    }
    let share = f64::from(inside) / f64::from(waited);
    assert!(
        waited > 10_000 && (0.5..=0.72).contains(&share),
        "{inside} of {waited}"
    );
}

fn any_recent() -> impl Strategy<Value = Vec<Sample>> {
    prop::collection::vec(1i64..2_000, 0..40).prop_map(|v| v.into_iter().map(served).collect())
}

proptest! {
    #[test]
    fn more_people_ahead_never_wait_less(ahead in 0u32..300, seats in 1u32..60, ages in prop::collection::vec(0i64..2_000, 0..60), recent in any_recent()) {
        let ages: Vec<_> = ages.into_iter().map(Span::seconds).collect();
        let a = estimate(&queue(ahead, seats, &ages, &recent)).unwrap();
        let b = estimate(&queue(ahead + 1, seats, &ages, &recent)).unwrap();
        prop_assert!(a.low_s <= a.high_s);
        prop_assert!(a.low_s <= b.low_s && a.high_s <= b.high_s, "{:?} {:?}", a, b);
    }

    #[test]
    fn more_seats_never_make_it_longer(ahead in 0u32..300, seats in 1u32..60, ages in prop::collection::vec(0i64..2_000, 0..60), recent in any_recent()) {
        let ages: Vec<_> = ages.into_iter().map(Span::seconds).collect();
        let a = estimate(&queue(ahead, seats, &ages, &recent)).unwrap();
        let b = estimate(&queue(ahead, seats + 1, &ages, &recent)).unwrap();
        prop_assert!(b.low_s <= a.low_s && b.high_s <= a.high_s, "{:?} {:?}", a, b);
    }

    #[test]
    fn absurd_numbers_stay_within_a_day(ahead in any::<u32>(), seats in 1u32.., age in any::<i64>(), s in any::<i64>()) {
        let recent = [Sample { told_s: Some((0, u32::MAX)), waited: Span(s), served: Some(Span(s)) }; 6];
        let e = estimate(&queue(ahead, seats, &[Span(age)], &recent)).unwrap();
        prop_assert!(e.low_s <= e.high_s && e.high_s <= TOLD_MAX_S);
    }
}
