//! Which m-line of a receiving page carries whom, and what of them. What is heard keeps its slot as long as it is heard.
//!
//! Pure: the room says who is there; limits are the page's own m-lines. Where they are too few, people go before papers and screens.

use crate::event::{Kind, Slot, Source};
use crate::forward::{MemberRole, forwards};
use crate::lane::Lane;
use crate::leg::{Leg, LegSlot};
use crate::publish::OutSlot;
use std::sync::Arc;

/// A slot and what it carries now.
pub(crate) struct Assigned {
    pub slot: Arc<OutSlot>,
    pub carries: Option<(String, Lane)>,
}

impl Assigned {
    pub(crate) fn is_of(&self, member: &str, lane: Lane) -> bool {
        self.carries
            .as_ref()
            .is_some_and(|(m, l)| m == member && *l == lane)
    }
}

/// A member as others may see them.
pub(crate) struct Cast {
    pub member: String,
    pub role: MemberRole,
    /// What they show beside themselves.
    pub shares: Vec<Source>,
}

/// Brings the slots in line with what a (re)negotiation brought; it only appends.
pub(crate) fn append(slots: &mut Vec<Assigned>, leg: &Arc<dyn Leg>, negotiated: &[LegSlot]) {
    for (known, slot) in slots.iter().zip(negotiated) {
        known.slot.set_payloads(slot.payloads);
    }
    for (index, slot) in negotiated.iter().enumerate().skip(slots.len()) {
        let slot = OutSlot::new(index, slot, leg.clone());
        slots.push(Assigned {
            slot,
            carries: None,
        });
    }
}

/// What of a kind one member is to get, the more important first: the people in order of joining, then what the citizen shows,
/// the agent, the others.
pub(crate) fn wanted<'a>(
    cast: &'a [Cast],
    to: (&str, MemberRole),
    kind: Kind,
) -> Vec<(&'a str, Lane)> {
    let others = || cast.iter().filter(|c| c.member != to.0);
    let reaches = |c: &Cast, source| forwards(&c.role, &to.1, source);
    let person = match kind {
        Kind::Audio => Lane::Sound,
        Kind::Video => Lane::Camera,
    };
    let people = others().filter(|c| reaches(c, Source::Camera));
    let mut wanted: Vec<_> = people.map(|c| (c.member.as_str(), person)).collect();
    if kind == Kind::Video {
        let mut showing: Vec<&Cast> = others().collect();
        showing.sort_by_key(|c| match c.role {
            MemberRole::Citizen => 0,
            MemberRole::Agent => 1,
            _ => 2,
        });
        for c in showing {
            let shares = c.shares.iter().filter(|s| reaches(c, **s));
            wanted.extend(shares.map(|s| (c.member.as_str(), Lane::of(*s))));
        }
    }
    wanted
}

/// Keeps what is still wanted where it is, frees the rest, gives the first free slots to the others. A line that the page has closed
/// is no slot.
pub(crate) fn assign(slots: &mut [Assigned], kind: Kind, mut wanted: Vec<(&str, Lane)>) {
    let mut slots: Vec<&mut Assigned> = slots.iter_mut().filter(|s| s.slot.kind == kind).collect();
    for closed in slots.extract_if(.., |s| !s.slot.is_open()) {
        closed.carries = None;
    }
    let placed = |slots: &[&mut Assigned], (member, lane): &(&str, Lane)| {
        slots.iter().any(|s| s.is_of(member, *lane))
    };
    // Where there are too few slots, who has one keeps it.
    wanted.sort_by_key(|w| (w.1.is_share(), !placed(&slots, w)));
    wanted.truncate(slots.len());
    for slot in &mut slots {
        if !wanted.iter().any(|(m, l)| slot.is_of(m, *l)) {
            slot.carries = None;
        }
    }
    for want in wanted {
        if placed(&slots, &want) {
            continue;
        }
        let mut free = slots.iter_mut().filter(|s| s.carries.is_none());
        // A page's lines come in pairs that play together: what has no sound takes from the end.
        let free = if want.1.is_share() {
            free.next_back()
        } else {
            free.next()
        };
        if let Some(free) = free {
            free.carries = Some((want.0.to_owned(), want.1));
        }
    }
}

/// The map as the page is told it.
pub(crate) fn map(slots: &[Assigned]) -> Vec<Slot> {
    let slot = |s: &Assigned| {
        let (member, lane) = s.carries.clone()?;
        Some(Slot {
            mid: s.slot.mid.clone(),
            member,
            kind: s.slot.kind,
            source: lane.source(),
            paused: s.slot.gate(|gate| gate.is_paused()),
        })
    };
    slots.iter().filter_map(slot).collect()
}
