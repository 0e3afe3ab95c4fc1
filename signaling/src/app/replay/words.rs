//! An entry of the session's journal in one line of words, both languages. Pure; what the entry may say was decided before.

use super::{legs::Cast, marks::Scene};
use crate::app::case_words::both;
use protocol::{Bilingual, CallMode, EventBody, InviteKind, InviteState, SupervisionMode};

/// A line, what kind it is, and what it is about.
pub(super) struct Said {
    pub kind: &'static str,
    pub text: Bilingual,
    pub object: Option<String>,
}

fn said(kind: &'static str, text: Bilingual) -> Option<Said> {
    Some(Said {
        kind,
        text,
        object: None,
    })
}

fn about(kind: &'static str, object: &str, text: Bilingual) -> Option<Said> {
    Some(Said {
        kind,
        text,
        object: Some(object.to_owned()),
    })
}

/// Who, and what they did: 「杨帆 进入」.
fn person(cast: &Cast, member: &str, zh: &str, en: &str) -> Bilingual {
    let name = cast.find(member).map(|p| p.name.clone());
    let name = name.unwrap_or_else(|| both("成员", "A member"));
    Bilingual {
        zh: format!("{} {zh}", name.zh),
        en: format!("{} {en}", name.en),
    }
}

/// A word and what it is of: 「填写：经营场所」.
fn of_name(zh: &str, en: &str, name: Bilingual) -> Bilingual {
    Bilingual {
        zh: format!("{zh}：{}", name.zh),
        en: format!("{en}: {}", name.en),
    }
}

/// What a gap or an interruption is called.
pub(super) fn gap(reason: &str) -> (&'static str, &'static str) {
    match reason {
        "loss" => ("网络丢包", "packets were lost"),
        "leg_down" => ("一方断线", "one side was not connected"),
        "disk" => ("磁盘不能写入", "the disk could not be written"),
        "queue" => ("磁盘太慢", "the disk was too slow"),
        "crash" => ("服务中止", "the server had ended"),
        "damaged" => ("文件损坏或缺失", "files were damaged or missing"),
        "no_leg" => (
            "人数超出录制上限",
            "there were more people than can be recorded",
        ),
        "mode" => ("摄像头或麦克风关闭", "camera or microphone was off"),
        "paused" => ("暂停录制", "recording was paused"),
        _ => ("原因不明", "for an unknown reason"),
    }
}

fn field(scene: &Scene<'_>, path: &str) -> Bilingual {
    let found = scene.item.as_ref().and_then(|i| i.field(path));
    found.map_or_else(|| both(path, path), |f| both(&f.label.zh, &f.label.en))
}

fn group(scene: &Scene<'_>, id: &str) -> Bilingual {
    let found = scene.item.as_ref().and_then(|i| i.group(id));
    found.map_or_else(|| both(id, id), |g| both(&g.title.zh, &g.title.en))
}

fn mode(m: CallMode) -> Bilingual {
    match m {
        CallMode::Video => both("视频", "video"),
        CallMode::Audio => both("语音", "voice"),
        CallMode::Text => both("文字", "text"),
        CallMode::Phone => both("电话", "telephone"),
    }
}

const fn supervises(m: SupervisionMode) -> (&'static str, &'static str) {
    match m {
        SupervisionMode::Listen => ("旁听", "listens"),
        SupervisionMode::Whisper => ("耳语", "whispers to the agent"),
        SupervisionMode::Barge => ("插话", "speaks to everybody"),
        SupervisionMode::TakeOver => ("接管", "takes over"),
    }
}

const fn invited(k: InviteKind) -> (&'static str, &'static str) {
    match k {
        InviteKind::Consult => ("请同事商量", "A colleague is asked for advice"),
        InviteKind::Join => ("请人加入", "Somebody is asked to join"),
        InviteKind::Guest => ("请亲友加入", "A family member is asked to join"),
        InviteKind::TransferWarm => ("准备转接", "A transfer is prepared"),
        InviteKind::TransferCold => ("转接", "The citizen is transferred"),
    }
}

const fn invite_state(s: InviteState) -> (&'static str, &'static str) {
    match s {
        InviteState::Ringing => ("邀请：正在呼叫", "Invitation: ringing"),
        InviteState::Accepted => ("邀请：已接受", "Invitation: accepted"),
        InviteState::Introduced => ("邀请：已加入通话", "Invitation: in the call"),
        InviteState::Done => ("邀请：结束", "Invitation: over"),
        InviteState::Declined => ("邀请：谢绝", "Invitation: declined"),
        InviteState::TimedOut => ("邀请：无人应答", "Invitation: no answer"),
        InviteState::Cancelled => ("邀请：取消", "Invitation: cancelled"),
        InviteState::Returned => ("邀请：退回", "Invitation: returned"),
    }
}

/// None: not of the timeline, or not for this viewer.
#[allow(clippy::too_many_lines, reason = "one arm an entry")]
pub(super) fn of(e: &EventBody, scene: &Scene<'_>) -> Option<Said> {
    use EventBody as E;
    let cast = scene.cast;
    match e {
        E::MemberJoined { member } => {
            about("member", member, person(cast, member, "进入", "came in"))
        }
        E::MemberDropped { member, .. } => about(
            "member",
            member,
            person(cast, member, "断线", "lost the connection"),
        ),
        E::MemberBack { member } => {
            about("member", member, person(cast, member, "回来", "is back"))
        }
        E::MemberLeft { member, .. } => {
            about("member", member, person(cast, member, "离开", "left"))
        }
        E::MediaConnected { member } => about(
            "member",
            member,
            person(cast, member, "音视频接通", "is seen and heard"),
        ),
        E::MediaLost { member } => about(
            "member",
            member,
            person(cast, member, "音视频断开", "is not seen and heard any more"),
        ),
        E::Chat { text } => said("chat", both(text, text)),
        E::FormOpened { item } => {
            let name = scene.item.as_ref().filter(|i| i.id == *item);
            let name = name.map_or_else(|| both(item, item), |i| both(&i.name.zh, &i.name.en));
            about("form", item, of_name("打开表单", "Form opened", name))
        }
        E::FieldSet { path, .. } => {
            let name = field(scene, path);
            about("form", path, of_name("填写", "Filled in", name))
        }
        E::Prefilled { paths, .. } => said(
            "form",
            Bilingual {
                zh: format!("由证照填入 {} 项", paths.len()),
                en: format!("{} fields were filled from a licence", paths.len()),
            },
        ),
        E::GroupConfirmed { group: id } => {
            let name = group(scene, id);
            about(
                "form",
                id,
                of_name("办事人确认", "Confirmed by the citizen", name),
            )
        }
        E::FieldConfirmed { path } => {
            let name = field(scene, path);
            about(
                "form",
                path,
                of_name("办事人确认", "Confirmed by the citizen", name),
            )
        }
        E::GroupDisputed { group: id } => {
            let name = group(scene, id);
            about(
                "form",
                id,
                of_name(
                    "办事人说有不对的",
                    "Something is wrong, says the citizen",
                    name,
                ),
            )
        }
        E::ConsentAsked { consent } => about(
            "consent",
            consent,
            both("请求授权取用证照", "Consent to open a licence is asked for"),
        ),
        E::ConsentGranted { consent } => about(
            "consent",
            consent,
            both("同意取用证照", "Consent to open a licence is given"),
        ),
        E::ConsentRefused { consent } => about(
            "consent",
            consent,
            both("没有同意取用证照", "Consent to open a licence is not given"),
        ),
        E::ConsentWithdrawn { consent } => about(
            "consent",
            consent,
            both(
                "撤回取用证照的同意",
                "Consent to open a licence is taken back",
            ),
        ),
        E::Identified {} => said("member", both("已刷身份证", "The identity card was read")),
        E::MaterialAdded { material } => about(
            "material",
            material,
            both("交来材料", "A material was handed in"),
        ),
        E::MaterialRemoved { material } => about(
            "material",
            material,
            both("撤下材料", "A material was taken back"),
        ),
        E::SignAsked {} => said(
            "signature",
            both("请办事人签名", "The citizen is asked to sign"),
        ),
        E::SignDeclined {} => said(
            "signature",
            both("办事人没有签名", "The citizen did not sign"),
        ),
        E::Signed {} => said("signature", both("办事人已签名", "The citizen signed")),
        E::HandedOff { case, number } => about(
            "case",
            case,
            of_name("收件受理", "Received and accepted", both(number, number)),
        ),
        E::Invited { invite_kind, .. } => {
            let (zh, en) = invited(*invite_kind);
            said("member", both(zh, en))
        }
        E::InviteChanged { state, .. } => {
            let (zh, en) = invite_state(*state);
            said("member", both(zh, en))
        }
        E::Hold { on: true } => said("mode", both("请办事人稍候", "The citizen is on hold")),
        E::Hold { on: false } => said("mode", both("恢复通话", "The citizen is heard again")),
        E::Transferred { member } => about(
            "member",
            member,
            person(cast, member, "接着办理", "serves from here"),
        ),
        E::ModeChanged { mode: m } => {
            said("mode", of_name("通话方式", "Mode of the call", mode(*m)))
        }
        E::ModeAsked { mode: m } => said(
            "mode",
            of_name("请求改为", "A change is asked for", mode(*m)),
        ),
        E::ModeRefused {} => said("mode", both("没有改变通话方式", "The mode stays as it was")),
        E::SupervisionStarted { member, mode: m } | E::SupervisionChanged { member, mode: m } => {
            let (zh, en) = supervises(*m);
            about("supervision", member, person(cast, member, zh, en))
        }
        E::SupervisionEnded { member, .. } => about(
            "supervision",
            member,
            person(cast, member, "结束督导", "is no longer supervising"),
        ),
        E::Noted { .. } => said(
            "chat",
            both("工作人员留下内部备注", "Staff left a note for each other"),
        ),
        E::Ended { .. } => said("member", both("通话结束", "The call ended")),
        // Rows say it, and outlive the journal's key.
        E::SnapshotTaken { .. }
        | E::RecordingAsked { .. }
        | E::RecordingAnswered { .. }
        | E::RecordingStarted { .. }
        | E::RecordingInterrupted { .. }
        | E::RecordingResumed { .. }
        | E::RecordingStopped { .. }
        | E::RecordingSealed { .. }
        | E::PromptRead { .. }
        | E::PromptAnswered { .. }
        | E::Hidden {} => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(e: &EventBody) -> Option<(String, String)> {
        let cast = Cast::default();
        let scene = Scene {
            cast: &cast,
            item: None,
        };
        of(e, &scene).map(|s| (s.kind.to_owned(), s.text.zh))
    }

    #[test]
    fn what_is_hidden_has_no_mark_and_a_value_is_never_said() {
        assert_eq!(text(&EventBody::Hidden {}), None);
        let set = EventBody::FieldSet {
            path: "applicant.name".into(),
            version: 3,
        };
        let found = text(&set).unwrap_or_default();
        assert_eq!(found, ("form".into(), "填写：applicant.name".into()));
        let chat = EventBody::Chat {
            text: "您好".into(),
        };
        assert_eq!(
            text(&chat).unwrap_or_default(),
            ("chat".into(), "您好".into())
        );
    }
}
