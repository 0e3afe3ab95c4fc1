//! What a hall tells of recording and how long it keeps. A recording keeps what was told when it was asked for.

use crate::app::hall_policy::HallPolicy;
use domain::{error::Rejected, id::HallId, recording as rule};
use protocol::{Bilingual, PutRecordingPolicy, RecordingPolicy, RecordingPolicyView};
use store::policy::Subject;

impl HallPolicy for rule::Policy {
    const SUBJECT: Subject = Subject::Recording;
    const ROUTE: &'static str = "halls.recording_policy";
    const KEPT: &'static str = "recording.policy_kept";
    const INVALID: &'static str = "recording_policy_invalid";
    type Body = PutRecordingPolicy;
    type View = RecordingPolicyView;

    fn of_body(body: &PutRecordingPolicy) -> (Self, i64) {
        let p = &body.policy;
        let policy = Self {
            text_zh: p.text.zh.trim().to_owned(),
            text_en: p.text.en.trim().to_owned(),
            days_routine: p.days_routine,
            days_case: p.days_case,
        };
        (policy, body.version)
    }

    fn faults(&self) -> Result<(), Vec<Rejected>> {
        self.check()
    }

    fn view(self, hall: &HallId, version: i64) -> RecordingPolicyView {
        RecordingPolicyView {
            hall: hall.to_string(),
            version,
            policy: RecordingPolicy {
                text: Bilingual {
                    zh: self.text_zh,
                    en: self.text_en,
                },
                days_routine: self.days_routine,
                days_case: self.days_case,
            },
        }
    }
}
