//! What the server does by itself: timers, audit sequencing, leases, heartbeats, sweeps. Each step is a compare-and-set or
//! under a lease, so every node may run all of them.

use crate::{
    app::{
        App, appointments, audit_log, call_flow, callbacks, consents, deadlines, desk, erasure,
        issue, netcheck, nodes, queue, recording, requests, retention, routing,
    },
    problem::AppError,
};
use domain::{limits, time::Span};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet};

/// Rings, graces, wrap-ups: at most this late.
const TIMERS: Duration = Duration::from_millis(200);
/// Merge delay of the audit log stays under a second.
const SEQUENCE: Duration = Duration::from_millis(400);
/// Recordings that should run and do not yet, or are not sealed yet.
const RECORDINGS: Duration = Duration::from_secs(1);
const HEARTBEAT: Duration = Duration::from_secs(limits::NODE_HEARTBEAT_S);
/// Without NATS the database is asked again this often.
const SLOW_POLL: Duration = Duration::from_secs(5);
const SWEEP: Duration = Duration::from_secs(600);
/// Days end at midnight in Beijing: a case goes back at most this much later.
const DEADLINES: Duration = Duration::from_secs(300);

/// Runs `job` every `period` until the server stops; a failure is logged and tried again.
fn every<F, Fut>(
    tasks: &mut JoinSet<()>,
    name: &'static str,
    period: Duration,
    stopped: &watch::Receiver<bool>,
    mut job: F,
) where
    F: FnMut() -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), AppError>> + Send,
{
    let mut stopped = stopped.clone();
    tasks.spawn(async move {
        let mut tick = tokio::time::interval(period);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                _ = stopped.changed() => return,
            }
            if let Err(e) = job().await {
                tracing::error!(job = name, error = %e, "a job failed; it is tried again");
            }
        }
    });
}

/// What is over goes: rows past their time, keys that are due, files that nobody can read.
pub async fn sweep(app: &App) -> Result<(), AppError> {
    app.write("server", |tx, w| {
        Box::pin(async move {
            store::idempotency::sweep(tx, w.now - limits::IDEMPOTENCY_LIFE).await?;
            store::staff::sweep(tx, w.now).await?;
            store::lease::sweep(tx, w.now - Span::seconds(3600)).await?;
            store::node::sweep(tx, w.now - limits::NODE_FORGOTTEN_AFTER).await?;
            store::handover::sweep(tx, w.now - limits::IDEMPOTENCY_LIFE).await?;
            store::carry::sweep(tx, w.now - limits::IDEMPOTENCY_LIFE).await?;
            store::notice::sweep(tx, w.now - limits::NOTICE_LIFE).await?;
            store::outbox::sweep(tx, w.now - limits::NOTICE_LIFE).await?;
            Ok(())
        })
    })
    .await?;
    retention::sweep(app).await?;
    erasure::sweep(app).await?;
    requests::sweep(app).await?;
    issue::sweep(app).await
}

pub fn spawn(
    tasks: &mut JoinSet<()>,
    app: &App,
    internal_url: String,
    clustered: bool,
    stopped: &watch::Receiver<bool>,
) {
    let a = app.clone();
    every(tasks, "timers", TIMERS, stopped, move || {
        let a = a.clone();
        async move {
            desk::due(&a).await?;
            queue::due(&a).await?;
            appointments::due(&a).await?;
            callbacks::due(&a).await?;
            routing::due(&a).await?;
            call_flow::due(&a).await?;
            crate::app::invites::due(&a).await?;
            netcheck::due(&a).await?;
            crate::app::supervision::due(&a).await?;
            consents::expire_due(&a).await
        }
    });
    let a = app.clone();
    every(tasks, "audit", SEQUENCE, stopped, move || {
        let a = a.clone();
        async move { audit_log::sequence(&a).await.map(|_| ()) }
    });
    let pulse = Arc::new(nodes::Pulse::default());
    let (a, p) = (app.clone(), pulse.clone());
    every(tasks, "heartbeat", HEARTBEAT, stopped, move || {
        let (a, p, internal_url) = (a.clone(), p.clone(), internal_url.clone());
        async move {
            nodes::beat(&a, &internal_url).await?;
            p.beat(a.now());
            a.media.renew(&a).await
        }
    });
    // Beside the heartbeat, so that a long list of the dead does not make this node look dead, too.
    let a = app.clone();
    every(tasks, "dead nodes", HEARTBEAT, stopped, move || {
        let (a, p) = (a.clone(), pulse.clone());
        async move {
            let steady = p.steady(a.now());
            nodes::release(&a, steady).await?;
            recording::recover_gone(&a, steady).await
        }
    });
    let a = app.clone();
    every(tasks, "recordings", RECORDINGS, stopped, move || {
        let a = a.clone();
        async move { recording::due(&a).await }
    });
    let a = app.clone();
    every(tasks, "deadlines", DEADLINES, stopped, move || {
        let a = a.clone();
        async move { deadlines::return_overdue(&a).await }
    });
    let a = app.clone();
    every(tasks, "sweep", SWEEP, stopped, move || {
        let a = a.clone();
        async move { sweep(&a).await }
    });
    if clustered {
        let a = app.clone();
        every(tasks, "slow poll", SLOW_POLL, stopped, move || {
            let a = a.clone();
            async move {
                a.bus.hub().wake_everything();
                Ok(())
            }
        });
    }
}
