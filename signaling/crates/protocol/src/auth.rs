//! Signing in: staff by password, booths by device key, citizens by a visit.

use crate::{Bilingual, CardRead, Channel, Language};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /api/v1/auth/login`. The refresh token comes as an HttpOnly cookie.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    pub account: String,
    pub password: String,
    /// Six digits, for accounts with two factors.
    #[serde(default)]
    pub totp: Option<String>,
}

/// Answer of log-in and `POST /api/v1/auth/refresh`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StaffToken {
    /// JWT, for `Authorization: Bearer`.
    pub access_token: String,
    pub expires_at: String,
    pub staff: StaffView,
}

/// What a member of staff may do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Agent,
    Supervisor,
    Reviewer,
    Issuer,
    Presenter,
    Admin,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StaffView {
    pub id: String,
    pub account: String,
    pub name: String,
    pub roles: Vec<Role>,
    pub hall: String,
    pub department: Option<String>,
    /// Skill codes that this person may serve.
    pub skills: Vec<String>,
}

/// `POST /api/v1/auth/booth/challenge`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BoothChallenge {
    pub booth: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BoothNonce {
    /// 43 base64url characters, valid 60 s, once.
    pub nonce: String,
}

/// `POST /api/v1/auth/booth`: the booth host signed the nonce with its device key.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BoothLogin {
    pub booth: String,
    pub nonce: String,
    /// SM2 signature, base64url, over [`crate::booth_login_bytes`].
    pub signature: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BoothToken {
    pub access_token: String,
    pub expires_at: String,
    pub booth: BoothView,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BoothView {
    pub id: String,
    pub name: Bilingual,
    pub hall: String,
}

/// `POST /api/v1/visits`: a citizen begins. At a booth with the booth's token, on a phone without any.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenVisit {
    pub channel: Channel,
    pub hall: String,
    #[serde(default)]
    pub language: Language,
    /// 长辈版
    #[serde(default)]
    pub elder: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct VisitToken {
    pub access_token: String,
    pub expires_at: String,
    pub visit: VisitView,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct VisitView {
    pub id: String,
    pub channel: Channel,
    pub hall: String,
    /// Set after a card read: masked name and number.
    pub identity: Option<IdentityView>,
    /// To hand to the booth host, which signs the next card read over it. Single use.
    pub card_nonce: Option<String>,
    /// Open ticket or session, so that a page that reloads finds its place.
    pub ticket: Option<String>,
    pub session: Option<String>,
}

/// Who the citizen is, as far as a page needs it: never the full number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IdentityView {
    /// 王*某
    pub name_masked: String,
    /// 4290**********1513
    pub number_masked: String,
    /// How sure: `card` (read at a booth).
    pub assurance: String,
}

/// `POST /api/v1/visits/{id}/identity`
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Identify {
    pub read: CardRead,
}

/// `POST /api/v1/ws-tickets`: with any bearer token; used once within 30 s.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WsTicket {
    pub ticket: String,
    pub expires_at: String,
}
