//! One video codec a room, as pages are told of it: asked to offer again, or refused with the reason.

use crate::cluster::enter;
use crate::peer::{Client, number_of};
use it::{
    county::{County, Target},
    people::{Agent, Citizen},
};
use media::record::Codec::{H264, Vp8};
use protocol::{MediaLine, MediaSource, ServerFrame, TicketState};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_warmed_up_before_the_session_is_asked_to_offer_again_in_it() {
    let county = County::new(Target::Sqlite).await;
    let node = county.start("a").await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let ticket = citizen.queue().await.id;
    let mut mine = Client::knowing(1, &[Vp8, H264]).await;
    enter(&mut citizen.line, &mut mine, &ticket).await;
    let offer = agent.rung().await;
    let mut theirs = Client::knowing(2, &[H264]).await;
    enter(&mut agent.line, &mut theirs, &ticket).await;
    let session = agent.accept(&offer).await;
    citizen.ticket(TicketState::Paired).await;
    agent.line.join(&session, 0).await;
    citizen.line.join(&session, 0).await;
    let asked = citizen
        .line
        .until("to offer again", |f| match f {
            ServerFrame::Renegotiate { session } => Some(session.clone()),
            _ => None,
        })
        .await;
    assert_eq!(asked, session);
    enter(&mut citizen.line, &mut mine, &ticket).await;
    // What the page sends is what the answer names first; here the client is told by hand.
    mine.send_as(H264);
    let got = theirs
        .until("the citizen's picture", |got| {
            let h264 = |g: &&crate::peer::Got| {
                g.packet.header.payload_type == number_of(H264, 2)
                    && g.packet.payload.last() == Some(&1)
            };
            got.iter().filter(h264).count() > 5
        })
        .await;
    assert!(!got.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_without_the_rooms_codec_is_told_which_one_in_words() {
    let county = County::new(Target::Sqlite).await;
    let node = county.start("a").await;
    let mut agent = Agent::sit(&node, "agent1", "seat-1").await;
    let mut citizen = Citizen::arrive(&node).await;
    let ticket = citizen.queue().await.id;
    let mut mine = Client::knowing(1, &[Vp8]).await;
    enter(&mut citizen.line, &mut mine, &ticket).await;
    agent.rung().await;
    let sdp = Client::knowing(2, &[H264]).await.offer_sdp(false).await;
    let problem = agent.line.offer(&ticket, sdp).await.unwrap_err();
    assert_eq!(problem.code, "codec_unsupported");
    let [reason] = &problem.errors[..] else {
        panic!("{problem:?}")
    };
    assert_eq!(
        (reason.pointer.as_str(), reason.code.as_str()),
        ("/sdp", "codec_needs_vp8")
    );
    assert!(reason.detail.contains("VP8") && reason.detail.contains("by voice"));

    // A source that is on no line is no offer; one that is on a line is taken.
    let sdp = Client::knowing(3, &[Vp8]).await.offer_sdp(false).await;
    let shows = |mid: &str| MediaLine {
        mid: mid.into(),
        source: MediaSource::Screen,
    };
    let refused = agent
        .line
        .offer_showing(&ticket, sdp.clone(), vec![shows("99")])
        .await;
    assert_eq!(refused.unwrap_err().code, "sdp_invalid");
    agent
        .line
        .offer_showing(&ticket, sdp, vec![shows("1")])
        .await
        .unwrap();
}
