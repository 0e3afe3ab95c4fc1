//! The transitions. The state is asked first, then the actor, then the content, then the duties: so a stale page
//! always gets `illegal_transition`, whatever else it sends.

mod steps;

use super::{
    Actor, Case, Cmd, CmdKind, Ctx, Decision, Duty, Effect, Notice, Person, Receipt, Remedies,
    State, Suspension,
};
use crate::{error::Rejected, time::Timestamp};
use time::Date;

/// One official text (characters).
const TEXT_CHARS: usize = 4_000;
/// Points in one correction notice.
const CORRECTIONS_MAX: usize = 40;
/// Excluded periods of one case.
const SUSPENSIONS_MAX: usize = 10;
/// Agents who worked on one session.
const AGENTS_MAX: usize = 16;

type Step = Result<(), Rejected>;

impl Case {
    /// Does a command, or says why not and changes nothing.
    ///
    /// # Errors
    /// `illegal_transition` for a command that this state does not know; `actor_not_allowed`; `own_case`,
    /// `duty_conflict`; `reasons_required`, `remedies_required`, `opinion_required`, `text_too_long`;
    /// `correction_items_required`, `correction_already_asked`, `correction_too_late`, `correction_overdue`, `not_overdue`;
    /// `extension_used`, `extension_days`, `extension_too_late`, `approval_required`, `suspension_days`, `suspension_limit`;
    /// `deferred_materials_missing`, `number_required`, `calendar_missing`.
    pub fn apply(
        self,
        now: Timestamp,
        cmd: Cmd,
        ctx: Ctx<'_>,
    ) -> Result<(Self, Vec<Effect>), Rejected> {
        if !self.state.allows(cmd.kind()) {
            return Err(Rejected::new("illegal_transition"));
        }
        let from = self.state;
        let mut run = Run {
            case: self,
            now,
            ctx,
            out: Vec::new(),
        };
        run.step(cmd)?;
        let Run {
            mut case, mut out, ..
        } = run;
        if case.state != from {
            out.insert(
                0,
                Effect::Moved {
                    from,
                    to: case.state,
                },
            );
        }
        case.version += 1;
        Ok((case, out))
    }
}

impl State {
    /// Which commands a state knows: the whole table, exhaustively. The console shows exactly these buttons.
    #[must_use]
    pub const fn allows(self, cmd: CmdKind) -> bool {
        use State as S;
        match cmd {
            CmdKind::Assist => matches!(self, S::Draft | S::Received | S::PreCheck | S::Correction),
            CmdKind::Receive | CmdKind::ReceiveAndAccept => matches!(self, S::Draft),
            CmdKind::BeginPreCheck => matches!(self, S::Received),
            CmdKind::AskCorrection => matches!(self, S::PreCheck | S::InReview | S::Extended),
            CmdKind::SubmitCorrection | CmdKind::ReturnOverdue => matches!(self, S::Correction),
            CmdKind::Accept | CmdKind::RefuseAcceptance | CmdKind::TransferOut => {
                matches!(self, S::PreCheck)
            }
            CmdKind::DeemAccepted => matches!(self, S::Received | S::PreCheck),
            CmdKind::BeginReview => matches!(self, S::Accepted),
            CmdKind::Extend => matches!(self, S::InReview),
            CmdKind::Suspend | CmdKind::Grant | CmdKind::Refuse => {
                matches!(self, S::InReview | S::Extended)
            }
            CmdKind::Resume => matches!(self, S::Suspended),
            CmdKind::BeginIssuing => matches!(self, S::Granted),
            CmdKind::FailIssuing | CmdKind::FinishIssuing => matches!(self, S::Issuing),
            CmdKind::Deliver => matches!(self, S::Issued | S::Refused),
            CmdKind::Archive => matches!(self, S::Delivered),
            CmdKind::Withdraw => matches!(
                self,
                S::Draft
                    | S::Received
                    | S::PreCheck
                    | S::Correction
                    | S::Accepted
                    | S::InReview
                    | S::Extended
                    | S::Suspended
            ),
        }
    }
}

/// One command under way: thrown away whole when a step says no.
struct Run<'a> {
    case: Case,
    now: Timestamp,
    ctx: Ctx<'a>,
    out: Vec<Effect>,
}

impl Run<'_> {
    fn step(&mut self, cmd: Cmd) -> Step {
        match cmd {
            Cmd::Assist { filled } => {
                let me = self.staff()?;
                self.take(if filled { Duty::Filled } else { Duty::Guided }, &me)
            }
            Cmd::Receive {
                number,
                guided,
                filled,
            } => self.receive(number, &guided, &filled),
            Cmd::ReceiveAndAccept {
                number,
                guided,
                filled,
            } => {
                self.receive(number, &guided, &filled)?;
                self.accept()
            }
            Cmd::BeginPreCheck => {
                let me = self.staff()?;
                self.take(Duty::Accepted, &me)?;
                self.go(State::PreCheck);
                Ok(())
            }
            Cmd::AskCorrection { items } => self.ask_correction(items),
            Cmd::SubmitCorrection => self.submit_correction(),
            Cmd::ReturnOverdue => self.return_overdue(),
            Cmd::Accept => self.accept(),
            Cmd::DeemAccepted => self.deem_accepted(),
            Cmd::RefuseAcceptance { reasons, remedies } => {
                let me = self.staff()?;
                check_refusal(&reasons, &remedies)?;
                self.take(Duty::Accepted, &me)?;
                self.case.decision = Some(Decision::NotAccepted {
                    reasons,
                    remedies,
                    at: self.now,
                });
                self.go(State::NotAccepted);
                self.paper(Receipt::NotAccepted, Notice::NotAccepted);
                Ok(())
            }
            Cmd::TransferOut { authority, reasons } => {
                let me = self.staff()?;
                check_text(&authority, "authority_required")?;
                check_text(&reasons, "reasons_required")?;
                self.take(Duty::Accepted, &me)?;
                self.go(State::Transferred);
                self.paper(Receipt::Transferred, Notice::Transferred);
                Ok(())
            }
            Cmd::BeginReview => {
                let me = self.staff()?;
                self.take(Duty::Reviewed, &me)?;
                self.go(State::InReview);
                Ok(())
            }
            Cmd::Extend {
                days,
                reasons,
                approved_by,
            } => self.extend(days, reasons, approved_by),
            Cmd::Suspend {
                kind,
                reason,
                expected_days,
            } => {
                let me = self.staff()?;
                check_text(&reason, "reasons_required")?;
                if expected_days == 0 || expected_days > 365 {
                    return Err(Rejected::new("suspension_days"));
                }
                if self.case.suspensions.len() >= SUSPENSIONS_MAX {
                    return Err(Rejected::new("suspension_limit"));
                }
                self.take(Duty::Reviewed, &me)?;
                let (started_at, resume) = (self.now, self.case.state);
                self.case.suspensions.push(Suspension {
                    kind,
                    reason,
                    expected_days,
                    started_at,
                    ended_at: None,
                    resume,
                });
                self.go(State::Suspended);
                self.paper(Receipt::Suspended, Notice::Suspended);
                Ok(())
            }
            Cmd::Resume => self.resume(),
            Cmd::Grant { opinion } => {
                check_text(&opinion, "opinion_required")?;
                self.decide(
                    State::Granted,
                    Decision::Granted {
                        opinion,
                        at: self.now,
                    },
                )?;
                self.out.push(Effect::Tell(Notice::Granted));
                Ok(())
            }
            Cmd::Refuse { reasons, remedies } => {
                check_refusal(&reasons, &remedies)?;
                self.decide(
                    State::Refused,
                    Decision::Refused {
                        reasons,
                        remedies,
                        at: self.now,
                    },
                )?;
                self.paper(Receipt::Refused, Notice::Refused);
                Ok(())
            }
            Cmd::BeginIssuing { deferred_missing } => {
                let me = self.staff()?;
                if deferred_missing > 0 {
                    return Err(Rejected::new("deferred_materials_missing"));
                }
                self.take(Duty::Issued, &me)?;
                self.go(State::Issuing);
                self.out.push(Effect::Render);
                Ok(())
            }
            Cmd::FailIssuing { code } => {
                self.issuer()?;
                check_text(&code, "reasons_required")?;
                self.go(State::Granted);
                Ok(())
            }
            Cmd::FinishIssuing { certificate } => {
                self.issuer()?;
                self.case.certificate = Some(certificate);
                self.go(State::Issued);
                self.out.push(Effect::Tell(Notice::Issued));
                Ok(())
            }
            Cmd::Deliver => {
                self.system_or_staff()?;
                self.go(State::Delivered);
                self.out.push(Effect::Tell(Notice::Delivered));
                Ok(())
            }
            Cmd::Archive => {
                self.system_or_staff()?;
                self.go(State::Archived);
                Ok(())
            }
            Cmd::Withdraw { reason } => {
                // The right is the applicant's alone; a reason may be given, none may be demanded.
                self.applicant()?;
                check_length(&reason)?;
                self.go(State::Withdrawn);
                self.paper(Receipt::Withdrawn, Notice::Withdrawn);
                Ok(())
            }
        }
    }

    /// Working days in (since, today] do not count (§45).
    fn exclude(&mut self, since: Timestamp) -> Step {
        let days = self
            .ctx
            .calendar
            .working_days_between(since.beijing_date(), self.today())?;
        self.move_due(days)
    }

    fn move_due(&mut self, days: u32) -> Step {
        if let (Some(due), Some(statutory), true) =
            (self.case.due, self.case.statutory_due, days > 0)
        {
            let cal = self.ctx.calendar;
            self.set_due(
                cal.add_working_days(due, days)?,
                cal.add_working_days(statutory, days)?,
            );
        }
        Ok(())
    }

    fn set_due(&mut self, due: Date, statutory_due: Date) {
        self.case.due = Some(due);
        self.case.statutory_due = Some(statutory_due);
        self.out.push(Effect::DueSet { due, statutory_due });
    }

    fn take(&mut self, duty: Duty, person: &Person) -> Step {
        if self
            .case
            .duties
            .take(duty, person, &self.case.applicants, self.now)?
        {
            self.out.push(Effect::DutyTaken {
                duty,
                person: person.clone(),
            });
        }
        Ok(())
    }

    fn staff(&self) -> Result<Person, Rejected> {
        match self.ctx.actor {
            Actor::Staff(p) => Ok(p.clone()),
            Actor::Applicant(_) | Actor::System => Err(Rejected::new("actor_not_allowed")),
        }
    }

    fn applicant(&self) -> Step {
        match self.ctx.actor {
            Actor::Applicant(i) if self.case.applicants.contains(i) => Ok(()),
            Actor::Applicant(_) | Actor::Staff(_) | Actor::System => {
                Err(Rejected::new("actor_not_allowed"))
            }
        }
    }

    fn system_or_staff(&self) -> Step {
        match self.ctx.actor {
            Actor::System | Actor::Staff(_) => Ok(()),
            Actor::Applicant(_) => Err(Rejected::new("actor_not_allowed")),
        }
    }

    /// A job that finishes what an issuer began, or an issuer.
    fn issuer(&mut self) -> Step {
        match self.ctx.actor {
            Actor::System => Ok(()),
            Actor::Staff(me) => self.take(Duty::Issued, me),
            Actor::Applicant(_) => Err(Rejected::new("actor_not_allowed")),
        }
    }

    fn received(&self) -> Result<Timestamp, Rejected> {
        self.case
            .received_at
            .ok_or(Rejected::new("illegal_transition"))
    }

    /// Last day for a correction notice before acceptance (§32).
    fn notice_until(&self, received: Timestamp) -> Result<Date, Rejected> {
        self.ctx.calendar.add_working_days(
            received.beijing_date(),
            u32::from(self.ctx.rules.notice_days),
        )
    }

    fn today(&self) -> Date {
        self.now.beijing_date()
    }

    fn go(&mut self, to: State) {
        self.case.state = to;
    }

    fn paper(&mut self, receipt: Receipt, notice: Notice) {
        self.out.push(Effect::Issue(receipt));
        self.out.push(Effect::Tell(notice));
    }
}

fn check_length(text: &str) -> Step {
    if text.chars().count() > TEXT_CHARS {
        Err(Rejected::new("text_too_long"))
    } else {
        Ok(())
    }
}

fn check_text(text: &str, missing: &'static str) -> Step {
    if text.trim().is_empty() {
        Err(Rejected::new(missing))
    } else {
        check_length(text)
    }
}

/// §38: a refusal gives its reasons and says where to turn.
fn check_refusal(reasons: &str, remedies: &Remedies) -> Step {
    check_text(reasons, "reasons_required")?;
    check_text(&remedies.reconsideration, "remedies_required")?;
    check_text(&remedies.litigation, "remedies_required")
}
