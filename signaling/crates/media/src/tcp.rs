//! ICE-TCP passive on one shared port (RFC 6544, framing RFC 4571): the first frame, a STUN request, says whose stream it is.
//!
//! Owns the listener until a stream has an owner; afterwards the stream belongs to that connection. Never keeps a stream that says
//! nothing. Limits: [`TCP_PENDING`], [`TCP_FIRST_FRAME`], [`TCP_WRITE`].

use crate::config::{DATAGRAM_BYTES, TCP_FIRST_FRAME, TCP_PENDING, TCP_QUEUE, TCP_WRITE};
use crate::counters::bump;
use crate::mux::{Mux, Path, Port, is_of_the_chosen_pair, stun_request_ufrag};
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
    write: Arc<AsyncMutex<OwnedWriteHalf>>,
    out: TcpOut,
}

/// Our own packets on a stream: whole frames, between those of the library.
#[derive(Clone)]
pub(crate) struct TcpOut(mpsc::Sender<Vec<u8>>);

impl TcpOut {
    /// Frames wait here for the client; the task ends with the last handle or with the stream.
    fn new(write: Arc<AsyncMutex<OwnedWriteHalf>>) -> Self {
        let (tx, mut frames) = mpsc::channel::<Vec<u8>>(TCP_QUEUE);
        tokio::spawn(async move {
            while let Some(frame) = frames.recv().await {
                if write_frame(&write, &frame).await.is_err() {
                    return;
                }
            }
        });
        Self(tx)
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }

    /// Frames that the client has not taken.
    pub(crate) fn waiting(&self) -> usize {
        TCP_QUEUE - self.0.capacity()
    }

    /// Queues one packet in its frame (RFC 4571 §2); `false`: the queue is full or the stream gone, and the packet lost.
    pub(crate) fn send(&self, packet: &[u8]) -> bool {
        let Ok(length) = u16::try_from(packet.len()) else {
            return false;
        };
        let mut frame = Vec::with_capacity(2 + packet.len());
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(packet);
        self.0.try_send(frame).is_ok()
    }
}

/// Writes whole frames or cuts the stream: half a frame makes it useless.
async fn write_frame(write: &AsyncMutex<OwnedWriteHalf>, frame: &[u8]) -> io::Result<()> {
    let mut write = write.lock().await;
    match tokio::time::timeout(TCP_WRITE, write.write_all(frame)).await {
        Ok(done) => done,
        Err(_) => {
            let _ = write.shutdown().await;
            Err(io::ErrorKind::TimedOut.into())
        }
    }
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
    let write = Arc::new(AsyncMutex::new(write));
    let stream = MuxStream {
        peer,
        port: port.clone(),
        prefix: Mutex::new(prefix),
        read: AsyncMutex::new(read),
        out: TcpOut::new(write.clone()),
        write,
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
            // The library hands over whole frames: length, then the packet.
            if is_of_the_chosen_pair(buf.get(2..).unwrap_or_default())
                && !self.stream.port.tcp_path_is(&self.stream.out)
            {
                self.stream
                    .port
                    .set_path(Path::Tcp(self.stream.out.clone()));
            }
            write_frame(&self.stream.write, buf).await
        })
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.stream.peer)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;
    use crate::config::TCP_QUEUE_PICTURES;

    /// A client and our end of its stream. On one thread nothing is written before the test waits.
    pub(crate) async fn client() -> (TcpStream, TcpOut) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, (server, _)) = tokio::try_join!(client, listener.accept()).unwrap();
        let (_, write) = server.into_split();
        (client, TcpOut::new(Arc::new(AsyncMutex::new(write))))
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_has_room_for_sound_when_there_is_none_for_pictures() {
        let (mut client, out) = client().await;
        let mux = Mux::bind("127.0.0.1:0".parse().unwrap(), Arc::default()).unwrap();
        let (guard, _streams) = mux.open();
        guard.port.set_path(Path::Tcp(out.clone()));
        let choked = |most| guard.port.is_choked(most);
        for n in 0..TCP_QUEUE {
            assert_eq!(choked(TCP_QUEUE_PICTURES), n >= TCP_QUEUE_PICTURES, "{n}");
            assert!(!choked(TCP_QUEUE), "{n}");
            assert!(out.send(&[1; 100]));
        }
        assert!(choked(TCP_QUEUE));
        assert!(!out.send(&[1; 100]), "lost, and that is said");
        // The client takes what waits, and there is room again.
        let mut taken = vec![0; TCP_QUEUE * 102];
        client.read_exact(&mut taken).await.unwrap();
        assert!(!choked(TCP_QUEUE_PICTURES));
    }
}
