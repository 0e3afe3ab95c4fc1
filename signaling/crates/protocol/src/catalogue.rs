//! Items (事项) as citizens and agents read them.

use crate::Bilingual;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /api/v1/items?q=`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ItemList {
    pub items: Vec<ItemCard>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ItemCard {
    pub id: String,
    pub title: Bilingual,
    pub department: Bilingual,
    pub skill: String,
    /// `person` or `company`
    pub subject: String,
    pub popular: bool,
}

/// `GET /api/v1/items/{id}`: the guide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ItemView {
    pub id: String,
    pub version: i64,
    /// 31 digits.
    pub code: String,
    pub title: Bilingual,
    pub summary: Bilingual,
    pub department: Bilingual,
    pub skill: String,
    pub subject: String,
    pub statutory_days: u32,
    pub promise_days: u32,
    pub fee: Bilingual,
    pub conditions: Vec<Bilingual>,
    pub materials: Vec<ItemMaterialView>,
    /// What to have at hand while waiting.
    pub papers: Vec<Bilingual>,
    pub steps: Vec<Bilingual>,
    pub legal_basis: Vec<Bilingual>,
    pub result_name: Bilingual,
    /// Reviewer's templates.
    pub opinions: Vec<Bilingual>,
    pub correction_reasons: Vec<CorrectionTemplate>,
    pub refusal_reasons: Vec<Bilingual>,
}

/// A text for a one-time notice, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CorrectionTemplate {
    pub zh: String,
    pub en: String,
    /// A field's path or a material's code, as in [`crate::CorrectionPoint`]; none: the application as a whole.
    pub target: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ItemMaterialView {
    pub code: String,
    pub name: Bilingual,
    /// `required`, `optional`, `later` (容缺)
    pub necessity: String,
    /// A licence of this type replaces the paper (免证).
    pub licence_type: Option<String>,
    pub camera_ok: bool,
    pub help: Option<Bilingual>,
}
