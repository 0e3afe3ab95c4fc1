/** Invented content of the gallery. */
import type { ConsentView, FieldView, FormView, RecordingView } from "@cloud-booth/api";
import type { ChatMessage } from "@cloud-booth/ui";

const text = (zh: string, en: string) => ({ zh, en });

function field(path: string, kind: FieldView["kind"], zh: string, en: string, value: FieldView["value"], more: Partial<FieldView> = {}): FieldView {
  return {
    path, kind, label: text(zh, en), help: null, options: [], max_chars: 100, visible: true, required: true, writable: true, citizen_only: false, confirm_single: false, value,
    masked: false, version: 1, origin: null, confirmed: false, changed_since_confirm: false, error: null, ...more,
  };
}
const licence = { kind: "licence", licence_type: "id", licence_name: text("身份证", "Identity card"), licence: "lic_1", version: 1, consent: "con_1", at: "2026-03-02T00:00:00Z" } as const;

export const FORM: FormView = {
  item: "no-criminal-record", item_version: 1, title: text("无犯罪记录证明", "Certificate of no criminal record"), version: 3, filled: 5, confirmed: 2, total: 8, errors: 1,
  ready_to_sign: false, prefills: [], signed: false,
  groups: [
    {
      id: "applicant", title: text("申请人", "Applicant"), confirmed: false, disputed: false,
      fields: [
        field("/applicant/name", "name", "姓名", "Name", "王小某", { origin: licence, confirmed: true }),
        field("/applicant/id", "id_number", "身份证号", "Identity number", "4290**********151", { masked: true, origin: licence, error: { code: "id_number_length", message: text("身份证号应为18位，现在是17位，请对照卡片。", "The ID number has 17 characters; it needs 18. Check your card.") } }),
        field("/applicant/phone", "mobile", "手机号", "Mobile number", "13800001111", { confirm_single: true, origin: { kind: "typed", by: "agent", name: text("李工", "Ms Li"), at: "2026-11-21T00:00:00Z" } }),
        field("/applicant/address", "address", "住址", "Address", "湖南省沅江市某某街道某某社区1号", { origin: licence, changed_since_confirm: true }),
        field("/applicant/birth", "date", "出生日期", "Date of birth", "1990-03-07", { origin: licence, confirmed: true }),
      ],
    },
    {
      id: "use", title: text("用途", "Use"), confirmed: true, disputed: false,
      fields: [
        field("/use/purpose", "select", "用来做什么", "What for", "work", { options: [{ value: "work", label: text("就业", "Work") }, { value: "study", label: text("留学", "Study abroad") }] }),
        field("/use/abroad", "boolean", "要在国外用吗", "Will it be used abroad", false),
        field("/use/note", "multiline", "补充说明", "Remarks", null, { required: false, help: text("没有就不填", "Leave empty if there is nothing to add") }),
      ],
    },
  ],
};

export const CONSENT: ConsentView = {
  id: "con_1", state: "asked", licence_type: "id", licence_name: text("居民身份证", "Resident identity card"), fields: [text("姓名", "name"), text("性别", "sex"), text("住址", "address")],
  item: "no-criminal-record", item_title: text("无犯罪记录证明", "Certificate of no criminal record"), purpose: text("填写申请表", "Fill in the form"), asked_at: "2026-11-21T02:00:00Z", decided_at: null, outcome: null, company: null,
};

export const MESSAGES: ChatMessage[] = [
  { id: "1", who: "李工", mine: false, at: "2026-11-21T02:00:00Z", text: "您好，请问要办什么？" },
  { id: "2", who: "", mine: true, at: "2026-11-21T02:00:20Z", text: "想开无犯罪记录证明。" },
  { id: "3", who: "", mine: true, at: "2026-11-21T02:00:40Z", text: "需要哪些材料？", state: "failed" },
];

export const STEPS = [
  { id: "received", label: "收件", status: "done" }, { id: "accepted", label: "受理", status: "done" }, { id: "review", label: "审查", status: "current", note: "还剩6个工作日" },
  { id: "issue", label: "出证", status: "next" }, { id: "delivery", label: "送达", status: "next" },
];

export const RECORDING: RecordingView = {
  id: "rec_1", state: "asked", version: 1, notice: { text: text("为了证明是您本人办理，我们想对这次通话录音录像，加密保存。", "To show that you act yourself we would like to record this call; it is kept encrypted."), policy_version: "2026-11", days_routine: 180, days_case: 3650 },
  asked_at: "2026-11-22T01:00:00Z", answered_at: null, started_at: null, proven_at: null, interrupted: null, ended_at: null, end_reason: null,
  script: [
    { id: "name", text: text("请您面对镜头，说一下您的姓名。", "Please face the camera and say your name."), asks: "none", read_ms: 4_000, answered_ms: null, answer: null, answered_by: null },
    { id: "will", text: text("您今天办理这件事，是您本人的意愿吗？", "Is this your own wish today?"), asks: "yes_no", read_ms: 12_000, answered_ms: 15_000, answer: "yes", answered_by: "citizen" },
    { id: "truth", text: text("您填写的内容都是真实的吗？", "Is everything you filled in true?"), asks: "yes_no", read_ms: 21_000, answered_ms: null, answer: null, answered_by: null },
  ],
};
