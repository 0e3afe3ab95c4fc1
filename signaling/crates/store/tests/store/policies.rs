//! What a hall has decided: kept over the version that was seen, each subject for itself.

use crate::world::{a_hall, hall_id};
use store::policy::{self, Policy, Subject};

both!(
    a_hall_s_policy_is_kept_over_the_version_that_was_seen,
    |store| {
        w!(store, |tx| {
            a_hall(tx).await?;
            let hall = hall_id();
            let (subject, other) = (Subject::Recording, Subject::Supervision);
            assert_eq!(policy::get(tx, &hall, subject).await?, None);
            assert!(policy::save(tx, &hall, subject, "{}", 0).await?);
            assert!(!policy::save(tx, &hall, subject, "{1}", 0).await?);
            assert!(policy::save(tx, &hall, subject, "{2}", 1).await?);
            assert!(!policy::save(tx, &hall, subject, "{3}", 1).await?);
            assert_eq!(policy::get(tx, &hall, other).await?, None);
            assert!(policy::save(tx, &hall, other, "{4}", 0).await?);
            let kept = Policy {
                policy: "{2}".into(),
                version: 2,
            };
            assert_eq!(policy::get(tx, &hall, subject).await?, Some(kept));
            Ok(())
        })
        .unwrap();
    }
);
