//! Samples of lines: what is kept, how many, and when they go.

use crate::world::{a_session, at, id, the_member};
use domain::{quality::State, session::Role};
use store::{
    StoreError, Tx,
    quality::{self, Sample},
    session,
};

fn sample(member: i64, seconds: i64) -> Sample {
    Sample {
        session_id: id(1),
        member_id: id(member),
        at: at(seconds),
        state: State::Fair,
        loss_bp: Some(425),
        jitter_ms: Some(12),
        rtt_ms: None,
        freeze_ms: Some(300),
    }
}

fn lost(member: i64, seconds: i64) -> Sample {
    Sample {
        state: State::Lost,
        loss_bp: None,
        jitter_ms: None,
        freeze_ms: None,
        ..sample(member, seconds)
    }
}

async fn world(tx: &mut Tx) -> Result<(), StoreError> {
    a_session(tx, 1).await?;
    session::insert_member(tx, &the_member(1, Role::Citizen)).await?;
    session::insert_member(tx, &the_member(2, Role::Agent)).await
}

both!(
    a_series_is_kept_in_order_up_to_its_bound_and_forgotten,
    |store| {
        w!(store, |tx| {
            world(tx).await?;
            for s in [sample(2, 5), sample(1, 20), sample(1, 10), lost(1, 30)] {
                assert!(quality::insert(tx, &s, 5).await?);
            }
            // The same moment again, as after a rerun, changes nothing.
            assert!(!quality::insert(tx, &lost(2, 5), 5).await?);
            let kept = [sample(1, 10), sample(1, 20), lost(1, 30), sample(2, 5)];
            assert_eq!(quality::of_session(tx, &id(1)).await?, kept);
            assert!(quality::insert(tx, &sample(2, 6), 5).await?);
            assert!(
                !quality::insert(tx, &sample(2, 7), 5).await?,
                "the session is full"
            );
            assert!(quality::of_session(tx, &id(2)).await?.is_empty());
            assert_eq!(quality::forget(tx, &id(2)).await?, 0, "another visit's");
            assert_eq!(quality::forget(tx, &id(1)).await?, 5);
            assert!(quality::of_session(tx, &id(1)).await?.is_empty());
            Ok(())
        })
        .unwrap();
    }
);

both!(a_line_that_is_not_lost_has_its_figures, |store| {
    let r = w!(store, |tx| {
        world(tx).await?;
        let bare = Sample {
            state: State::Good,
            ..lost(1, 1)
        };
        quality::insert(tx, &bare, 9).await
    });
    assert!(r.is_err());
    let r = w!(store, |tx| {
        world(tx).await?;
        let beyond = Sample {
            loss_bp: Some(10_001),
            ..sample(1, 1)
        };
        quality::insert(tx, &beyond, 9).await
    });
    assert!(r.is_err());
});
