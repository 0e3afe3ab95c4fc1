//! Use cases: the only code that touches two nouns. A use case checks who asks and what for, runs the domain's functions,
//! and keeps state, journal, idempotency, outbox and audit in one transaction. Wake-ups leave after the commit.

pub mod admin;
pub mod appointments;
pub mod audit_log;
pub mod auth;
pub mod call_flow;
pub mod callbacks;
pub mod carry;
pub mod case_core;
pub mod case_papers;
pub mod case_view;
pub mod case_words;
pub mod cases;
pub mod catalogue;
pub mod cel;
pub mod consent_view;
pub mod consents;
pub mod correction;
pub mod county;
pub mod deadlines;
pub mod decide;
pub mod desk;
pub mod erasure;
pub mod files;
pub mod form_view;
pub mod forms;
pub mod guests;
pub mod hall_now;
mod hall_policy;
pub mod halls;
pub mod handoff;
pub mod handover;
pub mod hints;
pub mod invites;
pub mod issue;
pub mod ladder;
pub mod lanes;
pub mod licence_copy;
pub mod licences;
mod look;
pub mod materials;
pub mod media;
pub mod netcheck;
pub mod nodes;
pub mod notes;
pub mod papers;
pub mod phrases;
pub mod quality;
pub mod queue;
pub mod queues;
pub mod rates;
pub mod ratings;
pub mod recording;
pub mod relay;
pub mod replay;
pub mod requests;
pub mod result_paper;
pub mod retention;
pub mod routing;
pub mod session_view;
pub mod signing;
pub mod slots;
pub mod snapshots;
pub mod supervise;
pub mod supervision;
pub mod token;
pub mod transfer;
pub mod vault;
pub mod verify;
pub mod wallboard;

use crate::{
    cluster::Bus,
    problem::{AppError, no},
};
use domain::{
    id::{AuditId, Id, OutboxId},
    limits,
    time::Timestamp,
};
use futures::future::BoxFuture;
use protocol::Language;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};
use std::{ops::Deref, sync::Arc};
use store::{Store, Tx};
use token::Principal;
use tokio::sync::Mutex;
use vault::Vault;

/// The clock, so that a test may hold it.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let d = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
    }
}

/// Everything that a use case needs; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

pub struct Parts {
    pub store: Store,
    pub clock: Box<dyn Clock>,
    pub vault: Vault,
    pub bus: Bus,
    pub media: media::MediaPlane,
    pub public_url: String,
    /// A booth's own host, for the pages' content policy.
    pub bridge_url: String,
    /// Content-addressed, encrypted files.
    pub files_dir: std::path::PathBuf,
    /// Encrypted segments, one directory a recording; the same for all nodes.
    pub recordings_dir: std::path::PathBuf,
    /// Working days: the vendored years and those that were loaded from the data directory.
    pub calendar: domain::calendar::Calendar,
    pub papers: papers::Papers,
    pub county: county::County,
    /// What each hall looked like a moment ago.
    pub halls: hall_now::Cache,
    pub checks: auth::Checks,
    /// How pages reach the media port.
    pub reach: netcheck::Reach,
    /// Tree of the audit log as this node last left it.
    pub audit_tree: audit_log::TreeCache,
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Who calls, with which key, in which language.
#[derive(Debug, Clone)]
pub struct Caller {
    pub who: Principal,
    pub key: Option<String>,
    pub language: Language,
}

/// What a transaction does beside its rows: it is carried out after the commit.
pub struct Work {
    pub now: Timestamp,
    pub actor: String,
    pub app: App,
    /// Ids of objects whose watchers should look again.
    pub wakes: Vec<String>,
    /// Messages that it has put into the outbox.
    sent: i64,
}

impl Work {
    pub fn wake(&mut self, id: &impl Id) {
        self.wakes.push(id.as_str().to_owned());
    }
    pub fn id<T: Id>(&self) -> T {
        self.app.id()
    }
    /// Ids and codes alone.
    pub async fn audit(
        &self,
        tx: &mut Tx,
        action: &str,
        object: &str,
        detail: serde_json::Value,
    ) -> Result<(), AppError> {
        let entry = store::audit::Entry {
            id: self.app.id::<AuditId>(),
            at: self.now,
            actor: self.actor.clone(),
            action: action.to_owned(),
            object: object.to_owned(),
            detail: detail.to_string(),
            seq: None,
            leaf: None,
        };
        store::audit::insert(tx, &entry).await.map_err(Into::into)
    }
    /// A message for after the commit; those of one transaction leave in the order of these calls.
    pub async fn outbox(
        &mut self,
        tx: &mut Tx,
        kind: &str,
        subject: &str,
        payload: serde_json::Value,
    ) -> Result<(), AppError> {
        let m = store::outbox::Message {
            id: self.app.id::<OutboxId>(),
            at: self.now,
            nth: self.sent,
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            payload: payload.to_string(),
            attempts: 0,
            seq: None,
        };
        self.sent += 1;
        store::outbox::insert(tx, &m).await.map_err(Into::into)
    }
}

impl App {
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    #[must_use]
    pub fn id<T: Id>(&self) -> T {
        T::make(self.now().millis(), u128::from_le_bytes(vault::random()))
    }

    /// A write that nobody may repeat by mistake: the server's own timers.
    pub async fn write<T, F>(&self, actor: &str, work: F) -> Result<T, AppError>
    where
        T: Send + 'static,
        F: for<'a> FnMut(&'a mut Tx, &'a mut Work) -> BoxFuture<'a, Result<T, AppError>>
            + Send
            + 'static,
    {
        // The store may run the closure again, and its future may not borrow from it: hence the shared, never contended lock.
        let (app, actor, work) = (self.clone(), actor.to_owned(), Arc::new(Mutex::new(work)));
        let (out, wakes) = self
            .store
            .write(move |tx| {
                let (app, actor, work) = (app.clone(), actor.clone(), work.clone());
                Box::pin(async move {
                    let mut w = Work {
                        now: app.now(),
                        actor,
                        app,
                        wakes: vec![],
                        sent: 0,
                    };
                    let mut run = work.lock().await;
                    let out = (*run)(tx, &mut w).await?;
                    Ok::<_, AppError>((out, w.wakes))
                })
            })
            .await?;
        self.bus.wake_all(&wakes).await;
        Ok(out)
    }

    /// One command of a person: the key is claimed first, in the same transaction; a repeat gets the stored answer.
    pub async fn command<B, T, F>(
        &self,
        caller: &Caller,
        route: &str,
        body: &B,
        work: F,
    ) -> Result<T, AppError>
    where
        B: Serialize + ?Sized,
        T: Serialize + DeserializeOwned + Send + 'static,
        F: for<'a> FnMut(&'a mut Tx, &'a mut Work) -> BoxFuture<'a, Result<T, AppError>>
            + Send
            + 'static,
    {
        self.command_of(caller.who.name(), caller.key.as_deref(), route, body, work)
            .await
    }

    /// The same for who has no token: `name` stands for them in the log, and the route must name what makes them the one who
    /// may repeat it.
    pub async fn command_of<B, T, F>(
        &self,
        name: &str,
        key: Option<&str>,
        route: &str,
        body: &B,
        work: F,
    ) -> Result<T, AppError>
    where
        B: Serialize + ?Sized,
        T: Serialize + DeserializeOwned + Send + 'static,
        F: for<'a> FnMut(&'a mut Tx, &'a mut Work) -> BoxFuture<'a, Result<T, AppError>>
            + Send
            + 'static,
    {
        let key = key.ok_or_else(|| no("key_required"))?.to_owned();
        if key.is_empty()
            || key.len() > limits::KEY_CHARS
            || !key.bytes().all(|b| b.is_ascii_graphic())
        {
            return Err(no("key_invalid"));
        }
        let body = serde_json::to_vec(body).map_err(|_| no("body_invalid"))?;
        let hash = domain::audit::hex(&Sha256::digest(&body));
        let (actor, route) = (name, route.to_owned());
        let name = actor.to_owned();
        let work = Arc::new(Mutex::new(work));
        self.write(actor, move |tx, w| {
            let (key, hash, name, route, work) = (
                key.clone(),
                hash.clone(),
                name.clone(),
                route.clone(),
                work.clone(),
            );
            Box::pin(async move {
                match store::idempotency::claim(tx, &name, &route, &key, &hash, w.now).await? {
                    store::idempotency::Claim::Replay(text) => {
                        return serde_json::from_str(&text).map_err(|_| no("internal"));
                    }
                    store::idempotency::Claim::Other => return Err(no("key_reused")),
                    store::idempotency::Claim::Fresh => {}
                }
                let mut work = work.lock().await;
                let out = (*work)(tx, w).await?;
                let text = serde_json::to_string(&out).map_err(|_| no("internal"))?;
                store::idempotency::answer(tx, &name, &route, &key, &text).await?;
                Ok(out)
            })
        })
        .await
    }

    pub async fn read<T, F>(&self, work: F) -> Result<T, AppError>
    where
        F: for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Result<T, AppError>> + Send + 'static,
        T: Send + 'static,
    {
        self.store.read(work).await
    }
}
