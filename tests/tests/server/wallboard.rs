//! The wallboard: a snapshot at once and after each change, for the hall's supervisors alone.

use it::{
    line::Line,
    people::{Agent, Citizen, hall, staff},
};
use protocol::{ClientFrame, SeatState, ServerFrame, TicketState, Wallboard};
use serde_json::json;

async fn board(line: &mut Line, what: &str, is: impl Fn(&Wallboard) -> bool) -> Wallboard {
    line.until(what, |f| match f {
        ServerFrame::Wallboard { wallboard } if is(wallboard) => Some((**wallboard).clone()),
        _ => None,
    })
    .await
}

both!(a_wallboard_follows_the_hall, |county| {
    let node = county.start("a").await;
    let boss = staff(&node, "supervisor").await;
    let mut wall = Line::open(&boss).await;
    wall.send(&ClientFrame::WatchHall { hall: hall() }).await;
    let empty = board(&mut wall, "the first board", |_| true).await;
    assert_eq!(
        (
            empty.waiting,
            empty.day.offered,
            empty.targets.answer_within_s
        ),
        (0, 0, 15)
    );
    assert_eq!(empty.day.service_level_permille, None);
    assert!(
        empty
            .seats
            .iter()
            .all(|s| s.state == SeatState::Offline && s.staff.is_none())
    );

    let mut left = Citizen::arrive(&node).await;
    let gone = left.queue().await;
    let one = board(&mut wall, "one waiting", |b| b.waiting == 1).await;
    let general = one.queues.iter().find(|q| q.code == "general").unwrap();
    assert_eq!(
        (general.waiting, general.seats_on_duty, general.level.open),
        (1, 0, 1)
    );
    assert!(general.longest_since.is_some());
    // As if they had come a minute ago: they really waited.
    node.sql("UPDATE tickets SET enqueued_at = enqueued_at - 60000000")
        .await;
    let _: protocol::TicketView = left
        .http
        .post(&format!("/tickets/{}/cancel", gone.id), json!({}))
        .await
        .unwrap();
    board(&mut wall, "one abandoned", |b| b.day.abandoned == 1).await;

    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    citizen.queue().await;
    let offer = agent.rung().await;
    let session = agent.accept(&offer).await;
    citizen.ticket(TicketState::Paired).await;
    let two = board(&mut wall, "one answered", |b| b.day.answered == 1).await;
    assert_eq!(
        (
            two.day.offered,
            two.day.answered_in_time,
            two.day.service_level_permille,
            two.day.connection_permille
        ),
        (2, 1, Some(500), Some(500))
    );
    assert_eq!(two.hours.iter().map(|h| h.level.offered).sum::<u64>(), 2);
    let busy = two.seats.iter().find(|s| s.id == agent.seat).unwrap();
    assert_eq!(
        (busy.state, busy.session.as_deref()),
        (SeatState::Busy, Some(session.as_str()))
    );
    assert_eq!(busy.staff_name.as_deref(), Some("李敏"));

    let path = format!("/halls/{}/wallboard", hall());
    let same: Wallboard = boss.get(&path).await.unwrap();
    assert_eq!(same.day, two.day);
    let refused = agent.http.get::<Wallboard>(&path).await.unwrap_err();
    assert_eq!(refused.code, "role_missing");
    agent
        .line
        .send(&ClientFrame::WatchHall { hall: hall() })
        .await;
    assert_eq!(agent.line.problem().await.code, "role_missing");
    county.close(node).await;
});
