//! The one RTCP packet that a watching page sends.

/// A receiver report without loss and jitter, and the SDES that must follow (RFC 3550 §6.1, §6.4.2).
#[must_use]
pub fn receiver_report(me: u32, ssrc: [u32; 2], highest: [u32; 2]) -> Vec<u8> {
    let heard: Vec<usize> = (0..2).filter(|k| ssrc[*k] != 0).collect();
    let mut out = vec![0x80 | heard.len() as u8, 201];
    out.extend((1 + 6 * heard.len() as u16).to_be_bytes());
    out.extend(me.to_be_bytes());
    for k in heard {
        out.extend(ssrc[k].to_be_bytes());
        out.extend([0; 4]); // lost
        out.extend(highest[k].to_be_bytes());
        out.extend([0; 12]); // jitter, last SR, delay
    }
    // One chunk: CNAME "bench", padded to a word.
    out.extend([0x81, 202, 0, 3]);
    out.extend(me.to_be_bytes());
    out.extend([1, 5, b'b', b'e', b'n', b'c', b'h', 0]);
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rtc::rtcp::packet::unmarshal;
    use rtc::rtcp::receiver_report::ReceiverReport;

    #[test]
    fn reports_are_what_a_server_can_parse() {
        for (ssrc, blocks) in [([0, 0], 0), ([0, 9], 1), ([8, 9], 2)] {
            let raw = receiver_report(77, ssrc, [100, 70_000]);
            let packets = unmarshal(&mut &raw[..]).unwrap();
            assert_eq!(packets.len(), 2);
            let rr = packets[0]
                .as_any()
                .downcast_ref::<ReceiverReport>()
                .unwrap();
            assert_eq!((rr.ssrc, rr.reports.len()), (77, blocks));
            if let Some(last) = rr.reports.last() {
                assert_eq!((last.ssrc, last.last_sequence_number), (9, 70_000));
                assert_eq!((last.fraction_lost, last.total_lost), (0, 0));
            }
        }
    }
}
