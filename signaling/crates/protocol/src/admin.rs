//! The administrator's view.

use crate::{BoothView, ItemCard, SeatView, StaffView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /api/v1/admin/overview`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AdminOverview {
    pub staff: Vec<StaffView>,
    pub seats: Vec<SeatView>,
    pub booths: Vec<BoothView>,
    pub items: Vec<ItemCard>,
    pub audit: AuditHead,
}

/// Newest signed checkpoint of the Merkle log.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditHead {
    pub size: i64,
    /// SHA-256, hex.
    pub root: String,
    pub signed_at: Option<String>,
    /// Entries that are not yet numbered (merge delay: 1 s).
    pub pending: i64,
}

/// `GET /api/v1/admin/audit?object=`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditList {
    pub items: Vec<AuditView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditView {
    pub seq: Option<i64>,
    pub at: String,
    /// An id; never a name.
    pub actor: String,
    pub action: String,
    pub object: String,
}
