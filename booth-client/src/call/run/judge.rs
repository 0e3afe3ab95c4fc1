//! What the call came to: the figures into the report, and the outcome from them.

use super::Caller;
use crate::call::{
    flow::End,
    measure::{AUDIO_CLOCK, VIDEO_CLOCK},
    report::{MediaReport, Outcome},
};
use protocol::{CallMode, TicketMode};
use std::{
    sync::{PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

/// A talk that others ended sooner than this says nothing about the media: reports come once a second.
const TOO_SHORT: Duration = Duration::from_secs(3);
/// What still flowed at the end came this shortly before it. Silence under DTX is a packet in 400 ms, reports come once a second.
const FRESH: Duration = Duration::from_secs(4);
/// Above this sound is no longer continuous.
const LOSS_MOST_PCT: f64 = 10.0;

/// What must have flowed, and what did.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flow {
    /// The agent's microphone and camera are on, as far as the mode lets them.
    pub mic: bool,
    pub camera: bool,
    /// Until the end.
    pub audio_in: bool,
    pub picture_in: bool,
    /// At any time.
    pub any_in: bool,
    pub sent: bool,
    /// Until the end the server reported that it receives.
    pub heard: bool,
    /// Of the sound, the worse direction.
    pub loss_pct: f64,
}

impl Flow {
    /// What did not flow.
    pub(super) fn lacks(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self {
                sent: true,
                heard: false,
                ..
            }
            | Self { sent: false, .. } => Some((
                "服务器没有收到我方音视频",
                "the server received nothing from this side",
            )),
            Self {
                mic: true,
                audio_in: false,
                ..
            } => Some(("没有收到坐席的声音", "no sound came from the agent")),
            Self {
                camera: true,
                picture_in: false,
                ..
            } => Some(("没有收到坐席的画面", "no picture came from the agent")),
            Self { any_in: false, .. } => {
                Some(("没有收到坐席的任何音视频", "nothing came from the agent"))
            }
            Self { loss_pct, .. } if loss_pct > LOSS_MOST_PCT => {
                Some(("声音丢包太多", "too much of the sound was lost"))
            }
            _ => None,
        }
    }
}

impl Caller<'_> {
    pub(super) fn fill(&mut self) {
        let media = &self.media;
        let ears = media
            .shared
            .ears
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let feedback = media
            .shared
            .feedback
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let at = |moment: Option<std::time::Instant>| {
            moment.map(|m| m.saturating_duration_since(self.began))
        };
        let times = &mut self.report.times;
        times.connected = at(media.connected_at);
        times.first_audio = at(ears.first_audio);
        times.first_keyframe = at(ears.first_keyframe);
        let from_accept =
            |at: Option<Duration>, accepted: Option<Duration>| Some(at?.saturating_sub(accepted?));
        times.accept_to_audio = from_accept(times.first_audio, times.accepted);
        times.accept_to_keyframe = from_accept(times.first_keyframe, times.accepted);
        let sent = &media.sent;
        let [audio, video] = &media.ours;
        self.report.media = MediaReport {
            transport: media
                .connected_at
                .map(|_| if media.tcp { "tcp" } else { "udp" }),
            audio_in: ears.audio_figures(),
            video_in: ears.video_figures(),
            audio_out: feedback.figures(audio, sent.audio.load(Ordering::Relaxed), AUDIO_CLOCK),
            video_out: feedback.figures(video, sent.video.load(Ordering::Relaxed), VIDEO_CLOCK),
            round_trip_ms: feedback.round_trip_ms(),
            keyframes_asked: media.keyframes_asked(),
            rejoins: media.rejoins,
        };
    }

    fn flow(&self, ended: Instant) -> Flow {
        let m = &self.report.media;
        let fresh =
            |at: Option<Instant>| at.is_some_and(|at| ended.saturating_duration_since(at) <= FRESH);
        let mode = self.session.as_ref().map(|s| s.mode);
        let (mic, camera) = self.agent().unwrap_or((true, true));
        let feedback = self
            .media
            .shared
            .feedback
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let [audio, video] = &self.media.ours;
        // With both kinds sent, both must arrive.
        let heard = (m.audio_out.packets == 0 || fresh(feedback.last_heard(audio)))
            && (m.video_out.packets == 0 || fresh(feedback.last_heard(video)));
        let ears = self
            .media
            .shared
            .ears
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // On hold nothing of the agent is heard or seen.
        let held = self.held_since.is_some();
        Flow {
            mic: mic && !held && matches!(mode, Some(CallMode::Video | CallMode::Audio)),
            camera: camera && !held && mode == Some(CallMode::Video),
            audio_in: fresh(ears.last_audio),
            picture_in: ears.first_keyframe.is_some() && fresh(ears.last_video),
            any_in: ears.first_audio.is_some() || ears.first_keyframe.is_some(),
            sent: m.audio_out.packets + m.video_out.packets > 0,
            heard,
            loss_pct: m.audio_in.loss_pct.max(m.audio_out.loss_pct),
        }
    }

    /// `ended`: when the talk was over.
    pub(super) fn judge(&mut self, ended: Instant) -> Outcome {
        let Some(end) = self.stage.end().cloned() else {
            return Outcome::Internal;
        };
        if let End::Session(reason) | End::Ticket(reason) = &end {
            self.report.end_reason = Some(reason.clone());
        }
        let short = self.report.talk_ms < TOO_SHORT.as_millis() as u64;
        match end {
            End::Enough => self.judge_talk(ended),
            End::Session(reason) if reason == "finished" && !short => self.judge_talk(ended),
            End::Session(_) | End::Ticket(_) | End::NotEntered | End::TakenOver => {
                Outcome::BrokeOff
            }
            End::NoSeat => Outcome::NoSeatOnDuty,
            End::NotAnswered => Outcome::NotAnswered,
            End::NoMedia => {
                self.report.detail.clone_from(&self.media.trouble);
                Outcome::MediaFailed
            }
            End::Lost if self.unreachable => Outcome::ServerUnreachable,
            End::Lost => Outcome::BrokeOff,
            End::Interrupted => Outcome::Interrupted,
        }
    }

    fn judge_talk(&mut self, ended: Instant) -> Outcome {
        let lacks = if self.plan.mode == TicketMode::Text {
            let lost = ("文字没有送达", "what was typed did not arrive");
            (!self.echoed).then_some(lost)
        } else {
            self.flow(ended).lacks()
        };
        match lacks {
            None => Outcome::Ok,
            Some((zh, en)) => {
                self.report.detail = Some(format!("{zh} · {en}"));
                Outcome::MediaFailed
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Flow;

    #[test]
    fn what_is_missing_is_named() {
        let all = Flow {
            mic: true,
            camera: true,
            audio_in: true,
            picture_in: true,
            any_in: true,
            sent: true,
            heard: true,
            loss_pct: 0.5,
        };
        let lacks = |f: Flow| f.lacks().map(|l| l.1);
        assert_eq!(lacks(all), None);
        let only_voice = Flow {
            camera: false,
            picture_in: false,
            ..all
        };
        assert_eq!(lacks(only_voice), None);
        for (flow, word) in [
            (
                Flow {
                    heard: false,
                    ..all
                },
                "from this side",
            ),
            (
                Flow {
                    sent: false,
                    heard: false,
                    ..all
                },
                "from this side",
            ),
            (
                Flow {
                    audio_in: false,
                    ..all
                },
                "no sound",
            ),
            (
                Flow {
                    picture_in: false,
                    ..all
                },
                "no picture",
            ),
            // Everything off at the agent: that is no call that works either.
            (
                Flow {
                    mic: false,
                    camera: false,
                    audio_in: false,
                    picture_in: false,
                    any_in: false,
                    ..all
                },
                "nothing",
            ),
            (
                Flow {
                    loss_pct: 12.0,
                    ..all
                },
                "too much",
            ),
        ] {
            assert!(lacks(flow).is_some_and(|l| l.contains(word)), "{flow:?}");
        }
    }
}
