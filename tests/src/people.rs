//! A citizen on a phone and an agent at a seat, each with a token and a line.

use crate::{
    county::{Node, named},
    http::Http,
    line::Line,
};
use domain::id::{HallId, SeatId};
use protocol::{
    Accepted, ClientFrame, OfferView, SeatState, SeatView, ServerFrame, StaffToken, TicketState,
    TicketView, VisitToken,
};
use serde_json::json;

/// The county's hall.
#[must_use]
pub fn hall() -> String {
    named::<HallId>("hall", "yuanjiang")
}

/// Signs in a demo account.
pub async fn staff(node: &Node, account: &str) -> Http {
    let body = json!({"account": account, "password": signaling::demo::PASSWORD});
    let t: StaffToken = node.http().post("/auth/login", body).await.unwrap();
    node.http().with(&t.access_token)
}

pub struct Citizen {
    pub http: Http,
    pub visit: String,
    pub line: Line,
}

impl Citizen {
    /// On a phone, anonymous.
    pub async fn arrive(node: &Node) -> Self {
        let body = json!({"channel": "phone", "hall": hall()});
        let t: VisitToken = node.http().post("/visits", body).await.unwrap();
        let http = node.http().with(&t.access_token);
        Self {
            visit: t.visit.id,
            line: Line::open(&http).await,
            http,
        }
    }

    /// Takes a number and watches it.
    pub async fn queue(&mut self) -> TicketView {
        let t: TicketView = self.http.post("/tickets", json!({})).await.unwrap();
        self.watch(&t.id).await;
        t
    }

    pub async fn watch(&mut self, ticket: &str) {
        let ticket = ticket.to_owned();
        self.line.send(&ClientFrame::WatchTicket { ticket }).await;
    }

    pub async fn ticket(&mut self, state: TicketState) -> TicketView {
        self.line
            .until(&format!("a ticket {state:?}"), |f| match f {
                ServerFrame::Ticket { ticket } if ticket.state == state => Some(ticket.clone()),
                _ => None,
            })
            .await
    }

    /// The network is gone, and a new connection takes over, at this node or another.
    pub async fn reconnect(&mut self, node: &Node) {
        self.http = self.http.at(&node.base);
        self.line = Line::open(&self.http).await;
    }
}

pub struct Agent {
    pub http: Http,
    pub seat: String,
    pub line: Line,
    /// What rang at once.
    first: Option<OfferView>,
}

impl Agent {
    /// Signed in, seated for general questions, watched, ready (or rung at once).
    pub async fn sit(node: &Node, account: &str, seat: &str) -> Self {
        let http = staff(node, account).await;
        let seat = named::<SeatId>("seat", seat);
        let _: SeatView = http
            .post(
                &format!("/seats/{seat}/open"),
                json!({"skills": ["general"]}),
            )
            .await
            .unwrap();
        let mut a = Self {
            line: Line::open(&http).await,
            http,
            seat,
            first: None,
        };
        a.watch().await;
        let view = a
            .line
            .until("the seat", |f| match f {
                ServerFrame::Seat { seat } => Some(seat.clone()),
                _ => None,
            })
            .await;
        assert!(
            matches!(view.state, SeatState::Ready | SeatState::Ringing),
            "{view:?}"
        );
        a.first = view.offer;
        a
    }

    pub async fn watch(&mut self) {
        let seat = self.seat.clone();
        self.line.send(&ClientFrame::WatchSeat { seat }).await;
    }

    pub async fn seat(&mut self, state: SeatState) -> SeatView {
        self.line
            .until(&format!("a seat {state:?}"), |f| match f {
                ServerFrame::Seat { seat } if seat.state == state => Some(seat.clone()),
                _ => None,
            })
            .await
    }

    /// The seat as HTTP shows it.
    pub async fn look(&self) -> SeatView {
        #[derive(serde::Deserialize)]
        struct Seats {
            items: Vec<SeatView>,
        }
        let all: Seats = self.http.get("/seats").await.unwrap();
        all.items.into_iter().find(|s| s.id == self.seat).unwrap()
    }

    /// What rings.
    pub async fn rung(&mut self) -> OfferView {
        if let Some(o) = self.first.take() {
            return o;
        }
        self.line
            .until("a ring", |f| match f {
                ServerFrame::Seat { seat } => seat.offer.clone(),
                _ => None,
            })
            .await
    }

    /// Answers; the session.
    pub async fn accept(&mut self, offer: &OfferView) -> String {
        let a: Accepted = self
            .http
            .post(&format!("/pairings/{}/accept", offer.pairing), json!({}))
            .await
            .unwrap();
        a.session
    }
}

/// A session that both have joined, and its ticket.
pub async fn call(citizen: &mut Citizen, agent: &mut Agent) -> (String, String) {
    let ticket = citizen.queue().await;
    let offer = agent.rung().await;
    assert_eq!(offer.ticket, ticket.id);
    let session = agent.accept(&offer).await;
    let paired = citizen.ticket(TicketState::Paired).await;
    assert_eq!(paired.session.as_deref(), Some(session.as_str()));
    citizen.line.join(&session, 0).await;
    agent.line.join(&session, 0).await;
    citizen
        .line
        .session_state(protocol::SessionState::Active)
        .await;
    (session, ticket.id)
}
