//! Wake-ups between nodes: NATS says "look", the database says what. A single node needs no broker.
//!
//! Subjects: `cb.wake` carries ids, `cb.live` carries ephemeral frames. Losing any of it loses no fact: a slow poll of the
//! watched rows keeps things going.

mod hub;

pub use hub::{Connection, Hub, Signal};

use protocol::{Ephemeral, MemberPart, SlotView};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// A message that is never stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Live {
    Hint {
        session: String,
        from: Option<String>,
        /// Who the sender was when it was said, and whether staff talked apart then.
        said: Option<Said>,
        body: Ephemeral,
    },
    /// To one member alone.
    Slots {
        session: String,
        member: String,
        slots: Vec<SlotView>,
    },
    /// To one member alone: their page is to offer again.
    Renegotiate { session: String, member: String },
    /// Another connection of the same person holds the seat or the membership now: this one lost it.
    Superseded { topic: String, loser: String },
}

/// Where a hint was said: it may be heard after that has changed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Said {
    pub part: MemberPart,
    pub hold: bool,
}

impl Live {
    fn topic(&self) -> &str {
        match self {
            Self::Hint { session, .. }
            | Self::Slots { session, .. }
            | Self::Renegotiate { session, .. } => session,
            Self::Superseded { topic, .. } => topic,
        }
    }
}

#[derive(Clone)]
pub struct Bus(Arc<Inner>);

struct Inner {
    hub: Hub,
    nats: Option<async_nats::Client>,
    node: String,
}

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    node: String,
    body: T,
}

const WAKE: &str = "cb.wake";
const LIVE: &str = "cb.live";
/// A broker that hangs must not hold up the commands that would wake others.
const PUBLISH_WITHIN: Duration = Duration::from_millis(100);

impl Bus {
    #[must_use]
    pub fn local(node: String) -> Self {
        Self(Arc::new(Inner {
            hub: Hub::new(),
            nats: None,
            node,
        }))
    }

    /// Connects; the client reconnects by itself from then on.
    pub async fn nats(node: String, url: &str) -> Result<Self, String> {
        use futures::StreamExt as _;
        let client = async_nats::ConnectOptions::new()
            .retry_on_initial_connect()
            .connect(url)
            .await
            .map_err(|e| e.to_string())?;
        let bus = Self(Arc::new(Inner {
            hub: Hub::new(),
            nats: Some(client.clone()),
            node,
        }));
        let mut wakes = client.subscribe(WAKE).await.map_err(|e| e.to_string())?;
        let mut lives = client.subscribe(LIVE).await.map_err(|e| e.to_string())?;
        let b = bus.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    Some(m) = wakes.next() => if let Ok(e) = serde_json::from_slice::<Envelope<Vec<String>>>(&m.payload)
                        && e.node != b.0.node { for t in &e.body { b.0.hub.wake(t); } },
                    Some(m) = lives.next() => if let Ok(e) = serde_json::from_slice::<Envelope<Live>>(&m.payload)
                        && e.node != b.0.node { b.0.hub.live(e.body.topic(), &e.body); },
                    else => break,
                }
            }
        });
        Ok(bus)
    }

    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }

    #[must_use]
    pub fn node(&self) -> &str {
        &self.0.node
    }

    async fn send<T: Serialize + Sync>(&self, subject: &'static str, body: &T) {
        let Some(nats) = &self.0.nats else { return };
        // Without a broker the client keeps messages until its queue is full, and then waits.
        if nats.connection_state() != async_nats::connection::State::Connected {
            return;
        }
        let Ok(bytes) = serde_json::to_vec(&serde_json::json!({"node": self.0.node, "body": body}))
        else {
            return;
        };
        match tokio::time::timeout(PUBLISH_WITHIN, nats.publish(subject, bytes.into())).await {
            Ok(Ok(())) => {}
            Ok(Err(e)) => {
                tracing::warn!(error = %e, "a wake-up did not leave; the slow poll will notice");
            }
            Err(_) => tracing::warn!("a wake-up did not leave in time; the slow poll will notice"),
        }
    }

    /// After a commit: watchers of these ids look again.
    pub async fn wake_all(&self, ids: &[String]) {
        if ids.is_empty() {
            return;
        }
        for id in ids {
            self.0.hub.wake(id);
        }
        self.send(WAKE, &ids).await;
    }

    pub async fn live(&self, message: Live) {
        self.0.hub.live(message.topic(), &message);
        self.send(LIVE, &message).await;
    }
}
