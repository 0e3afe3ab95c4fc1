//! How good a member's line is.

use crate::MemberPart;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// 良好, 一般, 较弱, 断开.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QualityState {
    Good,
    Fair,
    Poor,
    Lost,
}

/// One reading of a member's line, the worse of both directions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QualitySample {
    pub at: String,
    pub state: QualityState,
    /// Percent; null while lost.
    pub loss_pct: Option<f32>,
    /// Milliseconds; null while lost.
    pub jitter_ms: Option<u32>,
    /// Round trip, milliseconds; null where it is not known.
    pub rtt_ms: Option<u32>,
    /// For how long of the last seconds the member's picture of the others stood still (milliseconds), as their own page says.
    pub freeze_ms: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QualitySeries {
    pub member: String,
    pub part: MemberPart,
    /// Oldest first; every ten seconds and at each change of the state.
    pub samples: Vec<QualitySample>,
}

/// `GET /api/v1/sessions/{id}/quality`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QualityView {
    pub session: String,
    pub members: Vec<QualitySeries>,
    /// The session has as many samples as are kept: what came later is not here.
    pub full: bool,
}
