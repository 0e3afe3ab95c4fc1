//! The timeline beneath the player: what was said, typed, asked and signed, on the recording's clock, as this viewer may read it.
//!
//! Sources: the session's journal (masked as a member with the viewer's eyes would get it), the script's prompts, snapshots, what the
//! members' networks were like, the manifest's own events, the question and the answer. What the journal says of the recording and its
//! prompts is left out: the rows say it, and they outlive the visit's key. Values of the form are on no timeline.

use super::{access::Seen, legs, legs::Cast, words};
use crate::{
    app::{App, case_words::both, catalogue, catalogue::ItemRef, session_view},
    problem::AppError,
};
use domain::{id::Id as _, quality::State, recording::End, time::Timestamp};
use media::record::{Ended, Happening, Manifest};
use protocol::{Bilingual, ReplayMark, SessionEvent};
use store::{Tx, keys, quality, recording, session, snapshot};

/// Entries of the journal on one timeline; a long session has some hundreds.
const EVENTS: usize = 6_000;

/// Who and what the words of a timeline name.
pub(super) struct Scene<'a> {
    pub cast: &'a Cast,
    pub item: Option<ItemRef>,
}

/// Milliseconds of the recording's clock.
struct Clock(Timestamp);

impl Clock {
    fn ms(&self, at: Timestamp) -> i64 {
        // Towards the earlier one, before the start as well.
        at.since(self.0).0.div_euclid(1_000)
    }
}

fn mark(at_ms: i64, kind: &str, text: Bilingual) -> ReplayMark {
    ReplayMark {
        at_ms,
        kind: kind.into(),
        actor: None,
        text,
        object: None,
    }
}

async fn journal(
    app: &App,
    tx: &mut Tx,
    seen: &Seen,
    scene: &Scene<'_>,
    clock: &Clock,
) -> Result<Vec<ReplayMark>, AppError> {
    let s = &seen.session;
    if keys::wrapped(tx, &s.key_id).await?.is_none() {
        let text = both(
            "通话中的文字和填写内容已随到访数据删除",
            "What was written and typed was erased with the visit's data",
        );
        return Ok(vec![mark(0, "recording", text)]);
    }
    let mut out = vec![];
    let mut after = 0;
    while out.len() < EVENTS {
        let page = session_view::events_in(app, tx, s, seen.lens, after).await?;
        let Some(last) = page.last() else { break };
        let more = page.len() >= session_view::PAGE;
        after = last.seq;
        out.extend(page.into_iter().filter_map(|e| of_event(e, scene, clock)));
        if !more {
            break;
        }
    }
    Ok(out)
}

fn of_event(e: SessionEvent, scene: &Scene<'_>, clock: &Clock) -> Option<ReplayMark> {
    let at = Timestamp::parse_rfc3339(&e.at)?;
    let said = words::of(&e.body, scene)?;
    Some(ReplayMark {
        at_ms: clock.ms(at),
        kind: said.kind.into(),
        actor: e.actor,
        text: said.text,
        object: said.object,
    })
}

/// The question, the answer, and the hold of the citizen's word.
fn consent(r: &recording::Recording, clock: &Clock) -> Vec<ReplayMark> {
    let mut out = vec![mark(
        clock.ms(r.asked_at),
        "consent",
        both(
            "请办事人同意录音录像",
            "The citizen is asked to agree to the recording",
        ),
    )];
    if let (Some(at), Some(true)) = (r.answered_at, r.granted) {
        let text = both("办事人同意录音录像", "The citizen agreed to the recording");
        out.push(mark(clock.ms(at), "consent", text));
    }
    out
}

async fn prompts(tx: &mut Tx, r: &recording::Recording) -> Result<Vec<ReplayMark>, AppError> {
    let mut out = vec![];
    for p in recording::prompts(tx, &r.id).await? {
        let object = Some(p.prompt.clone());
        out.push(ReplayMark {
            object: object.clone(),
            ..mark(p.read_ms, "prompt", both(&p.text_zh, &p.text_en))
        });
        if let Some(ms) = p.again_ms {
            let zh = format!("再念一遍：{}", p.text_zh);
            let en = format!("Read again: {}", p.text_en);
            out.push(ReplayMark {
                object: object.clone(),
                ..mark(ms, "prompt", both(&zh, &en))
            });
        }
        if let Some(a) = p.answer {
            let (zh, en) = match (a.answer.as_str(), a.by.as_str()) {
                ("yes", "citizen") => (
                    "办事人在屏幕上答：是",
                    "The citizen answered on the screen: yes",
                ),
                ("yes", _) => ("办事人口头答：是", "The citizen answered aloud: yes"),
                (_, "citizen") => (
                    "办事人在屏幕上答：否",
                    "The citizen answered on the screen: no",
                ),
                (_, _) => ("办事人口头答：否", "The citizen answered aloud: no"),
            };
            out.push(ReplayMark {
                object,
                ..mark(a.ms, "answer", both(zh, en))
            });
        }
    }
    Ok(out)
}

async fn snapshots(
    tx: &mut Tx,
    r: &recording::Recording,
    cast: &Cast,
) -> Result<Vec<ReplayMark>, AppError> {
    let all = snapshot::of_recording(tx, &r.id).await?;
    // Its consent was taken back: it was taken, and is not shown any more (`snapshots`).
    let shown = r.end_reason.as_deref() != Some(End::Withdrawn.as_str());
    Ok(all
        .into_iter()
        .filter_map(|s| {
            let (_, ms) = s.recording?;
            let name = cast.find(s.member_id.as_str()).map(|p| p.name.clone());
            let name = name.unwrap_or_else(|| both("", ""));
            let text = Bilingual {
                zh: format!("抓拍：{}", name.zh),
                en: format!("Snapshot: {}", name.en),
            };
            Some(ReplayMark {
                actor: Some(s.taken_by.to_string()),
                object: shown.then(|| s.id.to_string()),
                ..mark(ms, "snapshot", text)
            })
        })
        .collect())
}

/// Where a member's network got better or worse; that it was good from the start is no news. Samples: by member, then by time.
fn networks(samples: &[quality::Sample], cast: &Cast, clock: &Clock) -> Vec<ReplayMark> {
    let mut out = vec![];
    let mut last: Option<&quality::Sample> = None;
    for sample in samples {
        let before = last.filter(|l| l.member_id == sample.member_id);
        last = Some(sample);
        if before.map_or(State::Good, |b| b.state) == sample.state {
            continue;
        }
        let (zh, en) = match sample.state {
            State::Good => ("网络良好", "network is good"),
            State::Fair => ("网络一般", "network is fair"),
            State::Poor => ("网络较弱", "network is weak"),
            State::Lost => ("网络断开", "network is gone"),
        };
        let name = cast.find(sample.member_id.as_str()).map(|p| &p.name);
        let text = Bilingual {
            zh: format!("{}{zh}", name.map_or("", |n| &n.zh)),
            en: format!("{} {en}", name.map_or("", |n| &n.en)),
        };
        out.push(ReplayMark {
            actor: Some(sample.member_id.to_string()),
            ..mark(clock.ms(sample.at), "quality", text)
        });
    }
    out
}

/// What the manifest says happened to the recording itself.
fn happenings(m: &Manifest) -> Vec<ReplayMark> {
    let text = |h: &Happening| match h {
        Happening::Proven => both(
            "双方的音视频已写入磁盘",
            "Sound and picture of both sides are on disk",
        ),
        Happening::Interrupted { reason, .. } => {
            let (zh, en) = words::gap(legs::reason(*reason));
            Bilingual {
                zh: format!("录制中断：{zh}"),
                en: format!("Recording interrupted: {en}"),
            }
        }
        Happening::Resumed => both("录制恢复", "Recording resumed"),
        Happening::Stopped { reason } => match reason {
            Ended::Finished => both("通话结束，录制结束", "The call and the recording ended"),
            Ended::Withdrawn => both(
                "办事人撤回同意，录制停止",
                "The citizen took the consent back; recording stopped",
            ),
            Ended::Closed => both("服务停止，录制结束", "The server stopped; recording ended"),
            Ended::Crash => both(
                "服务异常中止，以下内容缺失",
                "The server ended without warning; what follows is missing",
            ),
        },
    };
    m.events
        .iter()
        .map(|e| {
            let at = i64::try_from(e.at_ms).unwrap_or(i64::MAX);
            mark(at, "recording", text(&e.what))
        })
        .collect()
}

/// In order of time.
pub(super) async fn all(
    app: &App,
    tx: &mut Tx,
    seen: &Seen,
    manifest: &Manifest,
    cast: &Cast,
) -> Result<Vec<ReplayMark>, AppError> {
    let r = &seen.line.recording;
    let clock = Clock(Timestamp::from_millis(manifest.started_at_ms));
    let item = item_of(tx, &seen.session).await?;
    let scene = Scene { cast, item };
    let mut out = consent(r, &clock);
    out.extend(journal(app, tx, seen, &scene, &clock).await?);
    out.extend(prompts(tx, r).await?);
    out.extend(snapshots(tx, r, cast).await?);
    let samples = quality::of_session(tx, &seen.session.id).await?;
    out.extend(networks(&samples, cast, &clock));
    out.extend(happenings(manifest));
    // Stable: of one moment, the order of the sources.
    out.sort_by_key(|m| m.at_ms);
    Ok(out)
}

/// The item that the form was opened with: its fields have the names that the timeline says.
async fn item_of(tx: &mut Tx, s: &session::Session) -> Result<Option<ItemRef>, AppError> {
    match (&s.item, s.item_version) {
        (Some(item), Some(version)) => match catalogue::item_at(tx, item, version).await {
            Ok(i) => Ok(Some(i)),
            Err(e) if e.code() == "item_unknown" => Ok(None),
            Err(e) => Err(e),
        },
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::{MemberId, SessionId};
    use media::record::{EventEntry, FORMAT, GapReason};

    #[test]
    fn the_clock_goes_backwards_before_its_zero() {
        let c = Clock(Timestamp::from_millis(1_000));
        assert_eq!(c.ms(Timestamp::from_micros(1_000_999)), 0);
        assert_eq!(c.ms(Timestamp::from_micros(999_999)), -1);
        assert_eq!(c.ms(Timestamp::from_millis(3_500)), 2_500);
    }

    #[test]
    fn a_network_is_on_the_timeline_where_it_changes() {
        let (a, b) = (MemberId::make(1, 1), MemberId::make(1, 2));
        let sample = |member: &MemberId, ms: i64, state| quality::Sample {
            session_id: SessionId::make(1, 1),
            member_id: member.clone(),
            at: Timestamp::from_millis(ms),
            state,
            loss_bp: None,
            jitter_ms: None,
            rtt_ms: None,
            freeze_ms: None,
        };
        let samples = [
            sample(&a, 0, State::Good),
            sample(&a, 10_000, State::Good),
            sample(&a, 20_000, State::Poor),
            sample(&a, 30_000, State::Poor),
            sample(&a, 40_000, State::Good),
            sample(&b, 5_000, State::Lost),
        ];
        let marks = networks(
            &samples,
            &Cast::default(),
            &Clock(Timestamp::from_millis(0)),
        );
        let said: Vec<_> = marks
            .iter()
            .map(|m| (m.at_ms, m.text.zh.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                (20_000, "网络较弱"),
                (40_000, "网络良好"),
                (5_000, "网络断开")
            ]
        );
        assert_eq!(marks[2].actor.as_deref(), Some(b.as_str()));
    }

    #[test]
    fn the_manifest_s_events_are_said_in_both_languages() {
        let events = [
            (900, Happening::Proven),
            (
                5_000,
                Happening::Interrupted {
                    leg: 1,
                    reason: GapReason::Disk,
                },
            ),
            (6_000, Happening::Resumed),
            (
                9_000,
                Happening::Stopped {
                    reason: Ended::Withdrawn,
                },
            ),
        ];
        let m = Manifest {
            format: FORMAT,
            recording: "rec_1".into(),
            started_at_ms: 0,
            duration_ms: 9_000,
            ended: Ended::Withdrawn,
            legs: vec![],
            events: events
                .into_iter()
                .map(|(at_ms, what)| EventEntry { at_ms, what })
                .collect(),
        };
        let marks = happenings(&m);
        assert_eq!(
            marks.iter().map(|m| m.at_ms).collect::<Vec<_>>(),
            [900, 5_000, 6_000, 9_000]
        );
        assert!(marks[1].text.zh.contains("磁盘") && marks[1].text.en.contains("disk"));
        assert!(marks[3].text.zh.contains("撤回"));
    }
}
