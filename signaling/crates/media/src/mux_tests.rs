//! The shared port: who is behind which address, what is bounded, and whose address has changed.

use super::*;
use crate::config::{ADDRS_PER_MIN, INBOX_PACKETS};
use crate::moved::{Credentials, tests::answer};
use crate::port::Path;
use crate::stun::signed;

const RTP: &[u8] = &[128, 0, 1];

fn addr(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn queued(guard: &PortGuard) -> usize {
    guard.port.queued()
}

fn mux() -> Arc<Mux> {
    Mux::bind(addr(0), Arc::default()).unwrap()
}

/// A check of a page that has this user fragment's password.
fn check(ufrag: &str) -> Vec<u8> {
    signed(&format!("{ufrag}:x"), ufrag)
}

fn forged(ufrag: &str) -> Vec<u8> {
    signed(&format!("{ufrag}:x"), "guessed")
}

#[tokio::test]
async fn a_check_keys_the_address_and_another_one_rekeys_it() {
    let mux = mux();
    let (a, _ra) = mux.open();
    let (b, _rb) = mux.open();
    a.register("aaaa", "aaaa");
    b.register("bbbb", "bbbb");
    mux.dispatch(RTP, addr(9));
    assert_eq!(mux.counters.snapshot().datagrams_ignored, 1);
    mux.dispatch(&check("aaaa"), addr(9));
    mux.dispatch(RTP, addr(9));
    assert_eq!((queued(&a), queued(&b)), (2, 0));
    mux.dispatch(&check("bbbb"), addr(9));
    mux.dispatch(RTP, addr(9));
    assert_eq!((queued(&a), queued(&b)), (2, 2));
    // The old owner's end does not take the address from the new one.
    drop(a);
    mux.dispatch(RTP, addr(9));
    assert_eq!(queued(&b), 3);
    drop(b);
    let table = lock(&mux.table);
    assert!(table.by_addr.is_empty() && table.by_ufrag.is_empty());
}

#[tokio::test]
async fn a_check_that_proves_nothing_reaches_nobody_and_moves_nothing() {
    let mux = mux();
    let (a, _ra) = mux.open();
    let (b, _rb) = mux.open();
    a.register("aaaa", "aaaa");
    b.register("bbbb", "bbbb");
    mux.dispatch(&check("aaaa"), addr(9));
    let unproven = [
        forged("bbbb"),
        forged("aaaa"),
        check("zzzz"),
        check("bbbb")[..40].to_vec(),
    ];
    for n in 0..ADDRS_PER_CONNECTION as u16 * 2 {
        for packet in &unproven {
            mux.dispatch(packet, addr(9));
            mux.dispatch(packet, addr(100 + n));
        }
    }
    assert_eq!((queued(&a), queued(&b)), (1, 0));
    mux.dispatch(RTP, addr(9));
    assert_eq!((queued(&a), queued(&b)), (2, 0));
    let table = lock(&mux.table);
    assert_eq!(table.by_addr.len(), 1);
}

#[tokio::test]
async fn nobody_takes_the_address_of_a_client_who_is_there() {
    let mux = mux();
    let (a, _ra) = mux.open();
    let (b, _rb) = mux.open();
    a.register("aaaa", "aaaa");
    b.register("bbbb", "bbbb");
    mux.dispatch(&check("aaaa"), addr(9));
    a.port.set_path(crate::port::Path::Udp(addr(9)));
    mux.dispatch(RTP, addr(9));
    mux.dispatch(&check("bbbb"), addr(9));
    mux.dispatch(RTP, addr(9));
    assert_eq!((queued(&a), queued(&b)), (3, 0));
}

#[tokio::test]
async fn inbox_and_keys_are_bounded() {
    let mux = mux();
    let (a, _ra) = mux.open();
    for n in 0..UFRAGS_PER_CONNECTION + 3 {
        let ufrag = format!("ufrag{n}");
        a.register(&ufrag, &ufrag);
    }
    assert_eq!(lock(&mux.table).by_ufrag.len(), UFRAGS_PER_CONNECTION);
    let last = check(&format!("ufrag{}", UFRAGS_PER_CONNECTION + 2));
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

#[tokio::test]
async fn one_client_has_so_many_new_addresses_a_minute() {
    let mux = mux();
    let (a, _ra) = mux.open();
    a.register("aaaa", "aaaa");
    for n in 0..ADDRS_PER_MIN as u16 * 3 {
        mux.dispatch(&check("aaaa"), addr(100 + n));
    }
    assert_eq!(queued(&a), ADDRS_PER_MIN);
    // Those that are known are heard as before.
    mux.dispatch(&check("aaaa"), addr(100 + ADDRS_PER_MIN as u16 - 1));
    assert_eq!(queued(&a), ADDRS_PER_MIN + 1);
}

#[tokio::test]
async fn a_client_that_answers_from_another_address_has_moved_there() {
    let mux = mux();
    let (a, _ra) = mux.open();
    a.register("aaaa", "aaaa");
    a.register_stream(7);
    let offer = "a=ice-ufrag:page\r\na=ice-pwd:the page's own\r\n";
    a.port.set_credentials(Credentials::of(offer, "aaaa"));
    mux.dispatch(&check("aaaa"), addr(9));
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
    assert_eq!(a.port.last_from(), Some(addr(9)));
    assert_eq!(a.port.route(addr(9)), there);
    drop(a);
    let table = lock(&mux.table);
    assert!(table.by_stream.is_empty() && table.asked.is_empty());
}
