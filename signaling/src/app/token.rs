//! Access tokens (JWT, HS256 under a key derived from the master key) and who a caller is.

use super::vault::Vault;
use crate::problem::{AppError, no};
use domain::{
    id::{BoothId, CaseId, HallId, Id as _, MemberId, SessionId, StaffId, VisitId},
    time::{Span, Timestamp},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use protocol::Role;
use serde::{Deserialize, Serialize};

/// Who is asking. What they may do is decided by role and by object, never by route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Principal {
    Staff {
        id: StaffId,
        roles: Vec<Role>,
        hall: HallId,
        department: Option<String>,
    },
    Booth {
        id: BoothId,
        hall: HallId,
    },
    /// A citizen in a visit.
    Citizen {
        visit: VisitId,
    },
    /// A citizen on the phone, for one case.
    Case {
        case: CaseId,
    },
    /// A family member in one session, by link.
    Guest {
        session: SessionId,
        member: MemberId,
    },
}

impl Principal {
    /// For idempotency, audit and duties: stable, without personal data.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Staff { id, .. } => id.as_str(),
            Self::Booth { id, .. } => id.as_str(),
            Self::Citizen { visit } => visit.as_str(),
            Self::Case { case } => case.as_str(),
            Self::Guest { member, .. } => member.as_str(),
        }
    }
    pub fn staff(&self, role: Role) -> Result<&StaffId, AppError> {
        match self {
            Self::Staff { id, roles, .. } if roles.contains(&role) => Ok(id),
            _ => Err(no("role_missing")),
        }
    }
    pub fn citizen(&self) -> Result<&VisitId, AppError> {
        match self {
            Self::Citizen { visit } => Ok(visit),
            _ => Err(no("citizen_only")),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    #[serde(flatten)]
    who: Principal,
    /// Seconds since the epoch.
    exp: i64,
    iat: i64,
    iss: String,
}

const ISSUER: &str = "cloud-booth";

/// A token and the moment of its end.
pub fn issue(
    vault: &Vault,
    who: &Principal,
    now: Timestamp,
    life: Span,
) -> Result<(String, Timestamp), AppError> {
    let end = now + life;
    let claims = Claims {
        who: who.clone(),
        exp: end.micros() / 1_000_000,
        iat: now.micros() / 1_000_000,
        iss: ISSUER.into(),
    };
    let t = encode(
        &Header::new(Algorithm::HS256),
        &claims,
        &EncodingKey::from_secret(vault.token_secret()),
    )
    .map_err(|_| no("internal"))?;
    Ok((t, end))
}

pub fn read(vault: &Vault, token: &str, now: Timestamp) -> Result<Principal, AppError> {
    let mut v = Validation::new(Algorithm::HS256);
    v.set_issuer(&[ISSUER]);
    // Our clock decides, so that a test's clock does too.
    v.validate_exp = false;
    let c = decode::<Claims>(token, &DecodingKey::from_secret(vault.token_secret()), &v)
        .map_err(|_| no("signed_out"))?
        .claims;
    if c.exp <= now.micros() / 1_000_000 {
        return Err(no("token_expired"));
    }
    Ok(c.who)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_token_ends_and_belongs_to_one_installation() {
        let a = Vault::from_master(&[1; 32]);
        let who = Principal::Citizen {
            visit: VisitId::make(1, 1),
        };
        let now = Timestamp::from_millis(1_000_000);
        let (t, end) = issue(&a, &who, now, Span::seconds(10)).unwrap();
        assert_eq!(read(&a, &t, now).unwrap(), who);
        assert_eq!(read(&a, &t, end).unwrap_err().code(), "token_expired");
        assert_eq!(
            read(&Vault::from_master(&[2; 32]), &t, now)
                .unwrap_err()
                .code(),
            "signed_out"
        );
    }
}
