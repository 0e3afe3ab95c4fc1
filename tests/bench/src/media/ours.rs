//! Our engine alone, in `bench-media-server`: rooms and forwarding, no database, no pages.

use super::child::Server;
use super::net::Net;
use super::sdp::{self, Direction};
use super::world::{Out, World};
use super::{SERVER_CPU, child};
use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// Beside this program.
pub fn program(name: &str) -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let path = here.parent().context("no directory")?.join(name);
    anyhow::ensure!(path.exists(), "{} is not built", path.display());
    Ok(path)
}

pub struct Ours {
    server: Server,
}

impl Ours {
    /// `members`: the most that one room may hold.
    pub fn start(net: &Net, members: usize) -> Result<Self> {
        let mut command = net.command(SERVER_CPU, &program("bench-media-server")?);
        command
            .args(["--bind", &format!("{}:40000", net.inside)])
            .args(["--members", &members.to_string()]);
        Self::over(command)
    }

    /// The same wherever the command puts it.
    pub fn over(command: Command) -> Result<Self> {
        let mut server = Server::start(command)?;
        let ready = server.line()?;
        anyhow::ensure!(ready == "ready", "the media server said {ready}");
        Ok(Self { server })
    }

    fn ask(&mut self, command: &Value) -> Result<Value> {
        let answer: Value = serde_json::from_str(&self.server.ask(&command.to_string())?)?;
        if let Some(error) = answer.get("error") {
            bail!("the media server refused: {error} {}", answer["detail"]);
        }
        Ok(answer)
    }

    /// One page joins: offer there, answer back.
    pub fn join(
        &mut self,
        world: &mut World,
        page: usize,
        room: &str,
        role: &str,
        way: Direction,
    ) -> Result<()> {
        let offer = sdp::offer(&world.peer(page).local(), way);
        let member = format!("m{page}");
        let answer = self.ask(
            &json!({"do": "offer", "room": room, "member": member, "role": role, "sdp": offer}),
        )?;
        let answer = answer["answer"].as_str().context("no answer")?;
        let remote = sdp::read(answer).context("the engine's answer")?;
        world.peer(page).connect(remote)
    }

    pub fn live(&mut self, room: &str) -> Result<()> {
        self.ask(&json!({"do": "live", "room": room, "on": true}))
            .map(drop)
    }

    /// The engine's own counters, as JSON, for people.
    pub fn stats(&mut self) -> Result<String> {
        Ok(self.ask(&json!({"do": "stats"}))?["stats"].to_string())
    }

    pub fn usage(&self) -> Result<child::Usage> {
        self.server.usage()
    }

    /// A room with one who speaks and nobody yet who watches; the source that plays in it.
    pub fn stage(&mut self, world: &mut World) -> Result<usize> {
        let publisher = world.add_peer(None)?;
        let ssrc = world.next_ssrc();
        self.join(world, publisher, "hall", "agent", Direction::Send(ssrc))?;
        self.live("hall")?;
        world.run_until_connected(Duration::from_secs(20))?;
        Ok(world.add_source(Out::Page(publisher), 0))
    }
}
