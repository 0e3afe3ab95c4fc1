//! A room that is recorded: what the recording's own limits and faults do to it.

use super::*;
use crate::event::RecordingEvent;
use crate::forward::MemberRole::Guest;
use crate::record::{
    Ended, GapReason, RECORDED_ROLES, RecordingKey, RecordingPlan, Segment, SegmentName,
    SegmentSink, Standing,
};
use std::io;

/// A storage that the recording's thread does not survive.
struct Broken;

impl SegmentSink for Broken {
    fn open(&mut self, _: SegmentName) -> io::Result<Box<dyn Segment>> {
        panic!("a fault in the storage")
    }
}

/// A storage that takes everything.
struct Blind;

impl SegmentSink for Blind {
    fn open(&mut self, _: SegmentName) -> io::Result<Box<dyn Segment>> {
        Ok(Box::new(Self))
    }
}

impl Segment for Blind {
    fn append(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

fn plan(sink: impl SegmentSink) -> RecordingPlan {
    RecordingPlan {
        recording: "rec_1".into(),
        required: vec!["citizen".into()],
        roles: RECORDED_ROLES.to_vec(),
        key: RecordingKey::new([7; 32]),
        sink: Box::new(sink),
        started_at_ms: 1_795_300_000_000,
    }
}

/// A live call that carries sound alone.
async fn call() -> (Bench, Peer) {
    let bench = Bench::new();
    bench.room.set_live(true);
    let sound = SentMedia {
        mic: true,
        camera: false,
    };
    bench.room.set_carried(sound);
    let citizen = bench.join("citizen", Citizen).await;
    bench.join("agent", Agent).await;
    (bench, citizen)
}

#[tokio::test]
async fn a_recording_whose_thread_failed_is_over_and_the_next_one_can_begin() {
    let (bench, citizen) = call().await;
    let mut watch = bench.room.start_recording(plan(Broken)).unwrap();
    assert_eq!(watch.now(), Standing::Proving);
    citizen.audio(1);
    let over = watch.0.wait_for(Standing::is_over);
    let over = tokio::time::timeout(Duration::from_secs(10), over).await;
    assert_eq!(*over.unwrap().unwrap(), Standing::Failed);
    loop {
        let failed = |e: &MediaEvent| {
            matches!(
                e,
                MediaEvent::Recording {
                    event: RecordingEvent::Interrupted {
                        leg: 0,
                        reason: GapReason::Crash,
                        ..
                    },
                    ..
                }
            )
        };
        if bench.events().await.iter().any(failed) {
            break;
        }
    }
    let again = bench.room.start_recording(plan(Blind));
    assert_eq!(again.unwrap_err().code(), "recording_running");
    // Nothing is written any more, and there is no list.
    let ended = bench.room.stop_recording(Ended::Crash).await.unwrap();
    assert_eq!(ended, None);
    bench.room.start_recording(plan(Blind)).unwrap();
    let ended = bench.room.stop_recording(Ended::Finished).await.unwrap();
    assert_eq!(ended.unwrap().legs.len(), 2);
}

#[tokio::test]
async fn who_comes_when_no_leg_is_left_is_listed_as_not_recorded() {
    let (bench, _citizen) = call().await;
    let watch = bench.room.start_recording(plan(Blind)).unwrap();
    for n in 0..32 {
        let name = format!("guest{n}");
        bench.join(&name, Guest).await;
        bench.room.leave(&name);
    }
    // Again: it is said once.
    bench.join("guest31", Guest).await;
    let ended = bench.room.stop_recording(Ended::Finished).await.unwrap();
    let manifest = ended.unwrap();
    let over = Standing::Stopped {
        manifest: manifest.clone(),
    };
    assert_eq!(watch.now(), over);
    let without =
        |l: &&crate::record::LegEntry| l.gaps.iter().any(|g| g.reason == GapReason::NoLeg);
    let left_out: Vec<_> = manifest.legs.iter().filter(without).collect();
    let names: Vec<_> = left_out
        .iter()
        .map(|l| (l.leg, l.member.as_str()))
        .collect();
    assert_eq!(names, [(33, "guest30"), (34, "guest31")]);
    assert!(
        left_out
            .iter()
            .all(|l| l.segments.is_empty() && l.role == Some(Guest))
    );
}
