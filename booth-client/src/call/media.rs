//! The media side of one call: dials, notices failure, dials anew, over TCP where UDP does not get through. Says what to do
//! next and when; the call's loop does it.

use super::{
    clip::{Audio, Video},
    peer::{Peer, Shared},
    play::{self, Live, Sent},
};
use clap::ValueEnum;
use serde::Serialize;
use std::{net::IpAddr, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle, time::Instant};
use webrtc::peer_connection::RTCPeerConnectionState as State;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// 先UDP，不通再TCP · UDP, and TCP if it does not get through.
    Auto,
    /// 只用UDP · UDP alone.
    Udp,
    /// 只用TCP · TCP alone.
    Tcp,
}

/// From the offer to a connection.
const CONNECT: Duration = Duration::from_secs(8);
/// A lost connection often heals by itself.
const HEAL: Duration = Duration::from_secs(3);
/// Waits before each further try; after the last it is given up.
const AGAIN: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Not wanted yet.
    Idle,
    /// The next try begins at the due time.
    Pausing,
    Connecting,
    Connected,
    /// Lost, may heal.
    Healing,
    Failed,
}

/// What the loop must do.
#[derive(Debug, PartialEq, Eq)]
pub enum Todo {
    Nothing,
    /// Bring this offer to the server, and its answer back with the same round.
    Offer(u32, String),
    Failed,
}

pub struct Media {
    bind: IpAddr,
    network: Network,
    video: Option<Arc<Video>>,
    audio: Option<Arc<Audio>>,
    pub shared: Shared,
    pub sent: Arc<Sent>,
    live: watch::Sender<Live>,
    peer: Option<Peer>,
    players: Vec<JoinHandle<()>>,
    phase: Phase,
    due: Option<Instant>,
    attempt: usize,
    round: u32,
    /// SSRCs of every connection so far: sound, picture.
    pub ours: [Vec<u32>; 2],
    pub connected_at: Option<std::time::Instant>,
    /// The last connection went over TCP.
    pub tcp: bool,
    /// Connections after the first.
    pub rejoins: u32,
    /// Requests for a keyframe over connections that are gone.
    asked_before: u64,
    /// What the last failure was.
    pub trouble: Option<String>,
}

impl Media {
    #[must_use]
    pub fn new(
        bind: IpAddr,
        network: Network,
        video: Option<Arc<Video>>,
        audio: Option<Arc<Audio>>,
    ) -> Self {
        Self {
            bind,
            network,
            video,
            audio,
            shared: Shared::default(),
            sent: Arc::default(),
            live: watch::channel(Live::default()).0,
            peer: None,
            players: vec![],
            phase: Phase::Idle,
            due: None,
            attempt: 0,
            round: 0,
            ours: [vec![], vec![]],
            connected_at: None,
            tcp: false,
            rejoins: 0,
            asked_before: 0,
            trouble: None,
        }
    }

    /// Begins to connect, once.
    pub fn begin(&mut self) {
        if self.phase == Phase::Idle {
            self.phase = Phase::Pausing;
            self.due = Some(Instant::now());
        }
    }

    /// What may be sent from now on.
    pub fn set_live(&mut self, live: Live) {
        self.live
            .send_if_modified(|l| std::mem::replace(l, live) != live);
    }
    #[must_use]
    pub fn live(&self) -> Live {
        *self.live.borrow()
    }

    /// When [`Media::tick`] is due.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    #[must_use]
    pub fn keyframes_asked(&self) -> u64 {
        self.asked_before + self.peer.as_ref().map_or(0, |p| *p.wanted.borrow())
    }

    /// The connection's state, when it changes; never while there is none.
    pub async fn changed(&mut self) -> State {
        if let Some(peer) = &mut self.peer
            && peer.state.changed().await.is_ok()
        {
            return *peer.state.borrow_and_update();
        }
        std::future::pending().await
    }

    /// The state changed.
    pub async fn is_now(&mut self, state: State) -> Todo {
        match state {
            State::Connected => {
                self.phase = Phase::Connected;
                self.attempt = 0;
                self.due = None;
                self.connected_at
                    .get_or_insert_with(std::time::Instant::now);
                Todo::Nothing
            }
            State::Disconnected => {
                self.phase = Phase::Healing;
                self.due = Some(Instant::now() + HEAL);
                Todo::Nothing
            }
            State::Failed | State::Closed => self.failed("the connection failed").await,
            _ => Todo::Nothing,
        }
    }

    /// The due time has come.
    pub async fn tick(&mut self) -> Todo {
        self.due = None;
        match self.phase {
            Phase::Pausing => self.dial().await,
            Phase::Connecting => self.failed("no connection in time").await,
            Phase::Healing => self.failed("the connection was lost").await,
            Phase::Idle | Phase::Connected | Phase::Failed => Todo::Nothing,
        }
    }

    /// The server's answer to the offer of this round.
    pub async fn answered(&mut self, round: u32, answer: Result<String, String>) -> Todo {
        let Some(peer) = self.peer.as_ref().filter(|_| round == self.round) else {
            return Todo::Nothing;
        };
        match answer {
            Ok(sdp) => match peer.answer(&sdp).await {
                Ok(()) => Todo::Nothing,
                Err(e) => self.failed(&e.to_string()).await,
            },
            Err(why) => self.failed(&why).await,
        }
    }

    async fn dial(&mut self) -> Todo {
        self.hang_up().await;
        self.round += 1;
        self.rejoins = self.round - 1;
        self.tcp = match self.network {
            Network::Udp => false,
            Network::Tcp => true,
            Network::Auto => self.attempt % 2 == 1,
        };
        let made = async {
            let mut peer = Peer::new(self.bind, self.tcp, &self.shared).await?;
            let offer = peer.offer().await?;
            anyhow::Ok((peer, offer))
        };
        let (peer, offer) = match Box::pin(made).await {
            Ok(made) => made,
            Err(e) => return self.failed(&e.to_string()).await,
        };
        self.ours[0].push(peer.audio.ssrc);
        self.ours[1].push(peer.video.ssrc);
        let live = || self.live.subscribe();
        if let Some(clip) = &self.audio {
            let (to, sent) = (peer.audio.clone(), self.sent.clone());
            let task = play::audio(clip.clone(), to, live(), sent);
            self.players.push(tokio::spawn(task));
        }
        if let Some(clip) = &self.video {
            let (to, sent) = (peer.video.clone(), self.sent.clone());
            let task = play::video(clip.clone(), to, live(), peer.wanted.clone(), sent);
            self.players.push(tokio::spawn(task));
        }
        self.peer = Some(peer);
        self.phase = Phase::Connecting;
        self.due = Some(Instant::now() + CONNECT);
        Todo::Offer(self.round, offer)
    }

    async fn failed(&mut self, why: &str) -> Todo {
        if self.phase == Phase::Failed {
            return Todo::Nothing;
        }
        self.trouble = Some(why.to_owned());
        self.hang_up().await;
        let Some(wait) = AGAIN.get(self.attempt) else {
            self.phase = Phase::Failed;
            self.due = None;
            return Todo::Failed;
        };
        self.attempt += 1;
        self.phase = Phase::Pausing;
        self.due = Some(Instant::now() + *wait);
        Todo::Nothing
    }

    /// Ends the connection; the figures stay.
    pub async fn hang_up(&mut self) {
        for player in self.players.drain(..) {
            player.abort();
        }
        if let Some(peer) = self.peer.take() {
            self.asked_before += *peer.wanted.borrow();
            peer.close().await;
        }
    }
}
