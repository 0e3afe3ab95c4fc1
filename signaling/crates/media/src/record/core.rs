//! One recording without threads and clocks: legs, the phase, the manifest. Times come in, events and wishes go out.

use super::clock::Report;
use super::jitter::InPacket;
use super::leg::{Flow, Leg, Whose, count_bytes};
use super::manifest::{
    Codec, Ended, EventEntry, FORMAT, Gap, GapReason, Happening, LegEntry, Manifest,
};
use super::phase::{Input, Phase};
use super::plan::{RecordingKey, RecordingPlan};
use super::segment::{LeftOut, Note, first_link, hex};
use super::sink::SegmentSink;
use crate::event::{Kind, Source};
use crate::forward::MemberRole;

/// Least time between two keyframes that a recording asks of one member (ms).
const KEYFRAME_MS: u64 = 1_000;

pub(crate) struct Core {
    recording: String,
    started_at_ms: i64,
    required: Vec<String>,
    key: RecordingKey,
    sink: Box<dyn SegmentSink>,
    legs: Vec<Leg>,
    /// When a keyframe was last asked for, by leg.
    asked: Vec<Option<u64>>,
    phase: Phase,
    events: Vec<EventEntry>,
    told: usize,
    left_out: Vec<LeftOut>,
}

impl Core {
    pub(crate) fn new(plan: RecordingPlan) -> Self {
        Self {
            recording: plan.recording,
            started_at_ms: plan.started_at_ms,
            required: plan.required,
            key: plan.key,
            sink: plan.sink,
            legs: Vec::new(),
            asked: Vec::new(),
            phase: Phase::Proving,
            events: Vec::new(),
            told: 0,
            left_out: Vec::new(),
        }
    }

    /// A member is recorded from now on, on the next leg.
    pub(crate) fn join(
        &mut self,
        member: String,
        source: Source,
        role: MemberRole,
        flow: Flow,
        now_ms: u64,
    ) {
        let whose = Whose {
            recording: self.recording.clone(),
            started_at_ms: self.started_at_ms,
            required_members: self.required.clone(),
            leg: self.legs.len() as u16 + 1,
            member,
            source,
            role,
        };
        self.legs
            .push(Leg::new(whose, self.key.clone(), flow, now_ms));
        self.asked.push(None);
    }

    /// A member who is recorded on no leg: the list says so, whatever happens to the process.
    pub(crate) fn left_out(&mut self, who: LeftOut) {
        for leg in &mut self.legs {
            leg.store.note(Note::LeftOut(who.clone()));
        }
        self.left_out.push(who);
    }

    fn leg(&mut self, leg: u16) -> Option<&mut Leg> {
        self.legs.get_mut(usize::from(leg).checked_sub(1)?)
    }

    pub(crate) fn member_of(&self, leg: u16) -> &str {
        let at = usize::from(leg).wrapping_sub(1);
        match self.legs.get(at) {
            Some(leg) => leg.member(),
            None if at == self.legs.len() => self.absent().unwrap_or_default(),
            None => "",
        }
    }

    /// Somebody who must be recorded and has never come.
    fn absent(&self) -> Option<&str> {
        let here = |m: &&String| self.legs.iter().any(|l| l.member() == m.as_str());
        self.required.iter().find(|m| !here(m)).map(String::as_str)
    }

    pub(crate) fn packet(&mut self, leg: u16, kind: Kind, codec: Codec, packet: InPacket) {
        if let Some(leg) = self.leg(leg) {
            leg.packet(kind, codec, packet);
        }
    }

    pub(crate) fn report(&mut self, leg: u16, report: Report) {
        if let Some(leg) = self.leg(leg) {
            leg.report(report);
        }
    }

    pub(crate) fn flow(&mut self, leg: u16, flow: Flow, now_ms: u64) {
        let at = usize::from(leg).wrapping_sub(1);
        if let Some(leg) = self.legs.get_mut(at) {
            leg.set_flow(self.sink.as_mut(), flow, now_ms);
        }
    }

    pub(crate) fn overflow(&mut self, leg: u16, kind: Kind, now_ms: u64) {
        let at = usize::from(leg).wrapping_sub(1);
        if let Some(leg) = self.legs.get_mut(at) {
            leg.overflow(self.sink.as_mut(), kind, now_ms);
        }
    }

    /// Whose media must be there from now on: the agent changed.
    pub(crate) fn require(&mut self, members: Vec<String>) {
        for leg in &mut self.legs {
            leg.require(&members);
        }
        self.required = members;
    }

    pub(crate) fn tick(&mut self, now_ms: u64) {
        if self.phase == Phase::Stopped {
            return;
        }
        for leg in &mut self.legs {
            leg.tick(self.sink.as_mut(), now_ms);
        }
        self.judge(now_ms);
    }

    fn judge(&mut self, now_ms: u64) {
        let required = || self.legs.iter().filter(|l| l.required);
        let broken = || required().filter_map(|l| l.broken().map(|reason| (l.number(), reason)));
        // Whoever is still on the way must not hide that nothing can be written.
        let disk = broken().find(|(_, reason)| *reason == GapReason::Disk);
        let broken = disk.or_else(|| broken().next());
        let proving = self.phase.is_unproven();
        let input = match broken {
            Some((leg, reason)) => Input::Broken { leg, reason },
            // The session went to somebody who is not there: named by the leg that will be theirs.
            None if self.absent().is_some() => Input::Broken {
                leg: self.legs.len() as u16 + 1,
                reason: GapReason::LegDown,
            },
            None if required().all(|l| l.well(proving)) => Input::Well,
            None => return,
        };
        self.apply(input, now_ms);
    }

    fn apply(&mut self, input: Input, at_ms: u64) {
        let (next, what) = self.phase.apply(input);
        self.phase = next;
        if let Some(what) = what {
            let event = EventEntry { at_ms, what };
            self.events.push(event);
            for leg in &mut self.legs {
                leg.store.note(Note::Event(event));
            }
        }
    }

    /// When it was first proven.
    pub(crate) fn proven_ms(&self) -> Option<u64> {
        let first = self.events.iter().find(|e| e.what == Happening::Proven);
        first.map(|e| e.at_ms)
    }

    /// What has happened since the last call.
    pub(crate) fn take_events(&mut self) -> Vec<EventEntry> {
        let new = self.events[self.told..].to_vec();
        self.told = self.events.len();
        new
    }

    /// Legs whose member should be asked for a keyframe now.
    pub(crate) fn take_wishes(&mut self, now_ms: u64) -> Vec<u16> {
        let mut out = Vec::new();
        for (leg, asked) in self.legs.iter().zip(&mut self.asked) {
            if leg.wants_key(now_ms) && asked.is_none_or(|at| now_ms >= at + KEYFRAME_MS) {
                *asked = Some(now_ms);
                out.push(leg.number());
            }
        }
        out
    }

    /// Writes the rest, ends every leg and says what there is.
    pub(crate) fn stop(&mut self, reason: Ended, now_ms: u64) -> Manifest {
        self.apply(Input::Stop { reason }, now_ms);
        let mut legs = Vec::new();
        for leg in &mut self.legs {
            let mut entry = leg.stop(self.sink.as_mut(), now_ms);
            count_bytes(&mut entry);
            legs.push(entry);
        }
        add_unrecorded(&mut legs, &self.recording, &self.required, &self.left_out);
        Manifest {
            format: FORMAT,
            recording: self.recording.clone(),
            started_at_ms: self.started_at_ms,
            duration_ms: now_ms,
            ended: reason,
            legs,
            events: self.events.clone(),
        }
    }
}

/// Members of whom there is nothing have a leg with nothing on it: those who came when no leg was left, and required ones who never
/// came. The list must not be silent about them.
pub(crate) fn add_unrecorded(
    legs: &mut Vec<LegEntry>,
    recording: &str,
    required: &[String],
    left_out: &[LeftOut],
) {
    for who in left_out {
        let entry = LegEntry {
            role: Some(who.role),
            source: who.source,
            required: who.source.is_person() && required.contains(&who.member),
            ..nothing(legs, recording, &who.member, who.from_ms, GapReason::NoLeg)
        };
        legs.push(entry);
    }
    for member in required {
        let on = |l: &LegEntry| &l.member == member && l.source.is_person();
        if !legs.iter().any(on) {
            let entry = LegEntry {
                required: true,
                ..nothing(legs, recording, member, 0, GapReason::LegDown)
            };
            legs.push(entry);
        }
    }
}

/// The next leg, with nothing on it but a gap without an end.
fn nothing(
    legs: &[LegEntry],
    recording: &str,
    member: &str,
    from_ms: u64,
    reason: GapReason,
) -> LegEntry {
    let leg = legs.iter().map(|l| l.leg).max().unwrap_or(0) + 1;
    LegEntry {
        leg,
        member: member.to_owned(),
        role: None,
        source: Source::Camera,
        required: false,
        parts: Vec::new(),
        segments: Vec::new(),
        gaps: vec![Gap {
            kind: None,
            from_ms,
            to_ms: None,
            reason,
        }],
        chain: hex(&first_link(recording, leg)),
    }
}
