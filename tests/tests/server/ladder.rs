//! The degrade ladder: who may move it, and whose word opens a camera.

use crate::shared::session_where;
use it::{
    line::Line,
    people::{Agent, Citizen, call},
};
use protocol::{CallMode, Command};

async fn go(line: &mut Line, session: &str, to: CallMode) -> Result<(), String> {
    let c = Command::Mode {
        session: session.to_owned(),
        to,
    };
    line.command(c).await.map(|_| ()).map_err(|p| p.code)
}

async fn answer(line: &mut Line, session: &str, yes: bool) -> Result<(), String> {
    let session = session.to_owned();
    let c = if yes {
        Command::ModeAgree { session }
    } else {
        Command::ModeRefuse { session }
    };
    line.command(c).await.map(|_| ()).map_err(|p| p.code)
}

both!(down_at_once_and_up_by_the_citizen_s_word, |county| {
    let node = county.start("a").await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let (session, _) = call(&mut citizen, &mut agent).await;
    let (a, c) = (&mut agent.line, &mut citizen.line);
    go(a, &session, CallMode::Text).await.unwrap();
    session_where(c, "text", |s| s.mode == CallMode::Text).await;
    assert_eq!(
        go(a, &session, CallMode::Text).await.unwrap_err(),
        "ladder_same"
    );
    assert_eq!(
        answer(c, &session, true).await.unwrap_err(),
        "ladder_not_asked"
    );
    go(a, &session, CallMode::Video).await.unwrap();
    let asked = session_where(c, "the question", |s| s.mode_asked.is_some()).await;
    assert_eq!(
        (asked.mode, asked.mode_asked),
        (CallMode::Text, Some(CallMode::Video))
    );
    assert_eq!(answer(a, &session, true).await.unwrap_err(), "citizen_only");
    answer(c, &session, false).await.unwrap();
    session_where(a, "the no", |s| {
        s.mode == CallMode::Text && s.mode_asked.is_none()
    })
    .await;
    go(a, &session, CallMode::Phone).await.unwrap();
    answer(c, &session, true).await.unwrap();
    session_where(a, "the telephone", |s| s.mode == CallMode::Phone).await;
    go(c, &session, CallMode::Video).await.unwrap();
    session_where(a, "video", |s| s.mode == CallMode::Video).await;
    county.close(node).await;
});
