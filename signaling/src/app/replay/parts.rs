//! The bytes of a part, decrypted as they are read. Before each piece it is asked anew whether they may still be read.
//!
//! Bounded whoever reads how slowly: between two pieces a reader, with the segment that it holds, stands on a shelf of a few ([`Warm`]). One
//! that had to give way there is opened anew.

use super::{
    access,
    sealed::{self, Sealed, cut_off},
    warm::{Slot, Warm},
};
use crate::{
    app::App,
    problem::{AppError, no},
};
use bytes::Bytes;
use domain::id::ReplayId;
use futures::{Stream, stream};
use media::record::{FileSource, PartReader};
use std::{io, ops::Range, sync::Arc};
use tokio::sync::Semaphore;

/// One piece of an answer (bytes): what a connection that stands still keeps.
const PIECE: u64 = 256 * 1024;
/// Readings at one time: each decrypts a segment of up to 4 MiB.
static READERS: Semaphore = Semaphore::const_new(8);
/// Readers between two pieces, each with its last segment: the legs of a few replays.
static WARM: Warm<Reader> = Warm::new(16);

type Reader = PartReader<FileSource>;

/// By what a part is asked for.
struct Ticket {
    secret: String,
    replay: ReplayId,
    leg: u16,
    part: u32,
}

/// Whether they may read it now; and what it takes to open it, if that is wanted.
async fn admitted(app: &App, t: &Ticket, opens: bool) -> Result<Option<Sealed>, AppError> {
    let (a, secret, id) = (app.clone(), t.secret.clone(), t.replay.clone());
    app.read(move |tx| {
        Box::pin(async move {
            let (_, seen) = access::of_cookie(&a, tx, &secret, &id).await?;
            if opens {
                let sealed = sealed::open(&a, tx, &seen.line.recording).await?;
                return Ok(Some(sealed));
            }
            Ok(None)
        })
    })
    .await
}

/// Opens the part, unless there is a reader already, and does something with it: on a thread of its own, few at a time.
async fn read<T: Send + 'static>(
    app: &App,
    t: &Arc<Ticket>,
    warm: Option<Reader>,
    work: impl FnOnce(&mut Reader) -> Result<T, AppError> + Send + 'static,
) -> Result<(Slot<Reader>, T), AppError> {
    let sealed = admitted(app, t, warm.is_none()).await?;
    let _one = READERS.acquire().await.map_err(|_| no("internal"))?;
    let t = t.clone();
    let done = tokio::task::spawn_blocking(move || {
        let mut reader = match (warm, sealed) {
            (Some(reader), _) => reader,
            (None, Some(s)) => PartReader::open(s.source, &s.key, &s.manifest, t.leg, t.part)
                .map_err(|e| sealed::refused(&e))?,
            (None, None) => return Err(no("internal")),
        };
        let out = work(&mut reader)?;
        Ok((WARM.put(reader), out))
    });
    done.await.map_err(|_| no("internal"))?
}

/// A part that may be read as long as replay and recording are theirs to see.
pub struct Part {
    ticket: Arc<Ticket>,
    slot: Slot<Reader>,
    length: u64,
    content_type: &'static str,
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
    let ticket = Arc::new(Ticket {
        secret: secret.to_owned(),
        replay: id,
        leg,
        part,
    });
    let about = |r: &mut Reader| Ok((r.len(), r.content_type()));
    let (slot, (length, content_type)) = read(app, &ticket, None, about).await?;
    Ok(Part {
        ticket,
        slot,
        length,
        content_type,
    })
}

impl Part {
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    #[must_use]
    pub const fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// The bytes of a range, piece by piece. What may not be read any more, cannot be read, or is not genuine, ends the answer before its
    /// length: a reader notices.
    pub fn bytes(
        self,
        app: App,
        range: Range<u64>,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let ticket = self.ticket;
        stream::try_unfold((self.slot, range), move |(slot, range)| {
            let (app, ticket) = (app.clone(), ticket.clone());
            async move {
                if range.is_empty() {
                    return Ok(None);
                }
                let (from, to) = (range.start, range.end.min(range.start + PIECE));
                let work = move |r: &mut Reader| {
                    let piece = r.read_range(from, to).map_err(|e| sealed::refused(&e))?;
                    if piece.is_empty() {
                        // Shorter than it says.
                        return Err(no("recording_not_genuine"));
                    }
                    Ok(piece)
                };
                let done = read(&app, &ticket, slot.take(), work).await;
                let (slot, piece) = done.map_err(cut_off)?;
                Ok(Some((Bytes::from(piece), (slot, to..range.end))))
            }
        })
    }
}
