//! The place in line of a citizen whose pages come and go, and what is said to a seat and forgotten.

use it::{
    county::Node,
    line::Line,
    people::{Agent, Citizen, staff},
};
use protocol::{ClientFrame, NoticeView, ServerFrame, TicketState, TicketView};
use serde_json::json;
use std::time::Duration;

use crate::shared::Items;

async fn row(node: &Node, id: &str) -> store::ticket::Ticket {
    let id = domain::id::Id::parse(id).unwrap();
    node.app()
        .read(move |tx| Box::pin(async move { Ok(store::ticket::get(tx, &id).await?) }))
        .await
        .unwrap()
        .unwrap()
}

/// A further page of the citizen's, which watches the ticket.
async fn page(citizen: &Citizen, ticket: &TicketView) -> Line {
    let mut line = Line::open(&citizen.http).await;
    let ticket = ticket.id.clone();
    line.send(&ClientFrame::WatchTicket { ticket }).await;
    shown(&mut line).await;
    line
}

async fn shown(line: &mut Line) {
    line.until("the ticket", |f| match f {
        ServerFrame::Ticket { ticket } if ticket.state == TicketState::Waiting => Some(()),
        _ => None,
    })
    .await;
}

/// What a connection's end does comes after the line is shut, and no frame tells of it: asked until it shows, or too long.
async fn until(node: &Node, id: &str, is: impl Fn(&store::ticket::Ticket) -> bool) {
    let start = std::time::Instant::now();
    loop {
        let t = row(node, id).await;
        if is(&t) {
            return;
        }
        assert!(start.elapsed() < it::PATIENCE, "{t:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

both!(the_newest_page_holds_the_place, |county| {
    let node = county.start("a").await;
    let mut citizen = Citizen::arrive(&node).await;
    let ticket = citizen.queue().await;
    shown(&mut citizen.line).await;
    let first = row(&node, &ticket.id).await.holder.unwrap();
    let newer = page(&citizen, &ticket).await;
    let second = row(&node, &ticket.id).await.holder.unwrap();
    assert_ne!(first, second);
    // The older connection dies late: whatever the server does about it, no grace starts.
    let third = page(&citizen, &ticket).await;
    newer.close().await;
    signaling::app::queue::page_gone(
        node.app(),
        domain::id::Id::parse(&ticket.id).unwrap(),
        &second,
    )
    .await
    .unwrap();
    let t = row(&node, &ticket.id).await;
    assert!(t.holder.is_some() && t.grace_until.is_none(), "{t:?}");
    // The newest goes, and an older page is there still: it holds the place again.
    third.close().await;
    until(&node, &ticket.id, |t| t.holder.as_ref() == Some(&first)).await;
    assert_eq!(row(&node, &ticket.id).await.grace_until, None);
    // The last one goes: the grace.
    let Citizen { http, line, .. } = citizen;
    line.close().await;
    until(&node, &ticket.id, |t| t.grace_until.is_some()).await;
    node.sql("UPDATE tickets SET grace_until = 1 WHERE grace_until IS NOT NULL")
        .await;
    signaling::app::queue::due(node.app()).await.unwrap();
    let t: TicketView = http.get(&format!("/tickets/{}", ticket.id)).await.unwrap();
    assert_eq!(
        (t.state, t.reason.as_deref()),
        (TicketState::Expired, Some("grace_over"))
    );
    county.close(node).await;
});

both!(words_to_a_seat_are_forgotten_after_a_month, |county| {
    let node = county.start("a").await;
    let boss = staff(&node, "supervisor").await;
    let agent = Agent::sit(&node, "agent1", "seat-1").await;
    let path = format!("/seats/{}/notices", agent.seat);
    let mut said = vec![];
    for text in ["请尽快结束", "谢谢"] {
        let n: NoticeView = boss.post(&path, json!({"text": text})).await.unwrap();
        said.push(n.id);
    }
    // Twenty-nine days later nothing, two days on the first one: it was said two days before the other.
    node.sql("UPDATE notices SET at = at - 29 * 86400000000")
        .await;
    signaling::jobs::sweep(node.app()).await.unwrap();
    let all: Items<NoticeView> = boss.get(&path).await.unwrap();
    assert_eq!(all.items.len(), 2);
    node.sql("UPDATE notices SET at = at - 2 * 86400000000 WHERE text = '请尽快结束'")
        .await;
    signaling::jobs::sweep(node.app()).await.unwrap();
    let all: Items<NoticeView> = boss.get(&path).await.unwrap();
    assert_eq!(
        all.items.iter().map(|n| &n.id).collect::<Vec<_>>(),
        [&said[1]]
    );
    county.close(node).await;
});
