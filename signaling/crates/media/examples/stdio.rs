//! The engine on a pipe, for trying a browser against it without the server.
//!
//! `cargo run -p media --example stdio`, then one JSON command a line:
//! `{"do":"offer","room":"r","member":"m","role":"citizen","sdp":"v=0…"}` → `{"answer":"v=0…"}` or `{"error":"sdp_invalid"}` ·
//! `{"do":"live","room":"r","on":true}` · `{"do":"leave","room":"r","member":"m"}` · `{"do":"stats"}`. Events come as lines of their own.

use media::{Engine, MediaConfig, MediaEngine, MemberRole};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::Write;
use tokio::io::{AsyncBufReadExt, BufReader};

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
    Leave {
        room: String,
        member: String,
    },
    Stats,
}

fn say(value: &Value) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{value}")?;
    out.flush()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tcp_only = std::env::args().any(|a| a == "--tcp-only");
    let engine = MediaEngine::start(MediaConfig {
        udp: !tcp_only,
        ..MediaConfig::default()
    })
    .await?;
    if let Some(mut events) = engine.events() {
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                let _ = say(&json!({ "event": event }));
            }
        });
    }
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let reply = match serde_json::from_str(&line)? {
            Command::Offer {
                room,
                member,
                role,
                sdp,
            } => match engine.offer(&room, &member, role, &sdp).await {
                Ok(answer) => json!({ "answer": answer }),
                Err(error) => json!({ "error": error.code(), "detail": error.to_string() }),
            },
            Command::Live { room, on } => {
                engine.set_forwarding(&room, on).await?;
                json!({ "live": on })
            }
            Command::Leave { room, member } => {
                engine.leave(&room, &member).await;
                json!({ "left": member })
            }
            Command::Stats => json!({ "stats": engine.stats() }),
        };
        say(&reply)?;
    }
    Ok(())
}
