//! Supervision of sessions: what is kept, and what the constraints refuse.

use crate::world::{a_session, a_staff, at, hall_id, id, the_member};
use domain::{
    session::Role,
    supervision::{Mode, Told},
};
use store::{
    StoreError, Tx, session, staff,
    supervision::{self, Supervision},
};

/// Staff n listens to session s as member n + 10.
fn listens(n: i64, s: i64) -> Supervision {
    Supervision {
        id: id(n),
        session_id: id(s),
        staff_id: id(n),
        member_id: id(n + 10),
        hall_id: hall_id(),
        mode: Mode::Listen,
        version: 1,
        told: Told {
            agent: true,
            citizen: false,
        },
        started_at: at(n),
        changed_at: at(n),
        due_at: Some(at(n + 60)),
        ended_at: None,
        end_reason: None,
    }
}

/// Sessions 1 and 2 with their agents, and supervisors 3 and 4 who are members of the first.
async fn world(tx: &mut Tx) -> Result<(), StoreError> {
    a_session(tx, 1).await?;
    a_session(tx, 2).await?;
    for n in [1, 3, 4] {
        let who = staff::Staff {
            name: format!("班长{n}"),
            ..a_staff(n)
        };
        staff::upsert(tx, &who).await?;
        let m = session::Member {
            staff_id: Some(id(n)),
            ..the_member(n + 10, Role::Supervisor)
        };
        session::insert_member(tx, &m).await?;
    }
    Ok(())
}

both!(a_supervision_is_found_until_it_is_over, |store| {
    w!(store, |tx| {
        world(tx).await?;
        supervision::insert(tx, &listens(3, 1)).await?;
        assert_eq!(supervision::live(tx, &id(1)).await?, Some(listens(3, 1)));
        assert_eq!(supervision::live(tx, &id(2)).await?, None);
        let mine = supervision::live_of_staff(tx, &id(3)).await?;
        assert_eq!(mine, Some(listens(3, 1)));
        let here = supervision::of_hall(tx, &hall_id()).await?;
        assert_eq!(here, [(listens(3, 1), "班长3".to_owned())]);
        assert!(supervision::due(tx, at(62)).await?.is_empty());
        assert_eq!(supervision::due(tx, at(63)).await?.len(), 1);
        supervision::set_due(tx, &id(3), None).await?;
        assert!(supervision::due(tx, at(999)).await?.is_empty());

        let barges = Supervision {
            mode: Mode::Barge,
            told: Told::ALL,
            changed_at: at(70),
            due_at: None,
            ..listens(3, 1)
        };
        assert!(supervision::save(tx, &barges).await?);
        assert!(
            !supervision::save(tx, &barges).await?,
            "the version has moved on"
        );
        let over = Supervision {
            version: 2,
            ended_at: Some(at(80)),
            end_reason: Some("left".into()),
            ..barges
        };
        assert!(supervision::save(tx, &over).await?);
        assert_eq!(supervision::live(tx, &id(1)).await?, None);
        assert!(supervision::of_hall(tx, &hall_id()).await?.is_empty());
        // Another time is another row.
        let again = Supervision {
            id: id(5),
            ..listens(3, 1)
        };
        supervision::insert(tx, &again).await?;
        let all = supervision::of_session(tx, &id(1)).await?;
        assert_eq!(all, [Supervision { version: 3, ..over }, again]);
        Ok(())
    })
    .unwrap();
});

both!(
    one_a_session_one_a_supervisor_and_never_their_own,
    |store| {
        w!(store, |tx| {
            world(tx).await?;
            supervision::insert(tx, &listens(3, 1)).await
        })
        .unwrap();
        for n in 0..7 {
            let r = w!(store, |tx| {
                let refused = match n {
                    0 => listens(4, 1),
                    1 => Supervision {
                        id: id(9),
                        ..listens(3, 2)
                    },
                    // The agent of session 1; then hidden from those who hear it.
                    2 => listens(1, 1),
                    3 => Supervision {
                        mode: Mode::Barge,
                        ..listens(4, 2)
                    },
                    4 => Supervision {
                        mode: Mode::Whisper,
                        told: Told::default(),
                        ..listens(4, 2)
                    },
                    // A take-over is over when it is made, and what is over has its reason.
                    5 => Supervision {
                        mode: Mode::TakeOver,
                        told: Told::ALL,
                        ..listens(4, 2)
                    },
                    _ => {
                        let over = Supervision {
                            ended_at: Some(at(5)),
                            due_at: None,
                            ..listens(3, 1)
                        };
                        return supervision::save(tx, &over).await.map(|_| ());
                    }
                };
                supervision::insert(tx, &refused).await
            });
            assert!(matches!(r, Err(StoreError::Constraint(_))), "{n}: {r:?}");
        }
    }
);
