//! Rows that a bench starts from: one hall, its agents and seats. Written before the server starts, as there is no API that
//! makes staff. Every agent has the one published password: this data directory is thrown away.

use anyhow::{Context as _, Result, ensure};
use domain::{
    id::{HallId, Id, SeatId, StaffId},
    time::Timestamp,
};
use futures::FutureExt as _;
use std::sync::Arc;
use store::{Store, StoreError, Target, catalogue, hall, seat, staff};

pub const PASSWORD: &str = "Bench-2026-yunchuang";
/// Who names no item waits for this skill.
pub const SKILL: &str = "general";
/// Whoever names this item waits for a skill that nobody has.
pub const BALLAST: &str = "ballast";
/// Any published document will do: its skill alone matters here.
const DOCUMENT: &str = include_str!("../../../signaling/demo/catalogue/no-criminal-record.json");

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

fn ballast() -> Result<String> {
    let mut doc: serde_json::Value = serde_json::from_str(DOCUMENT)?;
    ensure!(doc["skill"].is_string(), "the document names no skill");
    doc["id"] = BALLAST.into();
    doc["skill"] = BALLAST.into();
    Ok(doc.to_string())
}

/// Hall, skills, `seats` agents and as many seats, and the item that leads to nobody, in an empty database.
pub async fn rows(target: &Target, seats: usize, now: Timestamp) -> Result<()> {
    if let Target::Sqlite(file) = target
        && let Some(dir) = file.parent()
    {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    }
    // One hash for all: the rows' content matters, not its cost.
    let hash = tokio::task::spawn_blocking(|| signaling::app::auth::hash_password(PASSWORD))
        .await?
        .map_err(|e| anyhow::anyhow!("{e}"))?;
    let store = Store::open(target).await?;
    let (hash, ballast) = (Arc::new(hash), Arc::new(ballast()?));
    store
        .write(move |tx| {
            let (hash, ballast) = (hash.clone(), ballast.clone());
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
                for (code, zh, en) in [
                    (SKILL, "综合服务", "General desk"),
                    (BALLAST, "无人受理", "Nobody's"),
                ] {
                    let skill = hall::Named {
                        code: code.into(),
                        zh: zh.into(),
                        en: en.into(),
                    };
                    hall::upsert_skill(tx, &skill).await?;
                }
                catalogue::put(tx, BALLAST, 1, &ballast).await?;
                catalogue::publish(tx, BALLAST, 1, now).await?;
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
        let target = Target::Sqlite(dir.path().join("cloud-booth.sqlite"));
        for _ in 0..2 {
            rows(&target, 3, Timestamp(1)).await.unwrap();
        }
        let store = Store::open(&target).await.unwrap();
        let (seats, staff, item) = store
            .read(|tx| {
                async move {
                    Ok::<_, StoreError>((
                        seat::of_hall(tx, &hall_id()).await?,
                        staff::all(tx).await?,
                        catalogue::get_published(tx, BALLAST).await?,
                    ))
                }
                .boxed()
            })
            .await
            .unwrap();
        assert_eq!((seats.len(), staff.len()), (3, 3));
        assert!(
            staff
                .iter()
                .all(|s| s.skills.has(SKILL) && !s.skills.has(BALLAST))
        );
        let item: domain::catalogue::Item = serde_json::from_str(&item.unwrap().doc).unwrap();
        assert_eq!(item.skill, BALLAST);
    }
}
