//! Putting the parts together and running them until told to stop.

use crate::{
    app::{
        App, Parts, SystemClock, county::County, media::MediaPlane, media::listen, netcheck::Reach,
        nodes, relay::Relay, vault::Vault,
    },
    cluster::Bus,
    config::Config,
    http, jobs,
};
use anyhow::{Context as _, Result, bail};
use domain::{
    calendar::Calendar,
    id::{Id as _, NodeId},
    limits,
    pii::Pii,
    time::Span,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use media::{MediaConfig, MediaEngine};
use std::{fs::File, net::SocketAddr, path::Path, pin::pin, sync::Arc, time::Duration};
use store::{Store, Target};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

/// Requests in flight may finish within this.
const GRACE: Duration = Duration::from_secs(10);
/// TLS handshakes that take longer are dropped.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Where data go.
pub fn target(config: &Config) -> Target {
    let url = config.database_url.expose();
    if url.is_empty() {
        Target::Sqlite(config.data_dir.join("cloud-booth.sqlite"))
    } else {
        Target::Postgres(url.to_owned())
    }
}

/// The data directory, and the lock that keeps a second process out of it.
pub fn claim(config: &Config) -> Result<File> {
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("cannot create {}", config.data_dir.display()))?;
    let path = config.data_dir.join("lock");
    let f = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
    if f.try_lock().is_err() {
        bail!(
            "{} is in use by another cloud-booth; commands against a running server go through its API",
            config.data_dir.display()
        );
    }
    Ok(f)
}

fn calendar(config: &Config) -> Result<Calendar> {
    let mut c = Calendar::vendored().clone();
    let Ok(dir) = std::fs::read_dir(config.shared_dir().join("calendar")) else {
        return Ok(c);
    };
    for f in dir
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
    {
        let text =
            std::fs::read_to_string(&f).with_context(|| format!("cannot read {}", f.display()))?;
        c = c
            .with_extra(&text)
            .map_err(|e| anyhow::anyhow!("{}: {e}", f.display()))?;
    }
    Ok(c)
}

/// The relays that pages are told of.
fn relay(config: &Config) -> Result<Relay> {
    let turn = &config.media.turn;
    Ok(Relay {
        secret: turn.read_secret()?.map(|s| Pii::new(s.expose().to_owned())),
        turn: turn.urls.clone(),
        stun: turn.stun.clone(),
        life: Span::seconds(i64::from(turn.ttl_s)),
    })
}

/// Everything but the listener.
pub async fn build(config: &Config, with_media: bool) -> Result<App> {
    let store = Store::open(&target(config))
        .await
        .context("cannot open the database")?;
    let vault = Vault::open(config.shared_dir()).context("cannot open the keys")?;
    let node = NodeId::make(0, u128::from_le_bytes(crate::app::vault::random())).to_string();
    let bus = if config.cluster.nats_url.is_empty() {
        Bus::local(node)
    } else {
        Bus::nats(node, &config.cluster.nats_url)
            .await
            .map_err(|e| anyhow::anyhow!("cannot reach NATS: {e}"))?
    };
    let engine = if with_media {
        let mut m = MediaConfig::new(SocketAddr::new(config.media.bind, config.media.udp_port));
        m.public_ips.clone_from(&config.media.public_ips);
        m.tcp = config.media.tcp;
        m.udp = config.media.udp;
        Some(
            MediaEngine::start(m)
                .await
                .with_context(|| format!("cannot use media port {}", config.media.udp_port))?,
        )
    } else {
        None
    };
    let key = config.cluster.key.expose();
    let peers = (!key.is_empty()).then(|| {
        (
            reqwest::Client::builder()
                .timeout(Duration::from_secs(5))
                .build()
                .unwrap_or_default(),
            key.to_owned(),
        )
    });
    let events = engine.as_ref().and_then(|e| e.events());
    let app = App::new(Parts {
        store,
        clock: Box::new(SystemClock),
        vault,
        bus,
        media: MediaPlane::new(engine, peers),
        public_url: config.public_url.clone(),
        bridge_url: config.bridge_url.clone(),
        files_dir: config.shared_dir().join("files"),
        recordings_dir: config.recordings_dir(),
        calendar: calendar(config)?,
        papers: crate::app::papers::Papers::new(config.fonts.clone()),
        halls: Default::default(),
        county: County::read(config.shared_dir()).map_err(|e| anyhow::anyhow!(e))?,
        checks: Default::default(),
        reach: Reach::new(relay(config)?),
        audit_tree: crate::app::audit_log::TreeCache::default(),
    });
    if let Some(events) = events {
        listen(app.clone(), events);
    }
    crate::app::catalogue::warm(&app)
        .await
        .context("the catalogue cannot be read")?;
    Ok(app)
}

fn tls(config: &Config) -> Result<Option<TlsAcceptor>> {
    let (Some(cert), Some(key)) = (&config.tls.certificate, &config.tls.key) else {
        return Ok(None);
    };
    let read = |p: &Path| std::fs::read(p).with_context(|| format!("cannot read {}", p.display()));
    let certs =
        rustls_pemfile::certs(&mut read(cert)?.as_slice()).collect::<Result<Vec<_>, _>>()?;
    let key = rustls_pemfile::private_key(&mut read(key)?.as_slice())?
        .context("tls.key holds no private key")?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut c = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certs, key)?;
    c.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(c))))
}

/// A server that runs; dropping it does not stop it, [`Running::stop`] does.
pub struct Running {
    pub address: SocketAddr,
    pub app: App,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    node: String,
    _lock: File,
}

/// Starts and answers once connections are taken.
pub async fn start(config: &Config) -> Result<Running> {
    let lock = claim(config)?;
    let acceptor = tls(config)?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    let app = build(config, true).await?;
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let internal = if config.cluster.internal_url.is_empty() {
        format!("http://{address}")
    } else {
        config.cluster.internal_url.clone()
    };
    let clustered = !config.cluster.nats_url.is_empty();
    nodes::arrive(&app, &internal, !clustered)
        .await
        .context("cannot join the database's nodes")?;
    jobs::spawn(&mut tasks, &app, internal, clustered, &stopped);
    tasks.spawn(accept(listener, acceptor, app.clone(), stopped));
    let node = app.bus.node().to_owned();
    Ok(Running {
        address,
        app,
        stop,
        tasks,
        node,
        _lock: lock,
    })
}

impl Running {
    /// No new connections, those in flight finish, then the rest is told to end.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        // Upgraded connections are nobody's task: each notes its drop while the database is still there.
        self.app.bus.hub().shut().await;
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, all).await.is_err() {
            self.tasks.abort_all();
        }
        self.app.media.stop(&self.app).await;
        let node = self.node.clone();
        let gone = self.app.write("server", move |tx, _| {
            let node = node.clone();
            Box::pin(async move { Ok(store::node::remove(tx, &node).await?) })
        });
        if let Err(e) = gone.await {
            tracing::warn!(error = %e, "the node's row stays until it goes stale");
        }
        self.app.store.close().await;
    }
}

/// Runs one connection; on a stop the request in flight may finish.
async fn drive<S>(
    stream: S,
    service: TowerToHyperService<axum::Router>,
    builder: http1::Builder,
    mut stopped: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut conn = pin!(
        builder
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    tokio::select! {
        _ = conn.as_mut() => return,
        _ = stopped.changed() => {}
    }
    conn.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(GRACE / 2, conn).await;
}

/// The `auto` builder of hyper-util never times out a header; this one does.
async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    app: App,
    mut stopped: watch::Receiver<bool>,
) {
    let service = http::router(app);
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limits::HEADER_READ_S))
        .half_close(true);
    let mut open = JoinSet::new();
    loop {
        let (stream, _) = tokio::select! {
            s = listener.accept() => match s {
                Ok(s) => s,
                Err(e) => {
                    // Out of descriptors: give the others time to end.
                    tracing::warn!(error = %e, "a connection was not taken");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            Some(_) = open.join_next() => continue,
            _ = stopped.changed() => break,
        };
        let _ = stream.set_nodelay(true);
        let (service, builder, stopped) = (
            TowerToHyperService::new(service.clone()),
            builder.clone(),
            stopped.clone(),
        );
        match tls.clone() {
            None => {
                open.spawn(drive(stream, service, builder, stopped));
            }
            Some(tls) => {
                open.spawn(async move {
                    if let Ok(Ok(stream)) =
                        tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await
                    {
                        drive(stream, service, builder, stopped).await;
                    }
                });
            }
        }
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}
