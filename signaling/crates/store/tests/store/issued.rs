//! What comes after the decision: certificates, ratings, and the code that carries a case to the phone.

use crate::world::{T0, a_case, a_licence_type, at, id, the_case, the_licence};
use store::{Store, certificate, handover, licence, rating};

fn the_certificate(n: i64) -> certificate::Certificate {
    certificate::Certificate {
        id: id(n),
        case_id: id(n),
        number: format!("沅公证字〔2026〕第{n:06}号"),
        licence_id: id(1),
        licence_identifier: "1.2.156.3005.2.x".into(),
        key_id: id(1),
        sm3: "a".repeat(64),
        seal: "seal".into(),
        verify_code: "AB12CD34".into(),
        status: "valid".into(),
        title_zh: "无犯罪记录证明".into(),
        title_en: "Certificate of no criminal record".into(),
        issuer_zh: "沅江市公安局".into(),
        issuer_en: "Yuanjiang Public Security Bureau".into(),
        holder_enc: vec![3],
        issued_at: at(n),
        valid_until: None,
    }
}

async fn two_cases(store: &Store) {
    w!(*store, |tx| {
        a_case(tx, &the_case(1), 1).await?;
        a_case(tx, &the_case(2), 2).await?;
        a_licence_type(tx).await?;
        licence::insert(tx, &the_licence(1)).await
    })
    .unwrap();
}

both!(a_certificate_is_found_by_number_and_licence, |store| {
    two_cases(&store).await;
    w!(store, |tx| {
        certificate::insert(tx, &the_certificate(1)).await?;
        assert_eq!(
            certificate::get(tx, &id(1)).await?,
            Some(the_certificate(1))
        );
        assert_eq!(
            certificate::by_case(tx, &id(1)).await?,
            Some(the_certificate(1))
        );
        assert_eq!(
            certificate::find(tx, "沅公证字〔2026〕第000001号").await?,
            Some(the_certificate(1))
        );
        assert_eq!(
            certificate::find(tx, "1.2.156.3005.2.x").await?,
            Some(the_certificate(1))
        );
        assert_eq!(
            certificate::find(tx, "沅公证字〔2026〕第000002号").await?,
            None
        );
        assert!(certificate::set_status(tx, &id(1), "valid", "reissued").await?);
        assert!(
            !certificate::set_status(tx, &id(1), "valid", "revoked").await?,
            "a lost race"
        );
        certificate::insert(tx, &the_certificate(2)).await?;
        let newest = certificate::find(tx, "1.2.156.3005.2.x").await?.unwrap();
        assert_eq!(newest.id, id(2));
        Ok(())
    })
    .unwrap();
    let r = w!(store, |tx| {
        let second = certificate::Certificate {
            id: id(3),
            number: "x".into(),
            ..the_certificate(1)
        };
        certificate::insert(tx, &second).await
    });
    assert!(r.as_ref().is_err_and(|e| e.is_constraint("case")), "{r:?}");
    let r = w!(store, |tx| certificate::set_status(
        tx,
        &id(2),
        "valid",
        "no such word"
    )
    .await);
    assert!(matches!(r, Err(store::StoreError::Constraint(_))), "{r:?}");
});

both!(a_case_is_rated_once, |store| {
    two_cases(&store).await;
    w!(store, |tx| {
        let r = rating::Rating {
            id: id(1),
            case_id: id(1),
            stars: 5,
            tags: vec![510, 513],
            comment_enc: Some(vec![1]),
            is_default: false,
            at: at(1),
        };
        assert!(rating::insert(tx, &r).await?);
        assert!(
            !rating::insert(
                tx,
                &rating::Rating {
                    id: id(2),
                    stars: 1,
                    ..r.clone()
                }
            )
            .await?
        );
        assert_eq!(rating::of_case(tx, &id(1)).await?, Some(r.clone()));
        assert_eq!(rating::of_case(tx, &id(2)).await?, None);
        let silent = rating::Rating {
            id: id(2),
            case_id: id(2),
            tags: vec![],
            comment_enc: None,
            is_default: true,
            ..r
        };
        assert!(rating::insert(tx, &silent).await?);
        assert_eq!(rating::of_case(tx, &id(2)).await?, Some(silent));
        Ok(())
    })
    .unwrap();
});

both!(a_handover_code_works_once_and_in_time, |store| {
    two_cases(&store).await;
    w!(store, |tx| {
        handover::insert(tx, "h1", &id(1), &id(1), at(100)).await?;
        handover::insert(tx, "h2", &id(2), &id(2), at(100)).await?;
        assert_eq!(handover::take(tx, "unknown", T0).await?, None);
        assert_eq!(handover::take(tx, "h2", at(100)).await?, None, "over");
        assert_eq!(
            handover::take(tx, "h1", at(99)).await?,
            Some((id(1), id(1)))
        );
        assert_eq!(handover::take(tx, "h1", at(99)).await?, None, "used");
        assert_eq!(handover::sweep(tx, at(100)).await?, 0);
        assert_eq!(handover::sweep(tx, at(101)).await?, 2);
        Ok(())
    })
    .unwrap();
});

both!(
    of_two_phones_with_the_same_code_one_gets_the_case,
    |store| {
        two_cases(&store).await;
        w!(store, |tx| handover::insert(
            tx,
            "h",
            &id(1),
            &id(1),
            at(100)
        )
        .await)
        .unwrap();
        let jobs = (0..6).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { w!(store, |tx| handover::take(tx, "h", at(1)).await) })
        });
        let got = futures::future::join_all(jobs).await;
        assert_eq!(
            got.into_iter()
                .filter(|r| r.as_ref().unwrap().as_ref().unwrap().is_some())
                .count(),
            1
        );
    }
);
