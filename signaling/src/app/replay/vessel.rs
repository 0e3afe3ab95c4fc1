//! A large file sealed piece by piece: written as it comes, read back from any place, never in memory as a whole.
//!
//! On disk: pieces of one size, each sealed by itself (nonce ‖ ciphertext ‖ tag) with its number and whether it is the last one inside, so that
//! pieces cannot change places and an end cannot be cut off. The name is SM3 and key, as all files have it (`files`).

use crate::{
    app::{files, vault::DataKey},
    problem::{AppError, no},
};
use domain::audit::hex;
use sm3::{Digest as _, Sm3};
use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    ops::Range,
    path::{Path, PathBuf},
};

/// Clear bytes of a piece.
const PIECE: usize = 1024 * 1024;
/// Number (64 bits) and mark of the last one.
const HEAD: usize = 9;
/// Nonce and tag of AES-GCM.
const SEAL: usize = 28;
const SEALED: u64 = (PIECE + HEAD + SEAL) as u64;
/// Names of files that are being written.
const UNFINISHED: &str = ".export-";

/// A file being written. Dropped before [`Writer::finish`], it leaves nothing.
pub(super) struct Writer {
    dir: PathBuf,
    path: PathBuf,
    file: File,
    key: DataKey,
    held: Vec<u8>,
    number: u64,
    sum: Sm3,
    bytes: u64,
    kept: bool,
}

impl Writer {
    pub(super) fn create(dir: &Path, name: &str, key: DataKey) -> io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt as _;
        fs::create_dir_all(dir)?;
        let path = dir.join(format!("{UNFINISHED}{name}"));
        let file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self {
            dir: dir.to_owned(),
            path,
            file,
            key,
            held: Vec::with_capacity(PIECE),
            number: 0,
            sum: Sm3::new(),
            bytes: 0,
            kept: false,
        })
    }

    pub(super) fn push(&mut self, mut clear: &[u8]) -> io::Result<()> {
        self.sum.update(clear);
        self.bytes += clear.len() as u64;
        while !clear.is_empty() {
            // A full piece waits for more: only then it is known not to be the last.
            if self.held.len() == PIECE {
                self.seal(false)?;
            }
            let n = clear.len().min(PIECE - self.held.len());
            self.held.extend_from_slice(&clear[..n]);
            clear = &clear[n..];
        }
        Ok(())
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        let mut clear = Vec::with_capacity(HEAD + self.held.len());
        clear.extend_from_slice(&self.number.to_be_bytes());
        clear.push(u8::from(last));
        clear.append(&mut self.held);
        self.number += 1;
        self.file.write_all(&self.key.seal_bytes(&clear))
    }

    /// SM3 and length; the file has its name and outlasts a power cut.
    pub(super) fn finish(mut self) -> io::Result<(String, u64)> {
        self.seal(true)?;
        self.file.sync_all()?;
        let sm3 = hex(&self.sum.clone().finalize());
        let path = files::path_of(&self.dir, &sm3, self.key.id())
            .ok_or_else(|| io::Error::other("not a digest"))?;
        let folder = path.parent().unwrap_or(&self.dir);
        fs::create_dir_all(folder)?;
        fs::rename(&self.path, &path)?;
        self.kept = true;
        File::open(folder)?.sync_all()?;
        Ok((sm3, self.bytes))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Takes away what a process that has ended left half written. Files of a running one are younger than `age_s` (seconds).
pub(super) fn sweep(dir: &Path, age_s: u64) -> io::Result<()> {
    let Ok(all) = fs::read_dir(dir) else {
        return Ok(());
    };
    for e in all {
        let e = e?;
        let ours = e.file_name().to_string_lossy().starts_with(UNFINISHED);
        let old = || {
            let modified = e.metadata().and_then(|m| m.modified());
            modified.is_ok_and(|t| t.elapsed().is_ok_and(|a| a.as_secs() >= age_s))
        };
        if ours && old() {
            fs::remove_file(e.path())?;
        }
    }
    Ok(())
}

/// A file that was written.
pub(super) struct Reader {
    file: File,
    key: DataKey,
    bytes: u64,
}

impl Reader {
    pub(super) fn open(dir: &Path, sm3: &str, bytes: u64, key: DataKey) -> Result<Self, AppError> {
        let path = files::path_of(dir, sm3, key.id()).ok_or_else(|| no("not_found"))?;
        let file = File::open(path).map_err(|_| no("not_found"))?;
        Ok(Self { file, key, bytes })
    }

    pub(super) const fn length(&self) -> u64 {
        self.bytes
    }

    fn piece(&mut self, number: u64) -> Result<Vec<u8>, AppError> {
        let broken = |_| no("unavailable");
        self.file
            .seek(SeekFrom::Start(number * SEALED))
            .map_err(broken)?;
        let mut sealed = Vec::new();
        let mut one = (&self.file).take(SEALED);
        one.read_to_end(&mut sealed).map_err(broken)?;
        let clear = self.key.open_bytes(&sealed)?;
        let (head, data) = clear.split_at_checked(HEAD).ok_or_else(|| no("internal"))?;
        let end = number * PIECE as u64 + data.len() as u64;
        let last = [u8::from(end == self.bytes)];
        if head != [&number.to_be_bytes()[..], &last[..]].concat() {
            return Err(no("internal"));
        }
        Ok(data.to_vec())
    }

    /// The bytes of a range, as far as one piece has them.
    pub(super) fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>, AppError> {
        let end = range.end.min(self.bytes);
        if range.start >= end {
            return Ok(vec![]);
        }
        let number = range.start / PIECE as u64;
        let first = number * PIECE as u64;
        let data = self.piece(number)?;
        let at = |v: u64| {
            usize::try_from(v - first)
                .unwrap_or(usize::MAX)
                .min(data.len())
        };
        Ok(data[at(range.start)..at(end)].to_vec())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::app::vault::Vault;
    use domain::id::{Id as _, KeyId};

    fn key(n: u128) -> DataKey {
        Vault::from_master(&[1; 32]).make(KeyId::make(1, n)).0
    }

    fn clear(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|i| (i * 7 + i / 251) as u8).collect()
    }

    fn written(dir: &Path, key: &DataKey, clear: &[u8]) -> (String, u64) {
        let mut w = Writer::create(dir, "a", key.clone()).unwrap();
        for chunk in clear.chunks(300_001) {
            w.push(chunk).unwrap();
        }
        w.finish().unwrap()
    }

    fn all(r: &mut Reader, range: Range<u64>) -> Vec<u8> {
        let mut out = vec![];
        let mut at = range.start;
        while at < range.end.min(r.length()) {
            let piece = r.read(at..range.end).unwrap();
            at += piece.len() as u64;
            out.extend(piece);
        }
        out
    }

    #[test]
    fn any_range_comes_back() {
        for bytes in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 77] {
            let dir = tempfile::tempdir().unwrap();
            let (key, clear) = (key(1), clear(bytes));
            let (sm3, length) = written(dir.path(), &key, &clear);
            assert_eq!(sm3, domain::digest::sm3_hex(&clear));
            assert_eq!(length, bytes as u64);
            let mut r = Reader::open(dir.path(), &sm3, length, key).unwrap();
            assert_eq!(all(&mut r, 0..u64::MAX), clear);
            let last = bytes.saturating_sub(5);
            assert_eq!(all(&mut r, last as u64..u64::MAX), &clear[last..]);
            let (a, b) = (bytes / 3, bytes / 3 * 2);
            assert_eq!(all(&mut r, a as u64..b as u64), &clear[a..b]);
        }
    }

    #[test]
    fn a_changed_moved_or_cut_file_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let (key, clear) = (key(1), clear(2 * PIECE + 10));
        let (sm3, length) = written(dir.path(), &key, &clear);
        let path = files::path_of(dir.path(), &sm3, key.id()).unwrap();
        let whole = fs::read(&path).unwrap();
        assert!(
            !whole.windows(64).any(|w| w == &clear[..64]),
            "it is sealed"
        );
        let sealed = SEALED as usize;
        let try_read = |bytes: &[u8], at: u64| {
            fs::write(&path, bytes).unwrap();
            let mut r = Reader::open(dir.path(), &sm3, length, key.clone()).unwrap();
            r.read(at..length).is_ok()
        };
        assert!(try_read(&whole, 0));
        let mut bent = whole.clone();
        bent[100] ^= 1;
        assert!(!try_read(&bent, 0));
        let mut swapped = whole[sealed..2 * sealed].to_vec();
        swapped.extend_from_slice(&whole[..sealed]);
        swapped.extend_from_slice(&whole[2 * sealed..]);
        assert!(!try_read(&swapped, 0));
        assert!(!try_read(&whole[..2 * sealed], 2 * PIECE as u64));
        // As a shorter file: its last piece is not marked as the last.
        fs::write(&path, &whole[..sealed]).unwrap();
        let mut short = Reader::open(dir.path(), &sm3, PIECE as u64, key.clone()).unwrap();
        assert!(short.read(0..PIECE as u64).is_err());
    }

    #[test]
    fn what_is_not_finished_leaves_nothing_and_what_a_dead_process_left_is_swept() {
        let dir = tempfile::tempdir().unwrap();
        let mut w = Writer::create(dir.path(), "a", key(1)).unwrap();
        w.push(b"half").unwrap();
        drop(w);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        fs::write(dir.path().join(".export-b"), b"left").unwrap();
        fs::write(dir.path().join("other"), b"not ours").unwrap();
        sweep(dir.path(), 60).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "it is young");
        sweep(dir.path(), 0).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
