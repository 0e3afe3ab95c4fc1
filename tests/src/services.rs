//! PostgreSQL and NATS for tests: those that `CLOUD_BOOTH_TEST_PG` and `CLOUD_BOOTH_TEST_NATS` name, or their own.
//!
//! What is started here ends with this process, however it ends: a guard waits for the end of its standard input.

use crate::{PATIENCE, root};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use std::{
    net::TcpListener,
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

/// The cluster's base URL, without a database.
pub fn postgres() -> &'static str {
    static BASE: OnceLock<String> = OnceLock::new();
    BASE.get_or_init(|| match std::env::var("CLOUD_BOOTH_TEST_PG") {
        Ok(url) => url.trim_end_matches('/').to_owned(),
        Err(_) => own_cluster(),
    })
}

fn own_cluster() -> String {
    static GUARD: OnceLock<Child> = OnceLock::new();
    let script = root().join("tests/pg.sh");
    let dir = std::env::temp_dir().join(format!("cloud-booth-it-pg-{}", std::process::id()));
    let out = Command::new(&script)
        .arg("start")
        .arg(&dir)
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
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
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

async fn admin(sql: String) {
    let mut c = PgConnection::connect(&format!("{}/postgres", postgres()))
        .await
        .unwrap();
    c.execute(AssertSqlSafe(sql)).await.unwrap();
    c.close().await.unwrap();
}

/// Makes a database, as a copy where a template is given; answers its URL.
pub async fn create_database(template: Option<&str>) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "it_{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    );
    let copy = template.map_or_else(String::new, |t| format!(" TEMPLATE {}", name_of(t)));
    admin(format!("CREATE DATABASE {name}{copy}")).await;
    format!("{}/{name}", postgres())
}

pub async fn drop_database(url: &str) {
    admin(format!("DROP DATABASE {} WITH (FORCE)", name_of(url))).await;
}

fn name_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}

/// A broker. One of the test's own can be stopped.
pub struct Nats {
    pub url: String,
    own: Option<Child>,
}

impl Nats {
    /// The one of the test run, or an own one.
    pub async fn any() -> Self {
        match std::env::var("CLOUD_BOOTH_TEST_NATS") {
            Ok(url) => Self { url, own: None },
            Err(_) => Self::own().await,
        }
    }

    pub async fn own() -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let run =
            r#"nats-server -a 127.0.0.1 -p "$0" >/dev/null 2>&1 & cat >/dev/null; kill $!; wait"#;
        let child = Command::new("sh")
            .args(["-c", run, &port.to_string()])
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let nats = Self {
            url: format!("nats://127.0.0.1:{port}"),
            own: Some(child),
        };
        let start = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_err()
        {
            assert!(
                start.elapsed() < PATIENCE,
                "nats-server (Debian package: nats-server) does not answer"
            );
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        nats
    }

    /// Ends an own broker and waits until it has ended.
    pub fn stop(&mut self) {
        if let Some(mut c) = self.own.take() {
            drop(c.stdin.take());
            c.wait().unwrap();
        }
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.stop();
    }
}
