//! The least that forwarding can cost: each packet that comes is sealed with AES-128-GCM under each viewer's key, nonce and
//! associated data as SRTP has them (RFC 7714), and sent with one `sendto`. Addresses come by standard input, one a line, then `go`.

use anyhow::{Context as _, Result};
use bench::media::script::{RTP_HEADER, VIDEO_PACKET};
use clap::Parser;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use std::io::Write as _;
use std::net::{SocketAddr, UdpSocket};

#[derive(Parser)]
struct Args {
    #[arg(long)]
    bind: SocketAddr,
}

/// GCM's tag (bytes).
const TAG: usize = 16;

struct Viewer {
    addr: SocketAddr,
    key: LessSafeKey,
    salt: [u8; 12],
}

impl Viewer {
    fn new(addr: SocketAddr) -> Result<Self> {
        let key: [u8; 16] = rand::random();
        let key = UnboundKey::new(&AES_128_GCM, &key)
            .ok()
            .context("no AES-128-GCM")?;
        Ok(Self {
            addr,
            key: LessSafeKey::new(key),
            salt: rand::random(),
        })
    }

    /// Salt, masked with SSRC, rollover counter and sequence number (RFC 7714 §8.1). The counter stays 0: a run is shorter than a wrap
    /// of anything but video at an hour.
    fn nonce(&self, header: &[u8]) -> Nonce {
        let mut nonce = self.salt;
        for (n, b) in nonce[2..6].iter_mut().zip(&header[8..12]) {
            *n ^= b;
        }
        for (n, b) in nonce[10..12].iter_mut().zip(&header[2..4]) {
            *n ^= b;
        }
        Nonce::assume_unique_for_key(nonce)
    }
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}

fn main() -> Result<()> {
    let args = Args::parse();
    let socket = UdpSocket::bind(args.bind)?;
    say(&socket.local_addr()?.to_string())?;
    let mut viewers = vec![];
    let mut line = String::new();
    loop {
        line.clear();
        if std::io::stdin().read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line.trim() == "go" {
            break;
        }
        viewers.push(Viewer::new(line.trim().parse()?)?);
        say("ok")?;
    }
    say("going")?;
    let mut packet = [0u8; VIDEO_PACKET + TAG];
    let mut sealed = [0u8; VIDEO_PACKET + TAG];
    // The parent kills this process; nothing else ends it.
    loop {
        let n = socket.recv(&mut packet)?;
        if n < RTP_HEADER {
            continue;
        }
        for viewer in &viewers {
            let out = &mut sealed[..n + TAG];
            out[..n].copy_from_slice(&packet[..n]);
            let (header, body) = out.split_at_mut(RTP_HEADER);
            let (text, tag) = body.split_at_mut(n - RTP_HEADER);
            let Ok(made) = viewer.key.seal_in_place_separate_tag(
                viewer.nonce(header),
                Aad::from(&*header),
                text,
            ) else {
                continue;
            };
            tag.copy_from_slice(made.as_ref());
            // A full buffer loses it, as UDP does; the pages will miss it.
            let _ = socket.send_to(out, viewer.addr);
        }
    }
}
