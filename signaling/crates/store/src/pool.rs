//! Opening a database, reading from it, and the unit of work.
//!
//! SQLite: one writer task owns the only writing connection. It takes up to 64 waiting jobs into one `BEGIN IMMEDIATE`,
//! each in a SAVEPOINT, commits once (one fsync for all), then answers: group commit. PostgreSQL: a transaction each,
//! run again on serialization failure or deadlock.

use crate::{StoreError, Tx, TxError, migrate};
use futures::{FutureExt as _, future::BoxFuture};
use sqlx::{
    Connection as _, PgPool, SqliteConnection, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{panic::AssertUnwindSafe, path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};

/// Jobs in one SQLite commit.
const BATCH: usize = 64;
/// Writers that may wait; more means the disk cannot keep up and callers wait at the door.
const WRITE_QUEUE: usize = 4096;
/// Tries of one PostgreSQL transaction.
const TRIES: u32 = 8;
/// First SQLite release that has the fixes this product relies on (WAL reset bug).
const SQLITE_MIN: &str = "3.51.3";

/// Where the data live.
#[derive(Debug, Clone)]
pub enum Target {
    Sqlite(PathBuf),
    /// `postgres://…`
    Postgres(String),
}

#[derive(Clone)]
pub struct Store(Arc<Inner>);

enum Inner {
    Sqlite {
        read: SqlitePool,
        writer: mpsc::Sender<Box<dyn Job>>,
    },
    Postgres(PgPool),
}

trait Job: Send {
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> BoxFuture<'a, bool>;
    fn finish(self: Box<Self>, commit: Result<(), StoreError>);
}

struct Typed<F, T, E> {
    work: F,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Job for Typed<F, T, E>
where
    F: for<'a> FnMut(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: TxError,
{
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let r = match AssertUnwindSafe((self.work)(tx)).catch_unwind().await {
                Ok(r) => r,
                // The writer outlives a bug in one job.
                Err(_) => Err(StoreError::Unavailable("a job panicked".into()).into()),
            };
            let keep = r.is_ok();
            self.result = Some(r);
            keep
        })
    }
    fn finish(self: Box<Self>, commit: Result<(), StoreError>) {
        let answer = match (self.result, commit) {
            (Some(Ok(_)), Err(e)) => Err(e.into()),
            (Some(r), _) => r,
            (None, Err(e)) => Err(e.into()),
            (None, Ok(())) => Err(StoreError::Unavailable("the job did not run".into()).into()),
        };
        let _ = self.reply.send(answer);
    }
}

impl Store {
    /// Opens, checks the engine's version, brings the schema up to date.
    pub async fn open(target: &Target) -> Result<Self, StoreError> {
        match target {
            Target::Sqlite(path) => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .foreign_keys(true)
                    .statement_cache_capacity(512)
                    .busy_timeout(Duration::from_secs(10));
                let mut conn = SqliteConnection::connect_with(&options).await?;
                check_sqlite(&mut conn).await?;
                migrate::sqlite(&mut conn).await?;
                let read = SqlitePoolOptions::new()
                    .max_connections(8)
                    .connect_with(options.clone().read_only(true))
                    .await?;
                let (writer, jobs) = mpsc::channel(WRITE_QUEUE);
                tokio::spawn(write_loop(Tx::Sqlite(conn), jobs));
                Ok(Self(Arc::new(Inner::Sqlite { read, writer })))
            }
            Target::Postgres(url) => {
                let pool = PgPoolOptions::new()
                    .max_connections(24)
                    .acquire_timeout(Duration::from_secs(10))
                    .connect(url)
                    .await?;
                migrate::postgres(&pool).await?;
                Ok(Self(Arc::new(Inner::Postgres(pool))))
            }
        }
    }

    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(*self.0, Inner::Postgres(_))
    }

    /// One transaction. The closure runs SQL only: no hashing, PDF, network or waiting. It may run again (PostgreSQL).
    pub async fn write<T, E, F>(&self, mut work: F) -> Result<T, E>
    where
        F: for<'a> FnMut(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: TxError,
    {
        match &*self.0 {
            Inner::Sqlite { writer, .. } => {
                let (reply, answer) = oneshot::channel();
                let job: Box<dyn Job> = Box::new(Typed {
                    work,
                    result: None,
                    reply,
                });
                writer.send(job).await.map_err(|_| gone())?;
                answer.await.map_err(|_| gone())?
            }
            Inner::Postgres(pool) => {
                let mut tries = 0;
                loop {
                    tries += 1;
                    let mut tx = Tx::Postgres(pool.begin().await.map_err(StoreError::from)?);
                    let r = work(&mut tx).await;
                    let Tx::Postgres(open) = tx else {
                        return Err(gone().into());
                    };
                    let r = match r {
                        Ok(v) => open
                            .commit()
                            .await
                            .map(|()| v)
                            .map_err(|e| StoreError::from(e).into()),
                        Err(e) => {
                            let _ = open.rollback().await;
                            Err(e)
                        }
                    };
                    match r {
                        Err(e)
                            if tries < TRIES && matches!(E::store(&e), Some(StoreError::Retry)) =>
                        {
                            tokio::time::sleep(Duration::from_millis(2u64.pow(tries))).await;
                        }
                        r => return r,
                    }
                }
            }
        }
    }

    /// Reads outside any transaction of ours; each statement sees the newest commit.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Result<T, E>>,
        E: From<StoreError>,
    {
        let mut tx = match &*self.0 {
            Inner::Sqlite { read, .. } => {
                Tx::SqliteRead(read.acquire().await.map_err(StoreError::from)?)
            }
            Inner::Postgres(pool) => {
                Tx::PostgresRead(pool.acquire().await.map_err(StoreError::from)?)
            }
        };
        work(&mut tx).await
    }

    /// True when a query comes back.
    pub async fn healthy(&self) -> bool {
        self.read(|tx| Box::pin(async move { tx.rows("SELECT 1 AS one", vec![]).await }))
            .await
            .is_ok_and(|r: Vec<crate::Row>| r.len() == 1)
    }

    pub async fn close(&self) {
        match &*self.0 {
            Inner::Sqlite { read, .. } => read.close().await,
            Inner::Postgres(pool) => pool.close().await,
        }
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable("the database is closed".into())
}

async fn check_sqlite(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let (version,): (String,) = sqlx::query_as("SELECT sqlite_version()")
        .fetch_one(conn)
        .await?;
    let parts = |v: &str| {
        v.split('.')
            .map(|p| p.parse::<u32>().unwrap_or(0))
            .collect::<Vec<_>>()
    };
    if parts(&version) < parts(SQLITE_MIN) {
        return Err(StoreError::Unavailable(format!(
            "SQLite {version} is older than {SQLITE_MIN}"
        )));
    }
    Ok(())
}

async fn statement(tx: &mut Tx, sql: &'static str) -> Result<(), StoreError> {
    tx.exec(sql, vec![]).await.map(|_| ())
}

async fn write_loop(mut tx: Tx, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
    while let Some(first) = jobs.recv().await {
        if let Err(e) = statement(&mut tx, "BEGIN IMMEDIATE").await {
            first.finish(Err(e));
            continue;
        }
        let mut done: Vec<Box<dyn Job>> = Vec::with_capacity(BATCH);
        let mut next = Some(first);
        let mut broken = None;
        while let Some(mut job) = next.take() {
            let step = async {
                statement(&mut tx, "SAVEPOINT job").await?;
                if !job.run(&mut tx).await {
                    statement(&mut tx, "ROLLBACK TO job").await?;
                }
                statement(&mut tx, "RELEASE job").await
            };
            broken = step.await.err();
            done.push(job);
            if broken.is_some() || done.len() >= BATCH {
                break;
            }
            next = jobs.try_recv().ok();
        }
        let outcome = match broken {
            None => statement(&mut tx, "COMMIT").await,
            Some(e) => Err(e),
        };
        if let Err(e) = &outcome {
            tracing::error!(error = %e, jobs = done.len(), "commit failed; nothing of these jobs was kept");
            let _ = statement(&mut tx, "ROLLBACK").await;
        }
        for job in done {
            job.finish(outcome.clone());
        }
    }
}
