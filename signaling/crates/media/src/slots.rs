//! Which m-line of a receiving page carries whom. A member keeps its slot as long as it is heard.
//!
//! Pure: the room says who is heard; limits are the page's own m-lines.

use crate::event::{Kind, Slot, Source};
use crate::leg::{Leg, LegSlot};
use crate::publish::OutSlot;
use std::sync::Arc;

/// A slot and its present source.
pub(crate) struct Assigned {
    pub slot: Arc<OutSlot>,
    pub member: Option<String>,
}

/// Adds the m-lines that a (re)negotiation brought.
pub(crate) fn append(slots: &mut Vec<Assigned>, leg: &Arc<dyn Leg>, negotiated: &[LegSlot]) {
    for (index, slot) in negotiated.iter().enumerate().skip(slots.len()) {
        let slot = OutSlot::new(index, slot.mid.clone(), slot.kind, leg.clone());
        slots.push(Assigned { slot, member: None });
    }
}

/// Keeps what is still heard where it is, frees the rest, gives the first free slots to the others.
pub(crate) fn assign(slots: &mut [Assigned], kind: Kind, heard: &[&str]) {
    for slot in slots.iter_mut().filter(|s| s.slot.kind == kind) {
        if slot.member.as_deref().is_some_and(|m| !heard.contains(&m)) {
            slot.member = None;
        }
    }
    for member in heard {
        let taken = slots
            .iter()
            .any(|s| s.slot.kind == kind && s.member.as_deref() == Some(*member));
        if taken {
            continue;
        }
        if let Some(free) = slots
            .iter_mut()
            .find(|s| s.slot.kind == kind && s.member.is_none())
        {
            free.member = Some((*member).to_owned());
        }
    }
}

/// The map as the page is told it.
pub(crate) fn map(slots: &[Assigned]) -> Vec<Slot> {
    let slot = |s: &Assigned| {
        Some(Slot {
            mid: s.slot.mid.clone(),
            member: s.member.clone()?,
            kind: s.slot.kind,
            source: Source::Camera,
            paused: s.slot.gate(|gate| gate.is_paused()),
        })
    };
    slots.iter().filter_map(slot).collect()
}
