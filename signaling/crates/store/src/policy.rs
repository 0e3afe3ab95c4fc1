//! What a hall has decided, one row a subject: JSON text whose shape is the domain's, with a version.

use crate::{StoreError, Tx, args};
use domain::id::HallId;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Recording,
    Supervision,
}

impl Subject {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Recording => "recording",
            Self::Supervision => "supervision",
        }
    }
}

/// A policy as JSON text (`domain::recording::Policy`, `domain::supervision::Policy`) and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub policy: String,
    pub version: i64,
}

const GET: &str = "SELECT policy, version FROM hall_policies WHERE hall_id = $1 AND subject = $2";
const INSERT: &str = "INSERT INTO hall_policies (hall_id, subject, policy, version) VALUES ($1, $2, $3, 1) ON CONFLICT (hall_id, subject) DO NOTHING";
const UPDATE: &str = "UPDATE hall_policies SET policy = $4, version = version + 1 WHERE hall_id = $1 AND subject = $2 AND version = $3";
pub const QUERIES: &[&str] = &[GET, INSERT, UPDATE];

pub async fn get(
    tx: &mut Tx,
    hall: &HallId,
    subject: Subject,
) -> Result<Option<Policy>, StoreError> {
    tx.one(GET, args![hall, subject.as_str()], |r| {
        Ok(Policy {
            policy: r.text("policy")?,
            version: r.int("version")?,
        })
    })
    .await
}

/// Keeps the policy over the version that the caller saw (0: none yet); false: a lost race.
pub async fn save(
    tx: &mut Tx,
    hall: &HallId,
    subject: Subject,
    policy: &str,
    version: i64,
) -> Result<bool, StoreError> {
    let subject = subject.as_str();
    let n = if version == 0 {
        tx.exec(INSERT, args![hall, subject, policy]).await?
    } else {
        tx.exec(UPDATE, args![hall, subject, version, policy])
            .await?
    };
    Ok(n == 1)
}
