//! The audit log as a Merkle tree: hashing and tree shape of RFC 6962 §2.1 (SHA-256).

use sha2::{Digest, Sha256};

pub type Hash = [u8; 32];

/// Leaf: SHA-256(0x00 ‖ entry).
#[must_use]
pub fn leaf(entry: &[u8]) -> Hash {
    let mut h = Sha256::new();
    h.update([0]);
    h.update(entry);
    h.finalize().into()
}

fn node(l: &Hash, r: &Hash) -> Hash {
    let mut h = Sha256::new();
    h.update([1]);
    h.update(l);
    h.update(r);
    h.finalize().into()
}

/// A growing tree, kept as the roots of its full subtrees, largest first: appending is O(log n).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    peaks: Vec<Hash>,
}

impl Tree {
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    pub fn push(&mut self, leaf: Hash) {
        let mut h = leaf;
        let mut n = self.size;
        while n & 1 == 1 {
            if let Some(l) = self.peaks.pop() {
                h = node(&l, &h);
            }
            n >>= 1;
        }
        self.peaks.push(h);
        self.size += 1;
    }

    /// Root of the tree; of an empty one SHA-256 of nothing.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut it = self.peaks.iter().rev();
        let Some(last) = it.next() else {
            return Sha256::digest([]).into();
        };
        it.fold(*last, |acc, p| node(p, &acc))
    }
}

#[must_use]
pub fn hex(h: &[u8]) -> String {
    h.iter()
        .fold(String::with_capacity(h.len() * 2), |mut s, b| {
            use std::fmt::Write as _;
            let _ = write!(s, "{b:02x}");
            s
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962 §2.1 written out: the definition, to hold the fast form against.
    fn mth(d: &[Hash]) -> Hash {
        match d {
            [] => Sha256::digest([]).into(),
            [one] => *one,
            _ => {
                let k = d.len().next_power_of_two() / 2;
                node(&mth(&d[..k]), &mth(&d[k..]))
            }
        }
    }

    #[test]
    fn the_incremental_root_is_the_defined_root() {
        let mut t = Tree::default();
        let mut leaves = vec![];
        for i in 0u8..70 {
            assert_eq!(t.root(), mth(&leaves), "size {i}");
            let l = leaf(&[i]);
            leaves.push(l);
            t.push(l);
        }
    }

    #[test]
    fn known_vectors() {
        assert_eq!(
            hex(&Tree::default().root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            hex(&leaf(b"")),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
    }
}
