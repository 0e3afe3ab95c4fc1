//! The shared port: who is behind which address, what is bounded, and whose address has changed.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::moved::tests::answer;

fn stun(username: &str) -> Vec<u8> {
    let mut p = vec![0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42];
    p.extend([0; 12]);
    p.extend([0x80, 0x22, 0, 3, b'a', b'b', b'c', 0]);
    p.extend(6u16.to_be_bytes());
    p.extend((username.len() as u16).to_be_bytes());
    p.extend(username.as_bytes());
    while p.len() % 4 != 0 {
        p.push(0);
    }
    p
}

fn addr(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn queued(guard: &PortGuard) -> usize {
    lock(&guard.port.inbox).packets.len()
}

fn mux() -> Arc<Mux> {
    Mux::bind(addr(0), Arc::default()).unwrap()
}

#[test]
fn user_fragment_is_found_and_junk_is_not() {
    let good = stun("local:remote");
    assert_eq!(stun_request_ufrag(&good), Some("local"));
    for cut in 0..good.len() - 1 {
        let _ = stun_request_ufrag(&good[..cut]); // never a panic
    }
    let mut response = good.clone();
    response[0] = 1;
    assert_eq!(stun_request_ufrag(&response), None);
    let mut lying = good;
    lying[30] = 0xff;
    assert_eq!(stun_request_ufrag(&lying), None);
    let mut seed = 1u32;
    for length in 0..600usize {
        let mut junk = vec![0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42];
        junk.extend((0..length).map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        }));
        let _ = stun_request_ufrag(&junk);
    }
}

#[tokio::test]
async fn a_request_keys_the_address_and_another_request_rekeys_it() {
    let mux = mux();
    let (a, _ra) = mux.open();
    let (b, _rb) = mux.open();
    a.register("aaaa");
    b.register("bbbb");
    mux.dispatch(&[128, 0, 1], addr(9));
    assert_eq!(mux.counters.snapshot().datagrams_ignored, 1);
    mux.dispatch(&stun("aaaa:x"), addr(9));
    mux.dispatch(&[128, 0, 1], addr(9));
    assert_eq!((queued(&a), queued(&b)), (2, 0));
    mux.dispatch(&stun("bbbb:x"), addr(9));
    mux.dispatch(&[128, 0, 1], addr(9));
    assert_eq!((queued(&a), queued(&b)), (2, 2));
    // The old owner's end does not take the address from the new one.
    drop(a);
    mux.dispatch(&[128, 0, 1], addr(9));
    assert_eq!(queued(&b), 3);
    drop(b);
    let table = lock(&mux.table);
    assert!(table.by_addr.is_empty() && table.by_ufrag.is_empty());
}

#[tokio::test]
async fn a_client_that_answers_from_another_address_has_moved_there() {
    let mux = mux();
    let (a, _ra) = mux.open();
    a.register("aaaa");
    a.register_stream(7);
    let offer = "a=ice-ufrag:page\r\na=ice-pwd:the page's own\r\n";
    a.port.set_credentials(Credentials::of(offer, "aaaa"));
    mux.dispatch(&stun("aaaa:page"), addr(9));
    a.port.route(addr(9));
    let page = std::net::UdpSocket::bind(addr(0)).unwrap();
    page.set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    let there = page.local_addr().unwrap();
    let sound = [0x80, 111, 0, 1, 0, 0, 0, 2, 0, 0, 0, 7, 1];
    let asked = || {
        mux.dispatch(&sound, there);
        let mut question = vec![0; 500];
        let n = page.recv(&mut question).ok()?;
        question.truncate(n);
        Some(question)
    };
    assert_eq!(asked(), None, "the client was heard just now");
    let question = std::iter::repeat_with(asked).flatten().next().unwrap();
    let lie = answer(&question, "a guess", mux.crypto.as_ref());
    mux.dispatch(&lie, there);
    let good = answer(&question, "the page's own", mux.crypto.as_ref());
    mux.dispatch(&good, addr(10));
    assert_eq!(queued(&a), 1, "nobody is believed yet");
    mux.dispatch(&good, there);
    assert!(matches!(a.port.path(), Some(Path::Udp(at)) if at == there));
    // To the library it is where it was.
    mux.dispatch(&sound, there);
    let (_, from) = lock(&a.port.inbox).packets.pop_back().unwrap();
    assert_eq!(from, addr(9));
    assert_eq!(a.port.route(addr(9)), there);
    drop(a);
    let table = lock(&mux.table);
    assert!(table.by_stream.is_empty() && table.asked.is_empty());
}

#[tokio::test]
async fn an_unknown_fragment_falls_back_to_the_address() {
    let mux = mux();
    let (a, _ra) = mux.open();
    a.register("aaaa");
    mux.dispatch(&stun("aaaa:x"), addr(9));
    mux.dispatch(&stun("zzzz:x"), addr(9));
    assert_eq!(queued(&a), 2);
}

#[tokio::test]
async fn inbox_and_keys_are_bounded() {
    let mux = mux();
    let (a, _ra) = mux.open();
    for n in 0..UFRAGS_PER_CONNECTION + 3 {
        a.register(&format!("ufrag{n}"));
    }
    assert_eq!(lock(&mux.table).by_ufrag.len(), UFRAGS_PER_CONNECTION);
    let last = stun(&format!("ufrag{}:x", UFRAGS_PER_CONNECTION + 2));
    for n in 0..ADDRS_PER_CONNECTION as u16 + 5 {
        mux.dispatch(&last, addr(100 + n));
    }
    assert_eq!(lock(&mux.table).by_addr.len(), ADDRS_PER_CONNECTION);
    for _ in 0..INBOX_PACKETS + 7 {
        mux.dispatch(&last, addr(100 + ADDRS_PER_CONNECTION as u16));
    }
    assert_eq!(queued(&a), INBOX_PACKETS);
    assert!(mux.counters.snapshot().datagrams_dropped >= 7);
}
