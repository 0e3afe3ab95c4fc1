//! Lists for those who keep a hall's rules, and rules that are kept over what was on the screen.

use crate::shared::{Items, put};
use domain::id::StaffId;
use it::{
    county::named,
    people::{hall, staff},
};
use protocol::{HallStaff, ItemPair, Role, StaffSkills};
use serde_json::{Value, json};

both!(who_works_in_the_hall_is_listed_with_levels, |county| {
    let node = county.start("a").await;
    let path = format!("/halls/{}/staff", hall());
    for by in ["supervisor", "admin"] {
        let by = staff(&node, by).await;
        let all: Items<HallStaff> = by.get(&path).await.unwrap();
        let one = all.items.iter().find(|s| s.account == "agent1").unwrap();
        assert_eq!((one.name.as_str(), one.active), ("李敏", true));
        assert_eq!(one.roles, [Role::Agent]);
        assert_eq!(one.skills.get("lang:en"), Some(&4));
        assert!(all.items.is_sorted_by_key(|s| &s.account));
        let elsewhere = by.get::<Value>("/halls/hal_0/staff").await.unwrap_err();
        assert!(matches!(elsewhere.status, 403 | 404), "{elsewhere:?}");
    }
    let agent = staff(&node, "agent1").await;
    let refused = agent.get::<Items<HallStaff>>(&path).await.unwrap_err();
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (403, "role_missing")
    );
    county.close(node).await;
});

both!(
    skills_are_kept_over_those_that_were_on_the_screen,
    |county| {
        let node = county.start("a").await;
        let admin = staff(&node, "admin").await;
        let path = format!("/staff/{}/skills", named::<StaffId>("staff", "agent3"));
        let seen: StaffSkills = admin.get(&path).await.unwrap();
        let mine = json!({"skills": {"general": 4}, "seen": seen.skills});
        let kept: StaffSkills = put(&admin, &path, &mine).await.unwrap();
        assert_eq!(kept.skills.get("general"), Some(&4));
        // A colleague still has the old ones on the screen.
        let late = json!({"skills": {"police": 1}, "seen": seen.skills});
        let refused = put::<StaffSkills>(&admin, &path, &late).await.unwrap_err();
        assert_eq!(
            (refused.status, refused.code.as_str()),
            (409, "version_stale")
        );
        let current = refused.current.unwrap();
        assert_eq!(current["skills"], json!({"general": 4}));
        assert_eq!(current["changed_by"], "朱琳");
        assert!(current["changed_at"].is_string());
        let now: StaffSkills = admin.get(&path).await.unwrap();
        assert_eq!(now, kept);
        county.close(node).await;
    }
);

both!(
    a_pair_is_set_over_the_one_that_was_on_the_screen,
    |county| {
        let node = county.start("a").await;
        let boss = staff(&node, "supervisor").await;
        let id = |account: &str| named::<StaffId>("staff", account);
        let path = format!("/halls/{}/item-pairs/medical-offsite", hall());
        let none = json!({"a_staff": null, "b_staff": null});
        let first = json!({"a_staff": id("agent1"), "b_staff": id("agent2"), "seen": none});
        let set: Items<ItemPair> = put(&boss, &path, &first).await.unwrap();
        assert_eq!(set.items[0].a_name, "李敏");
        let late = json!({"a_staff": id("agent3"), "b_staff": id("agent2"), "seen": none});
        let refused = put::<Items<ItemPair>>(&boss, &path, &late)
            .await
            .unwrap_err();
        assert_eq!(
            (refused.status, refused.code.as_str()),
            (409, "version_stale")
        );
        let seen = json!({"a_staff": id("agent1"), "b_staff": id("agent2")});
        let current = refused.current.unwrap();
        assert_eq!(current["a_staff"], seen["a_staff"]);
        assert_eq!(current["changed_by"], "杨帆");
        let again = json!({"a_staff": id("agent3"), "b_staff": id("agent2"), "seen": seen});
        let set: Items<ItemPair> = put(&boss, &path, &again).await.unwrap();
        assert_eq!(set.items[0].a_staff, id("agent3").to_string());
        county.close(node).await;
    }
);
