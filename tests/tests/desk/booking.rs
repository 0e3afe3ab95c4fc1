//! What citizens ask beside the line: appointments and call-backs; and the agent's ring at a citizen's phone.

use crate::world::{agent, by};
use domain::{
    id::{AppointmentId, PairingId, StaffId, TicketId, VisitId},
    time::Timestamp,
};
use protocol::{CallBackDecline, DeclineCallBack};
use serde_json::json;
use signaling::{
    app::{App, appointments, callbacks, token::Principal},
    problem::AppError,
};

#[derive(Debug, Clone)]
pub enum Booking {
    /// For a queue and the beginning of a slot. Answers id and code.
    Book(VisitId, &'static str, Timestamp),
    Unbook(VisitId, AppointmentId),
    /// By code, or by the card that was read. Answers the ticket.
    CheckIn(VisitId, Option<String>),
    /// The citizen asks to be called. Answers the ticket that stands in the old one's place.
    CallBack(VisitId, TicketId),
    Ring(StaffId, PairingId),
    Answer(VisitId, TicketId),
    Forget(VisitId, TicketId),
    /// To a ring: not now, or no more.
    NotNow(VisitId, TicketId, CallBackDecline),
}

fn citizen(visit: VisitId) -> Principal {
    Principal::Citizen { visit }
}

pub async fn perform(app: &App, call: Booking, key: &str) -> Result<String, AppError> {
    let done = "done".to_owned();
    match call {
        Booking::Book(v, queue, starts) => {
            let body = json!({"queue": queue, "starts_at": starts.rfc3339()});
            let body = serde_json::from_value(body).unwrap();
            let b = appointments::book(app, &by(citizen(v), key), body).await?;
            Ok(format!("{} {}", b.appointment.id, b.code))
        }
        Booking::Unbook(v, id) => {
            appointments::cancel(app, &by(citizen(v), key), id, None).await?;
            Ok(done)
        }
        Booking::CheckIn(v, code) => {
            let t = appointments::check_in(app, &by(citizen(v), key), code).await?;
            Ok(t.id)
        }
        Booking::CallBack(v, id) => {
            let taken = callbacks::take(app, &by(citizen(v), key), id).await?;
            Ok(taken.ticket.id)
        }
        Booking::Ring(staff, id) => {
            callbacks::call(app, &by(agent(&staff), key), id).await?;
            Ok(done)
        }
        Booking::Answer(v, id) => {
            let taken = callbacks::answer(app, &by(citizen(v), key), id).await?;
            Ok(taken.session)
        }
        Booking::Forget(v, id) => {
            callbacks::cancel(app, &by(citizen(v), key), id).await?;
            Ok(done)
        }
        Booking::NotNow(v, id, answer) => {
            let body = DeclineCallBack { answer };
            callbacks::decline(app, &by(citizen(v), key), id, body).await?;
            Ok(done)
        }
    }
}
