//! A network between a client and the engine: a relay of datagrams that is narrow, slow or loses some, on the way to the client
//! or from it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// One direction.
#[derive(Debug, Default)]
pub struct Way {
    /// Bit/s; 0: no limit.
    pub rate: AtomicU64,
    /// Of so many RTP packets one is lost; 0: none.
    pub lose_every: AtomicU64,
    /// Each RTP packet comes twice, as somebody on the way could make it.
    pub twice: AtomicBool,
    seen: AtomicU64,
}

/// Packets wait this long at most before a narrow way; then the newest is lost.
const BUFFER: Duration = Duration::from_millis(800);

/// And neither RTCP nor another protocol (RFC 7983, RFC 5761).
fn is_rtp(datagram: &[u8]) -> bool {
    datagram.len() > 1 && (128..192).contains(&datagram[0]) && !(192..224).contains(&datagram[1])
}

impl Way {
    /// When a datagram that comes now leaves the far end; none: lost.
    fn leaves(&self, now: Instant, free_at: &mut Instant, datagram: &[u8]) -> Option<Instant> {
        let rtp = is_rtp(datagram);
        let every = self.lose_every.load(Ordering::SeqCst);
        // Spread over sound and pictures, which may come in turns, but the same in each run.
        if every > 0 && rtp {
            let seen = self.seen.fetch_add(1, Ordering::SeqCst);
            if (seen.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).is_multiple_of(every) {
                return None;
            }
        }
        let rate = self.rate.load(Ordering::SeqCst);
        if rate == 0 {
            *free_at = now;
            return Some(now);
        }
        let free = (*free_at).max(now);
        if free - now > BUFFER {
            return None;
        }
        *free_at = free + Duration::from_micros(datagram.len() as u64 * 8_000_000 / rate);
        Some(*free_at)
    }
}

/// The relay of one client. Ends with its owner.
pub struct Link {
    pub down: Arc<Way>,
    pub up: Arc<Way>,
    /// Where the client sends to instead of the engine.
    pub port: u16,
    tasks: Vec<JoinHandle<()>>,
}

impl Link {
    pub async fn new(engine_port: u16) -> Self {
        let front = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let back = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        back.connect(("127.0.0.1", engine_port)).await.unwrap();
        let port = front.local_addr().unwrap().port();
        let (client_tx, client) = watch::channel(None::<SocketAddr>);
        let (down, up) = (Arc::<Way>::default(), Arc::<Way>::default());
        let tasks = vec![
            tokio::spawn(relay(
                front.clone(),
                back.clone(),
                up.clone(),
                None,
                Some(client_tx),
            )),
            tokio::spawn(relay(back, front, down.clone(), Some(client), None)),
        ];
        Self {
            down,
            up,
            port,
            tasks,
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn relay(
    from: Arc<UdpSocket>,
    to: Arc<UdpSocket>,
    way: Arc<Way>,
    client: Option<watch::Receiver<Option<SocketAddr>>>,
    heard: Option<watch::Sender<Option<SocketAddr>>>,
) {
    let (queue, mut waiting) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let sender = async move {
        while let Some((at, datagram)) = waiting.recv().await {
            tokio::time::sleep_until(at.into()).await;
            // A datagram that nobody takes is lost, as on any network.
            let addr = client.as_ref().and_then(|client| *client.borrow());
            let _ = match (&client, addr) {
                (None, _) => to.send(&datagram).await,
                (Some(_), Some(addr)) => to.send_to(&datagram, addr).await,
                (Some(_), None) => continue,
            };
        }
    };
    let reader = async move {
        let mut buffer = vec![0; 2_048];
        let mut free_at = Instant::now();
        while let Ok((n, addr)) = from.recv_from(&mut buffer).await {
            if let Some(heard) = &heard {
                heard.send_replace(Some(addr));
            }
            let twice = way.twice.load(Ordering::SeqCst) && is_rtp(&buffer[..n]);
            for _ in 0..1 + u8::from(twice) {
                let at = way.leaves(Instant::now(), &mut free_at, &buffer[..n]);
                if let Some(at) = at
                    && queue.send((at, buffer[..n].to_vec())).is_err()
                {
                    return;
                }
            }
        }
    };
    tokio::join!(sender, reader);
}
