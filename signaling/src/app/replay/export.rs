//! One film of all legs, for those who may replay: made by ffmpeg where it is installed, sealed as it comes out, gone after a day.
//!
//! One at a time on a node, at low priority, bounded in time. Every part reaches ffmpeg through a named pipe of its own in a private
//! directory; the film leaves it through another: clear bytes are in memory alone. What fails leaves neither file nor key.

use super::{
    access,
    ffmpeg::{self, Layout},
    sealed::{self, Sealed},
    vessel::{self, Reader, Writer},
};
use crate::{
    app::{App, Caller, Work, files, retention, token::Principal, vault::DataKey},
    problem::{AppError, no},
};
use bytes::Bytes;
use domain::{
    id::{Id as _, KeyId, ReplayExportId, ReplayId},
    limits,
    time::Timestamp,
};
use futures::{Stream, stream};
use media::record::PartReader;
use protocol::ExportView;
use rustix::fs::{CWD, Mode, OFlags, mkfifoat};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    ops::Range,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use store::{
    Tx, keys,
    replay::{self as kept, Export},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{Child, Command},
    sync::{Semaphore, SemaphorePermit},
    task::JoinSet,
};

/// Films that are made at one time here.
static ONE: Semaphore = Semaphore::const_new(1);
/// Bytes that are read from a part, and from the film, at a time.
const PIECE: u64 = 256 * 1024;
const KIND: &str = "video/mp4";
/// Those who wait for a reader that will not come are looked for this often.
const RELEASE: Duration = Duration::from_millis(200);

fn view(e: &Export) -> ExportView {
    let done = e.state == "done";
    ExportView {
        id: e.id.to_string(),
        state: e.state.clone(),
        percent: u8::try_from(e.percent).unwrap_or(100),
        bytes: e.bytes,
        sm3: e.sm3.clone(),
        src: done.then(|| format!("/api/v1/replays/{}/exports/{}/file", e.replay_id, e.id)),
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Made {
    id: ReplayExportId,
}

/// What the making needs.
struct Job {
    id: ReplayExportId,
    key: DataKey,
    sealed: Sealed,
}

/// By who has opened the replay.
///
/// Codes: `export_unavailable`, `export_running`, `export_too_long`, and those of [`super::opening::get`].
pub async fn begin(app: &App, caller: &Caller, replay: ReplayId) -> Result<ExportView, AppError> {
    if !ffmpeg::available().await {
        return Err(no("export_unavailable"));
    }
    let ran = Arc::new(AtomicBool::new(false));
    let permit = ONE.try_acquire().ok();
    let free = permit.is_some();
    let (who, id, fresh) = (caller.who.clone(), replay.clone(), ran.clone());
    let made: Made = app
        .command(
            caller,
            &format!("replays.export:{replay}"),
            &json!({}),
            move |tx, w| {
                let (who, id, fresh) = (who.clone(), id.clone(), fresh.clone());
                Box::pin(async move {
                    let app = w.app.clone();
                    let (r, seen) = access::of_staff(&app, tx, &who, &id).await?;
                    // After the rights: who may not see it learns nothing of what goes on.
                    if !free {
                        return Err(no("export_running"));
                    }
                    let parts = Layout::of(&sealed::manifest(&seen.line.recording)?).inputs;
                    if parts.is_empty() || parts.len() > limits::EXPORT_PARTS {
                        return Err(no("export_too_long"));
                    }
                    let under_way = kept::exports_of(tx, &r.recording_id).await?;
                    if under_way.iter().any(|e| e.state == "running") {
                        return Err(no("export_running"));
                    }
                    let key_id: KeyId = w.id();
                    let (_, wrapped) = app.vault.make(key_id.clone());
                    keys::insert(tx, &key_id, wrapped, w.now).await?;
                    let row = Export {
                        id: w.id(),
                        replay_id: r.id.clone(),
                        recording_id: r.recording_id.clone(),
                        key_id,
                        state: "running".into(),
                        percent: 0,
                        bytes: None,
                        sm3: None,
                        node: app.bus.node().to_owned(),
                        started_at: w.now,
                        expires_at: w.now + limits::EXPORT_TIME,
                    };
                    kept::insert_export(tx, &row).await?;
                    let detail = json!({"replay": r.id.as_str(), "export": row.id.as_str()});
                    w.audit(tx, "recording.exported", r.recording_id.as_str(), detail)
                        .await?;
                    fresh.store(true, Ordering::Release);
                    Ok(Made { id: row.id })
                })
            },
        )
        .await?;
    if ran.load(Ordering::Acquire)
        && let Some(permit) = permit
    {
        let (a, id) = (app.clone(), made.id.clone());
        tokio::spawn(async move { make(a, id, permit).await });
    }
    get(app, &caller.who, replay, made.id).await
}

async fn make(app: App, id: ReplayExportId, _one: SemaphorePermit<'static>) {
    let time = Duration::from_micros(limits::EXPORT_TIME.0.unsigned_abs());
    let done = match tokio::time::timeout(time, run(&app, &id)).await {
        Ok(done) => done,
        Err(_) => Err(no("export_failed")),
    };
    if let Err(e) = done {
        tracing::warn!(export = %id, code = e.code(), "a film of a recording was not made");
        let failed = app
            .write("server", move |tx, w| {
                let id = id.clone();
                Box::pin(async move {
                    if let Some(e) = kept::export(tx, &id).await?
                        && kept::export_failed(tx, &id).await?
                    {
                        keys::destroy(tx, &e.key_id, w.now).await?;
                    }
                    Ok(())
                })
            })
            .await;
        if let Err(e) = failed {
            tracing::warn!(error = %e, "a film that failed is still said to be made; the sweep ends it");
        }
    }
}

async fn load(app: &App, id: &ReplayExportId) -> Result<Job, AppError> {
    let (a, id) = (app.clone(), id.clone());
    app.read(|tx| {
        Box::pin(async move {
            let e = kept::export(tx, &id)
                .await?
                .ok_or_else(|| no("not_found"))?;
            let r = store::recording::get(tx, &e.recording_id).await?;
            let r = r.ok_or_else(|| no("recording_not_found"))?;
            Ok(Job {
                key: a.vault.key(tx, &e.key_id).await?,
                sealed: sealed::open(&a, tx, &r).await?,
                id,
            })
        })
    })
    .await
}

fn failed(e: impl std::fmt::Display) -> AppError {
    tracing::warn!(error = %e, "the making of a film failed");
    no("export_failed")
}

/// Named pipes for the parts, in a directory that nobody else may enter.
struct Pipes {
    paths: Vec<PathBuf>,
    _dir: tempfile::TempDir,
}

impl Pipes {
    fn make(n: usize) -> io::Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("cloud-booth-export-")
            .tempdir()?;
        let paths: Vec<_> = (0..n).map(|i| dir.path().join(i.to_string())).collect();
        for p in &paths {
            mkfifoat(CWD, p, Mode::RUSR | Mode::WUSR)?;
        }
        Ok(Self { paths, _dir: dir })
    }

    /// Who still waits for a reader gets one, who then goes: nobody waits for ever.
    fn release(&self) {
        for p in &self.paths {
            let flags = OFlags::NONBLOCK.bits().cast_signed();
            let _ = OpenOptions::new().read(true).custom_flags(flags).open(p);
        }
    }
}

impl Drop for Pipes {
    fn drop(&mut self) {
        self.release();
    }
}

/// Puts one part into its pipe. Blocking; ends when ffmpeg does.
fn pour(mut reader: PartReader<media::record::FileSource>, pipe: &Path) -> Result<(), AppError> {
    let mut out = OpenOptions::new().write(true).open(pipe).map_err(failed)?;
    let mut at = 0;
    while at < reader.len() {
        let piece = reader
            .read_range(at, at + PIECE)
            .map_err(|e| sealed::refused(&e))?;
        if piece.is_empty() {
            return Err(no("recording_not_genuine"));
        }
        at += piece.len() as u64;
        match out.write_all(&piece) {
            // It has read what it wanted.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            done => done.map_err(failed)?,
        }
    }
    Ok(())
}

/// With nothing of this process's environment, and after everybody else's work.
fn spawn(arguments: &[String]) -> io::Result<Child> {
    let mut c = Command::new("nice");
    c.args(["-n", "15", "ffmpeg"])
        .args(arguments)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|p| ("PATH", p)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    c.spawn()
}

/// What ffmpeg says while it works: progress goes into the row; of the rest the last line is kept for the log.
async fn follow(
    app: App,
    id: ReplayExportId,
    layout: Layout,
    said: impl tokio::io::AsyncRead + Unpin,
) -> String {
    let mut lines = BufReader::new(said).lines();
    let (mut last, mut shown) = (String::new(), 0);
    while let Ok(Some(line)) = lines.next_line().await {
        match layout.percent(&line) {
            Some(n) if n >= shown + 2 => {
                shown = n;
                let id = id.clone();
                let noted = app
                    .write("server", move |tx, _| {
                        let id = id.clone();
                        Box::pin(async move { Ok(kept::export_percent(tx, &id, n).await?) })
                    })
                    .await;
                if noted.is_err() {
                    tracing::debug!("progress of a film was not noted");
                }
            }
            Some(_) => {}
            None if line.contains('=') => {}
            None => last = line,
        }
    }
    last
}

async fn run(app: &App, id: &ReplayExportId) -> Result<(), AppError> {
    let job = load(app, id).await?;
    let layout = Layout::of(&job.sealed.manifest);
    let (dir, name, key) = (app.files_dir.clone(), job.id.to_string(), job.key.clone());
    let sealed = Arc::new(job.sealed);
    let pipes = Pipes::make(layout.inputs.len()).map_err(failed)?;
    let paths: Vec<_> = pipes.paths.iter().map(PathBuf::as_path).collect();
    let mut child = spawn(&layout.arguments(&paths)).map_err(failed)?;
    let (Some(mut film), Some(said)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(no("export_failed"));
    };
    let mut pouring = JoinSet::new();
    for (input, pipe) in layout.inputs.iter().zip(pipes.paths.clone()) {
        let (s, leg, part) = (sealed.clone(), input.leg, input.part);
        pouring.spawn_blocking(move || {
            let reader = PartReader::open(s.source.clone(), &s.key, &s.manifest, leg, part)
                .map_err(|e| sealed::refused(&e))?;
            pour(reader, &pipe)
        });
    }
    let telling = tokio::spawn(follow(app.clone(), id.clone(), layout, said));
    let made = async {
        let mut writer = tokio::task::spawn_blocking(move || Writer::create(&dir, &name, key))
            .await
            .map_err(failed)?
            .map_err(failed)?;
        loop {
            let mut piece = Vec::with_capacity(usize::try_from(PIECE).unwrap_or(1 << 18));
            let n = (&mut film)
                .take(PIECE)
                .read_to_end(&mut piece)
                .await
                .map_err(failed)?;
            if n == 0 {
                break;
            }
            writer = tokio::task::spawn_blocking(move || writer.push(&piece).map(|()| writer))
                .await
                .map_err(failed)?
                .map_err(failed)?;
        }
        let status = child.wait().await.map_err(failed)?;
        Ok::<_, AppError>((writer, status))
    }
    .await;
    let mut poured = Ok(());
    while !pouring.is_empty() {
        // Once and again: one may begin to wait only now.
        pipes.release();
        if let Ok(Some(one)) = tokio::time::timeout(RELEASE, pouring.join_next()).await {
            poured = poured.and(one.map_err(failed)?);
        }
    }
    let (writer, status) = made?;
    let last = telling.await.unwrap_or_default();
    if !status.success() {
        return Err(failed(format!("ffmpeg ended with {status}: {last}")));
    }
    // A film of half a recording is none.
    poured?;
    let (sm3, bytes) = tokio::task::spawn_blocking(move || writer.finish())
        .await
        .map_err(failed)?
        .map_err(failed)?;
    keep(app, id, sm3, bytes).await
}

async fn keep(app: &App, id: &ReplayExportId, sm3: String, bytes: u64) -> Result<(), AppError> {
    let (id, size) = (id.clone(), usize::try_from(bytes).unwrap_or(usize::MAX));
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    app.write("server", move |tx, w| {
        let (id, sm3) = (id.clone(), sm3.clone());
        Box::pin(async move {
            let e = kept::export(tx, &id)
                .await?
                .ok_or_else(|| no("not_found"))?;
            // With its row the file goes when its key does.
            files::record(tx, w, &e.key_id, &sm3, size, KIND).await?;
            let until = w.now + limits::EXPORT_LIFE;
            if !kept::export_done(tx, &id, bytes, &sm3, until).await? {
                // The recording was deleted meanwhile, and the film's key with it.
                tracing::info!(export = %id, "a film came too late");
            }
            Ok(())
        })
    })
    .await
}

fn of_replay(e: Option<Export>, replay: &ReplayId) -> Result<Export, AppError> {
    e.filter(|e| e.replay_id == *replay)
        .ok_or_else(|| no("not_found"))
}

/// How far it is; for who has opened the replay. Codes: `not_found`, `export_over`, and those of [`super::opening::get`].
pub async fn get(
    app: &App,
    who: &Principal,
    replay: ReplayId,
    id: ReplayExportId,
) -> Result<ExportView, AppError> {
    let (a, who) = (app.clone(), who.clone());
    app.read(|tx| {
        Box::pin(async move {
            access::of_staff(&a, tx, &who, &replay).await?;
            let e = of_replay(kept::export(tx, &id).await?, &replay)?;
            if e.state == "expired" {
                return Err(no("export_over"));
            }
            Ok(view(&e))
        })
    })
    .await
}

/// A film that may be read until the replay is over.
pub struct Film {
    reader: Reader,
    until: Timestamp,
}

/// For whoever holds the replay's cookie. Codes: `not_found`, `export_over`, `export_running`, and those of [`super::opening::get`].
pub async fn file(
    app: &App,
    secret: &str,
    replay: ReplayId,
    id: ReplayExportId,
) -> Result<Film, AppError> {
    let (a, secret) = (app.clone(), secret.to_owned());
    let (e, key, until) = app
        .read(|tx| {
            Box::pin(async move {
                let (r, _) = access::of_cookie(&a, tx, &secret, &replay).await?;
                let e = of_replay(kept::export(tx, &id).await?, &replay)?;
                match e.state.as_str() {
                    "done" if e.expires_at > a.now() => {}
                    "running" => return Err(no("export_running")),
                    "done" | "expired" => return Err(no("export_over")),
                    _ => return Err(no("not_found")),
                }
                let key = a.vault.key(tx, &e.key_id).await?;
                Ok((e, key, r.expires_at))
            })
        })
        .await?;
    let dir = app.files_dir.clone();
    let reader = tokio::task::spawn_blocking(move || {
        let bytes = u64::try_from(e.bytes.unwrap_or_default()).unwrap_or_default();
        Reader::open(&dir, &e.sm3.unwrap_or_default(), bytes, key)
    })
    .await
    .map_err(|_| no("internal"))??;
    Ok(Film { reader, until })
}

impl Film {
    #[must_use]
    pub fn length(&self) -> u64 {
        self.reader.length()
    }

    #[must_use]
    pub const fn content_type(&self) -> &'static str {
        KIND
    }

    /// The bytes of a range, piece by piece.
    pub fn bytes(
        self,
        app: App,
        range: Range<u64>,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let until = self.until;
        stream::try_unfold((self.reader, range), move |(mut reader, range)| {
            let app = app.clone();
            async move {
                if range.is_empty() {
                    return Ok(None);
                }
                if app.now() >= until {
                    return Err(io::Error::other("the replay is over"));
                }
                let asked = range.clone();
                let done = tokio::task::spawn_blocking(move || {
                    let piece = reader.read(asked);
                    (reader, piece)
                });
                let (reader, piece) = done.await.map_err(io::Error::other)?;
                let piece = piece.map_err(|e| io::Error::other(e.to_string()))?;
                if piece.is_empty() {
                    return Err(io::Error::other("the film is shorter than it says"));
                }
                let from = range.start + piece.len() as u64;
                Ok(Some((Bytes::from(piece), (reader, from..range.end))))
            }
        })
    }
}

/// A film's end: its key dies, and the file goes with the next sweep of files whose key is dead (`erasure`).
pub(in crate::app) async fn end(tx: &mut Tx, w: &Work, e: &Export) -> Result<(), AppError> {
    let ended = match e.state.as_str() {
        "done" => kept::export_expired(tx, &e.id).await?,
        _ => kept::export_failed(tx, &e.id).await?,
    };
    if ended {
        keys::destroy(tx, &e.key_id, w.now).await?;
    }
    Ok(())
}

/// Films past their day, those whose making was cut off, and what that left behind.
pub(in crate::app) async fn sweep(app: &App) -> Result<(), AppError> {
    app.write("server", |tx, w| {
        Box::pin(async move {
            let alive = retention::alive_since(&w.app);
            for e in kept::exports_over(tx, w.now, alive).await? {
                end(tx, w, &e).await?;
            }
            Ok(())
        })
    })
    .await?;
    let (dir, age) = (
        app.files_dir.clone(),
        2 * limits::EXPORT_TIME.0.unsigned_abs() / 1_000_000,
    );
    let swept = tokio::task::spawn_blocking(move || vessel::sweep(&dir, age)).await;
    swept
        .map_err(|_| no("internal"))?
        .map_err(|_| no("unavailable"))
}
