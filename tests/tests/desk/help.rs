//! What is asked for within a session: help, guests, transfers.

use crate::world::{agent, by};
use domain::id::{InviteId, SessionId, StaffId};
use protocol::{ExchangeGuest, InviteKind, InviteStep, InviteTarget, NewInvite, Step};
use signaling::{
    app::{App, guests, invites},
    problem::AppError,
};

#[derive(Debug, Clone)]
pub enum Help {
    /// Answers the invitation, with the code of a guest's link.
    Ask(StaffId, SessionId, InviteKind, InviteTarget),
    /// On the version that was on the screen.
    Step(StaffId, InviteId, Step, i64),
    /// A guest opens the link with this code.
    Guest(String),
}

pub async fn perform(app: &App, call: Help, key: &str) -> Result<String, AppError> {
    match call {
        Help::Ask(staff, session, kind, target) => {
            let caller = by(agent(&staff), key);
            let i = invites::create(app, &caller, session, NewInvite { kind, target }).await?;
            let code = i.link.map(|l| l.code).unwrap_or_default();
            Ok(format!("{} {code}", i.invite.id))
        }
        Help::Step(staff, id, step, version) => {
            let body = InviteStep { step, version };
            invites::step(app, &by(agent(&staff), key), id, body).await?;
            Ok("done".into())
        }
        Help::Guest(code) => {
            let name = "家人".to_owned();
            let g = guests::exchange(app, Some(key), ExchangeGuest { code, name }).await?;
            Ok(g.member)
        }
    }
}
