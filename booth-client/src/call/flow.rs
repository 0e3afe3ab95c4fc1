//! How a call goes, as one machine: what is heard moves it, nothing else. Pure.

use protocol::TicketState;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// In line.
    Waiting,
    /// A seat is rung.
    Ringing,
    /// Accepted; the session is being entered.
    Entering,
    Talking,
    Over(End),
}

/// Why it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// As long as was asked for.
    Enough,
    /// The session's own end, with its reason (`finished`, `agent_lost`, …).
    Session(String),
    /// The ticket ended while in line, with its reason.
    Ticket(String),
    NoSeat,
    NotAnswered,
    /// Accepted, but the session was not to be entered in time.
    NotEntered,
    /// Sound and picture cannot be set up.
    NoMedia,
    /// The server is not to be reached any more.
    Lost,
    /// Somebody else holds this call now.
    TakenOver,
    Interrupted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Ticket(TicketState, Option<String>),
    /// The session was entered.
    Joined,
    SessionEnded(String),
    /// Nobody who could serve is on duty.
    NobodyOnDuty,
    /// Waited as long as was asked for.
    PatienceOver,
    /// The session should have been entered by now.
    EntryOver,
    TalkedEnough,
    MediaFailed,
    LineLost,
    Superseded,
    Interrupted,
}

impl Stage {
    /// The stage after what was heard. What does not concern a stage leaves it as it is.
    #[must_use]
    pub fn after(self, heard: Heard) -> Self {
        use Heard as H;
        match (self, heard) {
            (over @ Self::Over(_), _) => over,
            (_, H::Interrupted) => Self::Over(End::Interrupted),
            (_, H::LineLost) => Self::Over(End::Lost),
            (_, H::Superseded) => Self::Over(End::TakenOver),
            // Media that fails before or while it is needed: nobody is called to nothing.
            (_, H::MediaFailed) => Self::Over(End::NoMedia),
            (Self::Waiting | Self::Ringing, H::Ticket(state, reason)) => match state {
                TicketState::Waiting => Self::Waiting,
                TicketState::Offered => Self::Ringing,
                TicketState::Paired => Self::Entering,
                TicketState::Closed
                | TicketState::Abandoned
                | TicketState::Expired
                | TicketState::CalledBack => Self::Over(End::Ticket(reason.unwrap_or_default())),
            },
            (Self::Waiting, H::NobodyOnDuty) => Self::Over(End::NoSeat),
            (Self::Waiting | Self::Ringing, H::PatienceOver) => Self::Over(End::NotAnswered),
            (Self::Entering, H::Joined) => Self::Talking,
            (Self::Entering, H::EntryOver) => Self::Over(End::NotEntered),
            (Self::Entering | Self::Talking, H::SessionEnded(reason)) => {
                Self::Over(End::Session(reason))
            }
            (Self::Talking, H::TalkedEnough) => Self::Over(End::Enough),
            (
                stage,
                H::Ticket(..)
                | H::Joined
                | H::SessionEnded(_)
                | H::NobodyOnDuty
                | H::PatienceOver
                | H::EntryOver
                | H::TalkedEnough,
            ) => stage,
        }
    }

    #[must_use]
    pub fn end(&self) -> Option<&End> {
        match self {
            Self::Over(end) => Some(end),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(heard: &[Heard]) -> Stage {
        heard.iter().cloned().fold(Stage::Waiting, Stage::after)
    }
    fn ticket(s: TicketState) -> Heard {
        Heard::Ticket(s, None)
    }

    #[test]
    fn a_call_that_works() {
        use TicketState as T;
        let whole = [
            ticket(T::Waiting),
            ticket(T::Offered),
            ticket(T::Paired),
            Heard::PatienceOver,
            Heard::Joined,
            Heard::NobodyOnDuty,
            ticket(T::Closed),
            Heard::EntryOver,
            Heard::TalkedEnough,
        ];
        let stages: Vec<Stage> = (1..=whole.len()).map(|n| play(&whole[..n])).collect();
        use Stage::*;
        let expected = [
            Waiting,
            Ringing,
            Entering,
            Entering,
            Talking,
            Talking,
            Talking,
            Talking,
            Over(End::Enough),
        ];
        assert_eq!(stages, expected);
        // A frame may be missed: what is accepted need not have been seen ringing.
        assert_eq!(play(&[ticket(T::Paired)]), Entering);
        // A ring that nobody answers leads back into the line.
        assert_eq!(play(&[ticket(T::Offered), ticket(T::Waiting)]), Waiting);
    }

    #[test]
    fn every_way_out_is_told_apart() {
        use TicketState::*;
        let over = |heard: &[Heard]| play(heard).end().cloned();
        assert_eq!(over(&[Heard::NobodyOnDuty]), Some(End::NoSeat));
        // While it rings somebody is there, whatever a late count says.
        assert_eq!(over(&[ticket(Offered), Heard::NobodyOnDuty]), None);
        assert_eq!(
            over(&[ticket(Offered), Heard::PatienceOver]),
            Some(End::NotAnswered)
        );
        assert_eq!(
            over(&[Heard::Ticket(Expired, Some("grace_over".into()))]),
            Some(End::Ticket("grace_over".into()))
        );
        assert_eq!(
            over(&[ticket(Paired), Heard::EntryOver]),
            Some(End::NotEntered)
        );
        let lost = Heard::SessionEnded("agent_lost".into());
        assert_eq!(
            over(&[ticket(Paired), Heard::Joined, lost]),
            Some(End::Session("agent_lost".into()))
        );
        for (heard, end) in [
            (Heard::LineLost, End::Lost),
            (Heard::MediaFailed, End::NoMedia),
            (Heard::Superseded, End::TakenOver),
            (Heard::Interrupted, End::Interrupted),
        ] {
            let before = [ticket(Offered), ticket(Paired), Heard::Joined];
            for n in 0..=before.len() {
                let all = [&before[..n], &[heard.clone(), Heard::TalkedEnough]].concat();
                assert_eq!(over(&all), Some(end.clone()));
            }
        }
    }
}
