//! Bad networks and bad peers, over the engine's real ports: what reaches the others, and how soon a call is back.
//!
//! `place` is a network namespace with a wire of its own, whose packets nftables drops; it needs root. `wire` is a proxy that
//! changes its address or stops taking anything; it needs nothing. The quick ones run in the gate; `make faults` sets
//! CLOUD_BOOTH_FAULT_SECONDS and so runs every level of loss, longer, and prints a line of JSON for each.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod door;
mod loss;
mod offers;
mod peers;
mod place;
mod returns;
#[path = "../common/stun.rs"]
mod stun;
mod wire;

use media::MemberRole::{self, Agent, Citizen};
use media::{MediaConfig, MediaEngine};
use place::Place;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use common::{Client, Events, start};

/// A member in a place joins: sockets are opened there, the answer comes from here.
async fn join_from(
    place: &Place,
    engine: &MediaEngine,
    member: &'static str,
    role: MemberRole,
    mark: u8,
) -> Client {
    let (mut client, sdp) = place
        .run(async move {
            let mut client = Client::with_addr(mark, false, "0.0.0.0:0").await;
            let sdp = client.offer_sdp(false).await;
            (client, sdp)
        })
        .await;
    let answer = media::Engine::offer(engine, "room", member, role, &sdp)
        .await
        .unwrap();
    place
        .run(async move {
            client.accept(&answer).await;
            client
        })
        .await
}

/// A live room: the citizen in a place, the agent here.
struct Call {
    engine: Arc<MediaEngine>,
    events: Events,
    citizen: Client,
    agent: Client,
}

async fn call(place: &Place, mut config: MediaConfig) -> Call {
    config.udp_bind = "0.0.0.0:0".parse().unwrap();
    config.public_ips = vec![IpAddr::V4(place.outside), IpAddr::V4(Ipv4Addr::LOCALHOST)];
    let (engine, mut events) = start(config).await;
    media::Engine::set_forwarding(engine.as_ref(), "room", true)
        .await
        .unwrap();
    let citizen = join_from(place, &engine, "c", Citizen, 1).await;
    let mut agent = Client::new(2, false).await;
    agent.join(&engine, "room", "a", Agent).await;
    events.connected("c").await;
    events.connected("a").await;
    agent.hears(1, 10).await;
    citizen.hears(2, 10).await;
    Call {
        engine,
        events,
        citizen,
        agent,
    }
}
