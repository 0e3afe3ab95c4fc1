//! Debian's Janus with its Streaming plugin and nothing else loaded, configured in a directory of its own. The offer is Janus's: a
//! viewer asks to watch, answers, starts (janus-gateway's WebSocket API).

use super::SERVER_CPU;
use super::child::{Server, Usage};
use super::floor::plain;
use super::net::Net;
use super::sdp;
use super::world::World;
use anyhow::{Context as _, Result, bail, ensure};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::{ClientRequestBuilder, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const WS_PORT: u16 = 8_188;
const AUDIO_PORT: u16 = 5_002;
const VIDEO_PORT: u16 = 5_004;
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Janus {
    server: Server,
    runtime: Runtime,
    wire: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: u64,
    transactions: u64,
    _directory: TempDir,
}

/// Everything that is not said here is Debian's default.
fn configure(root: &Path, to: &Path, event_loops: usize) -> Result<()> {
    let libraries = root.join("usr/lib/x86_64-linux-gnu/janus");
    for folder in ["plugins", "transports", "events", "loggers"] {
        fs::create_dir(to.join(folder))?;
    }
    for (folder, name) in [
        ("plugins", "libjanus_streaming.so"),
        ("transports", "libjanus_websockets.so"),
    ] {
        let library = libraries.join(folder).join(name);
        let library = library
            .canonicalize()
            .with_context(|| format!("{} is missing", library.display()))?;
        symlink(library, to.join(folder).join(name))?;
    }
    let at = to.display();
    let main = format!(
        r#"general: {{
  configs_folder = "{at}"
  plugins_folder = "{at}/plugins"
  transports_folder = "{at}/transports"
  events_folder = "{at}/events"
  loggers_folder = "{at}/loggers"
  debug_level = 2
  session_timeout = 0
  event_loops = {event_loops}
}}
media: {{ ipv6 = false }}
nat: {{
  ice_lite = true
  ice_tcp = false
  ice_enforce_list = "eth0"
}}
"#
    );
    fs::write(to.join("janus.jcfg"), main)?;
    let websockets = format!(
        "general: {{\n  json = \"compact\"\n  ws = true\n  ws_port = {WS_PORT}\n  wss = false\n}}\nadmin: {{\n  admin_ws = false\n}}\n"
    );
    fs::write(to.join("janus.transport.websockets.jcfg"), websockets)?;
    let medium = |kind: &str, mid: &str, port: u16, pt: u8, codec: &str| {
        format!(
            "{{ type = \"{kind}\"; mid = \"{mid}\"; label = \"{mid}\"; port = {port}; pt = {pt}; codec = \"{codec}\"; }}"
        )
    };
    let streaming = format!(
        "general: {{ }}\nbench: {{\n  type = \"rtp\"\n  id = 1\n  description = \"bench\"\n  media = ( {}, {} )\n}}\n",
        medium("audio", "a", AUDIO_PORT, 111, "opus"),
        medium("video", "v", VIDEO_PORT, 96, "vp8"),
    );
    fs::write(to.join("janus.plugin.streaming.jcfg"), streaming)?;
    Ok(())
}

impl Janus {
    /// `root`: where the Debian package was unpacked, `/` if it is installed.
    pub fn start(net: &Net, root: &Path, event_loops: usize) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let at = directory.path();
        configure(root, at, event_loops)?;
        let mut command = net.command(SERVER_CPU, &root.join("usr/bin/janus"));
        command
            .arg(format!("--config={}/janus.jcfg", at.display()))
            .arg(format!("--configs-folder={}", at.display()))
            .arg(format!("--log-file={}/janus.log", at.display()))
            .args(["--disable-stdout", "--disable-colors"]);
        let server = Server::start(command)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let url = format!("ws://{}:{WS_PORT}/", net.inside);
        let wire = runtime
            .block_on(connect(&url))
            .with_context(|| fs::read_to_string(at.join("janus.log")).unwrap_or_default())?;
        let mut janus = Self {
            server,
            runtime,
            wire,
            session: 0,
            transactions: 0,
            _directory: directory,
        };
        let info = janus.ask(json!({"janus": "info"}))?;
        crate::say(&format!("Janus {}", info["version_string"]));
        janus.session = id(&janus.ask(json!({"janus": "create"}))?)?;
        Ok(janus)
    }

    /// Sends a request; its answer, acknowledgements and others' events left out.
    fn ask(&mut self, mut request: Value) -> Result<Value> {
        self.transactions += 1;
        let transaction = self.transactions.to_string();
        request["transaction"] = json!(transaction);
        if self.session != 0 {
            request["session_id"] = json!(self.session);
        }
        let Self { runtime, wire, .. } = self;
        // The timer wants to be made inside the runtime.
        let answered = async {
            wire.send(Message::text(request.to_string())).await?;
            loop {
                let message = wire.next().await.context("Janus hung up")??;
                let Message::Text(text) = message else {
                    continue;
                };
                let value: Value = serde_json::from_str(&text)?;
                if value["transaction"] == transaction.as_str() && value["janus"] != "ack" {
                    return anyhow::Ok(value);
                }
            }
        };
        let answer =
            runtime.block_on(async { tokio::time::timeout(PATIENCE, answered).await })??;
        let data = &answer["plugindata"]["data"];
        if answer["janus"] == "error" || !data["error"].is_null() {
            bail!("Janus refused: {answer}");
        }
        Ok(answer)
    }

    pub fn join(&mut self, world: &mut World, page: usize) -> Result<()> {
        let plugin = "janus.plugin.streaming";
        let handle = id(&self.ask(json!({"janus": "attach", "plugin": plugin}))?)?;
        let watch = json!({"request": "watch", "id": 1});
        let offer = self.ask(json!({"janus": "message", "handle_id": handle, "body": watch}))?;
        let offer = offer["jsep"]["sdp"].as_str().context("no offer")?;
        let remote = sdp::read(offer).context("Janus's offer")?;
        let answer = sdp::answer(&world.peer(page).local(), &remote);
        let started = self.ask(json!({
            "janus": "message", "handle_id": handle, "body": {"request": "start"},
            "jsep": {"type": "answer", "sdp": answer},
        }))?;
        ensure!(
            started["janus"] == "event",
            "Janus did not start: {started}"
        );
        world.peer(page).connect(remote)
    }

    pub fn usage(&self) -> Result<Usage> {
        self.server.usage()
    }

    pub fn stage(&mut self, net: &Net, world: &mut World) -> Result<usize> {
        let to = [AUDIO_PORT, VIDEO_PORT].map(|port| SocketAddr::from((net.inside, port)));
        Ok(world.add_source(plain(world.ip(), to)?, 0))
    }
}

fn id(answer: &Value) -> Result<u64> {
    answer["data"]["id"]
        .as_u64()
        .with_context(|| format!("no id in {answer}"))
}

async fn connect(url: &str) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>> {
    let begun = Instant::now();
    loop {
        let request = ClientRequestBuilder::new(url.parse()?).with_sub_protocol("janus-protocol");
        match connect_async(request).await {
            Ok((wire, _)) => return Ok(wire),
            Err(error) if begun.elapsed() > PATIENCE => {
                return Err(error).context("Janus does not answer");
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}
