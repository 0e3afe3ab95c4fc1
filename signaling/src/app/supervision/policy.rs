//! What a hall tells of supervision. Sessions under way keep what was told in them.

use crate::app::hall_policy::HallPolicy;
use domain::{error::Rejected, id::HallId, supervision as rule};
use protocol::{
    Bilingual, PutSupervisionPolicy, SupervisionPolicy, SupervisionPolicyView, SupervisionTold,
};
use store::policy::Subject;

const fn told_of(t: SupervisionTold) -> rule::Told {
    rule::Told {
        agent: t.agent,
        citizen: t.citizen,
    }
}

const fn told_view(t: rule::Told) -> SupervisionTold {
    SupervisionTold {
        agent: t.agent,
        citizen: t.citizen,
    }
}

impl HallPolicy for rule::Policy {
    const SUBJECT: Subject = Subject::Supervision;
    const ROUTE: &'static str = "halls.supervision_policy";
    const KEPT: &'static str = "supervision.policy_kept";
    const INVALID: &'static str = "policy_invalid";
    type Body = PutSupervisionPolicy;
    type View = SupervisionPolicyView;

    fn of_body(body: &PutSupervisionPolicy) -> (Self, i64) {
        let p = &body.policy;
        let policy = Self {
            standing: p.standing,
            text_zh: p.text.zh.trim().to_owned(),
            text_en: p.text.en.trim().to_owned(),
            listen: told_of(p.listen),
            whisper: told_of(p.whisper),
        };
        (policy, body.version)
    }

    fn faults(&self) -> Result<(), Vec<Rejected>> {
        self.check()
    }

    fn view(self, hall: &HallId, version: i64) -> SupervisionPolicyView {
        SupervisionPolicyView {
            hall: hall.to_string(),
            version,
            policy: SupervisionPolicy {
                standing: self.standing,
                text: Bilingual {
                    zh: self.text_zh,
                    en: self.text_en,
                },
                listen: told_view(self.listen),
                whisper: told_view(self.whisper),
            },
        }
    }
}
