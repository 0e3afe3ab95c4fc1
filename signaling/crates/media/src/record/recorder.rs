//! One recording of one room: its thread, and who is recorded now.
//!
//! The room says who is there ([`Recorder::cast`]); packets come by [`Feed`]; everything that blocks runs on the recording's own
//! thread. A recording that fails never touches the call.

use super::core::Core;
use super::feed::{Feed, Message, Queue};
use super::leg::Flow;
use super::limits::{LEGS, TICK_MS};
use super::manifest::{Ended, EventEntry, GapReason, Happening, Manifest};
use super::plan::RecordingPlan;
use super::segment::LeftOut;
use super::standing::{RecordingWatch, Standing};
use crate::error::MediaError;
use crate::event::{MediaEvent, Outbox, RecordingEvent, Source};
use crate::forward::{MemberRole, forwards};
use crate::lane::Lane;
use crate::publish::Publisher;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Longest that [`Recorder::stop`] waits for the thread: a disk that hangs must not hang the caller.
const STOP: Duration = Duration::from_secs(1);

/// A member as the room sees it, or something that a member shows.
pub(crate) struct Present<'a> {
    pub member: &'a str,
    pub source: Source,
    pub role: MemberRole,
    /// None while it is not connected.
    pub publisher: Option<&'a Arc<Publisher>>,
    /// For sound and pictures: whether they are forwarded at all, else why not.
    pub off: [Option<GapReason>; 2],
}

pub(crate) struct Recorder {
    roles: Vec<MemberRole>,
    queue: Arc<Queue>,
    legs: Mutex<Legs>,
    standing: watch::Receiver<Standing>,
}

#[derive(Default)]
struct Legs {
    slots: Vec<Slot>,
    /// Who came when there was no leg left; no more than the application lets into the room.
    left_out: Vec<(String, Source)>,
}

struct Slot {
    member: String,
    source: Source,
    flow: Flow,
    feed: Arc<Feed>,
}

impl Recorder {
    /// Starts the thread. Within a tokio runtime: keyframes are asked for through it.
    pub(crate) fn start(
        room: &str,
        plan: RecordingPlan,
        outbox: Arc<Outbox>,
    ) -> Result<Arc<Self>, MediaError> {
        plan.check()?;
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|_| MediaError::RecordingFailed("no runtime"))?;
        let queue = Queue::new(Instant::now());
        let (stands, standing) = watch::channel(Standing::Proving);
        let recorder = Arc::new(Self {
            roles: plan.roles.clone(),
            queue: queue.clone(),
            legs: Mutex::default(),
            standing,
        });
        let work = Work {
            room: room.to_owned(),
            recording: plan.recording.clone(),
            outbox,
            recorder: Arc::downgrade(&recorder),
            queue,
            stands,
        };
        let core = Core::new(plan);
        let run = move || {
            let _runtime = runtime.enter();
            let result = catch_unwind(AssertUnwindSafe(|| work.run(core)));
            match result {
                Ok(manifest) => {
                    let manifest = Arc::new(manifest);
                    let over = manifest.clone();
                    work.stands
                        .send_replace(Standing::Stopped { manifest: over });
                    let at_ms = manifest.duration_ms;
                    work.tell(at_ms, RecordingEvent::Stopped { manifest });
                }
                Err(_) => {
                    tracing::error!(recording = %work.recording, "the recording's thread failed");
                    work.queue.close(Ended::Crash, Instant::now());
                    work.stands.send_replace(Standing::Failed);
                    let event = RecordingEvent::Interrupted {
                        leg: 0,
                        member: String::new(),
                        reason: GapReason::Crash,
                    };
                    work.tell(work.queue.ms(Instant::now()), event);
                }
            }
        };
        std::thread::Builder::new()
            .name("recording".into())
            .spawn(run)
            .map_err(|_| MediaError::RecordingFailed("no thread"))?;
        Ok(recorder)
    }

    /// Whether somebody in this part is recorded.
    fn covers(&self, role: MemberRole) -> bool {
        self.roles.contains(&role)
    }

    /// Everybody in the room, after any change. A new connection takes up its member's leg again.
    pub(crate) fn cast(&self, present: &[Present<'_>]) {
        let at_ms = self.queue.ms(Instant::now());
        let mut legs = self.legs.lock().unwrap_or_else(PoisonError::into_inner);
        let Legs { slots, left_out } = &mut *legs;
        for p in present {
            // A private talk of staff, while the citizen is on hold, reaches nobody who is recorded: it is none of the recording's.
            let heard = present.iter().any(|o| {
                o.member != p.member && self.covers(o.role) && forwards(&p.role, &o.role, p.source)
            });
            let off = match p.publisher {
                None => [Some(GapReason::LegDown); 2],
                Some(_) if !self.covers(p.role) || !heard => [Some(GapReason::Paused); 2],
                Some(_) => p.off,
            };
            let flow = Flow { off };
            let known = slots.iter().position(|s| s.is_of(p));
            let at = match known {
                Some(at) => at,
                // Whoever is never in a recorded part has no leg.
                None if !self.covers(p.role) || p.publisher.is_none() || slots.len() >= LEGS => {
                    if let Some(publisher) = p.publisher {
                        publisher.set_recording(p.source, None);
                        if self.covers(p.role) {
                            self.leave_out(left_out, p, at_ms);
                        }
                    }
                    continue;
                }
                None => {
                    let feed = Feed::new(slots.len() as u16 + 1, self.queue.clone());
                    self.queue.command(Message::Join {
                        member: p.member.to_owned(),
                        source: p.source,
                        role: p.role,
                        flow,
                        at_ms,
                    });
                    slots.push(Slot {
                        member: p.member.to_owned(),
                        source: p.source,
                        flow,
                        feed,
                    });
                    slots.len() - 1
                }
            };
            let slot = &mut slots[at];
            slot.set(&self.queue, flow, at_ms);
            if let Some(publisher) = p.publisher {
                slot.feed.set_publisher(publisher);
                let recorded = (slot.feed.clone(), off.map(|o| o.is_none()));
                publisher.set_recording(p.source, Some(recorded));
            }
        }
        for slot in slots.iter_mut() {
            if !present.iter().any(|p| slot.is_of(p)) {
                // What is shown no longer is missed by nobody; a member is.
                let reason = if slot.source.is_person() {
                    GapReason::LegDown
                } else {
                    GapReason::Paused
                };
                let off = [Some(reason); 2];
                slot.set(&self.queue, Flow { off }, at_ms);
            }
        }
    }

    /// Heard by all and recorded by none: that is said, once.
    fn leave_out(&self, known: &mut Vec<(String, Source)>, p: &Present<'_>, from_ms: u64) {
        let is = |(member, source): &(String, Source)| member == p.member && *source == p.source;
        if known.iter().any(is) {
            return;
        }
        known.push((p.member.to_owned(), p.source));
        self.queue.command(Message::LeftOut(LeftOut {
            member: p.member.to_owned(),
            source: p.source,
            role: p.role,
            from_ms,
        }));
    }

    pub(crate) fn require(&self, members: Vec<String>) {
        self.queue.command(Message::Require { members });
    }

    /// Ends the recording: nothing that comes later is taken. Does not wait; `Stopped` follows.
    pub(crate) fn close(&self, reason: Ended) {
        self.queue.close(reason, Instant::now());
    }

    /// Ends the recording and waits until nothing is written any more. `None`: its thread is gone, and the files alone say what
    /// there is.
    pub(crate) async fn stop(&self, reason: Ended) -> Result<Option<Arc<Manifest>>, MediaError> {
        self.close(reason);
        let mut standing = self.standing.clone();
        let failed = || MediaError::RecordingFailed("its end was not confirmed in time");
        let over = tokio::time::timeout(STOP, standing.wait_for(Standing::is_over))
            .await
            .map_err(|_| failed())?
            .map_err(|_| failed())?
            .clone();
        Ok(match over {
            Standing::Stopped { manifest } => Some(manifest),
            Standing::Failed
            | Standing::Proving
            | Standing::Proven { .. }
            | Standing::Interrupted { .. } => None,
        })
    }

    pub(crate) fn watch(&self) -> RecordingWatch {
        RecordingWatch(self.standing.clone())
    }

    /// Who sends what is on a leg, and on which lane.
    fn sender(&self, leg: u16) -> Option<(Arc<Publisher>, Lane)> {
        let legs = self.legs.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = legs.slots.iter().find(|s| s.feed.leg == leg)?;
        Some((slot.feed.publisher()?, Lane::of(slot.source)))
    }
}

impl Slot {
    fn is_of(&self, present: &Present<'_>) -> bool {
        self.member == present.member && self.source == present.source
    }

    fn set(&mut self, queue: &Queue, flow: Flow, at_ms: u64) {
        if self.flow != flow {
            self.flow = flow;
            let leg = self.feed.leg;
            queue.command(Message::Flow { leg, flow, at_ms });
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.close(Ended::Closed);
    }
}

/// What the thread holds.
struct Work {
    room: String,
    recording: String,
    outbox: Arc<Outbox>,
    /// Weak: a room that is dropped ends its recording.
    recorder: Weak<Recorder>,
    queue: Arc<Queue>,
    stands: watch::Sender<Standing>,
}

impl Work {
    fn run(&self, mut core: Core) -> Manifest {
        let mut newest = 0;
        loop {
            for message in self.queue.take(Duration::from_millis(TICK_MS)) {
                match message {
                    Message::Packet {
                        leg,
                        kind,
                        codec,
                        packet,
                    } => core.packet(leg, kind, codec, packet),
                    Message::Report { leg, report } => core.report(leg, report),
                    Message::Overflow { leg, kind, at_ms } => core.overflow(leg, kind, at_ms),
                    Message::Join {
                        member,
                        source,
                        role,
                        flow,
                        at_ms,
                    } => core.join(member, source, role, flow, at_ms),
                    Message::Flow { leg, flow, at_ms } => core.flow(leg, flow, at_ms),
                    Message::LeftOut(who) => core.left_out(who),
                    Message::Require { members } => core.require(members),
                    Message::Stop { reason, at_ms } => {
                        let manifest = core.stop(reason, at_ms.max(newest));
                        self.report(&mut core);
                        return manifest;
                    }
                }
            }
            newest = self.queue.ms(Instant::now());
            core.tick(newest);
            self.report(&mut core);
            let wishes = core.take_wishes(newest);
            if let Some(recorder) = self.recorder.upgrade() {
                let senders = wishes.into_iter().filter_map(|leg| recorder.sender(leg));
                senders.for_each(|(publisher, lane)| publisher.wish_keyframe(lane));
            }
        }
    }

    fn report(&self, core: &mut Core) {
        for EventEntry { at_ms, what } in core.take_events() {
            let since_ms = at_ms;
            let (event, standing) = match what {
                Happening::Proven => (RecordingEvent::Proven, Standing::Proven { since_ms }),
                Happening::Resumed => (RecordingEvent::Resumed, Standing::Proven { since_ms }),
                Happening::Interrupted { leg, reason } => {
                    let event = RecordingEvent::Interrupted {
                        leg,
                        member: core.member_of(leg).to_owned(),
                        reason,
                    };
                    let proven_ms = core.proven_ms();
                    let standing = Standing::Interrupted {
                        since_ms,
                        reason,
                        proven_ms,
                    };
                    (event, standing)
                }
                Happening::Stopped { .. } => continue, // told with the manifest
            };
            // First what it is, then that it changed: whoever is told looks at nothing older.
            self.stands.send_replace(standing);
            self.tell(at_ms, event);
        }
    }

    fn tell(&self, at_ms: u64, event: RecordingEvent) {
        self.outbox.push(MediaEvent::Recording {
            room: self.room.clone(),
            recording: self.recording.clone(),
            at_ms,
            event,
        });
    }
}
