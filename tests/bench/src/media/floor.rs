//! The floor, `bench-media-floor`: no more than a packet needs, AES-128-GCM and one `sendto` a viewer. No ICE, no DTLS, no feedback.

use super::SERVER_CPU;
use super::child::{Server, Usage};
use super::net::Net;
use super::ours::program;
use super::world::{Out, World};
use anyhow::{Context as _, Result, ensure};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Command;

pub struct Floor {
    server: Server,
    addr: SocketAddr,
}

impl Floor {
    pub fn start(net: &Net) -> Result<Self> {
        let addr = SocketAddr::from((net.inside, 40_000));
        let mut command = net.command(SERVER_CPU, &program("bench-media-floor")?);
        command.args(["--bind", &addr.to_string()]);
        Self::over(command)
    }

    /// The same wherever the command puts it.
    pub fn over(command: Command) -> Result<Self> {
        let mut server = Server::start(command)?;
        let addr = server.line()?.parse().context("the floor did not start")?;
        Ok(Self { server, addr })
    }

    pub fn join(&mut self, world: &mut World, page: usize) -> Result<()> {
        let addr = world.peer(page).addr();
        world.peer(page).connect_raw(self.addr)?;
        ensure!(
            self.server.ask(&addr.to_string())? == "ok",
            "the floor refused {addr}"
        );
        Ok(())
    }

    /// Takes no more viewers and forwards.
    pub fn go(&mut self) -> Result<()> {
        ensure!(self.server.ask("go")? == "going", "the floor does not go");
        Ok(())
    }

    pub fn usage(&self) -> Result<Usage> {
        self.server.usage()
    }

    pub fn stage(&mut self, world: &mut World) -> Result<usize> {
        Ok(world.add_source(plain(world.ip(), [self.addr, self.addr])?, 0))
    }
}

/// Plain RTP to two ports.
pub fn plain(from: Ipv4Addr, to: [SocketAddr; 2]) -> Result<Out> {
    let socket = |to: SocketAddr| -> Result<UdpSocket> {
        let socket = UdpSocket::bind((from, 0))?;
        socket.connect(to)?;
        Ok(socket)
    };
    Ok(Out::Plain([socket(to[0])?, socket(to[1])?]))
}
