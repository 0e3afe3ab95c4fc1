//! The headless caller (`booth call`): joins as an anonymous citizen through the same doors as a phone's page, plays a picture and a
//! sound from files, measures what comes back, and says by its exit code whether a citizen would have been served.
//!
//! It is used for monitoring and for load. It holds no device key, asserts no identity, and takes a place in a real queue: an
//! agent is really rung. Never keeps what it receives.
//!
//! Where to look: [`flow`] how a call goes, `run` the loop that carries it, `line` and `http` the doors, `media` and `peer` the
//! connection, `play` what is sent, [`measure`] what is counted, [`report`] what it came to; [`clip`], [`ivf`], [`ogg`] the files.

pub mod clip;
pub mod flow;
pub mod http;
pub mod ivf;
mod line;
pub mod measure;
pub mod media;
pub mod ogg;
mod peer;
mod play;
pub mod report;
mod run;
mod tap;
mod vp8;

use clap::{Args, ValueEnum};
use clip::bad;
use protocol::{Language, TicketMode};
use report::{Outcome, Report};
use std::{path::PathBuf, sync::Arc, time::Duration};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    Video,
    Audio,
    Text,
}

impl From<Mode> for TicketMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Video => Self::Video,
            Mode::Audio => Self::Audio,
            Mode::Text => Self::Text,
        }
    }
}

/// What is called, and how.
#[derive(Debug, Clone, Args)]
pub struct CallArgs {
    /// 画面文件：IVF（VP8），最大64 MiB · Picture to send: IVF with VP8, at most 64 MiB; needed for a video call.
    #[arg(long, value_name = "FILE.ivf")]
    pub video: Option<PathBuf>,
    /// 声音文件：Ogg（Opus），最大64 MiB · Sound to send: Ogg with Opus, at most 64 MiB; needed for video and voice calls.
    #[arg(long, value_name = "FILE.ogg")]
    pub audio: Option<PathBuf>,
    /// 服务器地址 · The server.
    #[arg(long, env = "BOOTH_SERVER", default_value = "http://127.0.0.1:8080")]
    pub server: String,
    /// 大厅编号 · Id of the hall; may be left out where there is one hall.
    #[arg(long, env = "BOOTH_HALL")]
    pub hall: Option<String>,
    /// 事项：建议为监测单设事项和技能 · Item to ask for; an item and a skill of monitoring's own spare the public's seats.
    #[arg(long)]
    pub item: Option<String>,
    /// 通话时长（秒） · How long to talk once both are there, seconds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(3..=3600))]
    pub seconds: u64,
    /// 等待接听的上限（秒） · Longest wait from the number to the accept, seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=3600))]
    pub answer_within: u64,
    /// 通话方式 · How to talk.
    #[arg(long, value_enum, default_value = "video")]
    pub mode: Mode,
    /// 网络 · How media travels.
    #[arg(long, value_enum, default_value = "auto")]
    pub network: media::Network,
    /// 结束时输出一行JSON · One line of JSON at the end instead of words.
    #[arg(long)]
    pub json: bool,
}

/// A call with its files read.
pub struct Plan {
    pub server: String,
    pub hall: Option<String>,
    pub item: Option<String>,
    pub mode: TicketMode,
    pub language: Language,
    pub talk: Duration,
    pub answer_within: Duration,
    pub network: media::Network,
    pub video: Option<Arc<clip::Video>>,
    pub audio: Option<Arc<clip::Audio>>,
}

impl Plan {
    /// Reads the files and checks that what the mode needs is there.
    ///
    /// # Errors
    /// A file that is missing or not right.
    pub fn read(args: &CallArgs) -> Result<Self, clip::BadFile> {
        let (video, audio) = match args.mode {
            Mode::Video => (args.video.as_deref(), args.audio.as_deref()),
            Mode::Audio => (None, args.audio.as_deref()),
            Mode::Text => (None, None),
        };
        if args.mode == Mode::Video && video.is_none() {
            return Err(bad("视频通话需要 --video", "a video call needs --video"));
        }
        if args.mode != Mode::Text && audio.is_none() {
            return Err(bad("通话需要 --audio", "a call with sound needs --audio"));
        }
        Ok(Self {
            server: args.server.trim_end_matches('/').to_owned(),
            hall: args.hall.clone(),
            item: args.item.clone(),
            mode: args.mode.into(),
            language: Language::Zh,
            talk: Duration::from_secs(args.seconds),
            answer_within: Duration::from_secs(args.answer_within),
            network: args.network,
            video: video.map(clip::video).transpose()?.map(Arc::new),
            audio: audio.map(clip::audio).transpose()?.map(Arc::new),
        })
    }
}

/// Calls, says what it came to on standard output, and answers the outcome.
pub async fn call(args: CallArgs) -> Outcome {
    let at = OffsetDateTime::now_utc();
    let at = at.replace_nanosecond(0).unwrap_or(at);
    let at = at.format(&Rfc3339).unwrap_or_default();
    let mut report = Report::new(args.server.trim_end_matches('/'), args.mode.into(), at);
    report.item.clone_from(&args.item);
    report.hall.clone_from(&args.hall);
    let report = match Plan::read(&args) {
        Ok(plan) => Box::pin(run::place(&plan, report)).await,
        Err(e) => {
            report.detail = Some(e.to_string());
            report.came_to(Outcome::BadInput)
        }
    };
    if args.json {
        println!("{}", report.json());
    } else {
        print!("{}", report.text());
    }
    report.outcome
}
