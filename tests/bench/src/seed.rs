//! Rows that a bench starts from: one hall, its agents and seats. Written before the server starts, as there is no API that
//! makes staff. Every agent has the one published password: this data directory is thrown away.

use anyhow::{Context as _, Result};
use domain::{
    id::{HallId, Id, SeatId, StaffId},
    time::Timestamp,
};
use futures::FutureExt as _;
use std::{path::Path, sync::Arc};
use store::{Store, StoreError, Target, hall, seat, staff};

pub const PASSWORD: &str = "Bench-2026-yunchuang";
/// Who names no item waits for this skill.
pub const SKILL: &str = "general";

#[must_use]
pub fn account(n: usize) -> String {
    format!("bench{n}")
}

/// The hall of every bench.
#[must_use]
pub fn hall_id() -> HallId {
    HallId::make(0, 1)
}

#[must_use]
pub fn seat_id(n: usize) -> SeatId {
    SeatId::make(0, 1000 + n as u128)
}

/// Hall, skill, `seats` agents and as many seats, in the SQLite database under `dir`.
pub async fn sqlite(dir: &Path, seats: usize, now: Timestamp) -> Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    // One hash for all: the rows' content matters, not its cost.
    let hash = tokio::task::spawn_blocking(|| signaling::app::auth::hash_password(PASSWORD))
        .await?
        .map_err(|e| anyhow::anyhow!("{e}"))?;
    let store = Store::open(&Target::Sqlite(dir.join("cloud-booth.sqlite"))).await?;
    let hash = Arc::new(hash);
    store
        .write(move |tx| {
            let hash = hash.clone();
            async move {
                let h = hall::Hall {
                    id: hall_id(),
                    name_zh: "压测大厅".into(),
                    name_en: "Bench hall".into(),
                    opens: "00:00".into(),
                    closes: "23:59".into(),
                    telephone: String::new(),
                    address_zh: String::new(),
                    address_en: String::new(),
                };
                hall::upsert(tx, &h).await?;
                let skill = hall::Named {
                    code: SKILL.into(),
                    zh: "综合服务".into(),
                    en: "General desk".into(),
                };
                hall::upsert_skill(tx, &skill).await?;
                for n in 0..seats {
                    let s = staff::Staff {
                        id: StaffId::make(0, 1000 + n as u128),
                        account: account(n),
                        name: format!("坐席员{n}"),
                        number_index: format!("bench-{n}"),
                        password_hash: (*hash).clone(),
                        totp_enc: None,
                        roles: vec!["agent".into()],
                        hall_id: hall_id(),
                        department: None,
                        skills: [(SKILL, 3)].into_iter().collect(),
                        active: true,
                        failures: 0,
                        locked_until: None,
                    };
                    staff::upsert(tx, &s).await?;
                    let (zh, en) = (format!("{n}号席"), format!("Seat {n}"));
                    seat::upsert(tx, &seat_id(n), &hall_id(), &zh, &en, now).await?;
                }
                Ok::<_, StoreError>(())
            }
            .boxed()
        })
        .await?;
    store.close().await;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_hall_has_its_seats_and_seeding_again_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            sqlite(dir.path(), 3, Timestamp(1)).await.unwrap();
        }
        let store = Store::open(&Target::Sqlite(dir.path().join("cloud-booth.sqlite")))
            .await
            .unwrap();
        let (seats, staff) = store
            .read(|tx| {
                async move {
                    Ok::<_, StoreError>((
                        seat::of_hall(tx, &hall_id()).await?,
                        staff::all(tx).await?,
                    ))
                }
                .boxed()
            })
            .await
            .unwrap();
        assert_eq!((seats.len(), staff.len()), (3, 3));
        assert!(staff.iter().all(|s| s.skills.has(SKILL)));
    }
}
