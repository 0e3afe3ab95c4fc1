//! A supervisor takes over: seat, pairing, form, chat and notes are theirs, and whoever served is in wrap-up or beside them.

use crate::{
    shared::{agent_of, ask, end, look, out, rung, seat, session_where, step, three, wrap_up},
    supervision::{code, go},
};
use it::{
    line::Line,
    people::{Agent, staff},
};
use protocol::{
    Command, CommandReply, EventBody, MemberPart, SeatState, SessionState, SupervisionView,
    TicketState,
};
use serde_json::json;

const ITEM: &str = "no-criminal-record";

both!(the_session_is_theirs_with_all_that_is_in_it, |county| {
    let node = county.start("a").await;
    let (mut citizen, mut a, _b, session, _) = Box::pin(three(&node)).await;
    citizen.line.chat(&session, "您好").await;
    let (s, item) = (session.clone(), ITEM.to_owned());
    let opens = Command::FormOpen {
        session: s.clone(),
        item,
    };
    a.line.command(opens).await.unwrap();
    let sets = Command::FormSet {
        session: s,
        path: "purpose.recipient".into(),
        base_version: 0,
        value: json!("沅江市第一中学"),
    };
    let set = a.line.command(sets).await.unwrap();
    assert!(matches!(set, CommandReply::FieldVersion { .. }));

    let boss = staff(&node, "supervisor").await;
    go(&boss, &session, "listen").await.unwrap();
    // First their page, then a seat of their own.
    assert_eq!(
        code(&boss, &session, "take_over").await,
        "supervision_absent"
    );
    let mut line = Line::open(&boss).await;
    let before = line.join(&session, 0).await;
    let form = json!(before.form.unwrap());
    assert!(form.to_string().contains("沅江市第一中学"));
    assert_eq!(code(&boss, &session, "take_over").await, "seat_needed");
    let mut own = Agent::sit(&node, "supervisor", "seat-3").await;
    let v = go(&boss, &session, "take_over").await.unwrap();
    assert_eq!(v.end_reason.as_deref(), Some("took_over"));

    out(&mut a.line, &session).await;
    let wrap = a.seat(SeatState::WrapUp).await;
    assert_eq!(wrap.wrap_up_session.as_deref(), Some(session.as_str()));
    own.seat(SeatState::Busy).await;
    assert_eq!(own.look().await.session.as_deref(), Some(session.as_str()));
    let theirs = session_where(&mut citizen.line, "the new agent", |s| {
        s.members
            .iter()
            .any(|m| m.part == MemberPart::Agent && m.name.zh == "杨帆")
    })
    .await;
    assert_eq!((theirs.state, theirs.hold), (SessionState::Active, false));
    assert!(theirs.supervision.is_none());
    let j = own.line.join(&session, 0).await;
    assert_eq!(agent_of(&j.session), [j.session.me.as_deref().unwrap()]);
    assert!(json!(j.form).to_string().contains("沅江市第一中学"));
    assert!(
        j.events
            .iter()
            .any(|e| matches!(&e.body, EventBody::Chat { text } if text == "您好"))
    );
    assert!(
        j.events
            .iter()
            .any(|e| matches!(e.body, EventBody::Transferred { .. }))
    );
    assert_eq!(wrap_up(&a.http, &session).await.state, SeatState::Ready);
    // Nobody supervises themselves; their own it is to end.
    assert_eq!(code(&boss, &session, "listen").await, "supervision_own");
    end(&own.http, &session, "finished").await;
    citizen.ticket(TicketState::Closed).await;
    own.seat(SeatState::WrapUp).await;
    county.close(node).await;
});

both!(who_served_may_stay_beside_them, |county| {
    let node = county.start("a").await;
    let (mut citizen, mut a, _b, session, _) = Box::pin(three(&node)).await;
    let own = Agent::sit(&node, "supervisor", "seat-3").await;
    let mut line = Line::open(&own.http).await;
    go(&own.http, &session, "barge").await.unwrap();
    line.join(&session, 0).await;
    let path = format!("/sessions/{session}/supervision");
    let body = json!({"mode": "take_over", "former": "stays"});
    let _: SupervisionView = own.http.post(&path, &body).await.unwrap();
    let s = session_where(&mut a.line, "a colleague's part", |s| {
        let me = s.members.iter().find(|m| Some(&m.id) == s.me.as_ref());
        me.is_some_and(|m| m.part == MemberPart::Colleague)
    })
    .await;
    assert_eq!(s.members.len(), 3);
    assert_eq!(a.look().await.state, SeatState::Busy);
    a.line.chat(&session, "我还在").await;
    let said = |e: &protocol::SessionEvent| matches!(&e.body, EventBody::Chat { text } if text == "我还在");
    citizen.line.event_where(said).await;
    // They leave as any helper does, and their seat is ready.
    let now = look(&own.http, &session).await;
    let left = step(&a.http, &now.invites[0], "finish").await.unwrap();
    assert_eq!(left.state, protocol::InviteState::Done);
    assert_eq!(a.look().await.state, SeatState::Ready);
    county.close(node).await;
});

both!(a_citizen_whose_agent_is_lost_is_caught, |county| {
    let node = county.start("a").await;
    let (mut citizen, a, _b, session, _) = Box::pin(three(&node)).await;
    let own = Agent::sit(&node, "supervisor", "seat-3").await;
    let mut line = Line::open(&own.http).await;
    go(&own.http, &session, "listen").await.unwrap();
    line.join(&session, 0).await;
    let Agent { line: gone, .. } = a;
    drop(gone);
    session_where(&mut citizen.line, "the loss", |s| {
        s.state == SessionState::Reconnecting
    })
    .await;
    go(&own.http, &session, "take_over").await.unwrap();
    let s = session_where(&mut citizen.line, "the rescue", |s| {
        s.state == SessionState::Active
    })
    .await;
    assert!(s.grace_until.is_none());
    county.close(node).await;
});

both!(not_under_a_transfer_that_is_on_its_way, |county| {
    let node = county.start("a").await;
    let (_citizen, a, mut b, session, _) = Box::pin(three(&node)).await;
    let own = Agent::sit(&node, "supervisor", "seat-3").await;
    let mut line = Line::open(&own.http).await;
    go(&own.http, &session, "listen").await.unwrap();
    line.join(&session, 0).await;
    ask(&a, &session, "transfer_warm", seat("seat-2"))
        .await
        .unwrap();
    rung(&mut b).await;
    assert_eq!(code(&own.http, &session, "take_over").await, "invite_open");
    assert_eq!(
        own.look().await.state,
        SeatState::Ready,
        "nothing has moved"
    );
    county.close(node).await;
});
