//! The one catalogue of refusals: stable code, HTTP status, both languages' texts. `docs/errors.md` is made from it.

use domain::error::Rejected;
use protocol::{FieldProblem, Language, Problem};
use store::{StoreError, TxError};

/// One kind of refusal.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub code: &'static str,
    pub status: u16,
    pub zh: &'static str,
    pub en: &'static str,
}

const fn kind(code: &'static str, status: u16, zh: &'static str, en: &'static str) -> Kind {
    Kind {
        code,
        status,
        zh,
        en,
    }
}

/// Sorted by status, then by subject.
pub const KINDS: &[Kind] = &[
    kind(
        "body_invalid",
        400,
        "请求内容看不懂",
        "The request could not be read",
    ),
    kind(
        "key_required",
        400,
        "缺少幂等键（Idempotency-Key）",
        "The Idempotency-Key header is missing",
    ),
    kind(
        "key_invalid",
        400,
        "幂等键应为1到64个可见字符",
        "The idempotency key must be 1 to 64 visible characters",
    ),
    kind(
        "version_unsupported",
        400,
        "页面版本太旧，请刷新",
        "This page is too old; reload it",
    ),
    kind(
        "hello_expected",
        400,
        "连接应先说 hello",
        "The connection must start with hello",
    ),
    kind("frame_unknown", 400, "不认识的消息", "Unknown message"),
    kind("signed_out", 401, "请先登录", "Please sign in"),
    kind(
        "login_failed",
        401,
        "账号、密码或动态码不对",
        "Account, password or code is wrong",
    ),
    kind(
        "totp_required",
        401,
        "请输入动态码",
        "Enter the six-digit code",
    ),
    kind(
        "login_locked",
        401,
        "连续输错次数太多，请15分钟后再试",
        "Too many wrong tries; try again in 15 minutes",
    ),
    kind(
        "token_expired",
        401,
        "登录已过期，请重新登录",
        "The sign-in has expired; sign in again",
    ),
    kind(
        "booth_unknown",
        401,
        "这台云晓屋没有登记或签名不对",
        "This booth is not enrolled or its signature is wrong",
    ),
    kind(
        "role_missing",
        403,
        "您的岗位没有这个权限",
        "Your role may not do this",
    ),
    kind(
        "citizen_only",
        403,
        "这一步要由办事人自己在屏幕上做",
        "Only the citizen may do this, on their own screen",
    ),
    kind(
        "agent_only",
        403,
        "这一步由工作人员操作",
        "Only the agent may do this",
    ),
    kind(
        "identity_required",
        403,
        "请先刷身份证",
        "Please swipe the identity card first",
    ),
    kind(
        "identity_unrecorded",
        409,
        "这件事要在录音录像时刷身份证，请再刷一次",
        "The card must be read while it is recorded; please read it again",
    ),
    kind(
        "consent_required",
        403,
        "要先得到本人同意",
        "The citizen's consent is needed first",
    ),
    kind(
        "not_entitled",
        403,
        "这份证照只有其法定代表人可以授权取用",
        "Only the legal representative named on this licence may open it",
    ),
    kind(
        "duty_conflict",
        403,
        "受理人不能审查本件，审查人不能出证",
        "Who accepted cannot review this case, and who reviewed cannot issue it",
    ),
    kind(
        "hall_consent_missing",
        403,
        "那个大厅还没有同意受理本大厅的群众",
        "That hall has not agreed to serve this hall's citizens",
    ),
    kind(
        "origin_refused",
        403,
        "不接受来自这个网站的连接",
        "Connections from this site are refused",
    ),
    kind("not_found", 404, "没有找到", "Not found"),
    kind("item_unknown", 404, "没有这个事项", "There is no such item"),
    kind(
        "code_invalid",
        404,
        "二维码已用过或已过期",
        "The code was used before or has expired",
    ),
    kind(
        "key_reused",
        409,
        "同一个幂等键用在了不同的请求上",
        "The same idempotency key came with another request",
    ),
    kind(
        "version_stale",
        409,
        "版本已变，您的输入已保留，请重看后提交",
        "It has changed meanwhile; your input is kept, look again and submit",
    ),
    kind(
        "ticket_state",
        409,
        "这个排队号现在不能这样做",
        "The ticket cannot do this now",
    ),
    kind(
        "ticket_open",
        409,
        "您已经在排队了",
        "You are in the queue already",
    ),
    kind(
        "seat_state",
        409,
        "坐席现在不能这样做",
        "The seat cannot do this now",
    ),
    kind(
        "seat_taken",
        409,
        "这个坐席有人在用",
        "Someone else sits at this seat",
    ),
    kind(
        "seat_open_elsewhere",
        409,
        "您已在别的坐席或窗口上线，移到这里？",
        "You are already signed on elsewhere; move here?",
    ),
    kind(
        "seat_not_yours",
        403,
        "这不是您的坐席",
        "This is not your seat",
    ),
    kind(
        "offer_over",
        409,
        "这次来电已经结束",
        "This call is no longer offered",
    ),
    kind("session_ended", 409, "通话已结束", "The session has ended"),
    kind(
        "session_live",
        409,
        "正在通话，先结束通话",
        "A session is live; end it first",
    ),
    kind(
        "visit_ended",
        401,
        "这次办事已经结束",
        "This visit has ended",
    ),
    kind(
        "not_a_member",
        404,
        "您不在这次通话里",
        "You are not a member of this session",
    ),
    kind("form_not_open", 409, "还没有打开表单", "No form is open"),
    kind(
        "form_open_other",
        409,
        "已经打开了另一个事项的表单",
        "Another item's form is open",
    ),
    kind(
        "form_not_ready",
        409,
        "还有必填项没有填好或没有确认",
        "Something required is missing, wrong or not confirmed",
    ),
    kind(
        "form_frozen",
        409,
        "已经交件，不能再改",
        "The case was handed in; it can no longer be changed",
    ),
    kind(
        "field_stale",
        409,
        "两边都改了这一项",
        "Both sides changed this field",
    ),
    kind(
        "field_unknown",
        422,
        "表单里没有这一项",
        "The form has no such field",
    ),
    kind(
        "field_kind",
        422,
        "这一项的内容类型不对",
        "This field has the wrong type of content",
    ),
    kind("field_too_long", 422, "内容太长", "The content is too long"),
    kind(
        "group_unknown",
        422,
        "表单里没有这一组",
        "The form has no such group",
    ),
    kind(
        "confirm_incomplete",
        409,
        "这一组还有没填的或有错的",
        "Something in this group is missing or wrong",
    ),
    kind(
        "consent_state",
        409,
        "这次授权已经答复过了",
        "This consent was already decided",
    ),
    kind(
        "consent_open",
        409,
        "正在等对方决定",
        "A decision is being waited for",
    ),
    kind(
        "licence_type_unknown",
        422,
        "这个事项不取用这种证照",
        "This item does not use that kind of licence",
    ),
    kind(
        "company_required",
        422,
        "请填写单位的统一社会信用代码",
        "Enter the company's unified social credit code",
    ),
    kind(
        "sign_not_asked",
        409,
        "还没有到签名这一步",
        "Signing has not been asked for",
    ),
    kind(
        "sign_stale",
        409,
        "签名前内容有变化，请再看一遍",
        "Something changed before the signature; please read it again",
    ),
    kind("sign_empty", 422, "签名是空的", "The signature is empty"),
    kind(
        "signature_required",
        409,
        "还没有签名",
        "The signature is missing",
    ),
    kind(
        "material_required",
        409,
        "还缺必要的材料",
        "A required material is missing",
    ),
    kind(
        "material_unknown",
        404,
        "没有这份材料",
        "There is no such material",
    ),
    kind(
        "material_type",
        415,
        "只收照片（JPEG、PNG）和 PDF",
        "Only photos (JPEG, PNG) and PDF are taken",
    ),
    kind("materials_full", 409, "材料太多了", "Too many materials"),
    kind(
        "case_exists",
        409,
        "这次通话已经交过件",
        "This session was handed off before",
    ),
    kind(
        "illegal_transition",
        409,
        "办件现在不能这样做",
        "The case cannot do this now",
    ),
    kind(
        "correction_used",
        409,
        "补正只能一次性告知，已经告知过",
        "Corrections are told once, all together; that was done",
    ),
    kind(
        "points_required",
        422,
        "请列出要补正的内容",
        "List what must be corrected",
    ),
    kind(
        "reasons_required",
        422,
        "不予办理要写明理由",
        "A refusal needs reasons",
    ),
    kind(
        "remedies_required",
        422,
        "不予办理要告知救济途径",
        "A refusal must tell the remedies",
    ),
    kind("opinion_required", 422, "请写审查意见", "Write an opinion"),
    kind(
        "own_case",
        403,
        "这是您本人的办件，不能由您办理",
        "This is your own case; you cannot handle it",
    ),
    kind(
        "actor_not_allowed",
        403,
        "这一步不由您来做",
        "This step is not yours to take",
    ),
    kind(
        "case_claimed",
        409,
        "别人正在办这件",
        "Someone else is working on this case",
    ),
    kind("claim_first", 409, "请先认领这件", "Claim this case first"),
    kind("no_case", 409, "还没有交件", "Nothing was handed in yet"),
    kind(
        "correction_incomplete",
        422,
        "还有要补正的内容没有补",
        "Some of the points to correct are still open",
    ),
    kind(
        "correction_overdue",
        409,
        "补正期限已过",
        "The time for the correction is over",
    ),
    kind(
        "correction_target",
        422,
        "只能改补正告知书里列出的内容",
        "Only what the notice lists can be changed",
    ),
    kind(
        "correction_days",
        422,
        "补正期限应为1到60个工作日",
        "The time for a correction is 1 to 60 working days",
    ),
    kind(
        "deferred_materials_missing",
        409,
        "容缺后补的材料还没有补齐，不能出证",
        "Materials promised for later are still missing; nothing can be issued yet",
    ),
    kind(
        "issuing_in_progress",
        409,
        "正在签发，请稍等",
        "It is being issued; wait a moment",
    ),
    kind(
        "issuing_attempts",
        409,
        "签发多次失败，请管理员查看",
        "Issuing failed many times; an administrator must look",
    ),
    kind(
        "glyph_missing",
        409,
        "字库缺字，未签发；请管理员补字库",
        "The fonts lack a character; nothing was issued, a font must be added",
    ),
    kind("text_too_long", 422, "文字太长", "The text is too long"),
    kind(
        "calendar_missing",
        503,
        "缺少该年度的工作日历，请管理员导入",
        "The working-day calendar of that year is missing; an administrator must load it",
    ),
    kind(
        "card_refused",
        422,
        "没有读到有效的身份证，请再刷一次",
        "The card could not be accepted; swipe it again",
    ),
    kind(
        "card_other",
        409,
        "刷的是另一个人的身份证",
        "This is another person's card",
    ),
    kind(
        "rated",
        409,
        "您已经评价过了，谢谢",
        "You have rated already; thank you",
    ),
    kind(
        "rating_invalid",
        422,
        "评价的等级或标签不对",
        "The rating's level or tags are wrong",
    ),
    kind(
        "skill_reserved",
        422,
        "mode: 开头的技能由系统使用，不能选用",
        "Skills of the kind mode: are the desk's own; nobody has them",
    ),
    kind(
        "skill_unknown",
        422,
        "您没有这项技能",
        "You do not have this skill",
    ),
    kind(
        "reason_invalid",
        422,
        "原因不在列表里",
        "The reason is not one of the listed",
    ),
    kind("field_invalid", 422, "有内容不对", "Something is not right"),
    kind(
        "field_hidden",
        422,
        "这一项现在不用填",
        "This field is not asked for now",
    ),
    kind(
        "field_characters",
        422,
        "有不能使用的字符",
        "Some characters may not be used",
    ),
    kind(
        "field_masked",
        422,
        "带星号的内容不能作为新的值",
        "A masked text is not a value",
    ),
    kind(
        "field_required",
        422,
        "这一项要填",
        "This field is required",
    ),
    kind(
        "field_unconfirmed",
        422,
        "这一项还没有确认",
        "This field is not confirmed yet",
    ),
    kind(
        "rule_failed",
        422,
        "这一项不符合要求",
        "This field does not meet its rule",
    ),
    kind(
        "id_number_length",
        422,
        "身份证号应为18位",
        "An identity number has 18 characters",
    ),
    kind(
        "id_number_format",
        422,
        "身份证号应为17位数字加1位校验码",
        "An identity number is 17 digits and a check character",
    ),
    kind(
        "id_number_region",
        422,
        "身份证号的地区码不对，请核对前6位",
        "The region code of the identity number is wrong: check the first 6 digits",
    ),
    kind(
        "id_number_date",
        422,
        "身份证号里的出生日期不对，请核对",
        "The birth date in the identity number is wrong",
    ),
    kind(
        "id_number_check",
        422,
        "身份证号的校验码不对，请逐位核对",
        "The identity number's check character is wrong: check each digit",
    ),
    kind(
        "uscc_length",
        422,
        "统一社会信用代码应为18位",
        "A credit code has 18 characters",
    ),
    kind(
        "uscc_format",
        422,
        "统一社会信用代码里有不该出现的字符",
        "The credit code holds characters that it cannot have",
    ),
    kind(
        "uscc_check",
        422,
        "统一社会信用代码的校验码不对，请逐位核对",
        "The credit code's check character is wrong: check each character",
    ),
    kind(
        "mobile_format",
        422,
        "手机号应为11位数字",
        "A mobile number has 11 digits",
    ),
    kind(
        "date_format",
        422,
        "日期应写成 2026-01-31 这样",
        "Write the date like 2026-01-31",
    ),
    kind(
        "region_format",
        422,
        "行政区划代码应为6位数字",
        "A region code has 6 digits",
    ),
    kind(
        "name_characters",
        422,
        "姓名或名称里有不该出现的字符",
        "The name holds characters that names do not have",
    ),
    kind(
        "material_camera",
        422,
        "这份材料不收照片，请用电子证照或上传文件",
        "A photo will not do for this material; use the licence or a file",
    ),
    kind(
        "item_invalid",
        422,
        "事项内容没有通过检查",
        "The item did not pass its checks",
    ),
    kind(
        "appointment_early",
        409,
        "还没有到报到时间，请在预约时间前30分钟内报到",
        "It is too early to check in; it opens 30 minutes before the appointment",
    ),
    kind(
        "appointment_late",
        409,
        "预约时间已过15分钟，号已释放，请现场取号",
        "The appointment was released 15 minutes after its time; please take a number",
    ),
    kind(
        "appointment_state",
        409,
        "这个预约现在不能这样做",
        "The appointment cannot do this now",
    ),
    kind(
        "appointment_none",
        404,
        "没有查到您的预约",
        "You have no appointment here",
    ),
    kind(
        "appointment_twice",
        409,
        "您在这个大厅已有一个预约",
        "You have an appointment at this hall already",
    ),
    kind(
        "slot_unknown",
        422,
        "没有这个预约时段",
        "There is no such slot",
    ),
    kind(
        "slot_past",
        409,
        "这个时段已经开始，请另选",
        "This slot has begun; choose another",
    ),
    kind(
        "slot_far",
        422,
        "只能预约30天以内",
        "Appointments can be made up to 30 days ahead",
    ),
    kind(
        "slot_full",
        409,
        "这个时段已约满，请另选",
        "This slot is full; choose another",
    ),
    kind(
        "slot_shape",
        422,
        "每段应为5到240分钟，人数1到500",
        "A slot has 5 to 240 minutes and 1 to 500 places",
    ),
    kind(
        "hours_invalid",
        422,
        "时间应写成 09:00，开始早于结束，且不重叠",
        "Write hours like 09:00, beginning before end, without overlaps",
    ),
    kind(
        "queue_unknown",
        422,
        "没有这个队列",
        "There is no such queue",
    ),
    kind(
        "callback_state",
        409,
        "现在没有回拨响铃",
        "This call-back does not ring now",
    ),
    kind(
        "callback_over",
        409,
        "这次回拨已经结束",
        "This call-back is over",
    ),
    kind(
        "callback_early",
        409,
        "还没有到下一次回拨的时间",
        "It is too early for the next call",
    ),
    kind(
        "call_back_open",
        409,
        "已经登记了回拨",
        "A call-back is registered already",
    ),
    kind(
        "call_back_phone",
        409,
        "请先扫码把排队号转到手机，再登记回拨",
        "Carry the ticket to a phone first; then ask for a call-back",
    ),
    kind(
        "call_first",
        409,
        "这是回拨，请先拨打办事人手机",
        "This is a call-back: ring the citizen first",
    ),
    kind(
        "request_claimed",
        409,
        "别人已经在处理这条留言",
        "Someone else is working on this request",
    ),
    kind(
        "rule_invalid",
        422,
        "规则有不对的地方",
        "The rule has faults",
    ),
    kind("rule_too_large", 422, "条数太多", "Too many entries"),
    kind(
        "rule_skill_unknown",
        422,
        "没有这项技能",
        "There is no such skill",
    ),
    kind(
        "rule_skill_reserved",
        422,
        "mode: 开头的技能由系统使用，规则不能写",
        "Skills of the kind mode: are the desk's own; a rule cannot name them",
    ),
    kind(
        "rule_skill_twice",
        422,
        "同一项技能写了两次",
        "The same skill is named twice",
    ),
    kind("rule_level", 422, "技能等级应为1到5", "A level is 1 to 5"),
    kind(
        "rule_steps_order",
        422,
        "各步的等待时间要递增，最长3600秒",
        "Steps must come later and later, within 3600 seconds",
    ),
    kind(
        "rule_step_empty",
        422,
        "这一步什么也没有放宽",
        "This step eases nothing",
    ),
    kind(
        "rule_drop_unasked",
        422,
        "放宽了没有要求的技能",
        "A skill is dropped that was not required",
    ),
    kind(
        "rule_overflow_self",
        422,
        "不能溢出到本大厅",
        "A hall cannot overflow into itself",
    ),
    kind(
        "rule_overflow_invalid",
        422,
        "溢出的大厅写得不对",
        "The overflow hall is malformed",
    ),
    kind(
        "rule_overflow_twice",
        422,
        "只能溢出到一个大厅",
        "Only one hall may be named for overflow",
    ),
    kind(
        "rule_seconds",
        422,
        "秒数或数量超出范围",
        "A number of seconds or slots is out of range",
    ),
    kind(
        "hours_overlap",
        422,
        "开放时间有重叠",
        "Opening hours overlap",
    ),
    kind(
        "overflow_refused",
        422,
        "那个大厅还没有同意受理本大厅的群众",
        "That hall has not agreed to serve this one's citizens",
    ),
    kind(
        "queue_closed",
        409,
        "这个窗口现在不在开放时间",
        "This queue is closed at this time",
    ),
    kind(
        "pair_invalid",
        422,
        "AB席要选本大厅两位不同的坐席人员",
        "AB seats are two different agents of this hall",
    ),
    kind(
        "skills_invalid",
        422,
        "技能有不对的地方",
        "Some skills are wrong",
    ),
    kind(
        "seat_lane",
        409,
        "文字通道随坐席开关，不能单独这样做",
        "A text lane follows its seat; this cannot be done to it alone",
    ),
    kind(
        "seat_force",
        422,
        "只能改为就绪、离开或下线",
        "A seat can be put to ready, away or offline only",
    ),
    kind(
        "wrap_up_extended",
        409,
        "整理时间已经延长过一次",
        "The wrap-up was made longer once already",
    ),
    kind(
        "move_empty",
        422,
        "请选择要移到哪里",
        "Say where the ticket shall go",
    ),
    kind(
        "phrase_invalid",
        422,
        "常用语的内容或快捷码不对",
        "The text or shortcut of the reply is wrong",
    ),
    kind(
        "shortcut_taken",
        409,
        "这个快捷码已经有了",
        "This shortcut is taken",
    ),
    kind(
        "phrases_full",
        409,
        "常用语太多了，先删几条",
        "Too many canned replies; remove some first",
    ),
    kind("too_large", 413, "内容太大", "Too large"),
    kind(
        "sdp_invalid",
        422,
        "音视频协商内容不对",
        "The media offer is malformed",
    ),
    kind(
        "codec_unsupported",
        422,
        "这个浏览器没有可用的视频或声音格式",
        "This browser offers no usable video or audio format",
    ),
    kind(
        "codec_needs_vp8",
        422,
        "这个通话用VP8视频，这个浏览器没有；可以改用语音，或换一个浏览器",
        "This call uses VP8 video, which this browser lacks; go on by voice or use another browser",
    ),
    kind(
        "codec_needs_h264",
        422,
        "这个通话用H.264视频，这个浏览器没有；可以改用语音，或换一个浏览器",
        "This call uses H.264 video, which this browser lacks; go on by voice or use another browser",
    ),
    kind(
        "transfer_self",
        422,
        "不能转接或邀请自己",
        "You cannot invite yourself or transfer to yourself",
    ),
    kind(
        "invite_target",
        422,
        "这种方式不能转到这里",
        "This kind of help does not go there",
    ),
    kind(
        "invite_inside",
        409,
        "对方已经在通话里",
        "They are in the session already",
    ),
    kind(
        "nobody_else_on_duty",
        409,
        "除您以外，目前没有能接手的人在岗",
        "Nobody but you is on duty who could take over",
    ),
    kind(
        "invite_open",
        409,
        "已经有邀请或转接在进行",
        "An invitation or a transfer is under way",
    ),
    kind(
        "invite_over",
        409,
        "这次邀请已经结束",
        "This invitation is over",
    ),
    kind(
        "invite_state",
        409,
        "邀请现在不能这样做",
        "The invitation cannot do this now",
    ),
    kind(
        "invite_absent",
        409,
        "对方还没有进来",
        "They have not come in yet",
    ),
    kind(
        "supervision_own",
        409,
        "您就在这次通话里，不能监督自己",
        "You are in this session; nobody supervises themselves",
    ),
    kind(
        "supervision_taken",
        409,
        "已经有班长在这次通话里",
        "Another supervisor is in this session",
    ),
    kind(
        "supervision_elsewhere",
        409,
        "您正在另一次通话里，先离开那一次",
        "You are in another session; leave it first",
    ),
    kind(
        "supervision_private",
        409,
        "坐席正在私下咨询或转接，请稍候",
        "Staff talk in private, or the citizen is on the way to another seat; wait a moment",
    ),
    kind(
        "supervision_unheard",
        409,
        "先旁听，再接管",
        "Listen first, then take over",
    ),
    kind(
        "supervision_same",
        409,
        "已经是这种方式",
        "It is in this mode already",
    ),
    kind(
        "supervision_over",
        409,
        "您不在这次通话里，或已经结束",
        "You are not supervising this session, or no longer",
    ),
    kind(
        "supervision_absent",
        409,
        "您的页面还没有连上这次通话",
        "Your page is not connected to this session",
    ),
    kind(
        "seat_needed",
        409,
        "接管要有自己的坐席：先在坐席工作台上线并就绪",
        "To take over you need a seat of your own in this hall: open one and be ready",
    ),
    kind(
        "policy_invalid",
        422,
        "告知设置有不对的地方",
        "The notice settings have faults",
    ),
    kind(
        "policy_unannounced",
        422,
        "旁听、耳语要告知群众：开场告知或当时提示，至少一种",
        "Citizens must be told that they are listened to, at the start of a call or while it happens",
    ),
    kind(
        "policy_whisper",
        422,
        "耳语时坐席听得到，必须显示给坐席",
        "The agent hears a whisper, so it is shown to the agent",
    ),
    kind(
        "policy_text",
        422,
        "开场告知不能空，也不能超过60个字",
        "The notice must not be empty or longer than 60 characters",
    ),
    kind(
        "recording_not_found",
        404,
        "没有这次录制",
        "There is no such recording",
    ),
    kind(
        "prompt_unknown",
        404,
        "话术里没有这一条",
        "The script has no such prompt, or it asks nothing",
    ),
    kind(
        "recording_open",
        409,
        "这次通话已经在请求或正在录制",
        "A recording of this session is asked for or runs already",
    ),
    kind(
        "recording_mode",
        409,
        "现在是文字或电话办理，没有声音可录，先回到语音或视频",
        "There is no sound to record in text or on the telephone; go back to voice or video first",
    ),
    kind(
        "recording_consent_needed",
        409,
        "要先得到办事人本人同意才能录制",
        "Nothing is recorded without the citizen's consent",
    ),
    kind(
        "recording_policy_changed",
        409,
        "录制须知已变，请看过新的再回答",
        "The notice has changed; read the new one, then answer",
    ),
    kind(
        "recording_state",
        409,
        "这次录制已经不在这一步",
        "The recording is past that",
    ),
    kind(
        "recording_not_live",
        409,
        "先开始录音录像，再做这一步",
        "This step waits for a recording that is proven live",
    ),
    kind(
        "recording_required",
        409,
        "这件事要有录音录像才能交件",
        "This matter is handed off with a recording only",
    ),
    kind(
        "replay_needed",
        403,
        "先打开这段录像的回放，再看抓拍",
        "Open the recording for replay first, then its snapshots",
    ),
    kind(
        "prompts_unread",
        409,
        "还有话术没有念完，或办事人没有答“是”",
        "Prompts are unread, or not answered with yes",
    ),
    kind(
        "prompt_not_read",
        409,
        "这一条还没有念",
        "This prompt has not been read out yet",
    ),
    kind(
        "prompt_final",
        409,
        "已经签名，回答不能再改",
        "It is signed; the answer cannot change any more",
    ),
    kind(
        "recording_held",
        409,
        "这份录像已封存，不能删除",
        "The recording is under legal hold and cannot be deleted",
    ),
    kind(
        "recording_policy_invalid",
        422,
        "录制设置有不对的地方",
        "The recording settings have faults",
    ),
    kind(
        "recording_text",
        422,
        "录制须知不能空，也不能超过300个字",
        "The notice must not be empty or longer than 300 characters",
    ),
    kind(
        "recording_days",
        422,
        "保存天数不对：无办件1到3650天，有办件不短于它、不超过36500天",
        "Days are out of range: 1 to 3,650 without a case; with one not fewer than that and at most 36,500",
    ),
    kind(
        "recording_failed",
        503,
        "录制没有成功，请稍后再试",
        "The recording did not work; try again shortly",
    ),
    kind(
        "recording_stop_unconfirmed",
        503,
        "还没有确认停止录制，正在继续停止，请再按一次",
        "The end of the recording is not confirmed yet and is being tried again; press once more",
    ),
    kind(
        "recording_part_unknown",
        404,
        "录像里没有这一段",
        "The recording has no such part",
    ),
    kind(
        "recording_not_sealed",
        409,
        "这次录制还没有签存，暂时不能回放",
        "The recording is not sealed yet, so it cannot be replayed",
    ),
    kind(
        "recording_deleted",
        410,
        "这份录像已按规定删除",
        "The recording was deleted as its keeping required",
    ),
    kind(
        "recording_not_genuine",
        500,
        "录像与签存的清单不符，不能播放",
        "The recording does not fit its signed list and is not played",
    ),
    kind(
        "recording_unreadable",
        503,
        "暂时读不到录像文件",
        "The recording's files cannot be read now",
    ),
    kind(
        "replay_over",
        401,
        "这次回放已到时间，请重新打开",
        "This replay is over; open the recording again",
    ),
    kind(
        "purpose_invalid",
        422,
        "请写明为什么查看，2到200个字",
        "Say why you look, in 2 to 200 characters",
    ),
    kind(
        "reason_required",
        422,
        "请写明封存的原因，不超过200个字",
        "Give the reason for the hold, in at most 200 characters",
    ),
    kind(
        "export_unavailable",
        503,
        "这台服务器没有安装 ffmpeg，不能导出成一个文件",
        "ffmpeg is not installed here, so no single file can be made",
    ),
    kind(
        "export_running",
        409,
        "正在导出，一次只能导出一个，请等它结束",
        "An export is under way; one is made at a time",
    ),
    kind(
        "export_too_long",
        422,
        "这份录像的分段太多或没有内容，不能导出成一个文件",
        "The recording has too many parts, or none, for a single file",
    ),
    kind(
        "export_failed",
        500,
        "导出没有成功，请重试",
        "The export did not work; try again",
    ),
    kind(
        "export_over",
        410,
        "导出的文件已过期，请重新导出",
        "The exported file is gone; export again",
    ),
    kind(
        "snapshot_type",
        415,
        "抓拍只收照片（JPEG、PNG），边长至少240像素",
        "Only pictures (JPEG, PNG) of at least 240 pixels a side are taken",
    ),
    kind(
        "snapshots_full",
        409,
        "这次通话的抓拍已满",
        "This session has as many snapshots as it may",
    ),
    kind(
        "seat_not_ready",
        409,
        "对方现在不能接听",
        "That seat cannot be rung now",
    ),
    kind(
        "ladder_same",
        409,
        "已经是这种方式",
        "The call is in this mode already, or it was asked for",
    ),
    kind(
        "ladder_not_yours",
        403,
        "这一步由办事人决定",
        "This is not yours to change",
    ),
    kind(
        "ladder_not_asked",
        409,
        "没有等待答复的切换",
        "No change of mode is being asked for",
    ),
    kind("room_full", 409, "通话人数已满", "The room is full"),
    kind("room_closed", 409, "通话已结束", "The room is closed"),
    kind(
        "slow_down",
        429,
        "操作太快，请稍等",
        "Too fast; wait a moment",
    ),
    kind(
        "seal_failed",
        500,
        "未签发，可重试",
        "Not issued; try again",
    ),
    kind(
        "internal",
        500,
        "系统出错了，没有保存，请再试一次",
        "Something failed here; nothing was saved, try again",
    ),
    kind(
        "unavailable",
        503,
        "系统暂时不可用，请稍后再试",
        "The service is not available for a moment; try again",
    ),
    kind(
        "media_unavailable",
        503,
        "音视频暂时不可用，可以先打字",
        "Sound and picture are not available; you can type",
    ),
    kind(
        "library_unavailable",
        503,
        "证照库暂不可用，可以手填",
        "The licence library is not available; fill in by hand",
    ),
];

/// The kind of a code; a domain code that is not listed is a field's fault.
#[must_use]
pub fn kind_of(code: &str) -> &'static Kind {
    const FALLBACK: Kind = kind("field_invalid", 422, "有内容不对", "Something is not right");
    KINDS.iter().find(|k| k.code == code).unwrap_or(&FALLBACK)
}

/// The catalogue as a Markdown table: `docs/errors.md` is this.
#[must_use]
pub fn table() -> String {
    use std::fmt::Write as _;
    let mut out = String::from(
        "# Error codes\n\nMade by `cloud-booth errors`; a test keeps it true.\n\n| code | status | 中文 | English |\n|-|-|-|-|\n",
    );
    let mut kinds: Vec<_> = KINDS.iter().collect();
    kinds.sort_by_key(|k| (k.status, k.code));
    for k in kinds {
        let _ = writeln!(out, "| `{}` | {} | {} | {} |", k.code, k.status, k.zh, k.en);
    }
    out
}

/// What a use case fails with.
#[derive(Debug, Clone)]
pub enum AppError {
    Rejected {
        rejected: Rejected,
        current: Option<serde_json::Value>,
        fields: Vec<Rejected>,
    },
    Store(StoreError),
}

impl AppError {
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Rejected { rejected, .. } => rejected.code,
            Self::Store(StoreError::Constraint(c)) if c.contains("duty_conflict") => {
                "duty_conflict"
            }
            Self::Store(StoreError::Constraint(c)) if c.contains("consent_required") => {
                "consent_required"
            }
            Self::Store(StoreError::Constraint(c)) if c.contains("recording_not_live") => {
                "recording_not_live"
            }
            Self::Store(StoreError::Constraint(c)) if c.contains("recording_held") => {
                "recording_held"
            }
            Self::Store(_) => "unavailable",
        }
    }

    #[must_use]
    pub fn with_current(self, value: serde_json::Value) -> Self {
        match self {
            Self::Rejected {
                rejected, fields, ..
            } => Self::Rejected {
                rejected,
                current: Some(value),
                fields,
            },
            e @ Self::Store(_) => e,
        }
    }

    #[must_use]
    pub fn with_fields(self, fields: Vec<Rejected>) -> Self {
        match self {
            Self::Rejected {
                rejected, current, ..
            } => Self::Rejected {
                rejected,
                current,
                fields,
            },
            e @ Self::Store(_) => e,
        }
    }

    /// As RFC 9457, in the caller's language.
    #[must_use]
    pub fn problem(&self, language: Language) -> Problem {
        let text = |k: &Kind| match language {
            Language::Zh => k.zh.to_owned(),
            Language::En => k.en.to_owned(),
        };
        let code = self.code();
        let k = kind_of(code);
        let field = |r: &Rejected| FieldProblem {
            pointer: r.pointer.clone().unwrap_or_default(),
            code: r.code.to_owned(),
            detail: text(kind_of(r.code)),
        };
        let (errors, current) = match self {
            Self::Rejected {
                rejected,
                current,
                fields,
            } => {
                let own = rejected.pointer.is_some().then(|| field(rejected));
                (
                    own.into_iter().chain(fields.iter().map(field)).collect(),
                    current.clone(),
                )
            }
            Self::Store(_) => (vec![], None),
        };
        Problem {
            type_: format!("https://cloud-booth.example/problems/{code}"),
            title: text(k),
            status: k.status,
            code: code.to_owned(),
            detail: None,
            errors,
            retry_after: (k.status == 503 || k.status == 429).then_some(1),
            current,
        }
    }
}

impl std::fmt::Display for AppError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rejected { rejected, .. } => rejected.fmt(f),
            Self::Store(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for AppError {}

impl From<Rejected> for AppError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected {
            rejected,
            current: None,
            fields: vec![],
        }
    }
}

impl From<StoreError> for AppError {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

impl TxError for AppError {
    fn store(&self) -> Option<&StoreError> {
        match self {
            Self::Store(e) => Some(e),
            Self::Rejected { .. } => None,
        }
    }
}

/// A refusal by code.
#[must_use]
pub fn no(code: &'static str) -> AppError {
    Rejected::new(code).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_texts_are_there() {
        let mut seen = HashSet::new();
        for k in KINDS {
            assert!(seen.insert(k.code), "{} twice", k.code);
            assert!(!k.zh.is_empty() && !k.en.is_empty() && (400..600).contains(&k.status));
        }
    }
}
