//! A sealed recording as its files and its manifest: where they lie, under which key, and whether everything fits.

use crate::{
    app::{App, recording},
    problem::{AppError, no},
};
use media::record::{FileSource, Manifest, ReadError, RecordingKey, verify};
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

/// The media plane's list, out of what was signed.
pub(super) fn manifest(r: &Recording) -> Result<Manifest, AppError> {
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

/// Codes: `recording_deleted` where the key is gone already.
pub(super) async fn open(app: &App, tx: &mut Tx, r: &Recording) -> Result<Sealed, AppError> {
    let key = match app.vault.recording_key(tx, &r.key_id).await {
        Err(e) if e.code() == "not_found" => return Err(no("recording_deleted")),
        key => key?,
    };
    Ok(Sealed {
        manifest: manifest(r)?,
        key,
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
