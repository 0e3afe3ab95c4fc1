//! The bytes of a part, decrypted as they are read: at most one segment and one piece in memory for each reader.

use super::{access, sealed};
use crate::{
    app::App,
    problem::{AppError, no},
};
use bytes::Bytes;
use domain::{id::ReplayId, time::Timestamp};
use futures::{Stream, stream};
use media::record::{FileSource, PartReader};
use std::{io, ops::Range};
use tokio::sync::Semaphore;

/// One piece of an answer (bytes).
const PIECE: u64 = 1024 * 1024;
/// Readings at one time: each decrypts a segment of up to 4 MiB.
static READERS: Semaphore = Semaphore::const_new(8);

/// A part that may be read until the replay is over.
pub struct Part {
    reader: PartReader<FileSource>,
    until: Timestamp,
}

/// For whoever holds the replay's cookie.
///
/// Codes: `not_found`, `replay_over`, `recording_part_unknown`, `recording_not_genuine`, `recording_unreadable`, and those of [`access::entitled`]
/// and [`access::playable`].
pub async fn open(
    app: &App,
    secret: &str,
    id: ReplayId,
    leg: u16,
    part: u32,
) -> Result<Part, AppError> {
    let (a, secret) = (app.clone(), secret.to_owned());
    let (sealed, until) = app
        .read(|tx| {
            Box::pin(async move {
                let (r, seen) = access::of_cookie(&a, tx, &secret, &id).await?;
                let sealed = sealed::open(&a, tx, &seen.line.recording).await?;
                Ok((sealed, r.expires_at))
            })
        })
        .await?;
    let _one = READERS.acquire().await.map_err(|_| no("internal"))?;
    let opened = tokio::task::spawn_blocking(move || {
        let s = sealed;
        PartReader::open(s.source, &s.key, &s.manifest, leg, part)
    })
    .await
    .map_err(|_| no("internal"))?;
    Ok(Part {
        reader: opened.map_err(|e| sealed::refused(&e))?,
        until,
    })
}

impl Part {
    #[must_use]
    pub fn length(&self) -> u64 {
        self.reader.len()
    }

    #[must_use]
    pub fn content_type(&self) -> &'static str {
        self.reader.content_type()
    }

    /// The bytes of a range, piece by piece. What cannot be read, or is not genuine, ends the answer before its length: a reader notices.
    pub fn bytes(
        self,
        app: App,
        range: Range<u64>,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let until = self.until;
        let start = (self.reader, range);
        stream::try_unfold(start, move |(mut reader, range)| {
            let app = app.clone();
            async move {
                if range.is_empty() {
                    return Ok(None);
                }
                // Who reads slowly does not read for ever.
                if app.now() >= until {
                    return Err(io::Error::other("the replay is over"));
                }
                let _one = READERS.acquire().await.map_err(io::Error::other)?;
                let to = range.end.min(range.start + PIECE);
                let done = tokio::task::spawn_blocking(move || {
                    let piece = reader.read_range(range.start, to);
                    (reader, piece)
                });
                let (reader, piece) = done.await.map_err(io::Error::other)?;
                let piece = piece.map_err(|e| {
                    tracing::warn!(code = e.code(), error = %e, "a replay was cut off");
                    io::Error::other(e.code())
                })?;
                if piece.is_empty() {
                    return Err(io::Error::other("a part is shorter than it says"));
                }
                Ok(Some((Bytes::from(piece), (reader, to..range.end))))
            }
        })
    }
}
