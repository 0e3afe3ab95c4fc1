//! PostgreSQL's connections, and turns at a hall.
//!
//! Who waits for a hall's lock row holds a connection: readers have a pool of their own, or a busy hall would stop them too. And
//! of this node's transactions only one at a time waits in the database: with many, each release of the lock wakes the others in
//! vain. Limits: [`WRITERS`], [`READERS`], [`TURN`].

use crate::StoreError;
use sqlx::{
    Connection as _, PgPool, Postgres, Transaction,
    pool::PoolConnection,
    postgres::{PgConnection, PgPoolOptions},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// Transactions at once; with the readers well under the server's usual 100 connections, for two nodes.
const WRITERS: u32 = 32;
/// Reads at once.
const READERS: u32 = 16;
/// Who waits for a connection longer gets an error.
const ACQUIRE: Duration = Duration::from_secs(10);
/// A connection that lay idle longer is tried before it is used: the server may have gone meanwhile.
const TRUSTED: Duration = Duration::from_secs(1);
/// Longest wait for a turn; then the database decides who waits for whom. Only it sees a deadlock with another lock.
const TURN: Duration = Duration::from_millis(500);

/// Both pools and the turns of one node.
pub(crate) struct Connections {
    write: PgPool,
    read: PgPool,
    turns: Arc<Turns>,
}

/// One turn a hall, for ever: there are few halls.
#[derive(Default)]
struct Turns(Mutex<HashMap<String, Arc<Turn<()>>>>);

/// An open transaction and the turns that end with it.
pub struct PgWrite {
    open: Transaction<'static, Postgres>,
    turns: Arc<Turns>,
    held: Vec<(String, Option<OwnedMutexGuard<()>>)>,
}

impl Connections {
    pub(crate) async fn open(url: &str) -> Result<Self, StoreError> {
        let pool = |connections| {
            PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE)
                .test_before_acquire(false)
                .before_acquire(|connection, meta| {
                    Box::pin(async move {
                        if meta.idle_for > TRUSTED {
                            connection.ping().await?;
                        }
                        Ok(true)
                    })
                })
                .connect(url)
        };
        Ok(Self {
            write: pool(WRITERS).await?,
            read: pool(READERS).await?,
            turns: Arc::default(),
        })
    }

    pub(crate) const fn writers(&self) -> &PgPool {
        &self.write
    }

    pub(crate) async fn begin(&self) -> Result<PgWrite, StoreError> {
        Ok(PgWrite {
            open: self.write.begin().await?,
            turns: self.turns.clone(),
            held: Vec::new(),
        })
    }

    pub(crate) async fn reader(&self) -> Result<PoolConnection<Postgres>, StoreError> {
        Ok(self.read.acquire().await?)
    }

    pub(crate) async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

impl PgWrite {
    /// Waits for this node's turn at a hall; false: the transaction has it already.
    pub(crate) async fn turn(&mut self, hall: &str) -> bool {
        if self.held.iter().any(|(h, _)| h == hall) {
            return false;
        }
        let turn = {
            let mut turns = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
            turns.entry(hall.to_owned()).or_default().clone()
        };
        let mine = tokio::time::timeout(TURN, turn.lock_owned()).await.ok();
        self.held.push((hall.to_owned(), mine));
        true
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.open
    }

    /// The turns pass on when the rows are free again.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        Ok(self.open.commit().await?)
    }

    pub(crate) async fn rollback(self) {
        let _ = self.open.rollback().await;
    }
}
