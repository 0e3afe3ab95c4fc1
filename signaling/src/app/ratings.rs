//! 好差评: five levels with the national tags; voluntary, once a case, never changed.
//!
//! Never asks for a rating and never links one to a person beyond the case.

use super::{App, Caller, case_core, case_view};
use crate::problem::{AppError, no};
use domain::{
    id::{CaseId, Id as _},
    rating::{Level, Rating, TAGS},
};
use protocol::{Bilingual, Done, Rate, RatingLevel, RatingScale, RatingTag, RatingView};
use serde_json::json;
use store::rating;

/// Levels, best first, each with its national tags (GB/T 39735-2020).
#[must_use]
pub fn scale() -> RatingScale {
    let text = |zh: &str, en: &str| Bilingual {
        zh: zh.into(),
        en: en.into(),
    };
    let tags = |l: Level| {
        TAGS.iter()
            .filter(|t| t.level == l)
            .map(|t| RatingTag {
                code: t.code,
                label: text(t.zh, t.en),
            })
            .collect()
    };
    RatingScale {
        levels: Level::ALL
            .iter()
            .map(|l| RatingLevel {
                stars: l.star(),
                label: text(l.zh(), l.en()),
                tags: tags(*l),
            })
            .collect(),
    }
}

fn given(body: &Rate) -> Result<Rating, AppError> {
    let level = Level::from_star(body.stars).ok_or_else(|| no("rating_invalid"))?;
    Rating::given(level, &body.tags, &body.comment).map_err(|r| {
        let code = if r.code == "rating_comment_long" {
            "field_too_long"
        } else {
            "rating_invalid"
        };
        domain::error::Rejected {
            code,
            pointer: r.pointer,
        }
        .into()
    })
}

/// By the citizen whose case it is.
///
/// Codes: `citizen_only`, `not_found`, `rating_invalid`, `field_too_long`, `rated`.
pub async fn rate(
    app: &App,
    caller: &Caller,
    id: CaseId,
    body: Rate,
) -> Result<RatingView, AppError> {
    let r = given(&body)?;
    let who = caller.who.clone();
    let print = json!({"stars": body.stars, "tags": body.tags, "comment": app.vault.secret_hash(&body.comment)});
    let case = id.clone();
    app.command(
        caller,
        &format!("cases.rating:{id}"),
        &print,
        move |tx, w| {
            let (who, case, r) = (who.clone(), case.clone(), r.clone());
            Box::pin(async move {
                let app = w.app.clone();
                let o = case_core::open(&app, tx, &case, true).await?;
                if case_core::viewer(tx, &who, &o.row).await?.is_staff() {
                    return Err(no("citizen_only"));
                }
                let comment = r.comment.expose();
                let row = rating::Rating {
                    id: w.id(),
                    case_id: case.clone(),
                    stars: i64::from(r.level.star()),
                    tags: r.tags.clone(),
                    comment_enc: if comment.is_empty() {
                        None
                    } else {
                        Some(o.key.seal(comment)?)
                    },
                    is_default: false,
                    at: w.now,
                };
                if !rating::insert(tx, &row).await? {
                    return Err(no("rated"));
                }
                w.audit(tx, "case.rated", case.as_str(), json!({"stars": row.stars}))
                    .await?;
                if r.level.is_bad() {
                    // Somebody must call back.
                    w.outbox(
                        tx,
                        "case.bad_rating",
                        case.as_str(),
                        json!({"stars": row.stars}),
                    )
                    .await?;
                }
                w.wake(&case);
                Ok(Done {})
            })
        },
    )
    .await?;
    let (a, id) = (app.clone(), id);
    app.read(|tx| {
        Box::pin(async move {
            let o = case_core::open(&a, tx, &id, false).await?;
            let r = rating::of_case(tx, &id)
                .await?
                .ok_or_else(|| no("internal"))?;
            case_view::rating_view(&o.key, r)
        })
    })
    .await
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_whole_and_best_first() {
        let s = scale();
        assert!(s.levels.iter().map(|l| l.stars).eq([5, 4, 3, 2, 1]));
        assert!(s.levels.iter().all(
            |l| l.tags.len() == 8 && l.tags.iter().all(|t| t.code / 100 == u16::from(l.stars))
        ));
    }

    #[test]
    fn a_tag_of_another_level_is_named() {
        let rate = |stars, tags: &[u16]| {
            given(&Rate {
                stars,
                tags: tags.to_vec(),
                comment: String::new(),
            })
        };
        assert!(rate(5, &[517]).is_ok());
        assert_eq!(rate(6, &[]).unwrap_err().code(), "rating_invalid");
        assert_eq!(
            rate(5, &[214])
                .unwrap_err()
                .problem(protocol::Language::Zh)
                .errors[0]
                .pointer,
            "/tags/0"
        );
    }
}
