#![allow(clippy::unwrap_used)]

use super::*;
use crate::id::{HallId, Id as _, StaffId};
use proptest::prelude::*;
use std::collections::BTreeSet;

const CODES: [&str; 6] = [
    "general",
    "police",
    "tax",
    "lang:en",
    "dialect:yiyang",
    "need:sign_language",
];

fn staff(n: i64) -> String {
    StaffId::make(n, 0).to_string()
}
fn known() -> BTreeSet<String> {
    CODES.iter().map(|c| (*c).to_owned()).collect()
}
fn hall(n: i64) -> HallId {
    HallId::make(n, 0)
}
fn rule(json: &str) -> Rule {
    serde_json::from_str(json).unwrap()
}
fn words(w: &[&str]) -> Vec<String> {
    w.iter().map(|w| (*w).to_owned()).collect()
}
fn faults(json: &str) -> Vec<(&'static str, String)> {
    rule(json)
        .check(&known(), &hall(1))
        .err()
        .unwrap_or_default()
        .into_iter()
        .map(|f| (f.code, f.pointer.unwrap()))
        .collect()
}

#[test]
fn the_bullseye_widens_at_its_seconds() {
    let far = hall(2).to_string();
    let r = rule(&format!(
        r#"{{"required":[{{"code":"police","level":3}},{{"code":"general","level":2}}],
            "steps":[{{"after_s":30,"min_level":1}},{{"after_s":60,"drop":["police","lang:en"]}},{{"after_s":120,"overflow":"{far}"}}]}}"#
    ));
    r.check(&known(), &hall(1)).unwrap();
    let plan = Plan::new(
        &r,
        &words(&["sign_language"]),
        Some("en"),
        &Preferred::default(),
    )
    .unwrap();
    let key = |s: i64| plan.at(Span::seconds(s)).demand.key();
    assert_eq!(key(0), "general:2,lang:en:1,need:sign_language:1,police:3");
    assert_eq!(key(29), key(0));
    assert_eq!(key(30), "general:1,lang:en:1,need:sign_language:1,police:1");
    assert_eq!(key(60), "general:1,need:sign_language:1");
    assert_eq!(plan.at(Span::seconds(119)).overflow, None);
    assert_eq!(plan.at(Span::seconds(120)).overflow, Some(far));
    let next = |s| plan.at(Span::seconds(s)).next_after;
    assert_eq!(next(0), Some(Span::seconds(30)));
    assert_eq!(next(30), Some(Span::seconds(60)));
    assert_eq!(next(119), Some(Span::seconds(120)));
    assert_eq!(next(120), None);
}

#[test]
fn a_step_that_changes_nothing_for_a_ticket_wakes_nobody() {
    let r = rule(
        r#"{"required":[{"code":"general","level":1}],"steps":[{"after_s":10,"min_level":1},{"after_s":20,"drop":["lang:en"]}]}"#,
    );
    let plan = |l| Plan::new(&r, &[], l, &Preferred::default()).unwrap();
    assert_eq!(plan(None).at(Span::seconds(0)).next_after, None);
    assert_eq!(
        plan(Some("en")).at(Span::seconds(0)).next_after,
        Some(Span::seconds(20))
    );
}

#[test]
fn the_last_agent_then_the_pair_then_everybody() {
    let r = rule(
        r#"{"required":[{"code":"general","level":1}],"prefer":{"last_agent_s":20,"pair_s":40}}"#,
    );
    let (last, a, b) = (staff(1), staff(2), staff(3));
    let preferred = Preferred {
        last_agent: Some(last.clone()),
        pair: vec![a.clone(), b.clone()],
    };
    let plan = Plan::new(&r, &[], None, &preferred).unwrap();
    let only = |s| plan.at(Span::seconds(s)).demand.only().to_vec();
    assert_eq!(only(0), std::slice::from_ref(&last));
    assert_eq!(only(20), [last.clone(), a.clone(), b.clone()]);
    assert_eq!(only(60), Vec::<String>::new());
    // Without a last agent the pair is asked at once; the last agent who is also A stands once.
    let pair = Preferred {
        last_agent: None,
        pair: vec![a.clone(), b.clone()],
    };
    assert_eq!(
        Plan::new(&r, &[], None, &pair)
            .unwrap()
            .at(Span(0))
            .demand
            .only(),
        [a.clone(), b.clone()]
    );
    let same = Preferred {
        last_agent: Some(a.clone()),
        pair: vec![a.clone(), b.clone()],
    };
    assert_eq!(
        Plan::new(&r, &[], None, &same)
            .unwrap()
            .at(Span::seconds(30))
            .demand
            .only(),
        [a, b]
    );
}

#[test]
fn bad_rules_name_every_fault_and_where() {
    let own = hall(1);
    let got = faults(&format!(
        r#"{{"required":[{{"code":"nope","level":1}},{{"code":"general","level":6}},{{"code":"general","level":1}}],
          "steps":[{{"after_s":30,"min_level":0}},{{"after_s":30,"overflow":"{own}"}},{{"after_s":40}},{{"after_s":50,"drop":["tax"]}}],
          "hours":[{{"days":"workdays","from":"09:00","to":"12:00"}},{{"days":"all","from":"11:00","to":"13:00"}},{{"days":"weekend","from":"15:00","to":"15:00"}}],
          "ring_s":5,"text_slots":0}}"#
    ));
    let want = [
        ("rule_skill_unknown", "/required/0/code"),
        ("rule_level", "/required/1/level"),
        ("rule_skill_twice", "/required/2/code"),
        ("rule_level", "/steps/0/min_level"),
        ("rule_steps_order", "/steps/1/after_s"),
        ("rule_overflow_self", "/steps/1/overflow"),
        ("rule_step_empty", "/steps/2"),
        ("rule_drop_unasked", "/steps/3/drop/0"),
        ("hours_overlap", "/hours/1"),
        ("hours_invalid", "/hours/2"),
        ("rule_seconds", "/ring_s"),
        ("rule_seconds", "/text_slots"),
    ];
    assert_eq!(got, want.map(|(c, p)| (c, p.to_owned())));
    let many = [r#"{"code":"general","level":1}"#; 6].join(",");
    assert_eq!(
        faults(&format!(r#"{{"required":[{many}]}}"#)),
        [("rule_too_large", "/required".to_owned())]
    );
    assert!(serde_json::from_str::<Rule>(r#"{"required":[],"colour":1}"#).is_err());
    assert!(
        serde_json::from_str::<Rule>(
            r#"{"required":[],"hours":[{"days":"all","from":"9","to":"12:00"}]}"#
        )
        .is_err()
    );
    Rule::of_skill("general").check(&known(), &hall(1)).unwrap();
}

#[test]
fn what_is_no_demand_is_refused() {
    for bad in [
        "",
        "general",
        "general:0",
        "general:6",
        "police:1,general:1",
        "general:1,general:1",
        "general:01",
        "General:1",
        "a:b:c:1",
        "general:1|only=",
        "general:1|only=me",
        "*,general:1",
        "general:1 ",
        "general:+1",
    ] {
        assert_eq!(
            Demand::parse(bad).unwrap_err().code,
            "demand_invalid",
            "{bad}"
        );
    }
    let r = Rule::of_skill("general");
    let five = words(&["a", "b", "c", "d", "e"]);
    for (needs, lang) in [
        (five, None),
        (words(&["Sign"]), None),
        (vec![], Some("en-GB,x")),
    ] {
        assert!(Plan::new(&r, &needs, lang, &Preferred::default()).is_err());
    }
}

#[test]
fn the_longest_demand_fits_its_column() {
    let code = |i: usize| format!("need:{}{i:02}", "x".repeat(SKILL_CODE_BYTES - 7));
    let skills = (0..DEMAND_SKILLS_MAX).map(|i| (code(i), 5)).collect();
    let only = (0..ONLY_MAX).map(|i| staff(i as i64)).collect();
    let longest = Demand::new(skills, only).unwrap();
    let key = longest.but(&StaffId::make(9, 9)).at(&hall(9)).key();
    assert!(key.len() <= KEY_BYTES, "{}", key.len());
    assert_eq!(Demand::parse(&key).unwrap().key(), key);
}

#[test]
fn who_is_handed_over_is_not_for_who_handed_them_over_nor_for_another_hall() {
    let plain = Demand::parse("police:1").unwrap();
    let skills: BTreeMap<String, u8> = [("police".to_owned(), 1)].into();
    let handed = plain.clone().but(&StaffId::make(1, 0)).at(&hall(2));
    assert_eq!(
        handed.key(),
        format!("police:1|but={}|at={}", staff(1), hall(2))
    );
    assert!(plain.fits(&staff(1), &skills) && !handed.fits(&staff(1), &skills));
    assert!(handed.fits(&staff(2), &skills));
    assert!(plain.allows_hall(&hall(1)) && !handed.allows_hall(&hall(1)));
    assert!(handed.allows_hall(&hall(2)));
    for bad in [
        format!("police:1|at={}|but={}", hall(2), staff(1)),
        format!("police:1|but={}", hall(2)),
        "police:1|at=".to_owned(),
    ] {
        assert!(Demand::parse(&bad).is_err(), "{bad}");
    }
}

#[test]
fn a_text_lane_is_for_texts_alone_and_no_rule_asks_for_one() {
    let call = Demand::parse("police:1").unwrap();
    let text = call.clone().by_text();
    assert_eq!(text.key(), "mode:text:1,police:1");
    assert_eq!(Demand::parse(&text.key()).unwrap(), text);
    let seat: BTreeMap<String, u8> = [("police".to_owned(), 3)].into();
    let mut lane = seat.clone();
    lane.insert(TEXT_SKILL.to_owned(), 1);
    assert!(call.fits(&staff(1), &seat) && !call.fits(&staff(1), &lane));
    assert!(text.fits(&staff(1), &lane) && !text.fits(&staff(1), &seat));
    // Not even what asks for nothing at all.
    assert!(!Demand::parse("*").unwrap().fits(&staff(1), &lane));

    let mut r = Rule::of_skill("police");
    r.required.push(SkillLevel {
        code: TEXT_SKILL.to_owned(),
        level: 1,
    });
    r.steps.push(Step {
        after_s: 10,
        drop: words(&["mode:text"]),
        min_level: None,
        overflow: None,
    });
    let known = ["police".to_owned(), TEXT_SKILL.to_owned()].into();
    let faults = r.check(&known, &hall(1)).unwrap_err();
    let said: Vec<_> = faults
        .iter()
        .map(|f| (f.code, f.pointer.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(
        said,
        [
            ("rule_skill_reserved", "/required/1/code"),
            ("rule_skill_reserved", "/steps/0/drop/0")
        ]
    );
}

fn code() -> impl Strategy<Value = String> {
    prop::sample::select(CODES.to_vec()).prop_map(str::to_owned)
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let step = (
        1u32..60,
        prop::collection::vec(code(), 0..3),
        prop::option::of(1u8..=5),
        prop::option::of(2i64..5),
    );
    (
        prop::collection::btree_map(code(), 1u8..=5, 0..5),
        prop::collection::vec(step, 0..STEPS_MAX),
        (0u32..60, 0u32..60),
    )
        .prop_map(|(required, steps, (last_agent_s, pair_s))| {
            let mut at = 0;
            let steps = steps
                .into_iter()
                .map(|(gap, drop, min_level, to)| {
                    at += gap;
                    Step {
                        after_s: at,
                        drop,
                        min_level,
                        overflow: to.map(|n| hall(n).to_string()),
                    }
                })
                .collect();
            let mut r = Rule::of_skill("general");
            r.required = required
                .into_iter()
                .map(|(code, level)| SkillLevel { code, level })
                .collect();
            r.steps = steps;
            r.prefer = Prefer {
                last_agent_s,
                pair_s,
            };
            r
        })
}

proptest! {
    /// Whoever may serve a ticket now may serve it at every later moment, and an offer to another hall is not taken back.
    #[test]
    fn a_later_stage_never_asks_more(
        r in any_rule(), last in prop::option::of(0i64..3), pair in prop::collection::vec(0i64..3, 0..=2), need in any::<bool>(),
        early in 0i64..500, more in 0i64..500, who in 0i64..3, has in prop::collection::btree_map(code(), 1u8..=5, 0..6)
    ) {
        let needs = if need { words(&["sign_language"]) } else { vec![] };
        let mut pair = pair;
        pair.dedup();
        let preferred = Preferred { last_agent: last.map(staff), pair: pair.into_iter().map(staff).collect() };
        let plan = Plan::new(&r, &needs, Some("dialect:yiyang"), &preferred).unwrap();
        let (a, b) = (plan.at(Span::seconds(early)), plan.at(Span::seconds(early + more)));
        if a.demand.fits(&staff(who), &has) { prop_assert!(b.demand.fits(&staff(who), &has)); }
        if a.overflow.is_some() { prop_assert_eq!(&a.overflow, &b.overflow); }
        let named = r.steps.iter().any(|s| s.drop.iter().any(|d| d == "need:sign_language"));
        if need && !named { prop_assert!(b.demand.skills().contains_key("need:sign_language")); }
    }

    /// Walking from `next_after` to `next_after` meets every stage: nothing changes in between.
    #[test]
    fn between_two_marks_nothing_changes(r in any_rule(), at in 0i64..500) {
        let preferred = Preferred { last_agent: Some(staff(1)), pair: vec![staff(2)] };
        let plan = Plan::new(&r, &[], None, &preferred).unwrap();
        let mut s = plan.at(Span(0));
        let mut steps = 0;
        while let Some(n) = s.next_after.filter(|n| *n <= Span::seconds(at)) {
            let next = plan.at(n);
            prop_assert!((&next.demand, &next.overflow) != (&s.demand, &s.overflow));
            s = next;
            steps += 1;
            prop_assert!(steps <= STEPS_MAX + 2);
        }
        let now = plan.at(Span::seconds(at));
        prop_assert_eq!((now.demand, now.overflow), (s.demand, s.overflow));
    }

    #[test]
    fn the_key_reads_back(skills in prop::collection::btree_map(code(), 1u8..=5, 0..6), only in prop::collection::btree_set(0i64..9, 0..4)) {
        let d = Demand::new(skills, only.into_iter().map(staff).collect()).unwrap();
        let handed = d.clone().but(&StaffId::make(7, 0));
        for d in [d.clone(), handed.clone(), d.at(&hall(3)), handed.at(&hall(3))] {
            prop_assert_eq!(Demand::parse(&d.key()).unwrap(), d);
        }
    }

    #[test]
    fn no_text_panics_the_reader(s in "[a-z:,0-9|=*_]{0,80}") {
        if let Ok(d) = Demand::parse(&s) { prop_assert_eq!(d.key(), s); }
    }
}
