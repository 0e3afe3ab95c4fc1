//! The listener: loopback only, HTTP/1, with a time limit on headers (which the default server lacks) and a clean stop.

use crate::{bridge, demo, guard::Origins, host::Host};
use anyhow::{Context, Result, ensure};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore};

const HEADERS_WITHIN: Duration = Duration::from_secs(10);
const STOP_WITHIN: Duration = Duration::from_secs(3);
/// Open connections; a browser needs a handful.
const CONNECTIONS_MAX: usize = 64;

/// All routes of one host.
pub fn router(host: Arc<Host>, origins: Origins) -> Router {
    bridge::router(host.clone(), origins).merge(demo::router(host))
}

/// Opens the address; refuses one that others on the network could reach.
pub async fn listen(bind: SocketAddr) -> Result<TcpListener> {
    ensure!(
        bind.ip().is_loopback(),
        "the bridge listens on loopback alone, not on {bind}"
    );
    TcpListener::bind(bind)
        .await
        .with_context(|| format!("cannot listen on {bind}"))
}

/// Serves until `host.stop`.
pub async fn serve(listener: TcpListener, host: Arc<Host>, origins: Origins) -> Result<()> {
    let app = router(host.clone(), origins);
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            () = host.stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(permit) = room.clone().try_acquire_owned() else {
            continue;
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_WITHIN)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app.clone()));
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            // Aborted connections are the browser's daily life.
            let _ = watched.await;
            drop(permit);
        });
    }
    let _ = tokio::time::timeout(STOP_WITHIN, graceful.shutdown()).await;
    Ok(())
}
