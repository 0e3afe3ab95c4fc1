//! Help within a session: consult, join, guests. Who hears and sees what, and what is refused.

use crate::shared::{ask, out, rung, seat, session_where, step, three};
use domain::id::StaffId;
use it::{county::named, line::Line, people::Citizen};
use protocol::{
    Command, EventBody, GuestToken, InviteState, Invited, MemberPart, NoteView, SeatState,
    SessionView, TicketState,
};
use serde_json::{Value, json};

async fn chat(line: &mut Line, session: &str, text: &str) -> Result<(), String> {
    line.command(Command::Chat {
        session: session.to_owned(),
        text: text.to_owned(),
    })
    .await
    .map(|_| ())
    .map_err(|p| p.code)
}

both!(a_colleague_is_consulted_while_the_citizen_holds, |county| {
    let node = county.start("a").await;
    let (mut citizen, mut a, mut b, session, _) = Box::pin(three(&node)).await;
    chat(&mut citizen.line, &session, "private").await.unwrap();
    let made = ask(&a, &session, "consult", seat("seat-2")).await.unwrap();
    assert!(made.link.is_none());
    let ring = rung(&mut b).await;
    assert_eq!(
        (ring.id.as_str(), ring.session.as_str()),
        (made.invite.id.as_str(), session.as_str())
    );
    // A seat that is rung for help gets no ticket.
    let mut next = Citizen::arrive(&node).await;
    next.queue().await;
    let taken = step(&b.http, &ring, "accept").await.unwrap();
    assert_eq!(taken.state, InviteState::Accepted);
    b.seat(SeatState::Busy).await;
    session_where(&mut citizen.line, "the hold", |s| s.hold).await;
    next.ticket(TicketState::Waiting).await;

    let joined = b.line.join(&session, 0).await;
    let me = joined.session.me.clone().unwrap();
    let part = |s: &SessionView| s.members.iter().find(|m| m.id == me).map(|m| m.part);
    assert_eq!(part(&joined.session), Some(MemberPart::Consulted));
    assert_eq!(joined.session.may, ["staff_talk"]);
    assert!(
        !joined
            .events
            .iter()
            .any(|e| matches!(e.body, EventBody::Chat { .. }))
    );
    assert!(joined.events.iter().any(|e| e.body == EventBody::Hidden {}));
    assert_eq!(
        chat(&mut b.line, &session, "x").await.unwrap_err(),
        "role_missing"
    );
    // Staff have notes that the citizen never sees.
    let path = format!("/sessions/{session}/notes");
    let n: NoteView = a
        .http
        .post(&path, json!({"text": "缺一份证明"}))
        .await
        .unwrap();
    assert_eq!((n.kind.as_str(), n.text.as_str()), ("note", "缺一份证明"));
    let seen: Value = b.http.get(&path).await.unwrap();
    assert_eq!(seen["items"][0]["text"], "缺一份证明");
    let p = citizen.http.get::<Value>(&path).await.unwrap_err();
    assert_eq!(p.code, "role_missing");

    let shown = step(&a.http, &taken, "introduce").await.unwrap();
    session_where(&mut citizen.line, "the end of the hold", |s| {
        !s.hold && s.members.len() == 3
    })
    .await;
    chat(&mut b.line, &session, "Good morning").await.unwrap();
    let stale = step(&a.http, &taken, "finish").await.unwrap_err();
    assert_eq!((stale.status, stale.code.as_str()), (409, "version_stale"));
    step(&a.http, &shown, "finish").await.unwrap();
    out(&mut b.line, &session).await;
    session_where(&mut a.line, "two members", |s| s.members.len() == 2).await;
    // Free again, and rung for who waited.
    b.rung().await;
    next.ticket(TicketState::Offered).await;
    let p = b
        .line
        .command(Command::Join {
            session: session.clone(),
            after_seq: 0,
        })
        .await
        .unwrap_err();
    assert_eq!(p.code, "not_a_member");
    county.close(node).await;
});

both!(nobody_answers_and_the_session_goes_on_as_before, |county| {
    let node = county.start("a").await;
    let (mut citizen, a, mut b, session, _) = Box::pin(three(&node)).await;
    ask(&a, &session, "join", seat("seat-2")).await.unwrap();
    let ring = rung(&mut b).await;
    node.sql("UPDATE invites SET due_at = 1 WHERE state = 'ringing'")
        .await;
    let away = b.seat(SeatState::Away).await;
    assert_eq!(away.away_reason.as_deref(), Some("no_answer"));
    let late = step(&b.http, &ring, "accept").await.unwrap_err();
    assert_eq!((late.status, late.code.as_str()), (409, "invite_over"));
    // Declined, and taken back.
    let ready = format!("/seats/{}/ready", b.seat);
    let _: protocol::SeatView = b.http.post(&ready, json!({})).await.unwrap();
    ask(
        &a,
        &session,
        "transfer_warm",
        json!({"to": "skill", "code": "general"}),
    )
    .await
    .unwrap();
    let ring = rung(&mut b).await;
    let twice = ask(&a, &session, "consult", seat("seat-2"))
        .await
        .unwrap_err();
    assert_eq!(twice.code, "invite_open");
    step(&b.http, &ring, "decline").await.unwrap();
    b.seat(SeatState::Away).await;
    let _: protocol::SeatView = b.http.post(&ready, json!({})).await.unwrap();
    let made = ask(&a, &session, "consult", seat("seat-2")).await.unwrap();
    rung(&mut b).await;
    let back = step(&a.http, &made.invite, "cancel").await.unwrap();
    assert_eq!(back.state, InviteState::Cancelled);
    b.seat(SeatState::Ready).await;
    let s: SessionView = citizen
        .http
        .get(&format!("/sessions/{session}"))
        .await
        .unwrap();
    assert!(!s.hold && s.members.len() == 2 && s.invites.is_empty());
    chat(&mut citizen.line, &session, "still here")
        .await
        .unwrap();
    county.close(node).await;
});

both!(
    what_makes_no_sense_is_refused_and_changes_nothing,
    |county| {
        let node = county.start("a").await;
        let (citizen, a, b, session, _) = Box::pin(three(&node)).await;
        let me = json!({"to": "staff", "id": named::<StaffId>("staff", "agent1")});
        let cases = [
            ("transfer_warm", me, "transfer_self"),
            ("transfer_cold", seat("seat-1"), "transfer_self"),
            ("consult", seat("seat-3"), "seat_not_ready"),
            ("transfer_cold", seat("seat-3"), "seat_not_ready"),
            ("guest", seat("seat-2"), "invite_target"),
            ("consult", json!({"to": "link"}), "invite_target"),
            (
                "join",
                json!({"to": "queue", "skill": "general"}),
                "invite_target",
            ),
            (
                "transfer_cold",
                json!({"to": "skill", "code": "nobody"}),
                "skill_unknown",
            ),
            (
                "consult",
                json!({"to": "skill", "code": "nobody"}),
                "seat_not_ready",
            ),
        ];
        for (kind, target, code) in cases {
            let p = ask(&a, &session, kind, target).await.unwrap_err();
            assert_eq!(p.code, code, "{kind}");
        }
        let unknown = ask(&a, &session, "consult", json!({"to": "moon"})).await;
        assert_eq!(unknown.unwrap_err().status, 422);
        // Strangers, and the citizen.
        let p = ask(&b, &session, "consult", seat("seat-2"))
            .await
            .unwrap_err();
        assert_eq!(p.code, "not_a_member");
        let body = json!({"kind": "guest", "target": {"to": "link"}});
        let path = format!("/sessions/{session}/invites");
        let p = citizen.http.post::<Invited>(&path, body).await.unwrap_err();
        assert_eq!(p.code, "role_missing");
        let s: SessionView = a.http.get(&format!("/sessions/{session}")).await.unwrap();
        assert!(s.invites.is_empty() && !s.hold);
        let history: protocol::HistoryView = a
            .http
            .get(&format!("/sessions/{session}/history"))
            .await
            .unwrap();
        assert!(history.sessions.is_empty(), "no card was shown");
        for (http, code) in [(&citizen.http, "agent_only"), (&b.http, "not_a_member")] {
            let p = http
                .get::<Value>(&format!("/sessions/{session}/history"))
                .await
                .unwrap_err();
            assert_eq!(p.code, code);
        }
        // Who helps is let go when the session ends; nothing goes into an ended one.
        let made = ask(&a, &session, "join", seat("seat-2")).await.unwrap();
        let _: SessionView = a
            .http
            .post(
                &format!("/sessions/{session}/end"),
                json!({"reason": "finished"}),
            )
            .await
            .unwrap();
        let p = step(&b.http, &made.invite, "accept").await.unwrap_err();
        assert_eq!(p.code, "invite_over");
        assert_eq!(b.look().await.state, SeatState::Ready);
        let p = ask(&a, &session, "consult", seat("seat-2"))
            .await
            .unwrap_err();
        assert_eq!(p.code, "session_ended");
        county.close(node).await;
    }
);

both!(
    a_family_member_comes_by_link_once_and_sees_no_paper,
    |county| {
        let node = county.start("a").await;
        let (mut citizen, mut a, _b, session, _) = Box::pin(three(&node)).await;
        let made = ask(&a, &session, "guest", json!({"to": "link"}))
            .await
            .unwrap();
        let link = made.link.unwrap();
        assert!(link.url.ends_with(&format!("/phone/#g={}", link.code)));
        let body = json!({"code": link.code, "name": "李婶"});
        let token: GuestToken = node.http().post_as("g1", "/guests", &body).await.unwrap();
        let again: GuestToken = node.http().post_as("g1", "/guests", &body).await.unwrap();
        assert_eq!(token.access_token, again.access_token);
        let twice = node.http().post::<GuestToken>("/guests", &body).await;
        assert_eq!(twice.err().unwrap().code, "code_invalid");
        let odd = node
            .http()
            .post::<GuestToken>("/guests", json!({"code": "0".repeat(40), "name": "x"}))
            .await;
        assert_eq!(odd.err().unwrap().code, "code_invalid");

        let guest = node.http().with(&token.access_token);
        let mut line = Line::open(&guest).await;
        let joined = line.join(&session, 0).await;
        assert!(joined.form.is_none() && joined.session.consents.is_empty());
        let seen = session_where(&mut a.line, "the guest", |s| {
            s.members
                .iter()
                .any(|m| m.part == MemberPart::Guest && m.present)
        })
        .await;
        assert!(seen.members.iter().any(|m| m.name.zh == "李婶"));
        chat(&mut line, &session, "我在").await.unwrap();
        citizen
            .line
            .event_where(|e| matches!(&e.body, EventBody::Chat { text } if text == "我在"))
            .await;
        for path in ["form", "notes", "history"] {
            let p = guest
                .get::<Value>(&format!("/sessions/{session}/{path}"))
                .await
                .unwrap_err();
            assert_eq!(p.code, "role_missing", "{path}");
        }
        let p = guest
            .post::<Value>(
                &format!("/sessions/{session}/end"),
                json!({"reason": "finished"}),
            )
            .await
            .unwrap_err();
        assert_eq!(p.code, "role_missing");
        let now: SessionView = a.http.get(&format!("/sessions/{session}")).await.unwrap();
        let i = now.invites[0].clone();
        step(&a.http, &i, "finish").await.unwrap();
        out(&mut line, &session).await;
        let p = guest
            .get::<Value>(&format!("/sessions/{session}"))
            .await
            .unwrap_err();
        assert_eq!(p.code, "not_a_member");
        county.close(node).await;
    }
);
