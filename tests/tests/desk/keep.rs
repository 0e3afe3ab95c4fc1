//! What supervisors ask: a seat's state, a ticket's place, overflow, and the consent of the hall next door.

use crate::world::{by, hall_id, next_door, supervisor};
use domain::id::{HallId, SeatId, TicketId};
use protocol::{ForceSeat, MoveTicket, PriorityClass, PutHallConsent, PutOverflow, SeatState};
use signaling::{
    app::{App, queues, supervise},
    problem::AppError,
};

#[derive(Debug, Clone)]
pub enum Keep {
    /// By the supervisor of the seat's hall.
    Force(HallId, SeatId, SeatState),
    Move(TicketId, Option<&'static str>, Option<PriorityClass>, bool),
    Overflow(&'static str, bool),
    /// The hall next door serves the first one's citizens, or no more.
    Consent(bool),
}

pub async fn perform(app: &App, call: Keep, key: &str) -> Result<(), AppError> {
    match call {
        Keep::Force(hall, id, state) => {
            let reason = "other".to_owned();
            let body = ForceSeat { state, reason };
            supervise::force(app, &by(supervisor(&hall), key), id, body).await?;
        }
        Keep::Move(id, queue, class, head) => {
            let queue = queue.map(str::to_owned);
            let body = MoveTicket { queue, class, head };
            supervise::move_ticket(app, &by(supervisor(&hall_id()), key), id, body).await?;
        }
        Keep::Overflow(queue, on) => {
            let hall = on.then(|| next_door().to_string());
            let caller = by(supervisor(&hall_id()), key);
            queues::overflow(app, &caller, hall_id(), queue.into(), PutOverflow { hall }).await?;
        }
        Keep::Consent(accept) => {
            let caller = by(supervisor(&next_door()), key);
            let body = PutHallConsent { accept };
            queues::consent(app, &caller, next_door(), hall_id(), body).await?;
        }
    }
    Ok(())
}
