//! What ffmpeg is told: all legs of a recording side by side as one MP4 (H.264, AAC), on the recording's clock, what is missing black and silent.
//!
//! Pure, but for asking once whether it is here. Inputs and output are pipes: no clear byte of a recording lies on a disk.

use media::record::Manifest;
use std::{path::Path, time::Duration};
use tokio::{process::Command, sync::OnceCell, time::timeout};

/// A cell of the picture (pixels): sixteen to nine, even.
const CELL: (usize, usize) = (640, 360);
const FRAMES_PER_S: u32 = 25;
/// Longest that the program may take to say what it can.
const ASKING: Duration = Duration::from_secs(10);

/// Whether a file can be made here: ffmpeg is on the path and writes H.264 and AAC. Asked once.
pub async fn available() -> bool {
    static FOUND: OnceCell<bool> = OnceCell::const_new();
    *FOUND.get_or_init(ask).await
}

async fn ask() -> bool {
    let mut c = Command::new("ffmpeg");
    c.args(["-hide_banner", "-nostdin", "-encoders"])
        .kill_on_drop(true);
    let Ok(Ok(out)) = timeout(ASKING, c.output()).await else {
        return false;
    };
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let has = |name: &str| text.split_whitespace().any(|w| w == name);
    out.status.success() && has("libx264") && has("aac")
}

/// One part as an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Input {
    pub leg: u16,
    pub part: u32,
    /// Of the recording's clock.
    pub from_ms: u64,
    /// Which cell its picture is in; none: sound alone.
    cell: Option<usize>,
    sound: bool,
}

/// What goes where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub inputs: Vec<Input>,
    columns: usize,
    rows: usize,
    pub duration_ms: u64,
}

impl Layout {
    /// Legs with pictures get a cell each, in the order of their appearance.
    pub(super) fn of(m: &Manifest) -> Self {
        let mut inputs = vec![];
        let mut cells = 0;
        for l in &m.legs {
            let seen = l.parts.iter().any(|p| p.has_video());
            for p in &l.parts {
                let video = p.has_video();
                inputs.push(Input {
                    leg: l.leg,
                    part: p.part,
                    from_ms: p.from_ms,
                    cell: video.then_some(cells),
                    sound: p.tracks.len() > usize::from(video),
                });
            }
            cells += usize::from(seen);
        }
        let columns = (1..).find(|n| n * n >= cells).unwrap_or(1).max(1);
        Self {
            inputs,
            columns,
            rows: cells.div_ceil(columns).max(1),
            duration_ms: m.duration_ms.max(1),
        }
    }

    fn seconds(ms: u64) -> String {
        format!("{}.{:03}", ms / 1_000, ms % 1_000)
    }

    /// The graph of filters: pictures over a black field, sounds added up.
    fn graph(&self) -> String {
        let (w, h) = CELL;
        let (width, height) = (w * self.columns, h * self.rows);
        let length = Self::seconds(self.duration_ms);
        let mut parts = vec![format!(
            "color=c=black:s={width}x{height}:r={FRAMES_PER_S}:d={length}[b0]"
        )];
        let mut base = 0;
        let mut sounds = vec![];
        for (n, i) in self.inputs.iter().enumerate() {
            let from = Self::seconds(i.from_ms);
            if let Some(cell) = i.cell {
                let (x, y) = (cell % self.columns * w, cell / self.columns * h);
                parts.push(format!(
                    "[{n}:v]setpts=PTS+{from}/TB,scale={w}:{h}:force_original_aspect_ratio=decrease,pad={w}:{h}:(ow-iw)/2:(oh-ih)/2:black,setsar=1,fps={FRAMES_PER_S}[v{n}]"
                ));
                parts.push(format!(
                    "[b{base}][v{n}]overlay=x={x}:y={y}:eof_action=pass[b{}]",
                    base + 1
                ));
                base += 1;
            }
            if i.sound {
                // Opus leaves out silence: it is filled in, so that what follows stays in its place.
                parts.push(format!(
                    "[{n}:a]aresample=48000:async=1:first_pts=0,adelay=delays={}:all=1[a{n}]",
                    i.from_ms
                ));
                sounds.push(format!("[a{n}]"));
            }
        }
        parts.push(format!("[b{base}]format=yuv420p[picture]"));
        if !sounds.is_empty() {
            parts.push(format!(
                "{}amix=inputs={}:duration=longest:dropout_transition=0:normalize=0,alimiter=limit=0.95[sound]",
                sounds.concat(),
                sounds.len()
            ));
        }
        parts.join(";")
    }

    /// All arguments. `inputs` are the pipes in the order of [`Self::inputs`]; the film goes to standard output, progress to standard error.
    pub(super) fn arguments(&self, pipes: &[&Path]) -> Vec<String> {
        let words = |s: &str| s.split(' ').map(str::to_owned).collect::<Vec<_>>();
        // Only what this file names is opened: no network, no playlist.
        let mut out = words(
            "-hide_banner -nostdin -loglevel error -nostats -progress pipe:2 -protocol_whitelist file,pipe -filter_complex_threads 1",
        );
        for p in pipes {
            out.extend(words("-threads 1 -f matroska -i"));
            out.push(p.to_string_lossy().into_owned());
        }
        out.push("-filter_complex".into());
        out.push(self.graph());
        out.extend(words("-map [picture]"));
        if self.inputs.iter().any(|i| i.sound) {
            out.extend(words("-map [sound] -c:a aac -b:a 96k -ac 2"));
        }
        out.extend(words(
            "-c:v libx264 -preset veryfast -crf 26 -g 50 -threads 1 -map_metadata -1 -t",
        ));
        out.push(Self::seconds(self.duration_ms));
        // Pieces that need no going back: the output is a pipe.
        out.extend(words(
            "-movflags +frag_keyframe+empty_moov+default_base_moof -f mp4 pipe:1",
        ));
        out
    }

    /// What a line of progress says, in percent; never a hundred, since that is when the file stands.
    pub(super) fn percent(&self, line: &str) -> Option<i64> {
        let us: u64 = line.strip_prefix("out_time_us=")?.trim().parse().ok()?;
        let part = us / 10 / self.duration_ms.max(1);
        i64::try_from(part.min(99)).ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use media::{
        Kind,
        record::{Codec, Ended, FORMAT, LegEntry, PartEntry, TrackEntry},
    };

    fn part(part: u32, from_ms: u64, codecs: &[Codec]) -> PartEntry {
        let track = |c: &Codec| TrackEntry {
            kind: if *c == Codec::Opus {
                Kind::Audio
            } else {
                Kind::Video
            },
            codec: *c,
            width: None,
            height: None,
            sample_rate: None,
            frames: 1,
        };
        PartEntry {
            part,
            from_ms,
            to_ms: from_ms + 1_000,
            bytes: 1,
            head_bytes: 1,
            tracks: codecs.iter().map(track).collect(),
            cues: vec![],
        }
    }

    fn manifest(legs: Vec<Vec<PartEntry>>) -> Manifest {
        let leg = |(n, parts): (usize, Vec<PartEntry>)| LegEntry {
            leg: n as u16 + 1,
            member: format!("m{n}"),
            role: None,
            source: media::Source::Camera,
            required: true,
            parts,
            segments: vec![],
            gaps: vec![],
            chain: String::new(),
        };
        Manifest {
            format: FORMAT,
            recording: "rec".into(),
            started_at_ms: 0,
            duration_ms: 61_500,
            ended: Ended::Finished,
            legs: legs.into_iter().enumerate().map(leg).collect(),
            events: vec![],
        }
    }

    #[test]
    fn every_part_has_its_cell_and_its_time() {
        const VO: &[Codec] = &[Codec::Vp8, Codec::Opus];
        let l = Layout::of(&manifest(vec![
            vec![part(1, 0, VO), part(2, 30_250, &[Codec::Opus])],
            vec![part(1, 700, VO)],
            vec![part(1, 5_000, &[Codec::Opus])],
        ]));
        assert_eq!(
            (l.columns, l.rows),
            (2, 1),
            "who was only heard has no cell"
        );
        let cells: Vec<_> = l.inputs.iter().map(|i| (i.leg, i.part, i.cell)).collect();
        assert_eq!(
            cells,
            [(1, 1, Some(0)), (1, 2, None), (2, 1, Some(1)), (3, 1, None)]
        );
        let graph = l.graph();
        assert!(graph.starts_with("color=c=black:s=1280x360:r=25:d=61.500[b0];"));
        assert!(graph.contains("[2:v]setpts=PTS+0.700/TB,"));
        assert!(graph.contains("overlay=x=640:y=0:"));
        assert!(
            graph
                .contains("[1:a]aresample=48000:async=1:first_pts=0,adelay=delays=30250:all=1[a1]")
        );
        assert!(graph.contains("[a0][a1][a2][a3]amix=inputs=4:"));
    }

    #[test]
    fn a_recording_of_sound_alone_has_a_black_picture_and_one_without_sound_no_sound() {
        let l = Layout::of(&manifest(vec![vec![part(1, 0, &[Codec::Opus])]]));
        assert!(l.graph().starts_with("color=c=black:s=640x360:"));
        let l = Layout::of(&manifest(vec![vec![part(1, 0, &[Codec::Vp8])]]));
        let args = l.arguments(&[Path::new("/p/0")]);
        assert!(!args.iter().any(|a| a == "[sound]"));
        assert!(args.windows(2).any(|w| w == ["-i", "/p/0"]));
        assert_eq!(args.last().unwrap(), "pipe:1");
    }

    #[test]
    fn progress_is_read_and_never_done_before_it_is() {
        let l = Layout::of(&manifest(vec![]));
        assert_eq!(l.percent("out_time_us=30750000"), Some(50));
        assert_eq!(l.percent("out_time_us=99999999999"), Some(99));
        assert_eq!(l.percent("out_time_us=N/A"), None);
        assert_eq!(l.percent("frame=12"), None);
    }
}
