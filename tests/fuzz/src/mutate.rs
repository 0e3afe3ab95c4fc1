//! Small changes to what is nearly right: they get deeper than noise.

use rand::Rng as _;
use rand::rngs::StdRng;

/// Values at the edges of what lengths, counts and numbers may be.
const EDGES: [u32; 12] = [
    0,
    1,
    2,
    3,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
];

/// Changes `bytes` a few times; `other` gives pieces to put in.
pub fn mutate(rng: &mut StdRng, bytes: &mut Vec<u8>, other: &[u8], longest: usize) {
    for _ in 0..1 << rng.random_range(0..4) {
        once(rng, bytes, other);
        bytes.truncate(longest);
    }
}

fn once(rng: &mut StdRng, bytes: &mut Vec<u8>, other: &[u8]) {
    if bytes.is_empty() {
        bytes.extend((0..rng.random_range(1..32)).map(|_| rng.random::<u8>()));
        return;
    }
    let at = rng.random_range(0..bytes.len());
    match rng.random_range(0..11) {
        0 => bytes[at] ^= 1 << rng.random_range(0..8),
        1 => bytes[at] = rng.random(),
        2 => {
            bytes[at] = bytes[at]
                .wrapping_add(rng.random_range(0..16))
                .wrapping_sub(8);
        }
        // A field of one, two or four bytes at an edge.
        3 | 4 => {
            let edge = EDGES[rng.random_range(0..EDGES.len())].to_be_bytes();
            let width = 1usize << rng.random_range(0..3);
            for (to, from) in bytes[at..].iter_mut().zip(&edge[4 - width..]) {
                *to = *from;
            }
        }
        5 => bytes.truncate(at),
        6 => {
            let end = (at + rng.random_range(1..16)).min(bytes.len());
            bytes.drain(at..end);
        }
        7 => {
            let end = (at + rng.random_range(1..64)).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            let to = rng.random_range(0..=bytes.len());
            bytes.splice(to..to, piece);
        }
        8 if !other.is_empty() => {
            let from = rng.random_range(0..other.len());
            let end = (from + rng.random_range(1..64)).min(other.len());
            bytes.splice(at..at, other[from..end].iter().copied());
        }
        // The head of one, the tail of another.
        9 if !other.is_empty() => {
            bytes.truncate(at);
            bytes.extend(&other[at.min(other.len())..]);
        }
        _ => {
            let new: Vec<u8> = (0..rng.random_range(1..8)).map(|_| rng.random()).collect();
            bytes.splice(at..at, new);
        }
    }
}

/// The same for text: lines are lost, doubled, moved, and numbers and words change.
pub fn mutate_lines(rng: &mut StdRng, bytes: &mut Vec<u8>, other: &[u8]) {
    let mut lines: Vec<Vec<u8>> = bytes
        .split_inclusive(|b| *b == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    for _ in 0..rng.random_range(1..4) {
        if lines.is_empty() {
            break;
        }
        let (a, b) = (
            rng.random_range(0..lines.len()),
            rng.random_range(0..lines.len()),
        );
        match rng.random_range(0..5) {
            0 => drop(lines.remove(a)),
            1 => lines.swap(a, b),
            2 => lines.insert(a, lines[b].clone()),
            3 => {
                let theirs: Vec<_> = other.split_inclusive(|b| *b == b'\n').collect();
                if !theirs.is_empty() {
                    lines.insert(a, theirs[rng.random_range(0..theirs.len())].to_vec());
                }
            }
            _ => once(rng, &mut lines[a], other),
        }
    }
    *bytes = lines.concat();
}
