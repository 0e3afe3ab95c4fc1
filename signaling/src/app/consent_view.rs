//! Consents as both sides see them: which licence, which fields, for what, once. Nothing of what the citizen holds before a grant.

use super::{
    catalogue::{self, bilingual},
    licences,
};
use crate::problem::AppError;
use domain::consent::{Purpose, State};
use protocol::{Bilingual, ConsentState, ConsentView};
use store::{Tx, consent, session};

const fn state_view(s: State) -> ConsentState {
    match s {
        State::Asked => ConsentState::Asked,
        State::Granted => ConsentState::Granted,
        State::Refused => ConsentState::Refused,
        State::Withdrawn => ConsentState::Withdrawn,
        State::Used => ConsentState::Used,
        State::Expired => ConsentState::Expired,
    }
}

fn purpose_text(p: Option<Purpose>, item: &Bilingual) -> Bilingual {
    let (zh, en) = match p {
        Some(Purpose::PrefillWithCopy) => (
            "用证照上的信息填表，并随件附一份加注副本",
            "fill in the form and enclose a watermarked copy",
        ),
        Some(Purpose::Copy) => (
            "随件附一份加注副本，代替纸质材料",
            "enclose a watermarked copy instead of a paper",
        ),
        Some(Purpose::Prefill) | None => ("用证照上的信息填表", "fill in the form"),
    };
    Bilingual {
        zh: format!("办理「{}」：{zh}，仅此一次", item.zh),
        en: format!("For “{}”: {en}, this once", item.en),
    }
}

/// The session's questions, in order of asking. The same for both: the outcome is there only after a grant.
pub async fn views(tx: &mut Tx, s: &session::Session) -> Result<Vec<ConsentView>, AppError> {
    let rows = consent::of_session(tx, &s.id).await?;
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let types = licences::types(tx).await?;
    let mut out = Vec::with_capacity(rows.len());
    for c in rows {
        let title = match s
            .item_version
            .filter(|_| s.item.as_deref() == Some(&c.item))
        {
            Some(v) => bilingual(&catalogue::item_at(tx, &c.item, v).await?.name),
            None => catalogue::item_in(tx, &c.item).await.map_or_else(
                |_| Bilingual {
                    zh: c.item.clone(),
                    en: c.item.clone(),
                },
                |(i, _)| bilingual(&i.name),
            ),
        };
        let kind = types.get(&c.licence_type);
        let plain = |t: &str| Bilingual {
            zh: t.to_owned(),
            en: t.to_owned(),
        };
        out.push(ConsentView {
            id: c.id.to_string(),
            state: state_view(c.state),
            licence_name: kind.map_or_else(|| plain(&c.licence_type), |k| k.name.clone()),
            fields: c
                .fields
                .iter()
                .map(|a| kind.map_or_else(|| plain(a), |k| k.label(a)))
                .collect(),
            licence_type: c.licence_type,
            item: c.item,
            purpose: purpose_text(Purpose::parse(&c.purpose), &title),
            item_title: title,
            asked_at: c.asked_at.rfc3339(),
            decided_at: c.decided_at.map(domain::time::Timestamp::rfc3339),
            outcome: c.outcome,
            company: c.company,
        });
    }
    Ok(out)
}
