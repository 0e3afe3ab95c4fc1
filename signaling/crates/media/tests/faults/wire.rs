//! A wire between one client and the engine that misbehaves: its far end moves to another port, or it takes nothing any more.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// An address translator that forgets: from a moment on the server sees the client at another port.
pub struct Translator {
    pub addr: SocketAddr,
    /// Its end towards the server.
    far: Arc<Mutex<std::net::UdpSocket>>,
    moves: watch::Sender<u32>,
    task: JoinHandle<()>,
}

/// A socket to relay by, and the same again to send by.
fn far_end() -> (std::net::UdpSocket, UdpSocket) {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let same = UdpSocket::from_std(socket.try_clone().unwrap()).unwrap();
    (socket, same)
}

impl Translator {
    pub async fn before(server: SocketAddr) -> Self {
        let near = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let addr = near.local_addr().unwrap();
        let (moves, mut moved) = watch::channel(0);
        let (socket, mut far) = far_end();
        let now = Arc::new(Mutex::new(socket));
        let same = now.clone();
        let task = tokio::spawn(async move {
            let mut client = None;
            let (mut up, mut down) = ([0; 2_048], [0; 2_048]);
            loop {
                tokio::select! {
                    Ok((n, from)) = near.recv_from(&mut up) => {
                        client = Some(from);
                        let _ = far.send_to(&up[..n], server).await;
                    }
                    Ok((n, _)) = far.recv_from(&mut down) => {
                        if let Some(client) = client {
                            let _ = near.send_to(&down[..n], client).await;
                        }
                    }
                    Ok(()) = moved.changed() => (*same.lock().unwrap(), far) = far_end(),
                }
            }
        });
        Self {
            addr,
            far: now,
            moves,
            task,
        }
    }

    pub fn move_away(&self) {
        self.moves.send_modify(|n| *n += 1);
    }

    /// What is sent by it comes from the client, as the server sees it.
    pub fn far(&self) -> std::net::UdpSocket {
        self.far.lock().unwrap().try_clone().unwrap()
    }
}

impl Drop for Translator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A TCP connection whose client stops reading: a page that hangs, a phone in a tunnel.
pub struct Tap {
    pub addr: SocketAddr,
    open: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Tap {
    pub async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (open, opened) = watch::channel(true);
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpSocket::new_v4().unwrap();
                // Little room, so that the server notices soon.
                far.set_recv_buffer_size(4_096).unwrap();
                let far = far.connect(server).await.unwrap();
                let (mut near_in, mut near_out) = near.into_split();
                let (mut far_in, mut far_out) = far.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut near_in, &mut far_out).await });
                let mut opened = opened.clone();
                tokio::spawn(async move {
                    let mut buffer = [0; 1_024];
                    while opened.wait_for(|open| *open).await.is_ok() {
                        match far_in.read(&mut buffer).await {
                            Ok(n) if n > 0 => near_out.write_all(&buffer[..n]).await.unwrap(),
                            _ => return,
                        }
                    }
                });
            }
        });
        Self { addr, open, task }
    }

    pub fn shut(&self) {
        self.open.send_replace(false);
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The answer with this address in the candidates of one protocol, and no others.
pub fn by_way_of(answer: &str, protocol: &str, addr: SocketAddr) -> Arc<str> {
    let mut out = String::new();
    for line in answer.lines() {
        if !line.starts_with("a=candidate:") {
            out += &format!("{line}\r\n");
            continue;
        }
        let mut words: Vec<&str> = line.split(' ').collect();
        if words[2] == protocol {
            let (ip, port) = (addr.ip().to_string(), addr.port().to_string());
            (words[4], words[5]) = (&ip, &port);
            out += &format!("{}\r\n", words.join(" "));
        }
    }
    out.into()
}
