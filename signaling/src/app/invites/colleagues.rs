//! Who could be asked for help by name, and where a citizen could be handed over to: the agent's own hall and those that serve
//! its people. Shows nothing of whom they serve.

use super::views::hall_ref;
use crate::{
    app::{App, desk, supervise, token::Principal},
    problem::AppError,
};
use domain::{id::HallId, seat::State};
use protocol::{Bilingual, ColleagueHall, ColleagueQueue, ColleagueView, Colleagues, Role};
use store::{hall, invite};

/// For an agent of the hall. `role_missing` for everybody else.
pub async fn list(app: &App, who: &Principal, id: HallId) -> Result<Colleagues, AppError> {
    let me = supervise::of_hall(who, &id, &[Role::Agent])?;
    let (own, others, skills, seated) = app
        .read(move |tx| {
            Box::pin(async move {
                Ok((
                    hall::get(tx, &id).await?,
                    hall::accepted_by(tx, &id).await?,
                    hall::skills(tx).await?,
                    invite::seated(tx, &id).await?,
                ))
            })
        })
        .await?;
    let own_id = own.as_ref().map(|h| h.id.clone());
    let mut out = Colleagues {
        items: vec![],
        halls: vec![],
    };
    for h in own.into_iter().chain(others) {
        let own = own_id.as_ref() == Some(&h.id);
        let here: Vec<_> = seated
            .iter()
            .filter(|s| s.hall_id == h.id && s.staff_id != me)
            .collect();
        let on_duty = |code: &str| {
            here.iter()
                .filter(|s| s.state != State::Away && s.skills.has(code))
                .count()
        };
        let queues = skills
            .iter()
            .filter(|k| !k.code.contains(':'))
            .map(|k| ColleagueQueue {
                code: k.code.clone(),
                name: Bilingual {
                    zh: k.zh.clone(),
                    en: k.en.clone(),
                },
                on_duty: u32::try_from(on_duty(&k.code)).unwrap_or(0),
            })
            .filter(|q| q.on_duty > 0)
            .collect();
        let place = hall_ref(h);
        out.items.extend(here.iter().map(|s| ColleagueView {
            staff: s.staff_id.to_string(),
            name: s.name.clone(),
            hall: place.clone(),
            own,
            seat: s.seat_id.to_string(),
            seat_name: Bilingual {
                zh: s.seat_zh.clone(),
                en: s.seat_en.clone(),
            },
            state: desk::state_view(s.state),
            away_reason: s.away_reason.clone(),
            skills: s.skills.codes(),
            department: s.department.clone().map(|(zh, en)| Bilingual { zh, en }),
        }));
        out.halls.push(ColleagueHall {
            id: place.id,
            name: place.name,
            own,
            queues,
        });
    }
    Ok(out)
}
