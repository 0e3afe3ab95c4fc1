//! The HTTP API as a client of it: bearer token, idempotency key, a problem as an error.

use anyhow::{Context as _, Result, bail};
use protocol::{
    Accepted, Channel, EndSession, HallView, Language, Login, OpenVisit, Problem, SeatView,
    SessionView, StaffToken, TicketView, VisitToken, WsTicket,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{sync::Arc, time::Duration};

/// An answer that takes longer is an error, not a sample.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// Idle connections cost the server memory that belongs to no WebSocket.
const IDLE: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    base: Arc<str>,
}

fn key() -> String {
    format!("{:032x}", rand::random::<u128>())
}

impl Api {
    /// `base` is `http://127.0.0.1:<port>`.
    pub fn new(base: &str) -> Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(ANSWER_WITHIN)
            .pool_idle_timeout(IDLE)
            .tcp_nodelay(true)
            .no_proxy()
            .build()?;
        Ok(Self {
            http,
            base: base.into(),
        })
    }

    /// `127.0.0.1:<port>`.
    #[must_use]
    pub fn host(&self) -> &str {
        self.base
            .split_once("://")
            .map_or(&*self.base, |(_, host)| host)
    }

    async fn post<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        path: &str,
        token: &str,
        body: &B,
    ) -> Result<T> {
        let mut r = self
            .http
            .post(format!("{}/api/v1{path}", self.base))
            .header("idempotency-key", key())
            .json(body);
        if !token.is_empty() {
            r = r.bearer_auth(token);
        }
        let r = r.send().await.with_context(|| format!("POST {path}"))?;
        let status = r.status();
        let bytes = r.bytes().await.with_context(|| format!("POST {path}"))?;
        if !status.is_success() {
            let code = serde_json::from_slice::<Problem>(&bytes)
                .map_or_else(|_| String::new(), |p| p.code);
            bail!("POST {path}: {status} {code}");
        }
        serde_json::from_slice(&bytes).with_context(|| format!("the answer of {path}"))
    }

    pub async fn login(&self, account: String, password: &str) -> Result<StaffToken> {
        let body = Login {
            account,
            password: password.into(),
            totp: None,
        };
        self.post("/auth/login", "", &body).await
    }

    /// A citizen at a phone.
    pub async fn visit(&self, hall: &str) -> Result<VisitToken> {
        let body = OpenVisit {
            channel: Channel::Phone,
            hall: hall.into(),
            language: Language::Zh,
            elder: false,
        };
        self.post("/visits", "", &body).await
    }

    pub async fn ws_ticket(&self, token: &str) -> Result<String> {
        let t: WsTicket = self
            .post("/ws-tickets", token, &serde_json::json!({}))
            .await?;
        Ok(t.ticket)
    }

    /// No item: the general desk.
    pub async fn take_ticket(&self, token: &str, item: Option<&str>) -> Result<TicketView> {
        let body = serde_json::json!({"item": item});
        self.post("/tickets", token, &body).await
    }

    pub async fn open_seat(&self, token: &str, seat: &str, skill: &str) -> Result<SeatView> {
        let body = serde_json::json!({"skills": [skill], "take_over": true});
        self.post(&format!("/seats/{seat}/open"), token, &body)
            .await
    }

    pub async fn ready(&self, token: &str, seat: &str) -> Result<SeatView> {
        let path = format!("/seats/{seat}/ready");
        self.post(&path, token, &serde_json::json!({})).await
    }

    /// The ticket goes back to the head of its class, the seat is away.
    pub async fn decline(&self, token: &str, pairing: &str) -> Result<SeatView> {
        let path = format!("/pairings/{pairing}/decline");
        self.post(&path, token, &serde_json::json!({"reason": "busy"}))
            .await
    }

    pub async fn hall(&self, hall: &str) -> Result<HallView> {
        let url = format!("{}/api/v1/halls/{hall}", self.base);
        let r = self.http.get(url).send().await?.error_for_status()?;
        serde_json::from_slice(&r.bytes().await?).context("the hall's answer")
    }

    pub async fn accept(&self, token: &str, pairing: &str) -> Result<Accepted> {
        let path = format!("/pairings/{pairing}/accept");
        self.post(&path, token, &serde_json::json!({})).await
    }

    pub async fn end(&self, token: &str, session: &str) -> Result<SessionView> {
        let body = EndSession {
            reason: "finished".into(),
        };
        self.post(&format!("/sessions/{session}/end"), token, &body)
            .await
    }

    /// The seat is ready again.
    pub async fn wrap_up(&self, token: &str, session: &str) -> Result<SeatView> {
        let body = serde_json::json!({"disposition": "answered"});
        self.post(&format!("/sessions/{session}/wrap-up"), token, &body)
            .await
    }
}
