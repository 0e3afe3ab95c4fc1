//! Live hints (who is in which field, who types, how good a line is) and for whom they are. They are never kept; who may see
//! them is decided by the same rule as for what is (`domain::invite::hint`). Never reads rows: the last snapshots of the one who
//! says it and of each viewer say who is there, so a member who is not shown to a viewer sends them nothing.

use super::session_view;
use crate::cluster::Said;
use domain::invite as rule;
use protocol::{Ephemeral, MemberPart, SessionView};
use std::collections::HashMap;

/// Whom a viewer sees in a session, and whether staff talk apart.
#[derive(Debug, Clone)]
pub struct Seen {
    me: Option<MemberPart>,
    hold: bool,
    members: HashMap<String, MemberPart>,
}

impl Seen {
    #[must_use]
    pub fn of(v: &SessionView) -> Self {
        let members: HashMap<String, MemberPart> =
            v.members.iter().map(|m| (m.id.clone(), m.part)).collect();
        Self {
            me: v.me.as_ref().and_then(|me| members.get(me).copied()),
            hold: v.hold,
            members,
        }
    }

    /// What goes along with a hint of this viewer.
    #[must_use]
    pub fn said(&self) -> Option<Said> {
        self.me.map(|part| Said {
            part,
            hold: self.hold,
        })
    }

    /// Whether a hint of `from` (absent: the server's own) is for this viewer.
    #[must_use]
    pub fn passes(&self, from: Option<&str>, said: Option<Said>, body: &Ephemeral) -> bool {
        match (from, body) {
            (None, Ephemeral::Quality { member, .. }) => self.members.contains_key(member),
            (Some(from), Ephemeral::Focus { .. }) => self.hears(from, said, true),
            (Some(from), Ephemeral::Typing { path, .. }) => self.hears(from, said, path.is_some()),
            // What a page says of its reception is for the server alone.
            (None, _) | (Some(_), Ephemeral::Quality { .. } | Ephemeral::Reception { .. }) => false,
        }
    }

    /// As it was when it was said, and as it is now: what was said behind a wall is not told when the wall is gone.
    fn hears(&self, from: &str, said: Option<Said>, in_form: bool) -> bool {
        let (Some(me), Some(now), Some(said)) = (self.me, self.members.get(from), said) else {
            return false;
        };
        let (me, hold) = (session_view::part_of(me), self.hold || said.hold);
        [said.part, *now]
            .into_iter()
            .all(|from| rule::hint(session_view::part_of(from), me, hold, in_form))
    }
}
