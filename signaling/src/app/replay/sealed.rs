//! A sealed recording as its files and its manifest: where they lie, under which key, and whether everything fits.

use crate::{
    app::{App, recording, vault::DataKey},
    problem::{AppError, no},
};
use media::record::{FileSource, Manifest, ReadError, RecordingKey, verify};
use std::io;
use store::{Tx, recording::Recording};

/// What it takes to read one.
pub(super) struct Sealed {
    pub manifest: Manifest,
    pub key: RecordingKey,
    pub source: FileSource,
}

pub(super) fn refused(e: &ReadError) -> AppError {
    tracing::warn!(code = e.code(), error = %e, "a recording could not be read");
    match e {
        ReadError::NotFound => no("recording_part_unknown"),
        ReadError::NotGenuine { .. } | ReadError::Mixed => no("recording_not_genuine"),
        ReadError::Storage { .. } => no("recording_unreadable"),
    }
}

/// Ends an answer that has begun before its length: whoever reads notices.
pub(super) fn cut_off(e: AppError) -> io::Error {
    tracing::info!(code = e.code(), "a replay was cut off");
    io::Error::other(e.code())
}

/// The media plane's list, out of what was signed.
pub(in crate::app) fn manifest(r: &Recording) -> Result<Manifest, AppError> {
    let text = r
        .manifest
        .as_deref()
        .ok_or_else(|| no("recording_not_sealed"))?;
    #[derive(serde::Deserialize)]
    struct Signed {
        media: Manifest,
    }
    serde_json::from_str::<Signed>(text)
        .map(|s| s.media)
        .map_err(|_| no("internal"))
}

/// What is destroyed is on its way out, whatever the row says.
fn gone(e: AppError) -> AppError {
    match e.code() {
        "not_found" => no("recording_deleted"),
        _ => e,
    }
}

/// The key of what people said of it: reasons to look, to hold. Codes: `recording_deleted`.
pub(super) async fn words(app: &App, tx: &mut Tx, r: &Recording) -> Result<DataKey, AppError> {
    app.vault.key(tx, &r.key_id).await.map_err(gone)
}

/// Codes: `recording_deleted` where the key is gone already.
pub(super) async fn open(app: &App, tx: &mut Tx, r: &Recording) -> Result<Sealed, AppError> {
    let key = app.vault.recording_key(tx, &r.key_id).await;
    Ok(Sealed {
        key: key.map_err(gone)?,
        manifest: manifest(r)?,
        source: FileSource::new(recording::folder(app, &r.id)),
    })
}

/// Whether the seal is this installation's over exactly this manifest.
pub(super) fn seal_fits(app: &App, r: &Recording) -> bool {
    recording::is_ours(app, r)
}

impl Sealed {
    /// Reads everything once. Blocking.
    pub(super) fn check(&self) -> Result<(), ReadError> {
        verify(&self.source, &self.key, &self.manifest)
    }
}
