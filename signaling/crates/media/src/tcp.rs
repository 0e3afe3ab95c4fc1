//! ICE-TCP passive on one shared port (RFC 6544, framing RFC 4571): the first frame, a STUN request, proves whose stream it is.
//!
//! Owns the listener until a stream has an owner; afterwards the stream belongs to that connection. Never keeps a stream that says
//! nothing, before or after. Limits: [`TCP_PENDING`], [`TCP_PENDING_PER_IP`], [`TCP_FIRST_FRAME`], [`TCP_WRITE`],
//! [`crate::config::TCP_STREAMS`].

use crate::config::{
    DATAGRAM_BYTES, TCP_FIRST_FRAME, TCP_PENDING, TCP_PENDING_PER_IP, TCP_QUEUE, TCP_WRITE,
};
use crate::counters::bump;
use crate::mux::Mux;
use crate::port::{Path, Port, Streaming, is_of_the_chosen_pair, lock};
use crate::stun::{Check, is_check_answer};
use futures::future::BoxFuture;
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex as AsyncMutex, mpsc};
use tokio::task::{AbortHandle, Id, JoinSet};
use webrtc::runtime::{AsyncTcpListener, AsyncTcpStream};

/// A stream whose owner is known; the bytes already read come first.
pub(crate) struct MuxStream {
    peer: SocketAddr,
    place: Streaming,
    prefix: Mutex<Vec<u8>>,
    read: AsyncMutex<OwnedReadHalf>,
    write: Arc<AsyncMutex<OwnedWriteHalf>>,
    out: TcpOut,
    writer: AbortHandle,
}

impl MuxStream {
    fn port(&self) -> &Arc<Port> {
        &self.place.0
    }
}

impl Drop for MuxStream {
    fn drop(&mut self) {
        // The connection may know this stream as its path still: that must not keep the socket open.
        self.writer.abort();
    }
}

/// Our own packets on a stream: whole frames, between those of the library.
#[derive(Clone)]
pub(crate) struct TcpOut(mpsc::Sender<Vec<u8>>);

impl TcpOut {
    /// Frames wait here for the client; the task ends with the last handle or with the stream.
    fn new(write: Arc<AsyncMutex<OwnedWriteHalf>>) -> (Self, AbortHandle) {
        let (tx, mut frames) = mpsc::channel::<Vec<u8>>(TCP_QUEUE);
        let writer = tokio::spawn(async move {
            while let Some(frame) = frames.recv().await {
                if write_frame(&write, &frame).await.is_err() {
                    return;
                }
            }
        });
        (Self(tx), writer.abort_handle())
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

/// Streams that have not said whose they are, in order of arrival.
#[derive(Default)]
struct Pending {
    tasks: JoinSet<()>,
    waiting: VecDeque<(IpAddr, AbortHandle)>,
}

impl Pending {
    /// Makes room for one more from this address: the longest silent one gives way, so that silence locks nobody out. `true` if one had to.
    fn make_room(&mut self, ip: IpAddr) -> bool {
        let of_ip = self.waiting.iter().filter(|(of, _)| *of == ip).count();
        let oldest = if of_ip >= TCP_PENDING_PER_IP {
            self.waiting.iter().position(|(of, _)| *of == ip)
        } else {
            (self.waiting.len() >= TCP_PENDING).then_some(0)
        };
        let Some((_, task)) = oldest.and_then(|at| self.waiting.remove(at)) else {
            return false;
        };
        task.abort();
        true
    }

    fn add(&mut self, ip: IpAddr, adopting: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(adopting);
        self.waiting.push_back((ip, task));
    }

    fn forget(&mut self, id: Id) {
        self.waiting.retain(|(_, task)| task.id() != id);
    }
}

/// Accepts until the task is aborted.
pub(crate) async fn run(listener: TcpListener, mux: Arc<Mux>) {
    let mut pending = Pending::default();
    loop {
        let accepted = tokio::select! {
            biased; // who has spoken makes room first
            Some(ended) = pending.tasks.join_next_with_id() => {
                let id = ended.map_or_else(|e| e.id(), |(id, ())| id);
                pending.forget(id);
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file descriptors, most likely: let some close.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        if pending.make_room(peer.ip()) {
            bump(&mux.counters.tcp_refused);
        }
        let mux = mux.clone();
        pending.add(peer.ip(), async move {
            let adopted = tokio::time::timeout(TCP_FIRST_FRAME, adopt(stream, peer, &mux)).await;
            bump(if matches!(adopted, Ok(Some(()))) {
                &mux.counters.tcp_accepted
            } else {
                &mux.counters.tcp_refused
            });
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
    let place = Streaming::at(mux.find(&Check::read(&prefix[2..])?)?)?;
    let port = place.0.clone();
    if !port.learn() {
        return None;
    }
    let (read, write) = stream.into_split();
    let write = Arc::new(AsyncMutex::new(write));
    let (out, writer) = TcpOut::new(write.clone());
    let stream = MuxStream {
        peer,
        place,
        prefix: Mutex::new(prefix),
        read: AsyncMutex::new(read),
        out,
        write,
        writer,
    };
    port.deliver_stream(stream).then_some(())
}

/// What the WebRTC library takes for its own listener.
#[derive(Debug)]
pub(crate) struct PortListener {
    /// Address of the library's throw-away listener: its candidate names it, so streams must claim it too.
    pub local: SocketAddr,
    pub streams: AsyncMutex<mpsc::Receiver<MuxStream>>,
    /// A stream that proves nothing for so long has ended.
    pub silence: Duration,
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
                silence: self.silence,
                proven: Mutex::new(Instant::now()),
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
    silence: Duration,
    /// When the client last said something that only it can say.
    proven: Mutex<Instant>,
    stream: MuxStream,
}

impl LocalStream {
    fn prove(&self) {
        *lock(&self.proven) = Instant::now();
    }

    /// How long it may still be silent; none: it has been for too long.
    fn patience(&self) -> Option<Duration> {
        let left = self.silence.checked_sub(lock(&self.proven).elapsed())?;
        (!left.is_zero()).then_some(left)
    }
}

impl AsyncTcpStream for LocalStream {
    fn read<'a, 'b>(&'a self, buf: &'b mut [u8]) -> BoxFuture<'b, io::Result<usize>>
    where
        'a: 'b,
    {
        Box::pin(async move {
            {
                let mut prefix = lock(&self.stream.prefix);
                if !prefix.is_empty() {
                    let n = prefix.len().min(buf.len());
                    buf[..n].copy_from_slice(&prefix[..n]);
                    prefix.drain(..n);
                    return Ok(n);
                }
            }
            let mut read = self.stream.read.lock().await;
            // Its end, as if the client had said so: the driver forgets the stream and the socket closes.
            while let Some(left) = self.patience() {
                let Ok(n) = tokio::time::timeout(left, read.read(buf)).await else {
                    continue; // a check may have been answered meanwhile
                };
                let n = n?;
                if n > 0 {
                    self.stream.port().hear();
                    if self.stream.port().tcp_path_is(&self.stream.out) {
                        self.prove();
                    }
                }
                return Ok(n);
            }
            Ok(0)
        })
    }

    fn write_all<'a, 'b>(&'a self, buf: &'b [u8]) -> BoxFuture<'b, io::Result<()>>
    where
        'a: 'b,
    {
        Box::pin(async move {
            // The library hands over whole frames: length, then the packet.
            let packet = buf.get(2..).unwrap_or_default();
            let port = self.stream.port();
            if is_check_answer(packet) {
                self.prove();
            } else if is_of_the_chosen_pair(packet) && !port.tcp_path_is(&self.stream.out) {
                port.set_path(Path::Tcp(self.stream.out.clone()));
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
        (client, TcpOut::new(Arc::new(AsyncMutex::new(write))).0)
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
