//! Opening a database, reading from it, and the unit of work.
//!
//! SQLite: one writer thread owns the only writing connection. It takes up to 64 waiting jobs into one `BEGIN IMMEDIATE`,
//! each in a SAVEPOINT, commits once (one fsync for all), then answers: group commit. A job's statements run on that thread
//! one after another: handing each to another thread cost more than the statement (65,000 switches a second at 100
//! pairings/s). Reads run on the runtime's blocking threads. PostgreSQL: a transaction each, run again on serialization
//! failure or deadlock.

use crate::{StoreError, Tx, TxError, migrate, pg::Connections, tx::Sqlite};
use futures::{FutureExt as _, future::BoxFuture};
use rusqlite::{Connection, OpenFlags};
use std::{
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, mpsc, oneshot},
};

/// Jobs in one SQLite commit.
const BATCH: usize = 64;
/// Writers that may wait; more means the disk cannot keep up and callers wait at the door.
const WRITE_QUEUE: usize = 4096;
/// Readers at once on SQLite.
const READERS: usize = 8;
/// Prepared statements kept by each connection.
const STATEMENTS: usize = 512;
/// Pages kept by the writer, and by each reader (KiB, negative by SQLite's convention).
const WRITER_CACHE: i64 = -65_536;
const READER_CACHE: i64 = -8_192;
/// The log goes into the main file this often, beside the writer: a commit never waits for it.
const CHECKPOINT: Duration = Duration::from_millis(500);
/// Beyond this many frames (64 MiB) the log starts anew, which holds the writer up for what came in during the last move.
const LOG_FRAMES: i64 = 16_384;
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
        read: Arc<Readers>,
        writer: mpsc::Sender<Box<dyn Job>>,
    },
    Postgres(Connections),
}

/// Idle reading connections, and the right to open or take one.
struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Sqlite>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    fn take(&self) -> Result<Sqlite, StoreError> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        match idle {
            Some(c) => Ok(c),
            None => connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY).map(Into::into),
        }
    }
    fn give(&self, c: Sqlite) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(c);
    }
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
                let (file, handle) = (path.clone(), Handle::current());
                let (writer, jobs) = mpsc::channel(WRITE_QUEUE);
                let (opened, open) = oneshot::channel();
                std::thread::Builder::new()
                    .name("sqlite-writer".into())
                    .spawn(move || match open_writer(&file) {
                        Ok(conn) => {
                            let _ = opened.send(Ok(()));
                            write_loop(&handle, Tx::Sqlite(conn.into()), jobs);
                        }
                        Err(e) => {
                            let _ = opened.send(Err(e));
                        }
                    })
                    .map_err(|e| StoreError::Unavailable(e.to_string()))?;
                open.await.map_err(|_| gone())??;
                let (file, alive) = (path.clone(), writer.downgrade());
                std::thread::Builder::new()
                    .name("sqlite-checkpoint".into())
                    .spawn(move || checkpoints(&file, || alive.upgrade().is_some()))
                    .map_err(|e| StoreError::Unavailable(e.to_string()))?;
                let read = Arc::new(Readers {
                    path: path.clone(),
                    idle: Mutex::default(),
                    permits: Arc::new(Semaphore::new(READERS)),
                });
                Ok(Self(Arc::new(Inner::Sqlite { read, writer })))
            }
            Target::Postgres(url) => {
                let connections = Connections::open(url).await?;
                migrate::postgres(connections.writers()).await?;
                Ok(Self(Arc::new(Inner::Postgres(connections))))
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
            Inner::Postgres(connections) => {
                let mut tries = 0;
                loop {
                    tries += 1;
                    let mut tx = Tx::Postgres(connections.begin().await?);
                    let r = work(&mut tx).await;
                    let Tx::Postgres(open) = tx else {
                        return Err(gone().into());
                    };
                    let r = match r {
                        Ok(v) => open.commit().await.map(|()| v).map_err(Into::into),
                        Err(e) => {
                            open.rollback().await;
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

    /// Reads. On SQLite all its statements see one state, the newest at the first of them; on PostgreSQL each its own.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match &*self.0 {
            Inner::Sqlite { read, .. } => {
                let permit = read.permits.clone().acquire_owned().await;
                let (permit, read) = (permit.map_err(|_| gone())?, read.clone());
                let handle = Handle::current();
                let done = tokio::task::spawn_blocking(move || {
                    let _permit = permit;
                    let mut tx = Tx::Sqlite(read.take()?);
                    // One look at the log for all statements: each look throws away what the connection had read before.
                    statement(&mut tx, "BEGIN")?;
                    let r = handle.block_on(work(&mut tx));
                    // A connection that cannot end its transaction is not used again.
                    statement(&mut tx, "COMMIT")?;
                    if let Tx::Sqlite(c) = tx {
                        read.give(c);
                    }
                    r
                });
                match done.await {
                    Ok(r) => r,
                    Err(e) if e.is_panic() => std::panic::resume_unwind(e.into_panic()),
                    Err(_) => Err(gone().into()),
                }
            }
            Inner::Postgres(connections) => {
                let mut tx = Tx::PostgresRead(connections.reader().await?);
                work(&mut tx).await
            }
        }
    }

    /// True when a query comes back.
    pub async fn healthy(&self) -> bool {
        self.read(|tx| {
            Box::pin(async move {
                tx.one("SELECT CAST(1 AS BIGINT) AS one", vec![], |r| r.int("one"))
                    .await
            })
        })
        .await
        .is_ok_and(|r: Option<i64>| r == Some(1))
    }

    pub async fn close(&self) {
        match &*self.0 {
            Inner::Sqlite { read, .. } => {
                read.permits.close();
                read.idle
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clear();
            }
            Inner::Postgres(connections) => connections.close().await,
        }
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable("the database is closed".into())
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let c = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    c.busy_timeout(Duration::from_secs(10))?;
    c.pragma_update(None, "foreign_keys", true)?;
    // A job's savepoint keeps its old pages in memory, not in a file.
    c.pragma_update(None, "temp_store", "memory")?;
    c.pragma_update(None, "cache_size", READER_CACHE)?;
    c.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(c)
}

fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let mut c = connect(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    )?;
    check_sqlite(rusqlite::version())?;
    let mode: String = c.pragma_update_and_check(None, "journal_mode", "wal", |r| r.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Unavailable(format!(
            "the file system keeps no write-ahead log (journal mode {mode})"
        )));
    }
    c.pragma_update(None, "synchronous", "full")?;
    c.pragma_update(None, "wal_autocheckpoint", 0)?;
    c.pragma_update(None, "cache_size", WRITER_CACHE)?;
    migrate::sqlite(&mut c)?;
    Ok(c)
}

fn checkpoint(c: &Connection) -> Result<(), StoreError> {
    let move_log = |sql| c.query_row(sql, [], |r| r.get::<_, i64>(1));
    // Frames in the log, moved or not; -1 where there is none.
    let frames = move_log("PRAGMA wal_checkpoint(PASSIVE)")?;
    if frames > LOG_FRAMES {
        move_log("PRAGMA wal_checkpoint(RESTART)")?;
    }
    Ok(())
}

/// Moves the log into the main file while the store is open.
fn checkpoints(path: &Path, alive: impl Fn() -> bool) {
    let open = || connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE);
    let mut conn = open();
    loop {
        std::thread::park_timeout(CHECKPOINT);
        if !alive() {
            return;
        }
        let done = match &conn {
            Ok(c) => checkpoint(c),
            Err(e) => Err(e.clone()),
        };
        if let Err(e) = done {
            tracing::warn!(error = %e, "the log was not moved into the database; tried again");
            conn = open();
        }
    }
}

fn check_sqlite(version: &str) -> Result<(), StoreError> {
    let parts = |v: &str| {
        v.split('.')
            .map(|p| p.parse::<u32>().unwrap_or(0))
            .collect::<Vec<_>>()
    };
    if parts(version) < parts(SQLITE_MIN) {
        return Err(StoreError::Unavailable(format!(
            "SQLite {version} is older than {SQLITE_MIN}"
        )));
    }
    Ok(())
}

/// Transaction control runs outside the jobs, on the writer's own thread.
fn statement(tx: &mut Tx, sql: &'static str) -> Result<(), StoreError> {
    match tx {
        Tx::Sqlite(c) => Ok(c.conn.prepare_cached(sql)?.execute([]).map(|_| ())?),
        Tx::Postgres(_) | Tx::PostgresRead(_) => Err(gone()),
    }
}

fn write_loop(handle: &Handle, mut tx: Tx, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
    while let Some(first) = jobs.blocking_recv() {
        if let Err(e) = statement(&mut tx, "BEGIN IMMEDIATE") {
            first.finish(Err(e));
            continue;
        }
        let mut done: Vec<Box<dyn Job>> = Vec::with_capacity(BATCH);
        let mut next = Some(first);
        let mut broken = None;
        while let Some(mut job) = next.take() {
            let mut step = || {
                statement(&mut tx, "SAVEPOINT job")?;
                if !handle.block_on(job.run(&mut tx)) {
                    statement(&mut tx, "ROLLBACK TO job")?;
                }
                statement(&mut tx, "RELEASE job")
            };
            broken = step().err();
            done.push(job);
            if broken.is_some() || done.len() >= BATCH {
                break;
            }
            next = jobs.try_recv().ok();
        }
        let outcome = match broken {
            None => statement(&mut tx, "COMMIT"),
            Some(e) => Err(e),
        };
        if let Err(e) = &outcome {
            tracing::error!(error = %e, jobs = done.len(), "commit failed; nothing of these jobs was kept");
            let _ = statement(&mut tx, "ROLLBACK");
        }
        for job in done {
            job.finish(outcome.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check_sqlite;

    #[test]
    fn an_old_sqlite_is_refused() {
        assert!(check_sqlite("3.51.2").is_err());
        assert!(check_sqlite("3.51.3").is_ok());
        assert!(check_sqlite("3.100.0").is_ok());
    }
}
