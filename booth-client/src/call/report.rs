//! What a call came to: an exit code for monitoring, one line of JSON, or words for a person, Chinese first.

use super::measure::Figures;
use protocol::TicketMode;
use serde::{Serialize, Serializer};
use std::{fmt::Write as _, time::Duration};

/// The outcome; its number is the process's exit code and never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The call happened, and media flowed both ways.
    Ok = 0,
    /// Something broke in this program.
    Internal = 1,
    /// An argument or a file is not right.
    BadInput = 2,
    ServerUnreachable = 10,
    /// The server said no; `code` says why.
    Refused = 11,
    QueueClosed = 12,
    NoSeatOnDuty = 13,
    NotAnswered = 14,
    MediaFailed = 15,
    /// It happened, and broke off on the other side.
    BrokeOff = 16,
    Interrupted = 130,
}

impl Outcome {
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        self as u8
    }

    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Ok => (
                "通话正常，双向都有音视频",
                "the call works, media flowed both ways",
            ),
            Self::Internal => ("本程序出错", "this program failed"),
            Self::BadInput => ("参数或文件不对", "an argument or a file is not right"),
            Self::ServerUnreachable => ("连不上服务器", "the server is not to be reached"),
            Self::Refused => ("服务器拒绝", "the server refused"),
            Self::QueueClosed => ("窗口不在开放时间", "the queue is closed at this time"),
            Self::NoSeatOnDuty => ("没有坐席在岗", "no seat is on duty"),
            Self::NotAnswered => ("无人及时接听", "nobody answered in time"),
            Self::MediaFailed => ("音视频不通", "sound or picture did not get through"),
            Self::BrokeOff => ("通话中断", "the call broke off"),
            Self::Interrupted => ("已取消", "interrupted"),
        }
    }
}

fn ms<S: Serializer>(d: &Option<Duration>, s: S) -> Result<S::Ok, S::Error> {
    d.map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
        .serialize(s)
}

/// Moments, counted from the first request to the server; absent: it did not come to that.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Times {
    #[serde(rename = "ticket_ms", serialize_with = "ms")]
    pub ticket: Option<Duration>,
    #[serde(rename = "ring_ms", serialize_with = "ms")]
    pub ring: Option<Duration>,
    #[serde(rename = "accepted_ms", serialize_with = "ms")]
    pub accepted: Option<Duration>,
    #[serde(rename = "joined_ms", serialize_with = "ms")]
    pub joined: Option<Duration>,
    /// The media connection stands; it may do so before the accept.
    #[serde(rename = "connected_ms", serialize_with = "ms")]
    pub connected: Option<Duration>,
    #[serde(rename = "first_audio_ms", serialize_with = "ms")]
    pub first_audio: Option<Duration>,
    /// The first keyframe was whole.
    #[serde(rename = "first_keyframe_ms", serialize_with = "ms")]
    pub first_keyframe: Option<Duration>,
    /// From the accept; this is what a citizen waits for.
    #[serde(rename = "accept_to_audio_ms", serialize_with = "ms")]
    pub accept_to_audio: Option<Duration>,
    #[serde(rename = "accept_to_keyframe_ms", serialize_with = "ms")]
    pub accept_to_keyframe: Option<Duration>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct MediaReport {
    /// `udp` or `tcp`; absent: never connected.
    pub transport: Option<&'static str>,
    pub audio_in: Figures,
    pub video_in: Figures,
    pub audio_out: Figures,
    pub video_out: Figures,
    /// Median, milliseconds.
    pub round_trip_ms: Option<f64>,
    /// Asked of this side.
    pub keyframes_asked: u64,
    /// Connections after the first.
    pub rejoins: u32,
}

#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub outcome: Outcome,
    pub exit: u8,
    /// Begun at, RFC 3339 UTC.
    pub at: String,
    pub server: String,
    pub mode: TicketMode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hall: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Stable code of the server's refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why, in words of the program or the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The session's or the ticket's reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<String>,
    #[serde(flatten)]
    pub times: Times,
    pub talk_ms: u64,
    pub hold_ms: u64,
    /// How often the signaling line broke.
    pub reconnects: u32,
    #[serde(flatten)]
    pub media: MediaReport,
}

impl Report {
    #[must_use]
    pub fn new(server: &str, mode: TicketMode, at: String) -> Self {
        Self {
            outcome: Outcome::Internal,
            exit: Outcome::Internal.exit_code(),
            at,
            server: server.to_owned(),
            mode,
            hall: None,
            item: None,
            session: None,
            code: None,
            detail: None,
            end_reason: None,
            times: Times::default(),
            talk_ms: 0,
            hold_ms: 0,
            reconnects: 0,
            media: MediaReport::default(),
        }
    }

    #[must_use]
    pub fn came_to(mut self, outcome: Outcome) -> Self {
        (self.outcome, self.exit) = (outcome, outcome.exit_code());
        self
    }

    /// One line.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// For a person.
    #[must_use]
    pub fn text(&self) -> String {
        let (zh, en) = self.outcome.words();
        let mut out = format!("{zh} · {en}\n");
        let mut row = |zh: &str, en: &str, value: String| {
            // Chinese characters are two columns wide.
            let pad = 12usize.saturating_sub(zh.chars().count() * 2);
            let _ = writeln!(out, "  {zh}{:pad$}{en:<22}{value}", "");
        };
        for (zh, en, value) in [
            ("原因", "code", &self.code),
            ("说明", "detail", &self.detail),
            ("结束", "ended", &self.end_reason),
            ("会话", "session", &self.session),
        ] {
            if let Some(value) = value {
                row(zh, en, value.clone());
            }
        }
        let t = &self.times;
        for (zh, en, at) in [
            ("取号", "ticket", t.ticket),
            ("响铃", "ring", t.ring),
            ("接听", "accepted", t.accepted),
            ("进入", "joined", t.joined),
            ("媒体连通", "media connected", t.connected),
            ("首个声音", "first sound", t.first_audio),
            ("首个画面", "first keyframe", t.first_keyframe),
            ("接听到声音", "accept to sound", t.accept_to_audio),
            ("接听到画面", "accept to picture", t.accept_to_keyframe),
        ] {
            if let Some(at) = at {
                row(zh, en, format!("{} ms", at.as_millis()));
            }
        }
        if self.times.joined.is_some() {
            row(
                "通话",
                "talked",
                format!("{:.1} s", self.talk_ms as f64 / 1_000.0),
            );
        }
        let m = &self.media;
        if let Some(transport) = m.transport {
            row("传输", "transport", transport.to_owned());
            for (zh, en, f) in [
                ("收到声音", "sound in", &m.audio_in),
                ("收到画面", "picture in", &m.video_in),
                ("发出声音", "sound out", &m.audio_out),
                ("发出画面", "picture out", &m.video_out),
            ] {
                if f.packets > 0 {
                    let frames = f
                        .frames
                        .map_or_else(String::new, |n| format!(", {n} frames"));
                    let value = format!(
                        "{} packets, loss {} %, jitter {} ms{frames}",
                        f.packets, f.loss_pct, f.jitter_ms
                    );
                    row(zh, en, value);
                }
            }
            if let Some(rtt) = m.round_trip_ms {
                row("往返", "round trip", format!("{rtt} ms"));
            }
            if m.rejoins + self.reconnects > 0 {
                let value = format!("line {}, media {}", self.reconnects, m.rejoins);
                row("重连", "reconnected", value);
            }
        }
        out
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_line_of_json_with_plain_figures() {
        let mut r = Report::new("http://h", TicketMode::Video, "2026-11-22T00:00:00Z".into());
        r.times.ticket = Some(Duration::from_micros(12_900));
        r.media.transport = Some("udp");
        let r = r.came_to(Outcome::NoSeatOnDuty);
        let text = r.json();
        assert!(!text.contains('\n'));
        let v: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&v["outcome"], &v["exit"]),
            (&"no_seat_on_duty".into(), &13.into())
        );
        assert_eq!((&v["ticket_ms"], &v["mode"]), (&12.into(), &"video".into()));
        assert_eq!(v["ring_ms"], serde_json::Value::Null);
        assert_eq!(
            (&v["transport"], &v["audio_in"]["packets"]),
            (&"udp".into(), &0.into())
        );
    }

    #[test]
    fn words_come_in_both_languages() {
        let r =
            Report::new("http://h", TicketMode::Text, String::new()).came_to(Outcome::NotAnswered);
        assert!(
            r.text()
                .starts_with("无人及时接听 · nobody answered in time\n")
        );
    }
}
