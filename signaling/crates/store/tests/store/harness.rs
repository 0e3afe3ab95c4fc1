//! Opens a fresh database for one test, and runs the test on both engines.
//!
//! PostgreSQL comes from `CLOUD_BOOTH_TEST_PG` (base URL of a running cluster); without it the first test that needs one
//! starts a cluster with `tests/pg.sh`, and a guard process stops it when this process ends, however it ends.

use futures::{
    FutureExt as _,
    future::{BoxFuture, LocalBoxFuture},
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use std::{
    os::unix::process::CommandExt as _,
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};
use store::{Store, StoreError, Target, Tx};

/// `both!(name, |store| { … })`: two tests, `name::sqlite` and `name::postgres`.
macro_rules! both {
    ($(#[$meta:meta])* $name:ident, |$store:ident| $body:block) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            async fn run($store: store::Store) $body
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() { $crate::harness::on_sqlite(|s| Box::pin(run(s))).await; }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() { $crate::harness::on_postgres(|s| Box::pin(run(s))).await; }
        }
    };
}

/// `w!(store, |tx| expr)`: one transaction; the expression is a `Result<_, StoreError>` and captures copies only.
macro_rules! w {
    ($store:expr, |$tx:ident| $body:expr) => {
        $crate::harness::write(&$store, move |$tx| Box::pin(async move { $body })).await
    };
}

pub async fn write<T, F>(store: &Store, work: F) -> Result<T, StoreError>
where
    F: for<'a> FnMut(&'a mut Tx) -> BoxFuture<'a, Result<T, StoreError>> + Send + 'static,
    T: Send + 'static,
{
    store.write(work).await
}

/// What a test is: everything it does to one store.
type Story<'a> = LocalBoxFuture<'a, ()>;

pub async fn on_sqlite(test: impl FnOnce(Store) -> Story<'static>) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&Target::Sqlite(dir.path().join("t.db")))
        .await
        .unwrap();
    test(store.clone()).await;
    store.close().await;
}

pub async fn on_postgres(test: impl FnOnce(Store) -> Story<'static>) {
    let database = Database::create().await;
    let store = Store::open(&Target::Postgres(database.url.clone()))
        .await
        .unwrap();
    let outcome = AssertUnwindSafe(test(store.clone())).catch_unwind().await;
    store.close().await;
    database.drop().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// One test's database.
pub struct Database {
    pub url: String,
    name: String,
}

impl Database {
    pub async fn create() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "store_{}_{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        admin(format!("CREATE DATABASE {name}")).await;
        Self {
            url: format!("{}/{name}", base()),
            name,
        }
    }

    pub async fn drop(self) {
        admin(format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

async fn admin(sql: String) {
    let mut c = PgConnection::connect(&format!("{}/postgres", base()))
        .await
        .unwrap();
    c.execute(AssertSqlSafe(sql)).await.unwrap();
    c.close().await.unwrap();
}

/// The cluster's base URL, without a database.
fn base() -> &'static str {
    static BASE: OnceLock<String> = OnceLock::new();
    BASE.get_or_init(|| match std::env::var("CLOUD_BOOTH_TEST_PG") {
        Ok(url) => url.trim_end_matches('/').to_owned(),
        Err(_) => own_cluster(),
    })
}

fn own_cluster() -> String {
    /// Its standard input ends with this process; then it stops the cluster.
    static GUARD: OnceLock<Child> = OnceLock::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/pg.sh");
    let dir: PathBuf = std::env::temp_dir().join(format!("cloud-booth-pg-{}", std::process::id()));
    let started = Command::new(&script)
        .arg("start")
        .arg(&dir)
        .output()
        .unwrap();
    assert!(
        started.status.success(),
        "{}",
        String::from_utf8_lossy(&started.stderr)
    );
    // Its own process group: Ctrl-C on the tests must not stop it from cleaning up.
    let guard = Command::new(&script)
        .arg("guard")
        .arg(&dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    assert!(GUARD.set(guard).is_ok());
    String::from_utf8(started.stdout).unwrap().trim().to_owned()
}
