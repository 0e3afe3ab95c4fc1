//! What a supervisor does: force a state, speak to a seat, move a ticket, look at live sessions and at time in states.

use crate::shared::{Items, delete, put};
use it::{
    http::Http,
    people::{Agent, Citizen, call, hall, staff},
};
use protocol::{
    ClientFrame, Done, LiveSession, NoticeView, PhraseView, Problem, SeatState, SeatTimes,
    SeatView, ServerFrame, SessionView, StaffSkills, TicketLine, TicketState,
};
use serde_json::json;

async fn force(by: &Http, seat: &str, state: &str, reason: &str) -> Result<SeatView, Problem> {
    let body = json!({"state": state, "reason": reason});
    by.post(&format!("/seats/{seat}/force"), body).await
}

both!(a_forced_seat_loses_no_citizen, |county| {
    let node = county.start("a").await;
    let boss = staff(&node, "supervisor").await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    for (by, state, reason, code) in [
        (&boss, "busy", "other", "seat_force"),
        (&boss, "away", "because", "reason_invalid"),
        (&boss, "ready", "needed", "seat_state"),
        (&agent.http, "away", "other", "role_missing"),
    ] {
        let refused = force(by, &agent.seat, state, reason).await.unwrap_err();
        assert_eq!(refused.code, code);
    }
    assert_eq!(
        agent.look().await.state,
        SeatState::Ready,
        "nothing changed"
    );

    // While it rings: the ticket is back at the head, the seat away.
    let mut citizen = Citizen::arrive(&node).await;
    citizen.queue().await;
    let first = agent.rung().await;
    let seat = force(&boss, &agent.seat, "away", "meeting").await.unwrap();
    assert_eq!(
        (seat.state, seat.away_reason.as_deref()),
        (SeatState::Away, Some("meeting"))
    );
    assert_eq!(seat.forced.unwrap().by, "杨帆");
    assert_eq!(citizen.ticket(TicketState::Waiting).await.ahead, 0);
    let seat = force(&boss, &agent.seat, "ready", "needed").await.unwrap();
    assert_eq!(
        seat.state,
        SeatState::Ringing,
        "the one who waits is offered at once"
    );

    // During the talk: only afterwards, and after the notes.
    // The first ring may have been told twice.
    let offer = loop {
        let o = agent.rung().await;
        if o.pairing != first.pairing {
            break o;
        }
    };
    let session = agent.accept(&offer).await;
    let seat = force(&boss, &agent.seat, "away", "training").await.unwrap();
    assert_eq!(seat.state, SeatState::Busy);
    assert!(
        seat.forced
            .is_some_and(|f| f.after_session && f.reason == "training")
    );
    let live: Items<LiveSession> = boss
        .get(&format!("/halls/{}/sessions", hall()))
        .await
        .unwrap();
    assert_eq!(live.items.len(), 1);
    assert_eq!(
        (&live.items[0].id, &live.items[0].seat),
        (&session, &agent.seat)
    );
    assert!(
        live.items[0]
            .members
            .iter()
            .all(|m| m.name.is_empty() || m.name == "李敏")
    );
    citizen.line.join(&session, 0).await;
    agent.line.join(&session, 0).await;
    let _: SessionView = agent
        .http
        .post(
            &format!("/sessions/{session}/end"),
            json!({"reason": "finished"}),
        )
        .await
        .unwrap();
    let wrap = agent.seat(SeatState::WrapUp).await;
    assert!(!wrap.wrap_up_extended);
    let more = format!("/seats/{}/extend-wrap-up", agent.seat);
    let longer: SeatView = agent.http.post(&more, json!({})).await.unwrap();
    assert!(longer.wrap_up_extended && longer.wrap_up_until > wrap.wrap_up_until);
    let again = agent
        .http
        .post::<SeatView>(&more, json!({}))
        .await
        .unwrap_err();
    assert_eq!(again.code, "wrap_up_extended");
    let _: SeatView = agent
        .http
        .post(
            &format!("/sessions/{session}/wrap-up"),
            json!({"disposition": "answered", "note": ""}),
        )
        .await
        .unwrap();
    let away = agent.seat(SeatState::Away).await;
    assert_eq!(away.away_reason.as_deref(), Some("training"));
    let refused = agent
        .http
        .post::<SeatView>(&more, json!({}))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "seat_state");

    // The day's record has every microsecond once.
    let t: SeatTimes = boss
        .get(&format!("/seats/{}/times", agent.seat))
        .await
        .unwrap();
    let at = |s: &str| domain::time::Timestamp::parse_rfc3339(s).unwrap().micros();
    let sum: i64 = t.totals.iter().map(|x| x.time_us).sum();
    assert!((sum - (at(&t.to) - at(&t.from))).abs() < 1_000, "{t:?}");
    for s in [
        SeatState::Ready,
        SeatState::Ringing,
        SeatState::Busy,
        SeatState::WrapUp,
    ] {
        assert!(
            t.totals.iter().any(|x| x.state == s && x.time_us > 0),
            "{s:?} in {t:?}"
        );
    }
    let own: SeatTimes = agent
        .http
        .get(&format!("/seats/{}/times", agent.seat))
        .await
        .unwrap();
    assert!(own.work_us > 0 && own.work_us <= own.duty_us);
    let odd = boss
        .get::<SeatTimes>(&format!("/seats/{}/times?date=today", agent.seat))
        .await
        .unwrap_err();
    assert_eq!(odd.code, "date_format");
    county.close(node).await;
});

both!(words_to_a_seat_reach_its_page, |county| {
    let node = county.start("a").await;
    let boss = staff(&node, "supervisor").await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let path = format!("/seats/{}/notices", agent.seat);
    let told = |f: &ServerFrame| match f {
        ServerFrame::Notice { notice } => Some(notice.clone()),
        _ => None,
    };
    let sent: NoticeView = boss
        .post(&path, json!({"text": "请准备交接"}))
        .await
        .unwrap();
    let heard = agent.line.until("the notice", told).await;
    assert_eq!((&heard.id, heard.text.as_str()), (&sent.id, "请准备交接"));
    // A page that opens later is told what is unread, and no more once it is read.
    agent.line.send(&ClientFrame::Ping { n: 1 }).await;
    let mut page = it::line::Line::open(&agent.http).await;
    let seat = agent.seat.clone();
    page.send(&ClientFrame::WatchSeat { seat }).await;
    assert_eq!(page.until("the notice again", told).await.id, sent.id);
    let read: NoticeView = agent
        .http
        .post(&format!("/notices/{}/read", sent.id), json!({}))
        .await
        .unwrap();
    assert!(read.read_at.is_some());
    for (by, text, code) in [
        (&agent.http, "不行", "role_missing"),
        (&boss, " ", "text_too_long"),
    ] {
        let refused = by
            .post::<NoticeView>(&path, json!({"text": text}))
            .await
            .unwrap_err();
        assert_eq!(refused.code, code);
    }
    let all: Items<NoticeView> = boss.get(&path).await.unwrap();
    assert_eq!(all.items.len(), 1);
    county.close(node).await;
});

both!(a_moved_ticket_is_served_where_it_was_put, |county| {
    let node = county.start("a").await;
    let boss = staff(&node, "supervisor").await;
    let (mut first, mut second) = (Citizen::arrive(&node).await, Citizen::arrive(&node).await);
    let (a, b) = (first.queue().await, second.queue().await);
    let line: Items<TicketLine> = boss
        .get(&format!("/halls/{}/tickets", hall()))
        .await
        .unwrap();
    let ids: Vec<_> = line.items.iter().map(|t| t.id.clone()).collect();
    assert_eq!(ids, [a.id.clone(), b.id.clone()]);
    let mv = |id: &str| format!("/tickets/{id}/move");
    let empty = boss
        .post::<TicketLine>(&mv(&b.id), json!({}))
        .await
        .unwrap_err();
    assert_eq!(empty.code, "move_empty");
    let nowhere = boss
        .post::<TicketLine>(&mv(&b.id), json!({"queue": "moon"}))
        .await
        .unwrap_err();
    assert_eq!(nowhere.code, "queue_unknown");
    let _: TicketLine = boss.post(&mv(&b.id), json!({"head": true})).await.unwrap();
    let moved: TicketLine = boss
        .post(&mv(&a.id), json!({"queue": "police"}))
        .await
        .unwrap();
    assert_eq!(moved.queue, "police");
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let offer = agent.rung().await;
    assert_eq!(offer.ticket, b.id);
    let late = boss
        .post::<TicketLine>(&mv(&b.id), json!({"head": true}))
        .await
        .unwrap_err();
    assert_eq!(late.code, "ticket_state");
    // Another who serves general questions alone is not offered the police's ticket.
    let other = Agent::sit(&node, "agent3", "seat-3").await;
    assert_eq!(other.look().await.state, SeatState::Ready);
    let back: TicketLine = boss
        .post(&mv(&a.id), json!({"queue": "general"}))
        .await
        .unwrap();
    assert_eq!(back.state, TicketState::Offered);
    county.close(node).await;
});

both!(
    canned_replies_and_skills_are_kept_by_whom_they_belong_to,
    |county| {
        let node = county.start("a").await;
        let boss = staff(&node, "supervisor").await;
        let agent = staff(&node, "agent1").await;
        let text = json!({"zh": "请稍候，我查一下。", "en": "One moment, please."});
        let body = json!({"scope": "hall", "text": text, "shortcut": "qsh"});
        let refused = agent
            .post::<PhraseView>("/phrases", &body)
            .await
            .unwrap_err();
        assert_eq!(refused.code, "role_missing");
        let ours: PhraseView = boss.post("/phrases", &body).await.unwrap();
        let twice = boss
            .post::<PhraseView>("/phrases", &body)
            .await
            .unwrap_err();
        assert_eq!(twice.code, "shortcut_taken");
        let own = json!({"scope": "own", "text": text, "shortcut": "qsh"});
        let mine: PhraseView = agent.post("/phrases", &own).await.unwrap();
        let bad = json!({"scope": "own", "text": {"zh": "", "en": ""}, "shortcut": "a b"});
        let bad = agent
            .post::<PhraseView>("/phrases", &bad)
            .await
            .unwrap_err();
        assert_eq!((bad.code.as_str(), bad.errors.len()), ("phrase_invalid", 2));
        let seen: Items<PhraseView> = agent.get("/phrases").await.unwrap();
        assert_eq!(seen.items, [ours.clone(), mine.clone()]);
        let seen: Items<PhraseView> = boss.get("/phrases").await.unwrap();
        assert_eq!(seen.items, std::slice::from_ref(&ours));
        let change = json!({"text": text, "shortcut": "cha"});
        let refused = put::<PhraseView>(&agent, &format!("/phrases/{}", ours.id), &change).await;
        assert_eq!(refused.unwrap_err().code, "role_missing");
        let refused = delete::<Done>(&boss, &format!("/phrases/{}", mine.id)).await;
        assert_eq!(refused.unwrap_err().code, "not_found");
        let _: Done = delete(&agent, &format!("/phrases/{}", mine.id))
            .await
            .unwrap();

        let admin = staff(&node, "admin").await;
        let id = it::county::named::<domain::id::StaffId>("staff", "agent3");
        let path = format!("/staff/{id}/skills");
        let before: StaffSkills = admin.get(&path).await.unwrap();
        let odd = json!({"skills": {"general": 9, "flying": 1}});
        let refused = put::<StaffSkills>(&admin, &path, &odd).await.unwrap_err();
        assert_eq!(
            (refused.code.as_str(), refused.errors.len()),
            ("skills_invalid", 2)
        );
        let after: StaffSkills = admin.get(&path).await.unwrap();
        assert_eq!(after, before);
        let refused = put::<StaffSkills>(&boss, &path, json!({"skills": {"general": 1}})).await;
        assert_eq!(refused.unwrap_err().code, "role_missing");
        county.close(node).await;
    }
);

both!(a_dead_call_is_no_reason_to_sit_twice, |county| {
    let node = county.start("a").await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    call(&mut citizen, &mut agent).await;
    let other = it::county::named::<domain::id::SeatId>("seat", "seat-2");
    let path = format!("/seats/{other}/open");
    let skills = json!({"skills": ["general"]});
    let refused = agent
        .http
        .post::<SeatView>(&path, &skills)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "seat_open_elsewhere");
    let moved = json!({"skills": ["general"], "take_over": true});
    let refused = agent
        .http
        .post::<SeatView>(&path, &moved)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "session_live");
    let unknown = json!({"skills": ["flying"]});
    let http = staff(&node, "agent2").await;
    let refused = http.post::<SeatView>(&path, &unknown).await.unwrap_err();
    assert_eq!(refused.code, "skill_unknown");
    assert_eq!(agent.look().await.state, SeatState::Busy);
    let auto = json!({"skills": ["general"], "auto_answer": true});
    let seat: SeatView = http.post(&path, &auto).await.unwrap();
    assert!(seat.auto_answer && seat.state == SeatState::Ready);
    county.close(node).await;
});
