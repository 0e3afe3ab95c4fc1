//! The runtime that a connection's driver gets: tokio for everything, the shared ports in place of its own sockets.
//!
//! The driver insists on binding a UDP socket and a TCP listener of its own; both are closed at once and only their addresses live on,
//! as names of local candidates inside the driver.

use crate::mux::Mux;
use crate::port::{Driving, Port, is_of_the_chosen_pair};
use crate::tcp::{MuxStream, PortListener};
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, mpsc};
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime,
    TokioRuntime, Transmit,
};

/// One per connection.
#[derive(Debug)]
pub(crate) struct PortRuntime {
    inner: TokioRuntime,
    mux: Arc<Mux>,
    port: Arc<Port>,
    streams: Mutex<Option<mpsc::Receiver<MuxStream>>>,
    silence: Duration,
}

impl PortRuntime {
    /// `silence`: a TCP stream that proves nothing for so long has ended.
    pub(crate) fn new(
        mux: Arc<Mux>,
        port: Arc<Port>,
        streams: mpsc::Receiver<MuxStream>,
        silence: Duration,
    ) -> Self {
        Self {
            inner: TokioRuntime,
            mux,
            port,
            streams: Mutex::new(Some(streams)),
            silence,
        }
    }
}

impl Runtime for PortRuntime {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Box<dyn JoinHandle> {
        #[cfg(feature = "inside")]
        let future = crate::inside::mortal(future);
        let driving = Driving::of(&self.port);
        self.inner.spawn(Box::pin(async move {
            let _driving = driving;
            future.await;
        }))
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let local = socket.local_addr()?;
        Ok(Arc::new(PortSocket {
            local,
            mux: self.mux.clone(),
            port: self.port.clone(),
        }))
    }

    fn wrap_tcp_listener(
        &self,
        listener: std::net::TcpListener,
    ) -> io::Result<Arc<dyn AsyncTcpListener>> {
        let local = listener.local_addr()?;
        let streams = self
            .streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let streams = streams.ok_or_else(|| io::Error::other("one listener per connection"))?;
        Ok(Arc::new(PortListener {
            local,
            streams: AsyncMutex::new(streams),
            silence: self.silence,
        }))
    }

    fn connect_tcp<'a>(
        &'a self,
        _: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<Arc<dyn AsyncTcpStream>>> + Send + 'a>> {
        // The server is the passive side; an offer must not make it call strangers.
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }

    fn resolve_host<'a>(
        &'a self,
        _: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        self.inner.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.inner.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.inner.block_on(future);
    }
}

#[derive(Debug)]
struct PortSocket {
    local: SocketAddr,
    mux: Arc<Mux>,
    port: Arc<Port>,
}

impl AsyncUdpSocket for PortSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    fn poll_send(&self, _: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let mut to = transmit.destination;
        if is_of_the_chosen_pair(transmit.contents) {
            to = self.port.route(to);
        }
        self.mux.send_to(transmit.contents, to);
        Poll::Ready(Ok(transmit.contents.len()))
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(buffer), Some(meta)) = (buffers.first_mut(), meta.first_mut()) else {
            return Poll::Ready(Ok(0));
        };
        self.port.poll_packet(cx).map(|(packet, from)| {
            let n = packet.len().min(buffer.len());
            buffer[..n].copy_from_slice(&packet[..n]);
            *meta = RecvMeta::default();
            meta.addr = from;
            meta.len = n;
            meta.stride = n.max(1);
            Ok(1)
        })
    }
}
