//! Recordings in lists, replays, films and snapshots: what is found, what keeps its place, what a hold refuses.

use crate::world::{a_case, a_session, at, hall_id, id, the_case, the_member, the_session};
use domain::{
    id::{HallId, RecordingId},
    recording::State,
    session::Role,
};
use store::{
    StoreError, Tx, keys, node, recording,
    recording::{Hold, Recording},
    replay::{self, Export, Filter, Line, Replay},
    session, snapshot,
    snapshot::Snapshot,
};

/// Recording n of session s, asked by member 100 + s at second n.
fn asked(n: i64, s: i64) -> Recording {
    Recording {
        id: id(n),
        session_id: id(s),
        hall_id: hall_id(),
        visit_id: id(s),
        key_id: id(500 + n),
        state: State::Asked,
        version: 1,
        notice: "{}".into(),
        policy_version: "2026-11".into(),
        asked_by: id(100 + s),
        asked_at: at(n),
        answered_at: None,
        granted: None,
        started_at: None,
        proven_at: None,
        interrupted: None,
        ended_at: None,
        end_reason: None,
        node: None,
        manifest: None,
        signature: None,
        public_key: None,
        sealed_at: None,
        duration_ms: None,
        gaps: None,
        bytes: None,
        delete_at: None,
        hold: None,
        deleted_at: None,
    }
}

fn sealed(n: i64, s: i64) -> Recording {
    Recording {
        state: State::Sealed,
        answered_at: Some(at(n + 1)),
        granted: Some(true),
        started_at: Some(at(n + 1)),
        ended_at: Some(at(n + 50)),
        end_reason: Some("finished".into()),
        manifest: Some("{}".into()),
        signature: Some("ab".into()),
        public_key: Some("cd".into()),
        sealed_at: Some(at(n + 51)),
        ..asked(n, s)
    }
}

/// Kept as it is meant to be; what comes back is one version on.
async fn kept(tx: &mut Tx, r: &Recording) -> Result<Recording, StoreError> {
    keys::insert(tx, &r.key_id, vec![7; 40], at(0)).await?;
    recording::insert(tx, r).await?;
    if r.state != State::Asked {
        assert!(recording::save(tx, r).await?);
    }
    Ok(recording::get(tx, &r.id).await?.unwrap())
}

/// Session 1 with a case and session 2 without, each with its agent as a member.
async fn world(tx: &mut Tx) -> Result<(), StoreError> {
    a_case(tx, &the_case(1), 1).await?;
    let s = session::Session {
        case_id: Some(id(1)),
        ..the_session(1)
    };
    assert!(session::save(tx, &s).await?);
    a_session(tx, 2).await?;
    for s in [1, 2] {
        let m = session::Member {
            session_id: id(s),
            staff_id: Some(id(s)),
            name: format!("坐席{s}"),
            ..the_member(100 + s, Role::Agent)
        };
        session::insert_member(tx, &m).await?;
    }
    Ok(())
}

fn ids(lines: &[Line]) -> Vec<RecordingId> {
    lines.iter().map(|l| l.recording.id.clone()).collect()
}

both!(lists_go_back_in_time_and_say_whose_case_it_is, |store| {
    w!(store, |tx| {
        world(tx).await?;
        let first = kept(tx, &sealed(1, 1)).await?;
        kept(tx, &sealed(2, 2)).await?;
        let mut held = kept(tx, &sealed(3, 2)).await?;
        held.hold = Some(Hold {
            reason_enc: vec![7, 8],
            by: "stf".into(),
            at: at(90),
        });
        assert!(recording::save(tx, &held).await?);
        kept(tx, &asked(4, 2)).await?;

        let line = replay::line(tx, &id(1)).await?.unwrap();
        assert_eq!(line.recording, first);
        assert_eq!(line.case_id, Some(id(1)));
        assert_eq!(line.case_number, Some(the_case(1).number));
        assert_eq!(
            (line.agent.as_str(), line.item.as_deref()),
            ("坐席1", Some("permit"))
        );
        assert_eq!(replay::line(tx, &id(9)).await?, None);
        let other = replay::line(tx, &id(2)).await?.unwrap();
        assert_eq!((other.case_id, other.case_number), (None, None));

        let all = Filter::default();
        let page = replay::of_hall(tx, &hall_id(), &all, None, 3).await?;
        assert_eq!(ids(&page), [id(4), id(3), id(2)]);
        let rest = replay::of_hall(tx, &hall_id(), &all, Some(&id(2)), 3).await?;
        assert_eq!(ids(&rest), [id(1)]);
        let elsewhere: HallId = id(77);
        assert!(
            replay::of_hall(tx, &elsewhere, &all, None, 9)
                .await?
                .is_empty()
        );
        let filters = [
            (
                Filter {
                    session: Some(id(2)),
                    ..all.clone()
                },
                vec![id(4), id(3), id(2)],
            ),
            (
                Filter {
                    case: Some(id(1)),
                    ..all.clone()
                },
                vec![id(1)],
            ),
            (
                Filter {
                    number: Some(the_case(1).number),
                    ..all.clone()
                },
                vec![id(1)],
            ),
            (
                Filter {
                    number: Some("000001".into()),
                    ..all.clone()
                },
                vec![id(1)],
            ),
            // Characters that a pattern reads as any are themselves, and a recording without a case has no number.
            (
                Filter {
                    number: Some("%".into()),
                    ..all.clone()
                },
                vec![],
            ),
            (
                Filter {
                    number: Some("4309_1".into()),
                    ..all.clone()
                },
                vec![],
            ),
            (
                Filter {
                    state: Some(State::Asked),
                    ..all.clone()
                },
                vec![id(4)],
            ),
            (
                Filter {
                    held: true,
                    ..all.clone()
                },
                vec![id(3)],
            ),
            (
                Filter {
                    from: Some(at(2)),
                    to: Some(at(4)),
                    ..all.clone()
                },
                vec![id(3), id(2)],
            ),
        ];
        for (f, found) in filters {
            assert_eq!(
                ids(&replay::of_hall(tx, &hall_id(), &f, None, 9).await?),
                found,
                "{f:?}"
            );
        }
        assert_eq!(ids(&replay::of_case(tx, &id(1), None, 9).await?), [id(1)]);
        assert!(
            replay::of_case(tx, &id(1), Some(&id(1)), 9)
                .await?
                .is_empty()
        );
        Ok(())
    })
    .unwrap();
});

both!(what_is_due_is_sealed_dated_and_not_held, |store| {
    w!(store, |tx| {
        world(tx).await?;
        kept(tx, &sealed(1, 1)).await?;
        let dated = Recording {
            delete_at: Some(at(500)),
            ..sealed(2, 2)
        };
        kept(tx, &dated).await?;
        let hold = Hold {
            reason_enc: vec![7, 8],
            by: "stf".into(),
            at: at(90),
        };
        let held = Recording {
            delete_at: Some(at(400)),
            hold: Some(hold),
            ..sealed(3, 2)
        };
        kept(tx, &held).await?;
        kept(tx, &asked(4, 2)).await?;
        let found = |v: Vec<Recording>| v.into_iter().map(|r| r.id).collect::<Vec<_>>();
        assert_eq!(found(replay::undated(tx, 9).await?), [id(1)]);
        assert!(replay::due(tx, at(499), None, 9).await?.is_empty());
        assert_eq!(found(replay::due(tx, at(500), None, 9).await?), [id(2)]);
        // By the day they go, then by name; one that cannot go holds up no page behind it.
        for (n, day) in [(5, 500), (6, 450)] {
            let r = Recording {
                delete_at: Some(at(day)),
                ..sealed(n, 1)
            };
            kept(tx, &r).await?;
        }
        let (mut all, mut after) = (vec![], None);
        while let Some(r) = replay::due(tx, at(500), after.as_ref(), 1).await?.pop() {
            all.push(r.id.clone());
            after = Some(r);
        }
        assert_eq!(all, [id(6), id(2), id(5)]);
        Ok(())
    })
    .unwrap();
});

both!(a_hold_keeps_the_recording_and_its_key, |store| {
    w!(store, |tx| {
        world(tx).await?;
        let hold = Hold {
            reason_enc: vec![7, 8],
            by: "stf".into(),
            at: at(90),
        };
        kept(
            tx,
            &Recording {
                hold: Some(hold),
                ..sealed(1, 2)
            },
        )
        .await
        .map(|_| ())
    })
    .unwrap();
    let gone = w!(store, |tx| {
        let r = recording::get(tx, &id(1)).await?.unwrap();
        let gone = Recording {
            state: State::Deleted,
            deleted_at: Some(at(99)),
            hold: None,
            ..r
        };
        recording::save(tx, &gone).await.map(|_| ())
    });
    assert!(matches!(gone, Err(StoreError::Constraint(_))), "{gone:?}");
    let key = w!(store, |tx| {
        keys::destroy(tx, &id(501), at(99)).await.map(|_| ())
    });
    assert!(matches!(key, Err(StoreError::Constraint(_))), "{key:?}");
    w!(store, |tx| {
        let mut r = recording::get(tx, &id(1)).await?.unwrap();
        r.hold = None;
        assert!(recording::save(tx, &r).await?);
        assert!(keys::destroy(tx, &id(501), at(99)).await?);
        Ok(())
    })
    .unwrap();
});

fn opened(n: i64, r: i64) -> Replay {
    Replay {
        id: id(n),
        recording_id: id(r),
        staff_id: id(1),
        token_hash: String::new(),
        purpose_enc: vec![1, 2],
        integrity: "unchecked".into(),
        opened_at: at(60),
        expires_at: at(7_260),
    }
}

both!(a_replay_is_its_opener_s_until_it_is_closed, |store| {
    w!(store, |tx| {
        world(tx).await?;
        kept(tx, &sealed(1, 1)).await?;
        replay::insert(tx, &opened(1, 1)).await?;
        replay::insert(tx, &opened(2, 1)).await?;
        assert_eq!(replay::get(tx, &id(1)).await?, Some(opened(1, 1)));
        replay::arm(tx, &id(1), "hash").await?;
        replay::set_integrity(tx, &id(1), "valid").await?;
        let armed = Replay {
            token_hash: "hash".into(),
            integrity: "valid".into(),
            ..opened(1, 1)
        };
        assert_eq!(replay::get(tx, &id(1)).await?, Some(armed.clone()));
        assert_eq!(
            replay::of_recording(tx, &id(1)).await?,
            [opened(2, 1), armed.clone()]
        );
        let newest = replay::open_of(tx, &id(1), &id(1), at(7_259)).await?;
        assert_eq!(newest, Some(opened(2, 1)));
        for (recording, who, when) in [(1, 1, 7_260), (1, 2, 60), (2, 1, 60)] {
            let none = replay::open_of(tx, &id(recording), &id(who), at(when)).await?;
            assert_eq!(
                none, None,
                "recording {recording}, person {who}, second {when}"
            );
        }
        replay::close(tx, &id(1), at(100)).await?;
        let closed = Replay {
            expires_at: at(100),
            ..armed
        };
        assert_eq!(replay::get(tx, &id(1)).await?, Some(closed.clone()));
        replay::close(tx, &id(1), at(200)).await?;
        assert_eq!(
            replay::get(tx, &id(1)).await?,
            Some(closed),
            "the first end counts"
        );
        Ok(())
    })
    .unwrap();
    let word = w!(store, |tx| {
        replay::set_integrity(tx, &id(1), "fine").await
    });
    assert!(matches!(word, Err(StoreError::Constraint(_))), "{word:?}");
});

fn film(n: i64, r: i64) -> Export {
    Export {
        id: id(n),
        replay_id: id(1),
        recording_id: id(r),
        key_id: id(600 + n),
        state: "running".into(),
        percent: 0,
        bytes: None,
        sm3: None,
        node: "nod_1".into(),
        started_at: at(60),
        expires_at: at(7_260),
    }
}

both!(
    one_film_of_a_recording_is_made_at_a_time_and_ends_once,
    |store| {
        w!(store, |tx| {
            world(tx).await?;
            kept(tx, &sealed(1, 1)).await?;
            replay::insert(tx, &opened(1, 1)).await?;
            for n in [601, 602, 603] {
                keys::insert(tx, &id(n), vec![7; 40], at(0)).await?;
            }
            let alive = node::Node {
                id: "nod_1".into(),
                internal_url: String::new(),
                media_addr: String::new(),
                heartbeat: at(60),
            };
            node::beat(tx, &alive).await?;
            replay::insert_export(tx, &film(1, 1)).await?;
            assert_eq!(replay::export(tx, &id(1)).await?, Some(film(1, 1)));
            replay::export_percent(tx, &id(1), 40).await?;
            replay::export_percent(tx, &id(1), 30).await?;
            assert_eq!(replay::export(tx, &id(1)).await?.unwrap().percent, 40);
            assert_eq!(replay::exports_of(tx, &id(1)).await?.len(), 1);
            // Its node lives, and it is not late: it goes on.
            assert!(replay::exports_over(tx, at(61), at(50)).await?.is_empty());
            assert_eq!(
                replay::exports_over(tx, at(61), at(60)).await?.len(),
                1,
                "its node is dead"
            );
            Ok(())
        })
        .unwrap();
        let second = w!(store, |tx| replay::insert_export(tx, &film(2, 1)).await);
        assert!(
            matches!(second, Err(StoreError::Constraint(_))),
            "{second:?}"
        );
        w!(store, |tx| {
            assert!(!replay::export_expired(tx, &id(1)).await?);
            assert!(replay::export_done(tx, &id(1), 9, "sm3", at(9_000)).await?);
            assert!(!replay::export_done(tx, &id(1), 9, "sm3", at(9_000)).await?);
            assert!(!replay::export_failed(tx, &id(1)).await?);
            let done = replay::export(tx, &id(1)).await?.unwrap();
            assert_eq!(
                (done.state.as_str(), done.percent, done.bytes),
                ("done", 100, Some(9))
            );
            assert!(
                replay::exports_over(tx, at(8_999), at(8_999))
                    .await?
                    .is_empty()
            );
            assert_eq!(
                replay::exports_over(tx, at(9_000), at(8_999)).await?,
                [done]
            );
            assert!(replay::export_expired(tx, &id(1)).await?);
            assert!(
                replay::exports_over(tx, at(9_000), at(8_999))
                    .await?
                    .is_empty()
            );
            assert!(replay::exports_of(tx, &id(1)).await?.is_empty());

            replay::insert_export(tx, &film(3, 1)).await?;
            assert!(replay::export_failed(tx, &id(3)).await?);
            assert!(!replay::export_done(tx, &id(3), 9, "sm3", at(9_000)).await?);
            Ok(())
        })
        .unwrap();
    }
);

fn picture(n: i64) -> Snapshot {
    Snapshot {
        id: id(n),
        session_id: id(2),
        member_id: id(102),
        taken_by: id(102),
        key_id: id(2),
        sm3: "ab".repeat(32),
        bytes: 9,
        width: 640,
        height: 480,
        at: at(n),
        recording: None,
    }
}

both!(
    snapshots_are_the_session_s_and_lie_on_a_recording_s_clock,
    |store| {
        w!(store, |tx| {
            world(tx).await?;
            kept(tx, &sealed(1, 2)).await?;
            let placed = Snapshot {
                recording: Some((id(1), 1_250)),
                ..picture(2)
            };
            snapshot::insert(tx, &picture(1)).await?;
            snapshot::insert(tx, &placed).await?;
            assert_eq!(snapshot::get(tx, &id(2)).await?, Some(placed.clone()));
            assert_eq!(snapshot::get(tx, &id(3)).await?, None);
            assert_eq!(
                snapshot::of_session(tx, &id(2)).await?,
                [picture(1), placed.clone()]
            );
            assert_eq!(snapshot::of_recording(tx, &id(1)).await?, [placed]);
            assert_eq!(snapshot::count(tx, &id(2)).await?, 2);
            assert_eq!(snapshot::count(tx, &id(1)).await?, 0);
            Ok(())
        })
        .unwrap();
    }
);
