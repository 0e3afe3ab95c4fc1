//! Time in an invitation: rings that nobody answers, people who were invited and have not come, dropped or come back.

use super::end;
use crate::{
    app::{App, Work, call_flow, desk, transfer},
    problem::AppError,
};
use domain::{
    invite::{self as rule, Cmd, Kind},
    limits,
};
use store::{Tx, dialect, invite, session};

async fn of_member(
    tx: &mut Tx,
    s: &session::Session,
    me: &session::Member,
) -> Result<Option<invite::Invite>, AppError> {
    Ok(invite::live(tx, &s.id)
        .await?
        .into_iter()
        .find(|i| i.member_id.as_ref() == Some(&me.id)))
}

/// Who was invited is there.
pub(in crate::app) async fn came(
    tx: &mut Tx,
    s: &session::Session,
    me: &session::Member,
) -> Result<(), AppError> {
    if let Some(i) = of_member(tx, s, me).await?.filter(|i| i.due_at.is_some()) {
        invite::set_due(tx, &i.id, None).await?;
    }
    Ok(())
}

/// Who was invited dropped; they may come back for a while.
pub(in crate::app) async fn dropped(
    tx: &mut Tx,
    w: &mut Work,
    s: &session::Session,
    me: &session::Member,
) -> Result<(), AppError> {
    if let Some(i) = of_member(tx, s, me).await? {
        let grace = if me.staff_id.is_some() {
            limits::AGENT_GRACE
        } else {
            limits::CITIZEN_GRACE
        };
        invite::set_due(tx, &i.id, Some(w.now + grace)).await?;
    }
    Ok(())
}

/// Rings that nobody answered, and people who were invited and did not come or stay.
pub async fn due(app: &App) -> Result<(), AppError> {
    let now = app.now();
    let over = app
        .read(move |tx| Box::pin(async move { Ok(invite::due(tx, now).await?) }))
        .await?;
    for i in over {
        let session = i.session_id.clone();
        let r = app
            .write("server", move |tx, w| {
                let (id, sid) = (i.id.clone(), i.session_id.clone());
                Box::pin(async move {
                    dialect::lock_session(tx, &sid).await?;
                    let Some(s) = session::get(tx, &sid).await? else {
                        return Ok(());
                    };
                    dialect::lock_hall(tx, &s.hall_id).await?;
                    let Some(mut i) = invite::get(tx, &id)
                        .await?
                        .filter(|i| i.state.is_live() && i.due_at.is_some_and(|d| d <= w.now))
                    else {
                        return Ok(());
                    };
                    if i.kind == Kind::TransferCold && transfer::in_line_no_more(tx, &s).await? {
                        // The citizen gave up the place: nobody will come for them.
                        let mut s = s;
                        return call_flow::finish(tx, w, &mut s, None, "citizen_left").await;
                    }
                    let cmd = match (i.state, i.kind) {
                        (rule::State::Ringing, _) => Cmd::TimeOut,
                        (_, Kind::TransferWarm) => Cmd::Return,
                        _ => Cmd::Finish,
                    };
                    end(tx, w, &s, &mut i, cmd, None).await
                })
            })
            .await;
        desk::lost_race_is_fine(r)?;
        app.media.shape(app, &session).await;
    }
    Ok(())
}
