//! Who knocks at the shared ports: strangers with a sniffed user fragment, silent sockets, a member with too many of them. Those
//! inside do not notice.

use crate::common::{Client, PATIENCE, start};
use crate::peers::sound;
use crate::stun::Credentials;
use crate::wire::{Translator, by_way_of};
use media::MemberRole::{Agent, Citizen};
use media::config::{ADDRS_PER_MIN, TCP_PENDING, TCP_PENDING_PER_IP, TCP_STREAMS};
use media::{EndReason, Engine as _, MediaConfig, MediaEngine};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

/// A page that has offered and never connects, and what its checks are signed with.
async fn held(engine: &MediaEngine) -> Credentials {
    let sdp = Client::new(9, false).await.offer_sdp(false).await;
    let answer = engine.offer("held", "h", Citizen, &sdp).await.unwrap();
    Credentials::of(&sdp, &answer)
}

async fn knock(engine: &MediaEngine, packet: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(engine.tcp_addr().unwrap())
        .await
        .unwrap();
    say(&mut stream, packet).await;
    stream
}

async fn say(stream: &mut TcpStream, packet: &[u8]) {
    let length = (packet.len() as u16).to_be_bytes();
    let frame = [&length[..], packet].concat();
    stream.write_all(&frame).await.unwrap();
}

/// Whether a check was answered; `false` if the stream was closed instead.
async fn answered(stream: &mut TcpStream) -> bool {
    let answer = async {
        loop {
            let Ok(length) = stream.read_u16().await else {
                return false;
            };
            let mut packet = vec![0; length.into()];
            if stream.read_exact(&mut packet).await.is_err() {
                return false;
            }
            if packet.starts_with(&[1, 1]) {
                return true;
            }
        }
    };
    tokio::time::timeout(PATIENCE, answer).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_has_four_tcp_streams_and_those_that_fall_silent_end() {
    let silence = Duration::from_secs(2);
    let (engine, _events) = start(MediaConfig {
        silence,
        ..MediaConfig::default()
    })
    .await;
    let page = held(&engine).await;
    let mut open = Vec::new();
    for _ in 0..TCP_STREAMS {
        assert!(!answered(&mut knock(&engine, &page.forged()).await).await);
        let mut stream = knock(&engine, &page.check()).await;
        assert!(answered(&mut stream).await);
        open.push(stream);
    }
    for _ in 0..TCP_STREAMS {
        let mut one_more = knock(&engine, &page.check()).await;
        assert!(!answered(&mut one_more).await, "a fifth stream");
    }
    // One goes on proving itself; of the others one says things that prove nothing.
    let since = Instant::now();
    let mut alive = open.pop().unwrap();
    let ends: Vec<_> = open
        .into_iter()
        .enumerate()
        .map(|(n, mut stream)| {
            let junk = page.forged();
            tokio::spawn(async move {
                let mut pace = tokio::time::interval(Duration::from_millis(100));
                let mut buffer = [0; 2_048];
                loop {
                    tokio::select! {
                        read = stream.read(&mut buffer) => match read {
                            Ok(0) | Err(_) => return since.elapsed(),
                            Ok(_) => {}
                        },
                        _ = pace.tick(), if n == 0 => {
                            let frame = [&(junk.len() as u16).to_be_bytes()[..], &junk].concat();
                            let _ = stream.write_all(&frame).await;
                        }
                    }
                }
            })
        })
        .collect();
    let mut pace = tokio::time::interval(Duration::from_millis(200));
    while !ends.iter().all(|end| end.is_finished()) {
        assert!(since.elapsed() < PATIENCE, "silent streams stay");
        say(&mut alive, &page.check()).await;
        assert!(
            answered(&mut alive).await,
            "it was cut: {:?}",
            since.elapsed()
        );
        pace.tick().await;
    }
    for end in ends {
        let after = end.await.unwrap();
        assert!(after > silence / 2, "it was cut too soon: {after:?}");
    }
    // Their places are free again.
    for _ in 1..TCP_STREAMS {
        let mut stream = knock(&engine, &page.check()).await;
        assert!(answered(&mut stream).await);
        drop(stream);
    }
}

/// Opens connections from one address that say nothing.
async fn idle(engine: &MediaEngine, from: [u8; 4], n: usize) -> Vec<TcpStream> {
    let mut all = Vec::new();
    for _ in 0..n {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((from, 0))).unwrap();
        all.push(socket.connect(engine.tcp_addr().unwrap()).await.unwrap());
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_that_say_nothing_keep_nobody_out() {
    let (engine, mut events) = start(MediaConfig {
        udp: false,
        ..MediaConfig::default()
    })
    .await;
    let since = Instant::now();
    // One address has so many; the oldest give way.
    let mut one = idle(&engine, [127, 0, 0, 1], TCP_PENDING_PER_IP * 2).await;
    for stream in &mut one[..TCP_PENDING_PER_IP] {
        let end = tokio::time::timeout(PATIENCE, stream.read_u8());
        assert!(end.await.unwrap().is_err(), "it is closed");
    }
    // And many addresses have as many together as there may be.
    let mut many = Vec::new();
    for n in 0..TCP_PENDING.div_ceil(TCP_PENDING_PER_IP) as u8 {
        many.extend(idle(&engine, [127, 0, 1, n + 1], TCP_PENDING_PER_IP).await);
    }
    let mut citizen = Client::new(1, true).await;
    citizen.join(&engine, "room", "c", Citizen).await;
    events.connected("c").await;
    let took = since.elapsed();
    let expired = media::config::TCP_FIRST_FRAME;
    assert!(took < expired, "they were gone by themselves: {took:?}");
    drop((one, many));
}

/// A live call whose citizen is behind a translator: what leaves its far end comes from the citizen's own address.
struct Call {
    engine: Arc<MediaEngine>,
    events: crate::Events,
    translator: Translator,
    citizen: Client,
    agent: Client,
    of_citizen: Credentials,
    of_agent: Credentials,
}

async fn call(config: MediaConfig) -> Call {
    let (engine, mut events) = start(config).await;
    engine.set_forwarding("room", true).await.unwrap();
    let translator = Translator::before(engine.udp_addr()).await;
    let mut citizen = Client::new(1, false).await;
    let sdp = citizen.offer_sdp(false).await;
    let answer = engine.offer("room", "c", Citizen, &sdp).await.unwrap();
    let of_citizen = Credentials::of(&sdp, &answer);
    citizen
        .accept(&by_way_of(&answer, "udp", translator.addr))
        .await;
    let mut agent = Client::new(2, false).await;
    let sdp = agent.offer_sdp(false).await;
    let answer = engine.offer("room", "a", Agent, &sdp).await.unwrap();
    let of_agent = Credentials::of(&sdp, &answer);
    agent.accept(&answer).await;
    events.connected("c").await;
    events.connected("a").await;
    agent.hears(1, 10).await;
    citizen.hears(2, 10).await;
    Call {
        engine,
        events,
        translator,
        citizen,
        agent,
        of_citizen,
        of_agent,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_without_the_password_takes_nobody_s_address() {
    let call = call(MediaConfig::default()).await;
    let door = call.engine.udp_addr();
    let page = held(&call.engine).await;
    let strangers: Vec<_> = (0..40)
        .map(|_| std::net::UdpSocket::bind("127.0.0.1:0").unwrap())
        .collect();
    call.agent.forget();
    call.citizen.forget();
    for n in 1..=20 {
        let far = call.translator.far();
        // From the citizen's own address: in another's name, in its own, and in that of a third who does have a password.
        for packet in [
            call.of_agent.forged(),
            call.of_citizen.forged(),
            page.check(),
        ] {
            far.send_to(&packet, door).unwrap();
        }
        for stranger in &strangers {
            stranger.send_to(&call.of_citizen.forged(), door).unwrap();
            stranger.send_to(&call.of_agent.forged(), door).unwrap();
        }
        let more = move |got: &[crate::common::Got], mark| sound(got, mark).1 >= n * 4;
        call.agent.until("the citizen", |got| more(got, 1)).await;
        call.citizen.until("the agent", |got| more(got, 2)).await;
    }
    for (who, mark) in [(&call.agent, 1), (&call.citizen, 2)] {
        let (longest, came) = sound(&who.received(), mark);
        assert_eq!(longest, 0, "lost in a row of {mark}, of {came}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_who_is_gone_is_missed_although_strangers_speak_in_their_name() {
    let mut call = call(MediaConfig {
        silence: Duration::from_secs(2),
        ..MediaConfig::default()
    })
    .await;
    call.citizen.vanish();
    let (door, forged) = (call.engine.udp_addr(), call.of_citizen.forged());
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let speaks = async {
        let mut pace = tokio::time::interval(Duration::from_millis(50));
        loop {
            pace.tick().await;
            stranger.send_to(&forged, door).await.unwrap();
        }
    };
    let reason = tokio::select! {
        reason = call.events.ended("c") => reason,
        () = speaks => unreachable!(),
    };
    assert_eq!(reason, EndReason::Silent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_has_so_many_new_addresses_a_minute() {
    let (engine, _events) = start(MediaConfig::default()).await;
    let page = held(&engine).await;
    let ask = async |socket: &UdpSocket| {
        socket
            .send_to(&page.check(), engine.udp_addr())
            .await
            .unwrap();
    };
    let is_answered = async |socket: &UdpSocket| {
        let mut buffer = [0; 2_048];
        loop {
            let read = tokio::time::timeout(PATIENCE, socket.recv(&mut buffer));
            read.await.unwrap().unwrap();
            if buffer.starts_with(&[1, 1]) {
                return;
            }
        }
    };
    let mut last = None;
    for _ in 0..ADDRS_PER_MIN {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        ask(&socket).await;
        is_answered(&socket).await;
        last = Some(socket);
    }
    let too_many = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    ask(&too_many).await;
    // Who is known is answered on, and after whatever came before.
    let last = last.unwrap();
    ask(&last).await;
    is_answered(&last).await;
    assert!(too_many.try_recv(&mut [0; 2_048]).is_err());
}
