//! Files, materials and signatures: what stands behind a case.

use crate::world::{T0, a_case, a_session, at, id, the_case, the_signature};
use store::{file, keys, material, signature};

both!(
    a_file_is_one_row_a_key_and_listed_for_its_erasure,
    |store| {
        w!(store, |tx| {
            let f = |sm3: &str, key: i64| file::File {
                sm3: sm3.into(),
                key_id: id(key),
                bytes: 5,
                media_type: "image/png".into(),
                created_at: T0,
            };
            for sm3 in ["c", "a", "b"] {
                assert!(file::insert(tx, &f(sm3, 1)).await?);
            }
            assert!(!file::insert(tx, &f("a", 1)).await?);
            assert!(
                file::insert(tx, &f("a", 2)).await?,
                "another citizen's same bytes are another file"
            );
            assert_eq!(file::get(tx, "a", &id(2)).await?, Some(f("a", 2)));
            let first = file::of_key(tx, &id(1), "", 2).await?;
            assert_eq!(first, [f("a", 1), f("b", 1)]);
            assert_eq!(file::of_key(tx, &id(1), "b", 2).await?, [f("c", 1)]);
            assert!(file::remove(tx, "a", &id(1)).await?);
            assert!(!file::remove(tx, "a", &id(1)).await?);
            assert_eq!(file::get(tx, "a", &id(1)).await?, None);
            assert!(file::get(tx, "a", &id(2)).await?.is_some());
            for key in [1, 2] {
                keys::insert(tx, &id(key), vec![1; 40], T0).await?;
            }
            assert_eq!(file::erased(tx, None, 9).await?, []);
            assert!(keys::destroy(tx, &id(1), at(9)).await?);
            let first = file::erased(tx, None, 1).await?;
            assert_eq!(first, [f("b", 1)]);
            assert_eq!(file::erased(tx, first.first(), 9).await?, [f("c", 1)]);
            Ok(())
        })
        .unwrap();
    }
);

fn the_material(n: i64) -> material::Material {
    material::Material {
        id: id(n),
        session_id: Some(id(1)),
        case_id: None,
        key_id: id(1),
        code: "premises".into(),
        name_zh: "场所照片".into(),
        name_en: "Picture of the premises".into(),
        source: "camera".into(),
        media_type: "image/jpeg".into(),
        bytes: 1000,
        sm3: "e".repeat(64),
        trust: "C".into(),
        licence_id: None,
        added_by: "mem".into(),
        at: at(n),
        removed_at: None,
    }
}

both!(materials_are_removed_or_adopted_by_the_case, |store| {
    w!(store, |tx| {
        for n in [2, 1, 3] {
            material::insert(tx, &the_material(n)).await?;
        }
        assert_eq!(
            material::of_session(tx, &id(1)).await?,
            [the_material(1), the_material(2), the_material(3)]
        );
        assert!(material::remove(tx, &id(2), at(9)).await?);
        assert!(!material::remove(tx, &id(2), at(10)).await?);
        assert_eq!(
            material::get(tx, &id(2)).await?.unwrap().removed_at,
            Some(at(9))
        );
        assert_eq!(material::count_of_session(tx, &id(1)).await?, 2);
        assert_eq!(material::adopt(tx, &id(1), &id(7)).await?, 2);
        assert_eq!(material::adopt(tx, &id(1), &id(8)).await?, 0);
        // A later one belongs to the case from the start.
        let later = material::Material {
            session_id: None,
            case_id: Some(id(7)),
            ..the_material(4)
        };
        material::insert(tx, &later).await?;
        let of_case = material::of_case(tx, &id(7)).await?;
        assert_eq!(
            of_case.iter().map(|m| m.id.clone()).collect::<Vec<_>>(),
            [id(1), id(3), id(4)]
        );
        assert_eq!(of_case[2], later);
        assert_eq!(material::count_of_case(tx, &id(7)).await?, 3);
        assert!(material::remove(tx, &id(3), at(20)).await?);
        assert_eq!(material::count_of_case(tx, &id(7)).await?, 2);
        Ok(())
    })
    .unwrap();
});

both!(
    a_session_has_one_live_signature_which_a_change_voids,
    |store| {
        w!(store, |tx| {
            a_session(tx, 1).await?;
            signature::insert(tx, &the_signature(1)).await?;
            assert_eq!(signature::live(tx, &id(1)).await?, Some(the_signature(1)));
            assert!(signature::decline(tx, &id(1)).await?);
            assert!(
                !signature::sign(tx, &id(1), vec![1], vec![2], at(1)).await?,
                "declined"
            );
            assert_eq!(signature::live(tx, &id(1)).await?, None);
            signature::insert(
                tx,
                &signature::Signature {
                    id: id(2),
                    ..the_signature(1)
                },
            )
            .await?;
            assert!(signature::sign(tx, &id(2), vec![1], vec![2], at(2)).await?);
            assert!(!signature::decline(tx, &id(2)).await?);
            let signed = signature::get(tx, &id(2)).await?.unwrap();
            assert_eq!(
                (
                    signed.state.as_str(),
                    signed.strokes_enc,
                    signed.image_enc,
                    signed.signed_at
                ),
                ("signed", Some(vec![1]), Some(vec![2]), Some(at(2)))
            );
            Ok(())
        })
        .unwrap();
        let r = w!(store, |tx| signature::insert(
            tx,
            &signature::Signature {
                id: id(3),
                ..the_signature(1)
            }
        )
        .await);
        assert!(r.is_err_and(|e| e.is_constraint("signature")));
        w!(store, |tx| {
            assert!(signature::void_live(tx, &id(1)).await?);
            assert!(!signature::void_live(tx, &id(1)).await?);
            assert_eq!(signature::get(tx, &id(2)).await?.unwrap().state, "void");
            signature::insert(
                tx,
                &signature::Signature {
                    id: id(3),
                    ..the_signature(1)
                },
            )
            .await
        })
        .unwrap();
    }
);

both!(a_case_s_signature_stays_signed, |store| {
    w!(store, |tx| {
        a_case(tx, &the_case(1), 1).await?;
        assert!(
            !signature::adopt(tx, &id(1), &id(1)).await?,
            "not signed yet"
        );
        signature::sign(tx, &id(1), vec![1], vec![2], at(2)).await?;
        assert!(signature::adopt(tx, &id(1), &id(1)).await?);
        assert!(
            !signature::void_live(tx, &id(1)).await?,
            "it belongs to a case"
        );
        let of_case = signature::of_case(tx, &id(1)).await?.unwrap();
        assert_eq!(
            (of_case.state.as_str(), of_case.case_id),
            ("signed", Some(id(1)))
        );
        assert_eq!(signature::of_case(tx, &id(2)).await?, None);
        Ok(())
    })
    .unwrap();
});
