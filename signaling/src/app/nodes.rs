//! Nodes come and die: their heartbeat, and what the connections of a dead one held.
//!
//! A connection's id begins with its node's, so a holder tells whose it is. What a dead node held is let go as if each of its
//! connections had dropped: graces and silences do the rest. Never ends a session or moves a seat by itself.

use super::{App, auth, call_flow, desk, queue};
use crate::problem::AppError;
use domain::{
    limits::{NODE_DEAD_AFTER, NODE_FORGOTTEN_AFTER, NODE_HEARTBEAT_S},
    time::{Span, Timestamp},
};
use futures::future::join_all;
use std::sync::{Mutex, PoisonError};
use store::{node, seat, session, ticket};

const HEARTBEAT: Span = Span::seconds(NODE_HEARTBEAT_S as i64);
/// Holders in one reading; they are let go together, so that SQLite commits them at once.
const BATCH: i64 = 64;
/// Batches of one call: the next call goes on.
const ROUNDS: usize = 16;

/// Id of a new connection to this node: `<node id>.<secret>`.
#[must_use]
pub fn connection_id(app: &App) -> String {
    format!("{}.{}", app.bus.node(), auth::secret())
}

/// Whether this node's own heartbeats have reached the database long enough to judge the others by theirs: after an outage
/// of the database everybody looks dead, and whoever is first back must not bury the rest.
#[derive(Default)]
pub struct Pulse(Mutex<Option<(Timestamp, Timestamp)>>);

impl Pulse {
    /// A heartbeat was kept.
    pub fn beat(&self, now: Timestamp) {
        let mut p = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = match *p {
            Some((since, last)) if now < last + HEARTBEAT + HEARTBEAT => since,
            Some(_) | None => now,
        };
        *p = Some((since, now));
    }

    #[must_use]
    pub fn steady(&self, now: Timestamp) -> bool {
        let p = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        p.is_some_and(|(since, last)| {
            now >= since + NODE_DEAD_AFTER && now < last + HEARTBEAT + HEARTBEAT
        })
    }
}

/// Says that this node lives.
pub async fn beat(app: &App, internal_url: &str) -> Result<(), AppError> {
    let (id, internal_url) = (app.bus.node().to_owned(), internal_url.to_owned());
    let media_addr = app
        .media
        .engine()
        .map(|e| e.udp_addr().to_string())
        .unwrap_or_default();
    app.write("server", move |tx, w| {
        let n = node::Node {
            id: id.clone(),
            internal_url: internal_url.clone(),
            media_addr: media_addr.clone(),
            heartbeat: w.now,
        };
        Box::pin(async move { Ok(node::beat(tx, &n).await?) })
    })
    .await
}

/// Before the first connection is taken: from here on this node's connections count as living. A node that is `alone` knows
/// that whoever was here before it is dead.
pub async fn arrive(app: &App, internal_url: &str, alone: bool) -> Result<(), AppError> {
    beat(app, internal_url).await?;
    if !alone {
        return Ok(());
    }
    let me = app.bus.node().to_owned();
    let gone = app
        .write("server", move |tx, _| {
            let me = me.clone();
            Box::pin(async move { Ok(node::remove_others(tx, &me).await?) })
        })
        .await?;
    if gone > 0 {
        tracing::warn!(
            "the last run was not stopped properly; what its connections held is let go"
        );
    }
    Ok(())
}

/// Lets go of what connections of dead nodes hold. Only a `steady` node takes an old heartbeat for a death; one that is in no
/// row is dead for everybody.
pub async fn release(app: &App, steady: bool) -> Result<(), AppError> {
    let silence = if steady {
        NODE_DEAD_AFTER
    } else {
        NODE_FORGOTTEN_AFTER
    };
    for _ in 0..ROUNDS {
        let alive_since = app.now() - silence;
        let (members, seats, tickets) = app
            .read(move |tx| {
                Box::pin(async move {
                    Ok((
                        session::held_by_gone(tx, alive_since, BATCH).await?,
                        seat::held_by_gone(tx, alive_since, BATCH).await?,
                        ticket::held_by_gone(tx, alive_since, BATCH).await?,
                    ))
                })
            })
            .await?;
        let most = members.len().max(seats.len()).max(tickets.len());
        if most == 0 {
            return Ok(());
        }
        tracing::info!(
            members = members.len(),
            seats = seats.len(),
            tickets = tickets.len(),
            "connections of a dead node are let go"
        );
        let members = members
            .iter()
            .map(|(id, conn)| call_flow::dropped(app, id.clone(), conn));
        let seats = seats
            .iter()
            .map(|(id, conn)| desk::page_gone(app, id.clone(), conn, false));
        let tickets = tickets
            .iter()
            .map(|(id, conn)| queue::page_gone(app, id.clone(), conn));
        let (members, seats, tickets) =
            futures::join!(join_all(members), join_all(seats), join_all(tickets));
        // One that cannot be let go must not hold up the rest of its batch; it is tried again with the next call.
        for r in members.into_iter().chain(seats).chain(tickets) {
            desk::lost_race_is_fine(r)?;
        }
        if most < usize::try_from(BATCH).unwrap_or(usize::MAX) {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_judges_others_only_after_beating_without_a_gap_itself() {
        let at = |s: i64| Timestamp::from_millis(s * 1000);
        let p = Pulse::default();
        assert!(!p.steady(at(0)));
        for s in [0, 5, 10] {
            p.beat(at(s));
            assert!(!p.steady(at(s)));
        }
        p.beat(at(15));
        assert!(p.steady(at(16)));
        assert!(!p.steady(at(30)), "its own beats do not arrive");
        p.beat(at(31));
        assert!(!p.steady(at(31)), "the database was away");
        for s in [36, 41, 46] {
            p.beat(at(s));
        }
        assert!(p.steady(at(46)));
    }
}
