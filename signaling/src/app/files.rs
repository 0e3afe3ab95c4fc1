//! Content-addressed files under `<shared dir>/files/<first two>/<sm3>-<key id>`, sealed under the citizen's key.
//!
//! Owns names, durability (temporary file, fsync, rename) and the check that what is read is what was written. Rows are the
//! caller's ([`record`]); a file without a row is swept later, one whose key is destroyed by `erasure`. Never called within a transaction.

use super::{App, Work, vault, vault::DataKey};
use crate::problem::{AppError, no};
use domain::{
    digest::sm3_hex,
    id::{Id as _, KeyId},
    limits,
};
use std::{
    fs, io,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};
use store::{Tx, file};

/// Largest file (bytes): a material; papers that the product makes are smaller.
pub const FILE_BYTES: usize = limits::MATERIAL_BYTES;
/// What sealing adds, and room to spare.
const SEALED_BYTES: u64 = FILE_BYTES as u64 + 1024;

pub(super) fn path_of(dir: &Path, sm3: &str, key: &KeyId) -> Option<PathBuf> {
    let hex = sm3.len() == 64 && sm3.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    hex.then(|| dir.join(&sm3[..2]).join(format!("{sm3}-{}", key.as_str())))
}

fn write(dir: &Path, key: &DataKey, bytes: &[u8]) -> io::Result<String> {
    let sm3 = sm3_hex(bytes);
    let path = path_of(dir, &sm3, key.id()).ok_or_else(|| io::Error::other("not a digest"))?;
    if path.exists() {
        // Young again, so that a sweep leaves it until its row stands.
        fs::OpenOptions::new()
            .write(true)
            .open(&path)?
            .set_modified(std::time::SystemTime::now())?;
        return Ok(sm3);
    }
    let folder = path.parent().unwrap_or(dir);
    fs::create_dir_all(folder)?;
    let name = domain::audit::hex(&vault::random::<8>());
    let temporary = folder.join(format!(".{name}.tmp"));
    let done = (|| {
        let mut f = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)?;
        f.write_all(&key.seal_bytes(bytes))?;
        f.sync_all()?;
        fs::rename(&temporary, &path)?;
        // The name must survive a power cut as well.
        fs::File::open(folder)?.sync_all()
    })();
    if done.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    done.map(|()| sm3)
}

fn read(dir: &Path, key: &DataKey, sm3: &str) -> Result<Vec<u8>, AppError> {
    let path = path_of(dir, sm3, key.id()).ok_or_else(|| no("not_found"))?;
    let f = fs::File::open(path).map_err(|_| no("not_found"))?;
    let mut sealed = Vec::new();
    f.take(SEALED_BYTES + 1)
        .read_to_end(&mut sealed)
        .map_err(|_| no("unavailable"))?;
    let clear = key.open_bytes(&sealed)?;
    // Sealed under the right key, but is it the file that was asked for?
    if sm3_hex(&clear) == sm3 {
        Ok(clear)
    } else {
        Err(no("internal"))
    }
}

/// Keeps bytes and answers their SM3. Writing the same again is no work.
///
/// Codes: `too_large`, `unavailable`.
pub async fn put(app: &App, key: &DataKey, bytes: Vec<u8>) -> Result<String, AppError> {
    if bytes.len() > FILE_BYTES {
        return Err(no("too_large"));
    }
    let (dir, key) = (app.files_dir.clone(), key.clone());
    let done = tokio::task::spawn_blocking(move || write(&dir, &key, &bytes))
        .await
        .map_err(|_| no("internal"))?;
    done.map_err(|e| {
        tracing::error!(error = %e, "a file could not be written");
        no("unavailable")
    })
}

/// The bytes, checked against their SM3. `not_found` for what is not there.
pub async fn get(app: &App, key: &DataKey, sm3: &str) -> Result<Vec<u8>, AppError> {
    let (dir, key, sm3) = (app.files_dir.clone(), key.clone(), sm3.to_owned());
    tokio::task::spawn_blocking(move || read(&dir, &key, &sm3))
        .await
        .map_err(|_| no("internal"))?
}

/// The same, when the key must still be fetched.
pub async fn get_under(app: &App, key: &KeyId, sm3: &str) -> Result<Vec<u8>, AppError> {
    let key = key_of(app, key).await?;
    get(app, &key, sm3).await
}

/// Takes a file from the disk; one that is not there is gone.
pub async fn remove(app: &App, key: &KeyId, sm3: &str) -> io::Result<()> {
    let Some(path) = path_of(&app.files_dir, sm3, key) else {
        return Ok(());
    };
    match tokio::fs::remove_file(path).await {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Takes a file that [`put`] has written back, unless a row names it: nothing came of it.
pub async fn forget(app: &App, key: &DataKey, sm3: &str) -> Result<(), AppError> {
    let (id, digest) = (key.id().clone(), sm3.to_owned());
    let kept = app
        .read(|tx| Box::pin(async move { Ok(file::get(tx, &digest, &id).await?.is_some()) }))
        .await?;
    if !kept && let Err(e) = remove(app, key.id(), sm3).await {
        tracing::warn!(error = %e, "a file without a row stays on the disk");
    }
    Ok(())
}

/// A data key for work outside a transaction.
pub async fn key_of(app: &App, id: &KeyId) -> Result<DataKey, AppError> {
    let (a, id) = (app.clone(), id.clone());
    app.read(|tx| Box::pin(async move { a.vault.key(tx, &id).await }))
        .await
}

/// The row of a file that [`put`] has written.
pub async fn record(
    tx: &mut Tx,
    w: &Work,
    key: &KeyId,
    sm3: &str,
    bytes: usize,
    media_type: &str,
) -> Result<(), AppError> {
    let row = file::File {
        sm3: sm3.to_owned(),
        key_id: key.clone(),
        bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        media_type: media_type.to_owned(),
        created_at: w.now,
    };
    file::insert(tx, &row).await?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::app::vault::Vault;

    #[test]
    fn a_file_comes_back_and_no_other_passes_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let v = Vault::from_master(&[1; 32]);
        let (key, _) = v.make(KeyId::make(1, 1));
        let (other, _) = v.make(KeyId::make(1, 2));
        let a = write(dir.path(), &key, b"a").unwrap();
        let b = write(dir.path(), &key, b"b").unwrap();
        assert_eq!(write(dir.path(), &key, b"a").unwrap(), a);
        assert_eq!(read(dir.path(), &key, &a).unwrap(), b"a");
        assert_eq!(
            read(dir.path(), &other, &a).unwrap_err().code(),
            "not_found"
        );
        let (pa, pb) = (
            path_of(dir.path(), &a, key.id()).unwrap(),
            path_of(dir.path(), &b, key.id()).unwrap(),
        );
        assert_ne!(fs::read(&pa).unwrap(), b"a", "on disk it is sealed");
        fs::copy(&pb, &pa).unwrap();
        assert_eq!(read(dir.path(), &key, &a).unwrap_err().code(), "internal");
        assert_eq!(
            read(dir.path(), &key, "../../etc/passwd")
                .unwrap_err()
                .code(),
            "not_found"
        );
    }
}
