//! What is well-formed, one of each kind: STUN (RFC 8489), DTLS 1.2 (RFC 6347), RTP (RFC 3550, 8285), RTCP (RFC 3550, 4585, 5104),
//! SDP (RFC 8866, 8829), and what the recorder writes.

fn stun_of(kind: [u8; 2], attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = vec![];
    for (number, value) in attributes {
        body.extend(number.to_be_bytes());
        body.extend((value.len() as u16).to_be_bytes());
        body.extend(*value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    let mut packet = kind.to_vec();
    packet.extend((body.len() as u16).to_be_bytes());
    packet.extend([0x21, 0x12, 0xa4, 0x42]);
    packet.extend([9; 12]);
    packet.extend(body);
    packet
}

pub fn stun() -> Vec<Vec<u8>> {
    let check: &[(u16, &[u8])] = &[
        (0x0006, b"local:remote"),
        (0x0024, &[0x6e, 0, 0, 1]),
        (0x802a, &[1, 2, 3, 4, 5, 6, 7, 8]),
        (0x0025, &[]),
        (0x0008, &[7; 20]),
        (0x8028, &[1, 2, 3, 4]),
    ];
    vec![
        stun_of([0, 1], check),
        stun_of([0, 1], &check[..1]),
        stun_of(
            [1, 1],
            &[(0x0020, &[0, 1, 0x1b, 0x58, 0xe1, 0xba, 0xa5, 0x43])],
        ),
        stun_of([1, 0x11], &[(0x0009, b"\0\0\x04\x57Role conflict")]),
        stun_of([0, 0x11], &[]),
    ]
}

/// A record of this type around a body.
fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0];
    out.extend((body.len() as u16).to_be_bytes());
    out.extend(body);
    out
}

/// A handshake message in one fragment.
fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = &(body.len() as u32).to_be_bytes()[1..];
    let mut out = vec![kind];
    out.extend(length);
    out.extend([0, 0, 0, 0, 0]);
    out.extend(length);
    out.extend(body);
    record(22, &out)
}

pub fn dtls() -> Vec<Vec<u8>> {
    let mut hello = vec![0xfe, 0xfd];
    hello.extend([5; 32]);
    hello.extend([0, 0]); // session, cookie
    hello.extend([0, 4, 0xc0, 0x2b, 0xc0, 0x2f]);
    hello.extend([1, 0]);
    let extensions: &[(u16, &[u8])] = &[
        (10, &[0, 4, 0, 29, 0, 23]),
        (11, &[1, 0]),
        (13, &[0, 4, 4, 3, 4, 1]),
        (14, &[0, 4, 0, 7, 0, 1, 0]),
        (23, &[]),
        (0xff01, &[0]),
    ];
    let mut list = vec![];
    for (number, value) in extensions {
        list.extend(number.to_be_bytes());
        list.extend((value.len() as u16).to_be_bytes());
        list.extend(*value);
    }
    hello.extend((list.len() as u16).to_be_bytes());
    hello.extend(&list);
    let mut server = vec![0xfe, 0xfd];
    server.extend([6; 32]);
    server.extend([0, 0xc0, 0x2b, 0]);
    server.extend((list.len() as u16).to_be_bytes());
    server.extend(&list);
    let mut flight = handshake(2, &server);
    flight.extend(handshake(11, &[0, 0, 7, 0, 0, 4, 0x30, 2, 5, 0]));
    flight.extend(handshake(12, &[3, 0, 29, 4, 1, 2, 3, 4, 4, 3, 0, 2, 9, 9]));
    flight.extend(handshake(13, &[1, 64, 0, 2, 4, 3, 0, 0]));
    flight.extend(handshake(14, &[]));
    vec![
        handshake(1, &hello),
        handshake(3, &[0xfe, 0xfd, 4, 1, 2, 3, 4]),
        flight,
        handshake(15, &[4, 3, 0, 3, 1, 2, 3]),
        handshake(16, &[4, 1, 2, 3, 4]),
        handshake(20, &[3; 12]),
        record(20, &[1]),
        record(21, &[2, 40]),
        record(23, &[8; 40]),
    ]
}

fn rtp_of(first: u8, second: u8, rest: &[u8]) -> Vec<u8> {
    let mut out = vec![first, second, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7];
    out.extend(rest);
    out
}

pub fn rtp() -> Vec<Vec<u8>> {
    let mut one_byte = vec![0xbe, 0xde, 0, 2, 0x10, 1, 0x22, 2, 3, 4, 0, 0];
    one_byte.extend([
        0x90, 0xf0, 0x81, 2, 3, 4, 0x10, 2, 0, 0x9d, 1, 0x2a, 0x80, 2, 0xe0, 1,
    ]);
    let mut two_byte = vec![0x10, 0, 0, 1, 1, 1, 9, 0];
    two_byte.extend([0x65; 40]);
    vec![
        rtp_of(0x80, 111, &[0xfc, 1, 2, 3]),
        rtp_of(
            0x80,
            96,
            &[0x10, 0x10, 2, 0, 0x9d, 1, 0x2a, 0x80, 2, 0xe0, 1],
        ),
        rtp_of(0x90, 0xe0, &one_byte),
        rtp_of(0x90, 0xe1, &two_byte),
        rtp_of(0x82, 96, &[0, 0, 0, 1, 0, 0, 0, 2, 0x7c, 0x85, 1, 2]),
        rtp_of(0xa0, 96, &[0x10, 1, 0, 0, 0, 0, 0, 4]),
    ]
}

pub fn payload() -> Vec<Vec<u8>> {
    let sps: &[u8] = &[
        0x67, 0x42, 0xc0, 0x1f, 0xda, 0x02, 0x80, 0xbf, 0xe5, 0xc0, 0x44,
    ];
    let high: &[u8] = &[
        0x67, 0x64, 0, 0x1f, 0xac, 0xd9, 0x40, 0x50, 5, 0xbb, 1, 0x10,
    ];
    let pps: &[u8] = &[0x68, 0xce, 0x3c, 0x80];
    let mut stap = vec![0x78];
    for nal in [sps, pps, &[0x65, 0x88, 0x84, 0][..]] {
        stap.extend((nal.len() as u16).to_be_bytes());
        stap.extend(nal);
    }
    vec![
        vec![0x10, 0x10, 2, 0, 0x9d, 1, 0x2a, 0x80, 2, 0xe0, 1, 7],
        vec![
            0x90, 0xf0, 0x81, 2, 3, 4, 0, 2, 0, 0x9d, 1, 0x2a, 0x40, 1, 0xf0, 0,
        ],
        vec![0x90, 0x80, 1, 1],
        sps.to_vec(),
        high.to_vec(),
        pps.to_vec(),
        stap,
        vec![
            0x7c, 0x85, 1, 2, 3, 4, 0x7c, 5, 5, 6, 7, 8, 0x7c, 0x45, 9, 9, 9, 9,
        ],
        vec![0xfc, 1, 2, 3, 4],
    ]
}

pub fn rtcp() -> Vec<Vec<u8>> {
    let block = [
        0, 0, 0, 7, 0x10, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 5, 1, 2, 3, 4, 0, 0, 1, 0,
    ];
    let mut sender = vec![0x81, 200, 0, 12, 0, 0, 0, 7];
    sender.extend([1; 20]);
    sender.extend(block);
    let mut receiver = vec![0x81, 201, 0, 7, 0, 0, 0, 7];
    receiver.extend(block);
    let names = [
        0x81, 202, 0, 3, 0, 0, 0, 7, 1, 4, b'n', b'a', b'm', b'e', 0, 0,
    ];
    let bye = [0x81, 203, 0, 1, 0, 0, 0, 7];
    let nack = [0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 7, 0, 1, 0xff, 0xff];
    let wide = [
        0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 7, 0, 1, 0, 3, 0, 0, 1, 0, 0x20, 3, 4, 4, 4, 0, 0, 0,
    ];
    let pli = [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 7];
    let fir = [
        0x84, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 3, 0, 0, 0,
    ];
    let remb = [
        0x8f, 206, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, b'R', b'E', b'M', b'B', 1, 0x0b, 0xd0, 0x90, 0, 0,
        0, 7,
    ];
    let extended = [
        0x80, 207, 0, 4, 0, 0, 0, 7, 4, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8,
    ];
    let mut compound = sender.clone();
    compound.extend(names);
    compound.extend(nack);
    compound.extend(bye);
    vec![
        sender,
        receiver,
        names.to_vec(),
        bye.to_vec(),
        nack.to_vec(),
        wide.to_vec(),
        pli.to_vec(),
        fir.to_vec(),
        remb.to_vec(),
        extended.to_vec(),
        compound,
    ]
}

pub fn datagram() -> Vec<Vec<u8>> {
    [stun(), dtls(), rtp(), rtcp()].concat()
}

pub fn tcp() -> Vec<Vec<u8>> {
    let frame = |packet: Vec<u8>| {
        let mut out = (packet.len() as u16).to_be_bytes().to_vec();
        out.extend(packet);
        out
    };
    let mut both = frame(stun().remove(0));
    both.extend(frame(rtp().remove(0)));
    vec![
        both,
        frame(dtls().remove(0)),
        frame(rtcp().remove(0)),
        vec![0, 0],
    ]
}

pub fn sdp() -> Vec<Vec<u8>> {
    let head = "v=0\r\no=- 4611 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS *\r\n";
    let ice = "c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=ice-options:trickle\r\na=fingerprint:sha-256 0F:74:31:25:CB:A2:13:EC:28:6F:6D:2C:61:FF:5D:C2:BC:B9:DB:3D:98:14:8D:1A:BB:EA:33:0C:A4:60:A8:8E\r\na=setup:actpass\r\n";
    let audio = format!(
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9\r\n{ice}a=mid:0\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=sendrecv\r\na=msid:s t\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:9 G722/8000\r\na=ssrc:1234 cname:x\r\n"
    );
    let video = format!(
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97 102\r\n{ice}a=mid:1\r\na=extmap:14 urn:ietf:params:rtp-hdrext:toffset\r\na=recvonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 goog-remb\r\na=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rtpmap:102 H264/90000\r\na=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\na=ssrc-group:FID 5 6\r\na=rid:h send\r\na=simulcast:send h;m;l\r\n"
    );
    let rejected =
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\n";
    vec![
        format!("{head}{audio}{video}").into_bytes(),
        format!("{head}{audio}").into_bytes(),
        format!("{head}{audio}{video}{rejected}a=candidate:1 1 udp 2113937151 192.0.2.1 5000 typ host\r\na=end-of-candidates\r\n").into_bytes(),
        head.as_bytes().to_vec(),
    ]
}

/// An element as the recorder writes it: a size of eight bytes.
fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
    let mut out = id.to_vec();
    out.extend((0x0100_0000_0000_0000u64 | body.len() as u64).to_be_bytes());
    out.extend(body);
    out
}

pub fn container() -> Vec<Vec<u8>> {
    let track = |private: &[u8]| {
        let mut body = element(&[0xd7], &[1]);
        if !private.is_empty() {
            body.extend(element(&[0x63, 0xa2], private));
        }
        element(&[0xae], &body)
    };
    let tracks = element(
        &[0x16, 0x54, 0xae, 0x6b],
        &[track(b""), track(b"OpusHead")].concat(),
    );
    let mut file = element(&[0x1a, 0x45, 0xdf, 0xa3], &element(&[0x42, 0x82], b"webm"));
    file.extend([
        0x18, 0x53, 0x80, 0x67, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    ]);
    file.extend(element(&[0x15, 0x49, 0xa9, 0x66], &[]));
    file.extend(tracks);
    vec![file.clone(), file[..40].to_vec()]
}

/// Records: a type, a length of two bytes, a content; the target seals them.
pub fn segment() -> Vec<Vec<u8>> {
    let record = |kind: u8, body: &[u8]| {
        let mut out = vec![kind];
        out.extend((body.len() as u16).to_be_bytes());
        out.extend(body);
        out
    };
    let meta = br#"[{"meta":{"started_at_ms":1,"member":"c","role":"citizen","required":["c"],"part":1,"part_from_ms":0,"head_bytes":10,"tracks":[]}}]"#;
    let mut whole = record(2, meta);
    whole.extend(record(1, &[0; 40]));
    whole.extend(record(3, &[]));
    let mut raw = b"CBR1".to_vec();
    raw.extend([9; 16]);
    raw.extend([0, 2, 0, 0, 0, 7, 5]);
    raw.extend(b"rec_1");
    raw.extend([0; 32]);
    raw.extend([1, 0, 0, 20]);
    raw.extend([8; 20]);
    vec![whole, raw]
}

pub fn manifest() -> Vec<Vec<u8>> {
    let text = r#"{"format":1,"recording":"rec_1","started_at_ms":1795300000000,"duration_ms":900,"ended":"finished",
"legs":[{"leg":2,"member":"c","role":"citizen","required":true,"gaps":[],"chain":"",
"parts":[{"part":1,"from_ms":0,"to_ms":900,"bytes":4000,"head_bytes":400,"cues":[{"ms":0,"at":400}],
"tracks":[{"kind":"audio","codec":"opus","sample_rate":48000,"frames":1}]}],
"segments":[{"index":7,"part":1,"first_ms":0,"last_ms":0,"bytes":0,"clear_bytes":0,"sha256":"","chain":"","complete":true}]}],
"events":[{"at_ms":1,"what":"proven"},{"at_ms":2,"what":"stopped","reason":"finished"}]}"#;
    vec![text.replace('\n', "").into_bytes()]
}
