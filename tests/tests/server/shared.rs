//! Steps that several stories share: the calls that are not everyday's, invitations and their answers, three people in a talk.

use domain::id::SeatId;
use it::{
    county::{Node, named},
    http::{Http, answer, key},
    line::Line,
    people::{Agent, Citizen, call},
};
use protocol::{
    InviteState, InviteView, Invited, MemberPart, Problem, SeatView, ServerFrame, SessionView,
};
use reqwest::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

#[derive(Deserialize, Debug)]
pub struct Items<T> {
    pub items: Vec<T>,
}

pub async fn put<T: DeserializeOwned>(
    http: &Http,
    path: &str,
    body: impl Serialize,
) -> Result<T, Problem> {
    let r = http
        .request(Method::PUT, path)
        .header("idempotency-key", key())
        .json(&body);
    answer(r.send().await.unwrap()).await
}

pub async fn delete<T: DeserializeOwned>(http: &Http, path: &str) -> Result<T, Problem> {
    let r = http
        .request(Method::DELETE, path)
        .header("idempotency-key", key());
    answer(r.send().await.unwrap()).await
}

pub async fn ask(
    agent: &Agent,
    session: &str,
    kind: &str,
    target: Value,
) -> Result<Invited, Problem> {
    let body = json!({"kind": kind, "target": target});
    agent
        .http
        .post(&format!("/sessions/{session}/invites"), body)
        .await
}

pub async fn step(http: &Http, i: &InviteView, step: &str) -> Result<InviteView, Problem> {
    let body = json!({"step": step, "version": i.version});
    http.post(&format!("/invites/{}/step", i.id), body).await
}

/// The invitation that rings at this seat.
pub async fn rung(agent: &mut Agent) -> InviteView {
    agent
        .line
        .until("an invitation", |f| match f {
            ServerFrame::Seat { seat } => seat
                .invite
                .clone()
                .filter(|i| i.state == InviteState::Ringing),
            _ => None,
        })
        .await
}

pub async fn session_where(
    line: &mut Line,
    what: &str,
    is: impl Fn(&SessionView) -> bool,
) -> SessionView {
    line.until(what, |f| match f {
        ServerFrame::Session { session } if is(session) => Some(session.clone()),
        _ => None,
    })
    .await
}

/// There is no more of the session for this person.
pub async fn out(line: &mut Line, id: &str) {
    line.until("the end of the membership", |f| match f {
        ServerFrame::Superseded {
            session: Some(s), ..
        } if s == id => Some(()),
        _ => None,
    })
    .await;
}

pub fn seat(name: &str) -> Value {
    json!({"to": "seat", "id": named::<SeatId>("seat", name)})
}

pub async fn three(node: &Node) -> (Citizen, Agent, Agent, String, String) {
    let mut a = Agent::sit(node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(node).await;
    let (session, ticket) = call(&mut citizen, &mut a).await;
    let b = Agent::sit(node, "agent2", "seat-2").await;
    (citizen, a, b, session, ticket)
}

pub fn agent_of(s: &SessionView) -> Vec<&str> {
    s.members
        .iter()
        .filter(|m| m.part == MemberPart::Agent)
        .map(|m| m.id.as_str())
        .collect()
}

/// The agent or the citizen ends the talk.
pub async fn end(http: &Http, session: &str, reason: &str) -> SessionView {
    http.post(
        &format!("/sessions/{session}/end"),
        json!({"reason": reason}),
    )
    .await
    .unwrap()
}

pub async fn wrap_up(http: &Http, session: &str) -> SeatView {
    let body = json!({"disposition": "wrong_desk", "note": "转出"});
    http.post(&format!("/sessions/{session}/wrap-up"), body)
        .await
        .unwrap()
}

/// The session as this member sees it.
pub async fn look(http: &Http, session: &str) -> SessionView {
    http.get(&format!("/sessions/{session}")).await.unwrap()
}
