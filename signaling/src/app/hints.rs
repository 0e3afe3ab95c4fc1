//! Live hints (who is in which field, who types, how good a line is) and for whom they are. They are never kept; who may see
//! them is decided by the same rule as for what is (`domain::invite::hint`). Never reads rows: each viewer's own last snapshot
//! says who is there, so a member who is not shown to a viewer sends them nothing.

use super::session_view;
use domain::invite::{self as rule, Member as Part};
use protocol::{Ephemeral, SessionView};
use std::collections::HashMap;

/// Whom a viewer sees in a session, and whether staff talk apart.
#[derive(Debug, Clone)]
pub struct Seen {
    me: Option<Part>,
    hold: bool,
    members: HashMap<String, Part>,
}

impl Seen {
    #[must_use]
    pub fn of(v: &SessionView) -> Self {
        let members: HashMap<String, Part> = v
            .members
            .iter()
            .map(|m| (m.id.clone(), session_view::part_of(m.part)))
            .collect();
        Self {
            me: v.me.as_ref().and_then(|me| members.get(me).copied()),
            hold: v.hold,
            members,
        }
    }

    /// Whether a hint of `from` (absent: the server's own) is for this viewer.
    #[must_use]
    pub fn passes(&self, from: Option<&str>, body: &Ephemeral) -> bool {
        let Some(me) = self.me else { return false };
        match (from, body) {
            (None, Ephemeral::Quality { member, .. }) => self.members.contains_key(member),
            (Some(from), Ephemeral::Focus { .. }) => self.hears(from, me, true),
            (Some(from), Ephemeral::Typing { path, .. }) => self.hears(from, me, path.is_some()),
            (None, _) | (Some(_), Ephemeral::Quality { .. }) => false,
        }
    }

    fn hears(&self, from: &str, me: Part, in_form: bool) -> bool {
        self.members
            .get(from)
            .is_some_and(|from| rule::hint(*from, me, self.hold, in_form))
    }
}
