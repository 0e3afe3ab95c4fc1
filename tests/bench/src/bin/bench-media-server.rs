//! The media engine alone on a pipe, for `bench-media` and `bench-calls`: one JSON command a line, one answer a line; events are read
//! and thrown away. Ends with its standard input.

use anyhow::{Result, ensure};
use clap::Parser;
use media::{Engine, MediaConfig, MediaEngine, MemberRole};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::Write as _;
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// As the product's own server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Args {
    #[arg(long)]
    bind: SocketAddr,
    /// Members of one room.
    #[arg(long)]
    members: usize,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Command {
    Offer {
        room: String,
        member: String,
        role: MemberRole,
        sdp: String,
    },
    Live {
        room: String,
        on: bool,
    },
    Stats,
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}

async fn answer(engine: &MediaEngine, command: Command) -> Value {
    let done = match command {
        Command::Offer {
            room,
            member,
            role,
            sdp,
        } => engine
            .offer(&room, &member, role, &sdp)
            .await
            .map(|answer| json!({ "answer": answer })),
        Command::Live { room, on } => engine
            .set_forwarding(&room, on)
            .await
            .map(|()| json!({ "live": on })),
        Command::Stats => Ok(json!({ "stats": engine.stats() })),
    };
    done.unwrap_or_else(|e| json!({ "error": e.code(), "detail": e.to_string() }))
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let engine = MediaEngine::start(MediaConfig {
        members_per_room: args.members,
        tcp: false,
        ..MediaConfig::new(args.bind)
    })
    .await?;
    let events = engine.events();
    ensure!(events.is_some(), "somebody else reads the events");
    if let Some(mut events) = events {
        tokio::spawn(async move { while events.recv().await.is_some() {} });
    }
    say("ready")?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let reply = answer(&engine, serde_json::from_str(&line)?).await;
        say(&reply.to_string())?;
    }
    Ok(())
}
