//! ICE-TCP passive on one shared port (RFC 6544, framing RFC 4571): the first frame, a STUN request, says whose stream it is.
//!
//! Owns the listener until a stream has an owner; afterwards the stream belongs to that connection. Never keeps a stream that says
//! nothing. Limits: [`TCP_PENDING`], [`TCP_FIRST_FRAME`], [`TCP_WRITE`].

use crate::config::{DATAGRAM_BYTES, TCP_FIRST_FRAME, TCP_PENDING, TCP_WRITE};
use crate::counters::bump;
use crate::mux::{Mux, Port, stun_request_ufrag};
use futures::future::BoxFuture;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex as AsyncMutex, Semaphore, mpsc};
use webrtc::runtime::{AsyncTcpListener, AsyncTcpStream};

/// A stream whose owner is known; the bytes already read come first.
pub(crate) struct MuxStream {
    peer: SocketAddr,
    port: Arc<Port>,
    prefix: Mutex<Vec<u8>>,
    read: AsyncMutex<OwnedReadHalf>,
    write: AsyncMutex<OwnedWriteHalf>,
}

impl std::fmt::Debug for MuxStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MuxStream")
    }
}

/// Accepts until the task is aborted.
pub(crate) async fn run(listener: TcpListener, mux: Arc<Mux>) {
    let pending = Arc::new(Semaphore::new(TCP_PENDING));
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Out of file descriptors, most likely: let some close.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(permit) = pending.clone().try_acquire_owned() else {
            bump(&mux.counters.tcp_refused);
            continue;
        };
        let mux = mux.clone();
        tokio::spawn(async move {
            let adopted = tokio::time::timeout(TCP_FIRST_FRAME, adopt(stream, peer, &mux)).await;
            bump(if matches!(adopted, Ok(Some(()))) {
                &mux.counters.tcp_accepted
            } else {
                &mux.counters.tcp_refused
            });
            drop(permit);
        });
    }
}

async fn adopt(mut stream: TcpStream, peer: SocketAddr, mux: &Mux) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let length = stream.read_u16().await.ok()?;
    if usize::from(length) > DATAGRAM_BYTES {
        return None;
    }
    let mut prefix = length.to_be_bytes().to_vec();
    prefix.resize(2 + usize::from(length), 0);
    stream.read_exact(&mut prefix[2..]).await.ok()?;
    let port = mux.find(stun_request_ufrag(&prefix[2..])?)?;
    let (read, write) = stream.into_split();
    let stream = MuxStream {
        peer,
        port: port.clone(),
        prefix: Mutex::new(prefix),
        read: AsyncMutex::new(read),
        write: AsyncMutex::new(write),
    };
    port.deliver_stream(stream).then_some(())
}

/// What the WebRTC library takes for its own listener.
#[derive(Debug)]
pub(crate) struct PortListener {
    /// Address of the library's throw-away listener: its candidate names it, so streams must claim it too.
    pub local: SocketAddr,
    pub streams: AsyncMutex<mpsc::Receiver<MuxStream>>,
}

impl AsyncTcpListener for PortListener {
    fn accept<'a>(
        &'a self,
    ) -> std::pin::Pin<
        Box<dyn Future<Output = io::Result<(Arc<dyn AsyncTcpStream>, SocketAddr)>> + Send + 'a>,
    > {
        Box::pin(async move {
            let Some(stream) = self.streams.lock().await.recv().await else {
                // The connection is being closed; an error here would make the driver spin.
                return std::future::pending().await;
            };
            let peer = stream.peer;
            let stream: Arc<dyn AsyncTcpStream> = Arc::new(LocalStream {
                local: self.local,
                stream,
            });
            Ok((stream, peer))
        })
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }
}

#[derive(Debug)]
struct LocalStream {
    local: SocketAddr,
    stream: MuxStream,
}

impl AsyncTcpStream for LocalStream {
    fn read<'a, 'b>(&'a self, buf: &'b mut [u8]) -> BoxFuture<'b, io::Result<usize>>
    where
        'a: 'b,
    {
        Box::pin(async move {
            {
                let mut prefix = self
                    .stream
                    .prefix
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                if !prefix.is_empty() {
                    let n = prefix.len().min(buf.len());
                    buf[..n].copy_from_slice(&prefix[..n]);
                    prefix.drain(..n);
                    return Ok(n);
                }
            }
            let n = self.stream.read.lock().await.read(buf).await?;
            if n > 0 {
                self.stream.port.hear();
            }
            Ok(n)
        })
    }

    fn write_all<'a, 'b>(&'a self, buf: &'b [u8]) -> BoxFuture<'b, io::Result<()>>
    where
        'a: 'b,
    {
        Box::pin(async move {
            let mut write = self.stream.write.lock().await;
            match tokio::time::timeout(TCP_WRITE, write.write_all(buf)).await {
                Ok(done) => done,
                Err(_) => {
                    // Half a frame may be out: the stream is of no use any more.
                    let _ = write.shutdown().await;
                    Err(io::ErrorKind::TimedOut.into())
                }
            }
        })
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.stream.peer)
    }
}
