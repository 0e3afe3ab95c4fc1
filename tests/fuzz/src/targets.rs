//! The readers, by name.

use crate::seeds;
use media::inside;

/// One reader and what is well-formed for it.
pub struct Target {
    pub name: &'static str,
    /// Answers a number that stands for the outcome.
    pub run: fn(&[u8]) -> u64,
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Longest input (bytes): of a datagram what the port takes, of a file what fits a test.
    pub longest: usize,
}

const DATAGRAM: usize = 1_500;
const FILE: usize = 16 * 1024;

pub const ALL: &[Target] = &[
    Target {
        name: "stun",
        run: inside::stun,
        seeds: seeds::stun,
        longest: DATAGRAM,
    },
    Target {
        name: "dtls",
        run: inside::dtls,
        seeds: seeds::dtls,
        longest: DATAGRAM,
    },
    Target {
        name: "rtp",
        run: inside::rtp,
        seeds: seeds::rtp,
        longest: DATAGRAM,
    },
    Target {
        name: "payload",
        run: inside::payload,
        seeds: seeds::payload,
        longest: DATAGRAM,
    },
    Target {
        name: "rtcp",
        run: inside::rtcp,
        seeds: seeds::rtcp,
        longest: DATAGRAM,
    },
    Target {
        name: "datagram",
        run: inside::datagram,
        seeds: seeds::datagram,
        longest: DATAGRAM,
    },
    Target {
        name: "tcp",
        run: inside::tcp,
        seeds: seeds::tcp,
        longest: 4 * DATAGRAM,
    },
    Target {
        name: "sdp",
        run: inside::sdp,
        seeds: seeds::sdp,
        longest: FILE,
    },
    Target {
        name: "container",
        run: inside::container,
        seeds: seeds::container,
        longest: FILE,
    },
    Target {
        name: "segment",
        run: inside::segment,
        seeds: seeds::segment,
        longest: FILE,
    },
    Target {
        name: "manifest",
        run: inside::manifest,
        seeds: seeds::manifest,
        longest: FILE,
    },
];

pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|t| t.name).collect()
}

pub fn find(name: &str) -> Option<&'static Target> {
    ALL.iter().find(|t| t.name == name)
}
