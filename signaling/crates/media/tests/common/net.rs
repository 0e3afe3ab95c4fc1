//! Under a client: what its page is asked for (keyframes, less media), and a network plug that can be pulled.

use rtc::interceptor::{Interceptor, Packet as ChainPacket, StreamInfo, TaggedPacket};
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc::sansio::Protocol;
use std::collections::{HashMap, VecDeque};
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use webrtc::runtime::*;

/// Keyframe requests, all and by the stream that they name.
#[derive(Default, Clone)]
pub struct Plis {
    pub all: Arc<AtomicUsize>,
    pub by_ssrc: Arc<Mutex<HashMap<u32, usize>>>,
}

impl Plis {
    pub fn of(&self, ssrc: u32) -> usize {
        *self.by_ssrc.lock().unwrap().get(&ssrc).unwrap_or(&0)
    }
}

#[derive(Default)]
pub struct PliCounter {
    plis: Plis,
    /// The last cap (bit/s).
    cap: Arc<AtomicUsize>,
    /// Packets that came on streams of repetitions.
    repeated: Arc<AtomicUsize>,
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

impl PliCounter {
    pub fn new(plis: Plis, cap: Arc<AtomicUsize>, repeated: Arc<AtomicUsize>) -> Self {
        Self {
            plis,
            cap,
            repeated,
            ..Self::default()
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for PliCounter {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = rtc::shared::error::Error;
    type Time = Instant;
    fn handle_read(&mut self, m: TaggedPacket) -> Result<(), Self::Error> {
        if let ChainPacket::Rtp(packet) = &m.message.packet
            && packet.header.payload_type >= 124
        {
            self.repeated.fetch_add(1, Ordering::SeqCst);
        }
        if let ChainPacket::Rtcp(ps) = &m.message.packet {
            for p in ps {
                if let Some(pli) = p.as_any().downcast_ref::<PictureLossIndication>() {
                    let mut by_ssrc = self.plis.by_ssrc.lock().unwrap();
                    *by_ssrc.entry(pli.media_ssrc).or_default() += 1;
                    self.plis.all.fetch_add(1, Ordering::SeqCst);
                }
                let remb = p.as_any().downcast_ref::<ReceiverEstimatedMaximumBitrate>();
                if let Some(remb) = remb {
                    self.cap.store(remb.bitrate as usize, Ordering::SeqCst);
                }
            }
        }
        self.inbound.push_back(m);
        Ok(())
    }
    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inbound.pop_front()
    }
    fn handle_write(&mut self, m: TaggedPacket) -> Result<(), Self::Error> {
        self.outbound.push_back(m);
        Ok(())
    }
    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outbound.pop_front()
    }
}

impl Interceptor for PliCounter {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

/// Tokio, with a plug that can be pulled.
#[derive(Debug)]
pub struct CutRuntime {
    pub inner: TokioRuntime,
    pub cut: Arc<AtomicBool>,
    /// Of so many inbound RTP packets one is lost; 0: none.
    pub lose_every: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct CutSocket {
    inner: Arc<dyn AsyncUdpSocket>,
    cut: Arc<AtomicBool>,
    lose_every: Arc<AtomicUsize>,
    heard: AtomicUsize,
    waiting: Mutex<VecDeque<(Vec<u8>, RecvMeta)>>,
}

impl CutSocket {
    fn loses(&self, datagram: &[u8]) -> bool {
        // RTP and not RTCP (RFC 7983, RFC 5761).
        if datagram.len() < 2 {
            return false;
        }
        let rtp = (128..192).contains(&datagram[0]) && !(192..224).contains(&datagram[1]);
        let every = self.lose_every.load(Ordering::SeqCst);
        // Spread over sound and pictures, which may come in turns, but the same in each run.
        let lost = every > 0 && rtp && {
            let heard = self.heard.fetch_add(1, Ordering::SeqCst) as u64;
            (heard.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).is_multiple_of(every as u64)
        };
        lost || self.cut.load(Ordering::SeqCst)
    }
}

impl AsyncUdpSocket for CutSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
    // One datagram a read, so that each can be lost by itself; the kernel may hand over several that came as one.
    fn max_gro_segments(&self) -> usize {
        1
    }
    fn poll_send(&self, cx: &mut Context<'_>, t: &Transmit<'_>) -> Poll<io::Result<usize>> {
        if self.cut.load(Ordering::SeqCst) {
            return Poll::Ready(Ok(t.contents.len()));
        }
        self.inner.poll_send(cx, t)
    }
    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            let next = self.waiting.lock().unwrap().pop_front();
            if let Some((datagram, of)) = next {
                bufs[0][..datagram.len()].copy_from_slice(&datagram);
                meta[0] = of;
                meta[0].len = datagram.len();
                meta[0].stride = datagram.len();
                return Poll::Ready(Ok(1));
            }
            let mut whole = vec![0; 1 << 16];
            let mut came = [RecvMeta::default()];
            let read = {
                let mut buffers = [IoSliceMut::new(&mut whole)];
                std::task::ready!(self.inner.poll_recv(cx, &mut buffers, &mut came))?
            };
            if read == 0 || came[0].len == 0 {
                continue;
            }
            let mut waiting = self.waiting.lock().unwrap();
            for datagram in whole[..came[0].len].chunks(came[0].stride.max(1)) {
                if !self.loses(datagram) {
                    waiting.push_back((datagram.to_vec(), came[0]));
                }
            }
        }
    }
}

impl Runtime for CutRuntime {
    fn spawn(&self, f: Pin<Box<dyn Future<Output = ()> + Send>>) -> Box<dyn JoinHandle> {
        self.inner.spawn(f)
    }
    fn wrap_udp_socket(&self, s: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        Ok(Arc::new(CutSocket {
            inner: self.inner.wrap_udp_socket(s)?,
            cut: self.cut.clone(),
            lose_every: self.lose_every.clone(),
            heard: AtomicUsize::new(0),
            waiting: Mutex::default(),
        }))
    }
    fn wrap_tcp_listener(&self, l: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.inner.wrap_tcp_listener(l)
    }
    fn connect_tcp<'a>(
        &'a self,
        a: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<Arc<dyn AsyncTcpStream>>> + Send + 'a>> {
        self.inner.connect_tcp(a)
    }
    fn resolve_host<'a>(
        &'a self,
        h: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        self.inner.resolve_host(h)
    }
    fn sleep(&self, d: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        self.inner.sleep(d)
    }
    fn interval(&self, p: Duration) -> Box<dyn AsyncInterval> {
        self.inner.interval(p)
    }
    fn block_on(&self, f: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.inner.block_on(f);
    }
}
