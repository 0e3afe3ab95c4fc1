//! The demo county in a database of the test's own, and servers that run on it in this process.

use crate::{PATIENCE, http::Http, services};
use domain::id::Id;
use futures::future::BoxFuture;
use signaling::{
    app::{App, audit_log},
    config::{Cluster, Config, Media, Secret},
    demo, serve,
};
use std::{
    fs,
    path::Path,
    sync::{Arc, Weak},
    time::Instant,
};
use tempfile::TempDir;
use tokio::sync::{Mutex, OnceCell};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    Sqlite,
    Postgres,
}

/// A loaded county that each test copies: loading it again and again would be most of the tests' time.
struct Template {
    dir: TempDir,
    sqlite: OnceCell<()>,
    postgres: OnceCell<String>,
}

impl Template {
    /// The one that other running tests use, or a new one; the last to go takes the files along.
    async fn get() -> Arc<Self> {
        static NOW: Mutex<Weak<Template>> = Mutex::const_new(Weak::new());
        let mut now = NOW.lock().await;
        if let Some(t) = now.upgrade() {
            return t;
        }
        let t = Arc::new(Self {
            dir: tempfile::tempdir().unwrap(),
            sqlite: OnceCell::new(),
            postgres: OnceCell::new(),
        });
        // Keys of vault and booths are made here, once for both databases.
        t.sqlite
            .get_or_init(|| load(t.dir.path(), String::new()))
            .await;
        *now = Arc::downgrade(&t);
        t
    }
}

async fn load(dir: &Path, database: String) {
    let config = Config {
        data_dir: dir.to_owned(),
        database_url: Secret::new(database),
        ..Config::default()
    };
    let app = serve::build(&config, false).await.unwrap();
    demo::load(&app, dir).await.unwrap();
    app.store.close().await;
}

fn copy(from: &Path, to: &Path, database: bool) {
    fs::create_dir_all(to).unwrap();
    for e in fs::read_dir(from).unwrap().flatten() {
        let (path, name) = (e.path(), e.file_name());
        if path.is_dir() {
            copy(&path, &to.join(name), database);
        } else if database || !name.to_string_lossy().contains(".sqlite") {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// One installation: a database, keys and files, on which one or more nodes run.
pub struct County {
    pub target: Target,
    dir: TempDir,
    database: String,
    nats: String,
    _template: Arc<Template>,
}

impl County {
    pub async fn new(target: Target) -> Self {
        Self::with_nats(target, "").await
    }

    /// Several nodes need PostgreSQL and a broker.
    pub async fn with_nats(target: Target, nats: &str) -> Self {
        let template = Template::get().await;
        let dir = tempfile::tempdir().unwrap();
        copy(template.dir.path(), dir.path(), target == Target::Sqlite);
        let database = if target == Target::Postgres {
            let full = template
                .postgres
                .get_or_init(|| async {
                    let url = services::create_database(None).await;
                    load(template.dir.path(), url.clone()).await;
                    url
                })
                .await;
            services::create_database(Some(full)).await
        } else {
            String::new()
        };
        Self {
            target,
            dir,
            database,
            nats: nats.to_owned(),
            _template: template,
        }
    }

    /// The secret of a booth of the county, as its host reads it.
    #[must_use]
    pub fn booth_secret(&self, booth: &str) -> String {
        fs::read_to_string(self.dir.path().join(format!("booths/{booth}.key"))).unwrap()
    }

    /// A server on free ports. `name` tells the nodes' own directories apart.
    pub async fn start(&self, name: &str) -> Node {
        self.start_with(name, |_| ()).await
    }

    /// The same with something else in its configuration.
    pub async fn start_with(&self, name: &str, change: impl FnOnce(&mut Config)) -> Node {
        let clustered = !self.nats.is_empty();
        let data_dir = if clustered {
            self.dir.path().join(name)
        } else {
            self.dir.path().to_owned()
        };
        let mut config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            data_dir,
            database_url: Secret::new(self.database.clone()),
            media: Media {
                udp_port: 0,
                ..Media::default()
            },
            cluster: Cluster {
                nats_url: self.nats.clone(),
                key: Secret::new(if clustered {
                    "k".repeat(32)
                } else {
                    String::new()
                }),
                shared_dir: clustered.then(|| self.dir.path().to_owned()),
                ..Cluster::default()
            },
            ..Config::default()
        };
        change(&mut config);
        let running = serve::start(&config).await.unwrap();
        Node {
            base: format!("http://{}", running.address),
            running,
        }
    }

    /// Stops a node that has worked properly, and checks what must hold for any: the outbox drained, the audit log whole.
    pub async fn close(self, node: Node) {
        node.settled().await;
        let report = audit_log::verify(node.app()).await.unwrap();
        assert!(report.ok() && report.size > 0, "{report:?}");
        node.stop().await;
        self.drop().await;
    }

    /// Takes the database along.
    pub async fn drop(self) {
        if self.target == Target::Postgres {
            services::drop_database(&self.database).await;
        }
    }
}

/// A server that runs in this process.
pub struct Node {
    pub base: String,
    running: serve::Running,
}

impl Node {
    #[must_use]
    pub fn app(&self) -> &App {
        &self.running.app
    }

    /// A caller without a token.
    #[must_use]
    pub fn http(&self) -> Http {
        Http::new(&self.base)
    }

    /// Changes rows behind the server's back: a timer that would take long, a forged entry. Answers how many.
    pub async fn sql(&self, sql: &'static str) -> u64 {
        self.app()
            .write("test", move |tx, _| {
                Box::pin(async move { Ok(tx.exec(sql, vec![]).await?) }) as BoxFuture<'_, _>
            })
            .await
            .unwrap()
    }

    /// Waits until nothing waits in the outbox and no audit entry is unnumbered.
    pub async fn settled(&self) {
        let start = Instant::now();
        loop {
            let open = self
                .app()
                .read(|tx| Box::pin(async move { Ok(store::outbox::open(tx).await?) }))
                .await
                .unwrap();
            let pending = audit_log::head(self.app()).await.unwrap().pending;
            if open == 0 && pending == 0 {
                return;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "{open} messages wait in the outbox, {pending} audit entries for a number"
            );
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    pub async fn stop(self) {
        self.running.stop().await;
    }
}

/// Id of something in the demo county, by its name in the county's files.
#[must_use]
pub fn named<T: Id>(kind: &str, name: &str) -> String {
    demo::stable::<T>(kind, name).to_string()
}
