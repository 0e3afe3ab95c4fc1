//! The longer transitions, one function each. Called by [`Run::step`] alone, after the table has let the command in.

use super::{AGENTS_MAX, CORRECTIONS_MAX, Run, Step, check_length, check_text};
use crate::{
    case::{
        Actor, Correction, CorrectionItem, Decision, Duty, Effect, Extension, Notice, Person,
        Receipt, State,
    },
    error::Rejected,
    time::Timestamp,
};

impl Run<'_> {
    pub(super) fn receive(&mut self, number: String, guided: &[Person], filled: &[Person]) -> Step {
        if !(6..=64).contains(&number.len()) {
            return Err(Rejected::new("number_required"));
        }
        if guided.len().max(filled.len()) > AGENTS_MAX {
            return Err(Rejected::new("duty_limit"));
        }
        // An applicant may hand in alone on the phone; then nobody guided.
        match self.ctx.actor {
            Actor::Staff(me) => self.take(Duty::Guided, me)?,
            Actor::Applicant(_) => self.applicant()?,
            Actor::System => return Err(Rejected::new("actor_not_allowed")),
        }
        for p in guided {
            self.take(Duty::Guided, p)?;
        }
        for p in filled {
            self.take(Duty::Filled, p)?;
        }
        self.case.number = Some(number);
        self.case.received_at = Some(self.now);
        self.go(State::Received);
        self.paper(Receipt::Received, Notice::Received);
        Ok(())
    }

    pub(super) fn accept(&mut self) -> Step {
        let me = self.staff()?;
        self.take(Duty::Accepted, &me)?;
        self.start_clock(self.now)
    }

    pub(super) fn deem_accepted(&mut self) -> Step {
        if *self.ctx.actor != Actor::System {
            return Err(Rejected::new("actor_not_allowed"));
        }
        let received = self.received()?;
        if self.case.correction.is_some() || self.today() <= self.notice_until(received)? {
            return Err(Rejected::new("not_overdue"));
        }
        self.start_clock(received)
    }

    pub(super) fn start_clock(&mut self, accepted_at: Timestamp) -> Step {
        let opening = accepted_at.beijing_date();
        let add = |n: u16| self.ctx.calendar.add_working_days(opening, u32::from(n));
        let (due, statutory_due) = (
            add(self.case.term.promise_days)?,
            add(self.case.term.statutory_days)?,
        );
        self.case.accepted_at = Some(accepted_at);
        self.set_due(due, statutory_due);
        self.go(State::Accepted);
        self.paper(Receipt::Accepted, Notice::Accepted);
        Ok(())
    }

    pub(super) fn ask_correction(&mut self, items: Vec<CorrectionItem>) -> Step {
        let me = self.staff()?;
        let before_acceptance = self.case.accepted_at.is_none();
        if self.case.correction.is_some() {
            return Err(Rejected::new("correction_already_asked"));
        }
        if before_acceptance && self.today() > self.notice_until(self.received()?)? {
            return Err(Rejected::new("correction_too_late"));
        }
        if items.is_empty() || items.len() > CORRECTIONS_MAX {
            return Err(Rejected::new("correction_items_required"));
        }
        for (i, item) in items.iter().enumerate() {
            check_text(&item.zh, "correction_items_required")
                .map_err(|e| Rejected::at(e.code, format!("/items/{i}/zh")))?;
            check_length(&item.en).and_then(|()| check_length(&item.pointer))?;
        }
        self.take(
            if before_acceptance {
                Duty::Accepted
            } else {
                Duty::Reviewed
            },
            &me,
        )?;
        let until = self
            .ctx
            .calendar
            .add_working_days(self.today(), u32::from(self.ctx.rules.correction_days))?;
        let resume = self.case.state;
        self.case.correction = Some(Correction {
            items,
            noticed_at: self.now,
            until,
            resume,
            submitted_at: None,
        });
        self.go(State::Correction);
        self.out.push(Effect::ReturnAfter { until });
        self.paper(Receipt::Correction, Notice::CorrectionAsked);
        Ok(())
    }

    pub(super) fn submit_correction(&mut self) -> Step {
        // An agent may hand it in for the applicant in a session; that is the front set's work.
        match self.ctx.actor {
            Actor::Applicant(_) => self.applicant()?,
            Actor::Staff(me) => self.take(Duty::Guided, me)?,
            Actor::System => return Err(Rejected::new("actor_not_allowed")),
        }
        let today = self.today();
        let Some(c) = self.case.correction.as_mut() else {
            return Err(Rejected::new("illegal_transition"));
        };
        if today > c.until {
            return Err(Rejected::new("correction_overdue"));
        }
        c.submitted_at = Some(self.now);
        let (noticed, resume) = (c.noticed_at, c.resume);
        if self.ctx.rules.correction_stops_clock && self.case.accepted_at.is_some() {
            self.exclude(noticed)?;
        }
        self.go(resume);
        Ok(())
    }

    pub(super) fn return_overdue(&mut self) -> Step {
        self.system_or_staff()?;
        if self
            .case
            .correction
            .as_ref()
            .is_none_or(|c| self.today() <= c.until)
        {
            return Err(Rejected::new("not_overdue"));
        }
        self.go(State::Returned);
        self.paper(Receipt::Returned, Notice::Returned);
        Ok(())
    }

    pub(super) fn extend(&mut self, days: u16, reasons: String, approved_by: Person) -> Step {
        let me = self.staff()?;
        check_text(&reasons, "reasons_required")?;
        if self.case.extension.is_some() {
            return Err(Rejected::new("extension_used"));
        }
        if days == 0 || days > self.case.term.extension_days_max {
            return Err(Rejected::new("extension_days"));
        }
        if self
            .case
            .statutory_due
            .is_some_and(|due| self.today() > due)
        {
            return Err(Rejected::new("extension_too_late"));
        }
        // §42: the head of the authority approves; nobody approves their own request.
        if approved_by.same_as(&me) || self.case.applicants.contains(&approved_by.identity) {
            return Err(Rejected::new("approval_required"));
        }
        self.take(Duty::Reviewed, &me)?;
        self.move_due(u32::from(days))?;
        self.case.extension = Some(Extension {
            days,
            reasons,
            approved_by,
            at: self.now,
        });
        self.go(State::Extended);
        self.paper(Receipt::Extended, Notice::Extended);
        Ok(())
    }

    pub(super) fn resume(&mut self) -> Step {
        let me = self.staff()?;
        self.take(Duty::Reviewed, &me)?;
        let now = self.now;
        let Some(s) = self
            .case
            .suspensions
            .last_mut()
            .filter(|s| s.ended_at.is_none())
        else {
            return Err(Rejected::new("illegal_transition"));
        };
        s.ended_at = Some(now);
        let (started, resume) = (s.started_at, s.resume);
        self.exclude(started)?;
        self.go(resume);
        self.out.push(Effect::Tell(Notice::Resumed));
        Ok(())
    }

    pub(super) fn decide(&mut self, to: State, decision: Decision) -> Step {
        let me = self.staff()?;
        self.take(Duty::Decided, &me)?;
        self.case.decided_at = Some(self.now);
        self.case.decision = Some(decision);
        self.go(to);
        Ok(())
    }
}
