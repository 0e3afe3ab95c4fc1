//! The making of a film: parts into pipes, ffmpeg, the film out of a pipe into a sealed file. What fails leaves neither file nor key.

use super::{
    export::KIND,
    ffmpeg::Layout,
    sealed::{self, Sealed},
    vessel::Writer,
};
use crate::{
    app::{App, files, vault::DataKey},
    problem::{AppError, no},
};
use domain::{id::ReplayExportId, limits};
use media::record::{FileSource, PartReader};
use rustix::fs::{CWD, Mode, OFlags, mkfifoat};
use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};
use store::{keys, replay as kept};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{Child, ChildStderr, Command},
    sync::{SemaphorePermit, watch},
    task::JoinSet,
};

/// Bytes that are read from a part, and from the film, at a time.
const PIECE: u64 = 256 * 1024;
/// Those who wait for a reader that will not come are looked for this often.
const RELEASE: Duration = Duration::from_millis(200);

/// What the making needs.
struct Job {
    id: ReplayExportId,
    key: DataKey,
    sealed: Sealed,
}

/// Makes it, or says that it failed. One at a time: the permit goes when it is over.
pub(super) async fn make(app: App, id: ReplayExportId, _one: SemaphorePermit<'static>) {
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

/// Writes one part into the pipe that it is given. Blocking.
type Pour = Box<dyn FnOnce(&Path) -> Result<(), AppError> + Send>;

/// Ends when ffmpeg does.
fn pour(mut reader: PartReader<FileSource>, pipe: &Path) -> Result<(), AppError> {
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

/// What ffmpeg says while it works: percents are told, of the rest the last line is kept for the log.
async fn follow(layout: Layout, said: ChildStderr, told: watch::Sender<i64>) -> String {
    let mut lines = BufReader::new(said).lines();
    let mut last = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        match layout.percent(&line) {
            Some(n) => told.send_if_modified(|was| {
                let more = n > *was + 1;
                if more {
                    *was = n;
                }
                more
            }),
            None if line.contains('=') => false,
            None => {
                last = line;
                false
            }
        };
    }
    last
}

/// Carries percents into the row until nobody tells any more.
async fn note(app: App, id: ReplayExportId, mut told: watch::Receiver<i64>) {
    while told.changed().await.is_ok() {
        let (id, n) = (id.clone(), *told.borrow());
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
}

/// Runs ffmpeg over the parts; the film is in the writer, which is not finished yet.
async fn compose(
    layout: Layout,
    pours: Vec<Pour>,
    mut writer: Writer,
    told: watch::Sender<i64>,
) -> Result<Writer, AppError> {
    let pipes = Pipes::make(pours.len()).map_err(failed)?;
    let paths: Vec<_> = pipes.paths.iter().map(PathBuf::as_path).collect();
    let mut child = spawn(&layout.arguments(&paths)).map_err(failed)?;
    let (Some(mut film), Some(said)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(no("export_failed"));
    };
    let mut pouring = JoinSet::new();
    for (pour, pipe) in pours.into_iter().zip(pipes.paths.clone()) {
        pouring.spawn_blocking(move || pour(&pipe));
    }
    let telling = tokio::spawn(follow(layout, said, told));
    let made = async {
        loop {
            let mut piece = Vec::new();
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
    poured.map(|()| writer)
}

async fn run(app: &App, id: &ReplayExportId) -> Result<(), AppError> {
    let job = load(app, id).await?;
    let layout = Layout::of(&job.sealed.manifest);
    let sealed = Arc::new(job.sealed);
    let pours = layout.inputs.iter().map(|input| -> Pour {
        let (s, leg, part) = (sealed.clone(), input.leg, input.part);
        Box::new(move |pipe| {
            let reader = PartReader::open(s.source.clone(), &s.key, &s.manifest, leg, part)
                .map_err(|e| sealed::refused(&e))?;
            pour(reader, pipe)
        })
    });
    let pours = pours.collect();
    let (dir, name, key) = (app.files_dir.clone(), job.id.to_string(), job.key);
    let writer = tokio::task::spawn_blocking(move || Writer::create(&dir, &name, key))
        .await
        .map_err(failed)?
        .map_err(failed)?;
    let (told, heard) = watch::channel(0);
    tokio::spawn(note(app.clone(), id.clone(), heard));
    let writer = compose(layout, pours, writer, told).await?;
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

#[cfg(test)]
mod tests;
