//! Recordings, their prompts and a hall's policy: what is kept, and what the constraints refuse.

use crate::world::{a_session, at, hall_id, id, the_form, the_member, the_signature};
use domain::{id::RecordingId, recording::State, session::Role};
use store::{
    StoreError, Tx, args, catalogue, form, keys, node,
    recording::{self, Answer, Hold, Prompt, Recording},
    session, signature, visit,
};

/// Asked in session s by member 11.
fn asked(n: i64, s: i64) -> Recording {
    Recording {
        id: id(n),
        session_id: id(s),
        hall_id: hall_id(),
        visit_id: id(s),
        key_id: id(500 + n),
        state: State::Asked,
        version: 1,
        notice: r#"{"text_zh":"录"}"#.into(),
        policy_version: "2026-11".into(),
        asked_by: id(11),
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

fn starting(n: i64, s: i64) -> Recording {
    Recording {
        state: State::Starting,
        answered_at: Some(at(20)),
        granted: Some(true),
        started_at: Some(at(20)),
        ..asked(n, s)
    }
}

fn live(n: i64, s: i64) -> Recording {
    Recording {
        state: State::Live,
        proven_at: Some(at(22)),
        node: Some("nod-a".into()),
        ..starting(n, s)
    }
}

fn sealed(n: i64, s: i64) -> Recording {
    Recording {
        state: State::Sealed,
        ended_at: Some(at(90)),
        end_reason: Some("finished".into()),
        manifest: Some("{}".into()),
        signature: Some("ab".into()),
        public_key: Some("04".into()),
        sealed_at: Some(at(91)),
        duration_ms: Some(70_000),
        gaps: Some(2),
        bytes: Some(1_000_000),
        delete_at: Some(at(9_000)),
        ..live(n, s)
    }
}

/// Sessions 1 and 2 with the member who asks.
async fn world(tx: &mut Tx) -> Result<(), StoreError> {
    a_session(tx, 1).await?;
    a_session(tx, 2).await?;
    session::insert_member(tx, &the_member(11, Role::Agent)).await
}

async fn insert(tx: &mut Tx, r: &Recording) -> Result<(), StoreError> {
    keys::insert(tx, &r.key_id, vec![1; 40], at(0)).await?;
    recording::insert(tx, r).await
}

/// Asked, then what it shall be.
async fn became(tx: &mut Tx, r: &Recording) -> Result<(), StoreError> {
    insert(tx, r).await?;
    assert!(recording::save(tx, r).await?);
    Ok(())
}

fn word(r: Result<impl std::fmt::Debug, StoreError>) -> String {
    match r {
        Err(StoreError::Constraint(c)) => c,
        other => panic!("{other:?}"),
    }
}

both!(a_recording_is_kept_from_the_question_to_the_seal, |store| {
    w!(store, |tx| {
        world(tx).await?;
        insert(tx, &asked(1, 1)).await?;
        assert_eq!(recording::get(tx, &id(1)).await?, Some(asked(1, 1)));
        assert_eq!(recording::newest(tx, &id(1)).await?, Some(asked(1, 1)));
        assert_eq!(recording::newest(tx, &id(2)).await?, None);
        assert!(recording::unanswered(tx, at(0), 9).await?.is_empty());
        assert_eq!(recording::unanswered(tx, at(1), 9).await?.len(), 1);
        // An answer that nobody gave is not kept as one.
        let r = recording::save(tx, &asked(1, 1)).await;
        assert!(r.unwrap_err().is_constraint("recording_consent_needed"));

        assert!(recording::save(tx, &starting(1, 1)).await?);
        let stale = recording::save(tx, &starting(1, 1)).await?;
        assert!(!stale, "the version has moved on");
        assert!(recording::unanswered(tx, at(999), 9).await?.is_empty());
        let page = recording::pending(tx, None, 9).await?;
        assert_eq!(page.len(), 1, "agreed to, and nobody writes it");
        let v2 = Recording {
            version: 2,
            ..live(1, 1)
        };
        assert!(recording::of_node(tx, "nod-a", None, 9).await?.is_empty());
        assert!(recording::save(tx, &v2).await?);
        assert!(recording::pending(tx, None, 9).await?.is_empty());
        let after: RecordingId = id(1);
        let theirs = recording::of_node(tx, "nod-a", None, 9).await?;
        assert_eq!((theirs.len(), &theirs[0].id), (1, &after));
        for (node, after) in [("nod-b", None), ("nod-a", Some(&after))] {
            assert!(recording::of_node(tx, node, after, 9).await?.is_empty());
        }

        // Whoever wrote it is not heard of any more.
        assert_eq!(recording::of_gone(tx, at(50), None, 9).await?.len(), 1);
        assert!(
            recording::of_gone(tx, at(50), Some(&after), 9)
                .await?
                .is_empty()
        );
        let n = node::Node {
            id: "nod-a".into(),
            internal_url: String::new(),
            media_addr: String::new(),
            heartbeat: at(60),
        };
        node::beat(tx, &n).await?;
        assert!(recording::of_gone(tx, at(50), None, 9).await?.is_empty());
        assert_eq!(recording::of_gone(tx, at(60), None, 9).await?.len(), 1);

        let sealing = Recording {
            state: State::Sealing,
            version: 3,
            signature: None,
            public_key: None,
            sealed_at: None,
            ..sealed(1, 1)
        };
        assert!(recording::save(tx, &sealing).await?);
        assert!(recording::of_node(tx, "nod-a", None, 9).await?.is_empty());
        assert!(recording::of_gone(tx, at(999), None, 9).await?.is_empty());
        assert_eq!(recording::pending(tx, None, 9).await?.len(), 1);
        assert!(recording::pending(tx, Some(&after), 9).await?.is_empty());
        let v4 = Recording {
            version: 4,
            ..sealed(1, 1)
        };
        assert!(recording::save(tx, &v4).await?);
        assert!(recording::pending(tx, None, 9).await?.is_empty());
        let kept = Recording {
            version: 5,
            ..sealed(1, 1)
        };
        assert_eq!(recording::get(tx, &id(1)).await?, Some(kept.clone()));

        // Another time is another row; nobody answers it.
        insert(tx, &asked(2, 1)).await?;
        assert!(recording::lapse(tx, &asked(2, 1), at(99), "unanswered").await?);
        assert!(!recording::lapse(tx, &asked(2, 1), at(99), "unanswered").await?);
        let all = recording::of_session(tx, &id(1)).await?;
        assert_eq!((all.len(), &all[0]), (2, &kept));
        assert_eq!(all[1].state, State::Refused);
        assert_eq!(all[1].granted, None, "silence is no answer");
        Ok(())
    })
    .unwrap();
});

both!(what_contradicts_itself_is_not_kept, |store| {
    w!(store, |tx| {
        world(tx).await?;
        insert(tx, &asked(1, 1)).await?;
        insert(tx, &asked(2, 2)).await
    })
    .unwrap();
    let second = w!(store, |tx| insert(tx, &asked(3, 1)).await);
    assert!(word(second).contains("recording"), "one open a session");
    for n in 0..9 {
        let r = w!(store, |tx| {
            let one = starting(1, 1);
            let bad = match n {
                // Running without a yes; a yes that began nothing; a no that did.
                0 => Recording {
                    granted: Some(false),
                    ..one
                },
                1 => Recording {
                    started_at: None,
                    ..one
                },
                2 => Recording {
                    state: State::Refused,
                    ended_at: Some(at(30)),
                    end_reason: Some("refused".into()),
                    ..one
                },
                // Live without proof; interrupted without a reason; over without one.
                3 => Recording {
                    proven_at: None,
                    ..live(1, 1)
                },
                4 => Recording {
                    state: State::Interrupted,
                    ..live(1, 1)
                },
                5 => Recording {
                    state: State::Sealing,
                    ..live(1, 1)
                },
                // Sealed without a signature; deleted without a time, or a time without it.
                6 => Recording {
                    signature: None,
                    ..sealed(1, 1)
                },
                7 => Recording {
                    state: State::Deleted,
                    ..sealed(1, 1)
                },
                _ => Recording {
                    deleted_at: Some(at(99)),
                    ..sealed(1, 1)
                },
            };
            recording::save(tx, &bad).await
        });
        assert!(matches!(r, Err(StoreError::Constraint(_))), "{n}: {r:?}");
    }
});

both!(what_was_answered_and_signed_stays, |store| {
    w!(store, |tx| {
        world(tx).await?;
        became(tx, &sealed(1, 1)).await?;
        insert(tx, &asked(2, 2)).await
    })
    .unwrap();
    let refused = w!(store, |tx| {
        let no = Recording {
            state: State::Refused,
            granted: Some(false),
            started_at: None,
            ended_at: Some(at(30)),
            end_reason: Some("refused".into()),
            ..starting(2, 2)
        };
        recording::save(tx, &no).await
    });
    assert!(refused.unwrap());
    let back = w!(store, |tx| {
        recording::save(
            tx,
            &Recording {
                version: 2,
                ..starting(2, 2)
            },
        )
        .await
    });
    let code = word(back);
    assert!(
        code.contains("recording_consent") || code.contains("recording_final"),
        "{code}"
    );
    let resigned = w!(store, |tx| {
        let other = Recording {
            version: 2,
            manifest: Some("{\"other\":1}".into()),
            ..sealed(1, 1)
        };
        recording::save(tx, &other).await
    });
    assert!(word(resigned).contains("recording_signed"));
    // Deleted, its content goes; the row and who signed stay.
    w!(store, |tx| {
        let gone = Recording {
            version: 2,
            state: State::Deleted,
            manifest: None,
            deleted_at: Some(at(9_001)),
            ..sealed(1, 1)
        };
        assert!(recording::save(tx, &gone).await?);
        Ok(())
    })
    .unwrap();
    let again = w!(store, |tx| {
        recording::save(
            tx,
            &Recording {
                version: 3,
                ..sealed(1, 1)
            },
        )
        .await
    });
    assert!(word(again).contains("recording_final"));
});

both!(what_is_held_neither_goes_nor_loses_its_key, |store| {
    fn held() -> Recording {
        Recording {
            version: 2,
            hold: Some(Hold {
                reason_enc: vec![7, 8],
                by: "stf".into(),
                at: at(95),
            }),
            ..sealed(1, 1)
        }
    }
    w!(store, |tx| {
        world(tx).await?;
        became(tx, &sealed(1, 1)).await?;
        assert!(recording::save(tx, &held()).await?);
        Ok(())
    })
    .unwrap();
    for n in 0..3 {
        let r = w!(store, |tx| {
            match n {
                0 => keys::destroy(tx, &id(501), at(99)).await,
                // Not even in the same breath as the hold is lifted.
                _ => {
                    let gone = Recording {
                        version: 3,
                        state: State::Deleted,
                        deleted_at: Some(at(99)),
                        hold: if n == 1 { held().hold } else { None },
                        ..sealed(1, 1)
                    };
                    recording::save(tx, &gone).await
                }
            }
        });
        assert!(matches!(r, Err(StoreError::Constraint(_))), "{n}: {r:?}");
    }
    w!(store, |tx| {
        assert!(
            recording::save(
                tx,
                &Recording {
                    version: 3,
                    ..sealed(1, 1)
                }
            )
            .await?
        );
        assert!(keys::destroy(tx, &id(501), at(99)).await?);
        Ok(())
    })
    .unwrap();
    let dropped = w!(store, |tx| {
        tx.exec("DELETE FROM recordings", args![]).await
    });
    assert!(word(dropped).contains("recording_kept"));
});

fn prompt(ms: i64) -> Prompt {
    Prompt {
        recording_id: id(1),
        item: "permit".into(),
        prompt: "truth".into(),
        text_zh: "都是真实的吗？".into(),
        text_en: "Is it all true?".into(),
        asks: "yes_no".into(),
        read_at: at(30),
        read_ms: ms,
        again_ms: None,
        answer: None,
    }
}

fn says(answer: &str, ms: i64) -> Answer {
    Answer {
        at: at(31),
        ms,
        answer: answer.into(),
        by: "citizen".into(),
    }
}

both!(a_prompt_counts_while_the_recording_is_live, |store| {
    w!(store, |tx| {
        world(tx).await?;
        became(tx, &starting(1, 1)).await
    })
    .unwrap();
    let early = w!(store, |tx| recording::read(tx, &prompt(9)).await);
    assert!(word(early).contains("recording_not_live"));
    w!(store, |tx| {
        assert!(
            recording::save(
                tx,
                &Recording {
                    version: 2,
                    ..live(1, 1)
                }
            )
            .await?
        );
        let rec = id(1);
        let unread = recording::answer(tx, &rec, "permit", "truth", &says("yes", 5)).await?;
        assert!(!unread, "an answer to nothing");
        recording::read(tx, &prompt(10_000)).await?;
        // It stays where it was read first, and tells of the last time.
        recording::read(tx, &prompt(10_500)).await?;
        recording::read(tx, &prompt(12_000)).await?;
        assert!(recording::answer(tx, &rec, "permit", "truth", &says("no", 11_000)).await?);
        assert!(recording::answer(tx, &rec, "permit", "truth", &says("yes", 13_000)).await?);
        let kept = Prompt {
            again_ms: Some(12_000),
            answer: Some(says("yes", 13_000)),
            ..prompt(10_000)
        };
        assert_eq!(recording::prompts(tx, &rec).await?, [kept]);
        let stops = Recording {
            version: 3,
            state: State::Interrupted,
            interrupted: Some("disk".into()),
            ..live(1, 1)
        };
        assert!(recording::save(tx, &stops).await?);
        Ok(())
    })
    .unwrap();
    let late = w!(store, |tx| {
        recording::answer(tx, &id(1), "permit", "truth", &says("no", 20_000)).await
    });
    assert!(word(late).contains("recording_not_live"));
    w!(store, |tx| {
        assert_eq!(recording::forget_prompts(tx, &id(2)).await?, 0);
        assert_eq!(recording::forget_prompts(tx, &id(1)).await?, 1);
        assert!(recording::prompts(tx, &id(1)).await?.is_empty());
        Ok(())
    })
    .unwrap();
});

both!(
    a_visit_keeps_the_recording_in_which_its_card_was_read,
    |store| {
        w!(store, |tx| {
            world(tx).await?;
            became(tx, &live(1, 1)).await?;
            let (me, mut nonce) = (id(1), "nonce-1".to_owned());
            for (n, during, kept) in [
                (1, None, None),
                (2, Some(id(1)), Some(id(1))),
                (3, None, Some(id(1))),
            ] {
                let next = format!("next-{n}");
                let read =
                    visit::identify(tx, &me, vec![1], "index", &next, &nonce, during.as_ref());
                assert!(read.await?);
                let v = visit::get(tx, &me).await?.unwrap();
                assert_eq!(v.identified_in, kept, "reading {n}");
                nonce = next;
            }
            Ok(())
        })
        .unwrap();
    }
);

both!(an_item_s_signature_waits_for_a_live_recording, |store| {
    w!(store, |tx| {
        world(tx).await?;
        let doc = r#"{"recording": {"steps": ["prompts", "sign"]}}"#;
        assert!(catalogue::put(tx, "permit", 1, doc).await?);
        form::insert(tx, &the_form(1)).await?;
        signature::insert(tx, &the_signature(1)).await?;
        became(tx, &starting(1, 1)).await
    })
    .unwrap();
    let early = w!(store, |tx| {
        signature::sign(tx, &id(1), vec![1], vec![2], at(40)).await
    });
    assert!(word(early).contains("recording_not_live"));
    w!(store, |tx| {
        assert!(
            recording::save(
                tx,
                &Recording {
                    version: 2,
                    ..live(1, 1)
                }
            )
            .await?
        );
        assert!(signature::sign(tx, &id(1), vec![1], vec![2], at(40)).await?);
        Ok(())
    })
    .unwrap();
});
