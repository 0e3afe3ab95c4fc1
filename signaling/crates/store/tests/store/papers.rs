//! Catalogue, forms, consents and licences: what a form is made and filled from.

use crate::world::{
    T0, TYPE, a_case, a_licence_type, a_session, at, id, the_access, the_case, the_consent,
    the_form, the_licence,
};
use domain::{consent::State as Consent, licence::Status};
use store::{catalogue, consent, form, licence};

both!(
    one_version_of_an_item_is_published_and_never_changes,
    |store| {
        w!(store, |tx| {
            assert_eq!(catalogue::newest_version(tx, "permit").await?, 0);
            assert!(catalogue::put(tx, "permit", 1, "draft").await?);
            assert!(
                catalogue::put(tx, "permit", 1, "one").await?,
                "a draft may change"
            );
            assert_eq!(catalogue::get_published(tx, "permit").await?, None);
            assert!(catalogue::publish(tx, "permit", 1, at(1)).await?);
            assert!(
                !catalogue::publish(tx, "permit", 1, at(2)).await?,
                "it is so already"
            );
            assert!(!catalogue::put(tx, "permit", 1, "changed").await?);
            assert!(catalogue::put(tx, "permit", 2, "two").await?);
            assert!(catalogue::publish(tx, "permit", 2, at(3)).await?);
            let now = catalogue::get_published(tx, "permit").await?.unwrap();
            assert_eq!(
                (now.version, now.doc.as_str(), now.published_at),
                (2, "two", Some(at(3)))
            );
            // A case of version 1 still finds its document.
            let before = catalogue::get(tx, "permit", 1).await?.unwrap();
            assert_eq!(
                (before.state.as_str(), before.doc.as_str()),
                ("retired", "one")
            );
            assert!(!catalogue::publish(tx, "permit", 7, at(4)).await?);
            assert_eq!(
                catalogue::get_published(tx, "permit")
                    .await?
                    .unwrap()
                    .version,
                2,
                "an unknown version retires nothing"
            );
            assert_eq!(catalogue::newest_version(tx, "permit").await?, 2);
            Ok(())
        })
        .unwrap();
    }
);

both!(published_items_come_in_pages, |store| {
    w!(store, |tx| {
        for name in ["c", "a", "e", "b", "d"] {
            catalogue::put(tx, name, 1, "{}").await?;
            if name != "d" {
                catalogue::publish(tx, name, 1, T0).await?;
            }
        }
        let (mut after, mut pages) = (String::new(), vec![]);
        loop {
            let page = catalogue::list_published(tx, &after, 2).await?;
            let Some(last) = page.last() else { break };
            after = last.id.clone();
            pages.push(page.into_iter().map(|i| i.id).collect::<String>());
        }
        assert_eq!(pages, ["ab", "ce"]);
        Ok(())
    })
    .unwrap();
});

both!(a_form_is_saved_from_its_version_only, |store| {
    w!(store, |tx| {
        form::insert(tx, &the_form(1)).await?;
        assert_eq!(form::get(tx, &id(1)).await?, Some(the_form(1)));
        let next = form::Form {
            doc_enc: vec![4],
            item_version: 2,
            updated_at: at(1),
            ..the_form(1)
        };
        assert!(form::save(tx, &next).await?);
        assert!(!form::save(tx, &the_form(1)).await?, "a stale base");
        assert_eq!(
            form::get(tx, &id(1)).await?,
            Some(form::Form { version: 2, ..next })
        );
        assert_eq!(form::get(tx, &id(2)).await?, None);
        Ok(())
    })
    .unwrap();
});

both!(
    a_consent_is_answered_once_lives_its_time_and_expires,
    |store| {
        w!(store, |tx| {
            a_session(tx, 1).await?;
            consent::insert(tx, &the_consent(1)).await?;
            assert_eq!(consent::get(tx, &id(1)).await?, Some(the_consent(1)));
            assert_eq!(
                consent::live(tx, &id(1), TYPE, "permit", T0).await?,
                None,
                "asked is not granted"
            );
            let granted = consent::Consent {
                state: Consent::Granted,
                decided_at: Some(at(1)),
                expires_at: Some(at(100)),
                ..the_consent(1)
            };
            assert!(consent::save(tx, &granted, Consent::Asked).await?);
            let refused = consent::Consent {
                state: Consent::Refused,
                ..the_consent(1)
            };
            assert!(
                !consent::save(tx, &refused, Consent::Asked).await?,
                "answered before"
            );
            assert!(consent::set_outcome(tx, &id(1), "filled").await?);
            let granted = consent::Consent {
                outcome: Some("filled".into()),
                ..granted
            };
            assert_eq!(
                consent::live(tx, &id(1), TYPE, "permit", at(99)).await?,
                Some(granted.clone())
            );
            assert_eq!(
                consent::live(tx, &id(1), TYPE, "permit", at(100)).await?,
                None
            );
            assert_eq!(
                consent::live(tx, &id(1), TYPE, "other-item", at(99)).await?,
                None
            );
            assert_eq!(
                consent::live(tx, &id(1), "another-type", "permit", at(99)).await?,
                None
            );
            assert!(consent::expire_due(tx, at(99)).await?.is_empty());
            let expired = consent::Consent {
                state: Consent::Expired,
                ..granted
            };
            assert_eq!(
                consent::expire_due(tx, at(100)).await?.first(),
                Some(&expired)
            );
            assert!(consent::expire_due(tx, at(100)).await?.is_empty());
            assert_eq!(consent::of_session(tx, &id(1)).await?, [expired]);
            Ok(())
        })
        .unwrap();
    }
);

both!(the_same_question_is_not_open_twice, |store| {
    w!(store, |tx| {
        a_session(tx, 1).await?;
        consent::insert(tx, &the_consent(1)).await
    })
    .unwrap();
    let again = consent::Consent {
        id: id(2),
        ..the_consent(1)
    };
    let ask = move || consent::Consent { ..again.clone() };
    let (first, second) = (ask(), ask());
    let r = store
        .write(move |tx| {
            let c = first.clone();
            Box::pin(async move { consent::insert(tx, &c).await })
        })
        .await;
    assert!(r.is_err_and(|e: store::StoreError| e.is_constraint("consent")));
    w!(store, |tx| {
        let refused = consent::Consent {
            state: Consent::Refused,
            decided_at: Some(at(1)),
            ..the_consent(1)
        };
        consent::save(tx, &refused, Consent::Asked).await
    })
    .unwrap();
    store
        .write(move |tx| {
            let c = second.clone();
            Box::pin(async move { consent::insert(tx, &c).await })
        })
        .await
        .unwrap();
    let all = w!(store, |tx| consent::of_session(tx, &id(1)).await).unwrap();
    assert_eq!(
        all.iter().map(|c| c.state).collect::<Vec<_>>(),
        [Consent::Refused, Consent::Asked]
    );
});

both!(
    licences_are_found_by_holder_valid_and_newest_first,
    |store| {
        w!(store, |tx| {
            a_licence_type(tx).await?;
            a_licence_type(tx).await?;
            assert_eq!(licence::types(tx).await?.len(), 1);
            assert_eq!(
                licence::get_type(tx, TYPE).await?.unwrap().name_zh,
                "居民身份证"
            );
            assert_eq!(licence::get_type(tx, "x").await?, None);
            let on = |n: i64, day: &str, status| licence::Licence {
                issued_on: day.into(),
                status,
                ..the_licence(n)
            };
            licence::insert(tx, &on(1, "2024-01-01", Status::Lapsed)).await?;
            licence::insert(tx, &on(2, "2010-01-01", Status::Valid)).await?;
            licence::insert(tx, &on(3, "2020-01-01", Status::Valid)).await?;
            licence::insert(
                tx,
                &licence::Licence {
                    holder_index: "company-1".into(),
                    legal_rep_index: Some("citizen-1".into()),
                    ..the_licence(4)
                },
            )
            .await?;
            let found: Vec<_> = licence::of_holder(tx, "citizen-1", TYPE)
                .await?
                .into_iter()
                .map(|l| l.id)
                .collect();
            assert_eq!(found, [id(3), id(2), id(1)]);
            assert!(
                licence::of_holder(tx, "citizen-1", "another-type")
                    .await?
                    .is_empty()
            );
            assert_eq!(licence::all_of_holder(tx, "citizen-1").await?.len(), 3);
            let company = licence::of_holder(tx, "company-1", TYPE).await?;
            assert_eq!(company[0].legal_rep_index.as_deref(), Some("citizen-1"));
            assert!(licence::set_status(tx, &id(3), Status::Valid, Status::Suspended).await?);
            assert!(
                !licence::set_status(tx, &id(3), Status::Valid, Status::Cancelled).await?,
                "a lost race"
            );
            assert_eq!(
                licence::get(tx, &id(3)).await?.unwrap().status,
                Status::Suspended
            );
            assert_eq!(
                licence::of_holder(tx, "citizen-1", TYPE).await?[0].id,
                id(2)
            );
            Ok(())
        })
        .unwrap();
        let r = w!(store, |tx| licence::insert(
            tx,
            &licence::Licence {
                id: id(9),
                ..the_licence(1)
            }
        )
        .await);
        assert!(r.is_err_and(|e| e.is_constraint("identifier")));
    }
);

both!(a_library_loaded_again_keeps_its_ids, |store| {
    w!(store, |tx| {
        a_licence_type(tx).await?;
        assert_eq!(licence::upsert(tx, &the_licence(1)).await?, id(1));
        let again = licence::Licence {
            id: id(2),
            data_enc: vec![8],
            valid_until: Some("2030-01-01".into()),
            ..the_licence(1)
        };
        assert_eq!(licence::upsert(tx, &again).await?, id(1));
        let kept = licence::by_identifier(tx, &the_licence(1).identifier)
            .await?
            .unwrap();
        assert_eq!(kept, licence::Licence { id: id(1), ..again });
        Ok(())
    })
    .unwrap();
});

both!(
    readings_are_shown_by_visit_and_adopted_by_the_case,
    |store| {
        w!(store, |tx| {
            a_case(tx, &the_case(1), 1).await?;
            a_licence_type(tx).await?;
            licence::insert(tx, &the_licence(1)).await?;
            consent::insert(tx, &the_consent(1)).await?;
            let c = consent::Consent {
                state: Consent::Granted,
                expires_at: Some(at(100)),
                ..the_consent(1)
            };
            consent::save(tx, &c, Consent::Asked).await?;
            licence::record_access(tx, &the_access(1, 1, 10)).await?;
            licence::record_access(tx, &the_access(2, 1, 5)).await?;
            assert_eq!(
                licence::accesses_of_visit(tx, &id(1)).await?,
                [the_access(2, 1, 5), the_access(1, 1, 10)]
            );
            assert!(licence::accesses_of_case(tx, &id(1)).await?.is_empty());
            assert_eq!(licence::adopt_accesses(tx, &id(1), &id(1)).await?, 2);
            assert_eq!(
                licence::adopt_accesses(tx, &id(1), &id(2)).await?,
                0,
                "adopted before"
            );
            let of_case = licence::accesses_of_case(tx, &id(1)).await?;
            assert_eq!(
                of_case[0],
                licence::Access {
                    case_id: Some(id(1)),
                    ..the_access(2, 1, 5)
                }
            );
            assert_eq!(of_case.len(), 2);
            Ok(())
        })
        .unwrap();
    }
);
