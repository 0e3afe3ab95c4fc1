//! What each member of a session is shown of the others: who is there, who types, who left.

use crate::shared::{ask, end, look, rung, seat, session_where, step, three};
use it::{county::Node, line::Line, people::Agent};
use protocol::{
    ClientFrame, Ephemeral, EventBody, GuestToken, InviteView, MemberPart, ServerFrame,
    SessionEvent,
};
use serde_json::json;

async fn hint(line: &mut Line, session: &str, body: Ephemeral) {
    let session = session.to_owned();
    line.send(&ClientFrame::Ephemeral { session, body }).await;
}

fn typing(path: Option<&str>) -> Ephemeral {
    Ephemeral::Typing {
        path: path.map(str::to_owned),
        on: true,
    }
}

fn focus(path: &str) -> Ephemeral {
    Ephemeral::Focus {
        path: Some(path.into()),
    }
}

/// The next hint of anybody.
async fn hinted(line: &mut Line) -> Ephemeral {
    line.until("a hint", |f| match f {
        ServerFrame::Ephemeral { body, .. } => Some(body.clone()),
        _ => None,
    })
    .await
}

/// A family member who is there, by link.
async fn guest(node: &Node, a: &Agent, session: &str) -> (Line, InviteView) {
    let made = ask(a, session, "guest", json!({"to": "link"}))
        .await
        .unwrap();
    let body = json!({"code": made.link.unwrap().code, "name": "李婶"});
    let token: GuestToken = node.http().post("/guests", body).await.unwrap();
    let http = node.http().with(&token.access_token);
    let mut line = Line::open(&http).await;
    line.join(session, 0).await;
    let now = look(&a.http, session).await;
    (line, now.invites[0].clone())
}

/// Entries that name this member.
fn about<'a>(events: &'a [SessionEvent], member: &str) -> Vec<&'a SessionEvent> {
    events
        .iter()
        .filter(|e| {
            let text = serde_json::to_string(e).unwrap();
            text.contains(member)
        })
        .collect()
}

both!(who_is_in_private_talk_is_nobody_to_the_citizen, |county| {
    let node = county.start("a").await;
    let (mut citizen, mut a, mut b, session, _) = Box::pin(three(&node)).await;
    let (mut family, _) = guest(&node, &a, &session).await;
    session_where(&mut citizen.line, "the guest", |s| s.members.len() == 3).await;
    ask(&a, &session, "consult", seat("seat-2")).await.unwrap();
    let ring = rung(&mut b).await;
    let taken = step(&b.http, &ring, "accept").await.unwrap();
    let helper = taken.member.clone().unwrap();
    b.line.join(&session, 0).await;
    session_where(&mut a.line, "the helper", |s| {
        s.members.iter().any(|m| m.id == helper && m.present)
    })
    .await;
    for line in [&mut citizen.line, &mut family] {
        session_where(line, "the hold", |s| s.hold).await;
        let j = line.join(&session, 0).await;
        assert_eq!(j.session.members.len(), 3);
        assert!(j.session.members.iter().all(|m| m.id != helper));
        assert!(about(&j.events, &helper).is_empty(), "{:?}", j.events);
        let hidden = |e: &&SessionEvent| e.body == EventBody::Hidden {};
        assert!(j.events.iter().filter(hidden).count() >= 1);
        assert!(j.events.iter().filter(hidden).all(|e| e.actor.is_none()));
    }
    let j = b.line.join(&session, 0).await;
    assert_eq!(j.session.members.len(), 4);
    assert!(!about(&j.events, &helper).is_empty());

    let shown = step(&a.http, &taken, "introduce").await.unwrap();
    session_where(&mut citizen.line, "the colleague", |s| {
        s.members
            .iter()
            .any(|m| m.id == helper && m.present && m.part == MemberPart::Colleague)
    })
    .await;
    step(&a.http, &shown, "finish").await.unwrap();
    // What was private stays so when all is over.
    ask(&a, &session, "consult", seat("seat-2")).await.unwrap();
    let again = rung(&mut b).await;
    step(&b.http, &again, "accept").await.unwrap();
    b.line.join(&session, 0).await;
    end(&a.http, &session, "finished").await;
    let over = look(&citizen.http, &session).await;
    assert!(over.members.iter().all(|m| m.part != MemberPart::Consulted));
    county.close(node).await;
});

both!(who_has_not_come_yet_is_not_shown, |county| {
    let node = county.start("a").await;
    let (mut citizen, mut a, mut b, session, _) = Box::pin(three(&node)).await;
    ask(&a, &session, "join", seat("seat-2")).await.unwrap();
    let ring = rung(&mut b).await;
    step(&b.http, &ring, "accept").await.unwrap();
    session_where(&mut a.line, "who is on the way", |s| s.members.len() == 3).await;
    assert_eq!(look(&citizen.http, &session).await.members.len(), 2);
    b.line.join(&session, 0).await;
    session_where(&mut citizen.line, "the colleague", |s| {
        s.members.iter().filter(|m| m.present).count() == 3
    })
    .await;
    county.close(node).await;
});

both!(hints_go_where_what_they_are_about_may_be_read, |county| {
    let node = county.start("a").await;
    let (mut citizen, mut a, mut b, session, _) = Box::pin(three(&node)).await;
    let (mut family, _) = guest(&node, &a, &session).await;
    for line in [&mut citizen.line, &mut a.line] {
        session_where(line, "the guest", |s| {
            s.members.iter().filter(|m| m.present).count() == 3
        })
        .await;
    }
    // The guest hears of the chat alone, and has nothing to say about the form.
    hint(&mut citizen.line, &session, focus("applicant.name")).await;
    hint(&mut citizen.line, &session, typing(Some("applicant.name"))).await;
    hint(&mut citizen.line, &session, typing(None)).await;
    assert_eq!(hinted(&mut family).await, typing(None));
    assert_eq!(hinted(&mut a.line).await, focus("applicant.name"));
    assert_eq!(hinted(&mut a.line).await, typing(Some("applicant.name")));
    assert_eq!(hinted(&mut a.line).await, typing(None));
    hint(&mut family, &session, focus("applicant.name")).await;
    hint(&mut family, &session, typing(None)).await;
    assert_eq!(hinted(&mut a.line).await, typing(None));
    assert_eq!(hinted(&mut citizen.line).await, typing(None));

    // In a private talk nothing crosses the wall, either way.
    ask(&a, &session, "consult", seat("seat-2")).await.unwrap();
    let ring = rung(&mut b).await;
    let taken = step(&b.http, &ring, "accept").await.unwrap();
    b.line.join(&session, 0).await;
    for line in [&mut citizen.line, &mut a.line, &mut family] {
        session_where(line, "the hold", |s| s.hold).await;
    }
    hint(&mut a.line, &session, focus("behind.the.wall")).await;
    hint(&mut b.line, &session, typing(Some("behind.the.wall"))).await;
    hint(&mut citizen.line, &session, typing(Some("before.the.wall"))).await;
    for line in [&mut a.line, &mut b.line] {
        // Behind its answer, the hint is on its way.
        line.join(&session, 0).await;
    }
    // Those before it go on among themselves.
    hint(&mut citizen.line, &session, typing(None)).await;
    assert_eq!(hinted(&mut family).await, typing(None));
    for line in [&mut a.line, &mut b.line] {
        line.join(&session, 0).await;
    }
    let shown = step(&a.http, &taken, "introduce").await.unwrap();
    for line in [&mut citizen.line, &mut a.line, &mut b.line] {
        session_where(line, "the end of the hold", |s| {
            !s.hold && s.members.len() == 4
        })
        .await;
    }
    hint(&mut a.line, &session, focus("applicant.mobile")).await;
    hint(&mut citizen.line, &session, focus("applicant.id_number")).await;
    assert_eq!(hinted(&mut citizen.line).await, focus("applicant.mobile"));
    assert_eq!(hinted(&mut a.line).await, focus("applicant.id_number"));
    let mut both = [hinted(&mut b.line).await, hinted(&mut b.line).await];
    both.sort_by_key(|e| format!("{e:?}"));
    let mut meant = [focus("applicant.mobile"), focus("applicant.id_number")];
    meant.sort_by_key(|e| format!("{e:?}"));
    assert_eq!(both, meant, "a colleague reads the form");
    step(&a.http, &shown, "finish").await.unwrap();
    county.close(node).await;
});

both!(who_comes_late_can_name_who_left, |county| {
    let node = county.start("a").await;
    let (mut citizen, a, mut b, session, _) = Box::pin(three(&node)).await;
    let (_family, link) = guest(&node, &a, &session).await;
    step(&a.http, &link, "finish").await.unwrap();
    session_where(&mut citizen.line, "two", |s| s.members.len() == 2).await;
    ask(&a, &session, "join", seat("seat-2")).await.unwrap();
    let ring = rung(&mut b).await;
    step(&b.http, &ring, "accept").await.unwrap();
    let j = b.line.join(&session, 0).await;
    let left: Vec<_> = j
        .events
        .iter()
        .filter_map(|e| match &e.body {
            EventBody::MemberLeft { name, .. } => name.as_ref().map(|n| n.zh.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(left, ["李婶"]);
    county.close(node).await;
});
