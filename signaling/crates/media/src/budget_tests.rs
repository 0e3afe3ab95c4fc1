use super::*;

const S: u64 = 1_000_000;
const SOUND: u32 = 40_000;

fn calm(bitrate: u32) -> Estimate {
    Estimate {
        bitrate,
        congested: false,
        calm_us: 60 * S,
    }
}

fn congested(bitrate: u32) -> Estimate {
    Estimate {
        bitrate,
        congested: true,
        calm_us: 0,
    }
}

fn picture(id: usize, full: u32) -> Picture {
    Picture {
        id,
        full,
        thin: None,
    }
}

fn layered(id: usize, full: u32) -> Picture {
    Picture {
        thin: Some(full * 6 / 10),
        ..picture(id, full)
    }
}

fn levels(budget: &Budget, count: usize) -> Vec<Level> {
    (0..count).map(|id| budget.level(id)).collect()
}

#[test]
fn the_order_is_others_smaller_others_none_main_smaller_main_none_and_back() {
    use Level::*;
    let pictures = [
        layered(0, 500_000),
        layered(1, 500_000),
        layered(2, 500_000),
    ];
    let mut budget = Budget::default();
    let mut now = 0;
    let mut seen = vec![levels(&budget, 3)];
    for bitrate in [100_000, 2_600_000] {
        for _ in 0..400 {
            now += S / 10;
            if budget.decide(now, calm(bitrate), SOUND, &pictures) {
                seen.push(levels(&budget, 3));
            }
            if bitrate > 1_000_000 && levels(&budget, 3) == [Full; 3] {
                break;
            }
            if bitrate < 1_000_000 && levels(&budget, 3) == [Paused; 3] {
                break;
            }
        }
    }
    let down = [
        [Full, Full, Full],
        [Full, Full, Thin],
        [Full, Thin, Thin],
        [Full, Thin, Paused],
        [Full, Paused, Paused],
        [Thin, Paused, Paused],
        [Paused, Paused, Paused],
    ];
    assert_eq!(seen[..7], down.map(|l| l.to_vec()));
    let up = [
        [Thin, Paused, Paused],
        [Full, Paused, Paused],
        [Full, Thin, Paused],
        [Full, Thin, Thin],
        [Full, Full, Thin],
        [Full, Full, Full],
    ];
    assert_eq!(seen[7..], up.map(|l| l.to_vec()));
}

#[test]
fn congestion_acts_at_once_an_estimate_alone_waits_for_the_sender() {
    let pictures = [picture(0, 400_000)];
    let mut budget = Budget::default();
    assert!(budget.decide(S, congested(130_000), SOUND, &pictures));
    assert_eq!(budget.level(0), Level::Paused);

    let pictures = [picture(0, 350_000)];
    let mut budget = Budget::default();
    assert!(!budget.decide(S, calm(300_000), SOUND, &pictures));
    assert!(!budget.decide(2 * S, congested(300_000), SOUND, &pictures));
    // The sender follows within its time: nothing happened.
    assert!(!budget.decide(3 * S, calm(300_000), SOUND, &[picture(0, 240_000)]));
    assert!(!budget.decide(4 * S, calm(300_000), SOUND, &pictures));
    assert!(budget.decide(6 * S, calm(300_000), SOUND, &pictures));
}

#[test]
fn a_paused_picture_comes_back_when_there_has_been_room_for_four_seconds() {
    let pictures = [picture(0, 400_000)];
    let mut budget = Budget::default();
    assert!(budget.decide(S, congested(130_000), SOUND, &pictures));
    let quarter = |n: u64| 2 * S + n * S / 4;
    for n in 0..16 {
        assert!(
            !budget.decide(quarter(n), calm(700_000), SOUND, &pictures),
            "{n}"
        );
    }
    assert!(budget.decide(quarter(16), calm(700_000), SOUND, &pictures));
    assert_eq!(budget.level(0), Level::Full);
}

#[test]
fn it_comes_back_sooner_when_its_sender_has_followed() {
    let mut budget = Budget::default();
    assert!(budget.decide(S, congested(425_000), SOUND, &[picture(0, 1_800_000)]));
    let followed = [picture(0, 150_000)];
    assert!(!budget.decide(2 * S, calm(425_000), SOUND, &followed));
    assert!(budget.decide(3 * S, calm(425_000), SOUND, &followed));
}

#[test]
fn trials_come_later_and_later_while_they_fail() {
    let pictures = [picture(0, 400_000)];
    let mut budget = Budget::default();
    let (mut resumed, mut congested_at) = (Vec::new(), 0);
    for tenth in 1..3_000u64 {
        let now = tenth * S / 10;
        // A network of 150 kbit/s: what is shown congests it.
        let estimate = if budget.level(0) == Level::Full {
            congested_at = now;
            congested(130_000)
        } else {
            Estimate {
                bitrate: 200_000,
                congested: false,
                calm_us: now - congested_at,
            }
        };
        if budget.decide(now, estimate, SOUND, &pictures) && budget.level(0) == Level::Full {
            resumed.push(now / S);
        }
    }
    let waits: Vec<u64> = resumed.windows(2).map(|w| w[1] - w[0]).collect();
    assert_eq!(resumed[0], 10);
    assert_eq!(waits[..3], [20, 40, 60]);
    assert!(waits[3..].iter().all(|w| *w == 60), "{waits:?}");
}

#[test]
fn a_trial_waits_for_calm() {
    let pictures = [picture(0, 400_000)];
    let mut budget = Budget::default();
    assert!(budget.decide(S, congested(130_000), SOUND, &pictures));
    let restless = Estimate {
        calm_us: 2 * S,
        ..calm(130_000)
    };
    for second in 2..60 {
        assert!(!budget.decide(second * S, restless, SOUND, &pictures));
    }
    assert!(budget.decide(60 * S, calm(130_000), SOUND, &pictures));
}

#[test]
fn the_sender_of_a_single_picture_is_told_what_there_is() {
    let pictures = [picture(0, 400_000)];
    let mut budget = Budget::default();
    let share = budget.share(0, calm(1_040_000), SOUND, &pictures);
    assert_eq!(share, 950_000);
    assert!(budget.decide(S, congested(100_000), SOUND, &pictures));
    let share = budget.share(0, calm(1_040_000), SOUND, &pictures);
    assert_eq!(share, PICTURE_LEAST, "while it is paused");
}

#[test]
fn a_thinned_picture_is_whole_again_once_its_sender_has_followed() {
    let mut budget = Budget::default();
    let mut full = 500_000;
    let there = calm(340_000);
    let mut whole = 0;
    for tenth in 0..200u64 {
        budget.decide(tenth * S / 10, there, SOUND, &[layered(0, full)]);
        // It follows after two seconds.
        if tenth > 20 {
            full = budget.share(0, there, SOUND, &[layered(0, full)]);
        }
        whole += u32::from(tenth > 100 && budget.level(0) == Level::Full);
    }
    assert_eq!(whole, 99);
}

#[test]
fn shares_never_pass_what_there_is() {
    let pictures = [
        picture(0, 300_000),
        picture(1, 900_000),
        picture(2, 900_000),
    ];
    let budget = Budget::default();
    let all: u32 = (0..3)
        .map(|id| budget.share(id, calm(2_040_000), SOUND, &pictures))
        .sum();
    assert!(all <= 2_000_000, "{all}");
    assert!(budget.share(0, calm(2_040_000), SOUND, &pictures) >= 1_100_000);
}

#[test]
fn a_slot_that_is_free_again_starts_anew() {
    let mut budget = Budget::default();
    assert!(budget.decide(S, congested(100_000), SOUND, &[picture(3, 400_000)]));
    assert_eq!(budget.level(3), Level::Paused);
    budget.decide(2 * S, calm(100_000), SOUND, &[]);
    assert_eq!(budget.level(3), Level::Full);
}
