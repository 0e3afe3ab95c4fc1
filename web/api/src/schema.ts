/**
 * Wire types by the names of the server's `protocol` crate. The shapes come from its OpenAPI description (`openapi.ts`, made by
 * `make docs`); here they only get short names, and "any JSON" its own type.
 */
import type { components } from "./openapi";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** What the description calls "any value" is JSON. */
type Known<T> = unknown extends T
  ? Json
  : T extends string | number | boolean | null | undefined
    ? T
    : T extends (infer U)[]
      ? Known<U>[]
      : { [K in keyof T]: Known<T[K]> };

/** WebSocket subprotocol and version. */
export const SUBPROTOCOL = "cloud-booth.v1";
export const PROTOCOL_VERSION = 1;

type S = components["schemas"];

export type Bilingual = Known<S["Bilingual"]>;
export type Language = Known<S["Language"]>;
export type Problem = Known<S["Problem"]>;
export type FieldProblem = Known<S["FieldProblem"]>;
export type Channel = Known<S["Channel"]>;
export type Done = Known<S["Done"]>;
export type Login = Known<S["Login"]>;
export type StaffToken = Known<S["StaffToken"]>;
export type Role = Known<S["Role"]>;
export type StaffView = Known<S["StaffView"]>;
export type BoothChallenge = Known<S["BoothChallenge"]>;
export type BoothNonce = Known<S["BoothNonce"]>;
export type BoothLogin = Known<S["BoothLogin"]>;
export type BoothToken = Known<S["BoothToken"]>;
export type BoothView = Known<S["BoothView"]>;
export type OpenVisit = Known<S["OpenVisit"]>;
export type VisitToken = Known<S["VisitToken"]>;
export type VisitView = Known<S["VisitView"]>;
export type IdentityView = Known<S["IdentityView"]>;
export type Identify = Known<S["Identify"]>;
export type WsTicket = Known<S["WsTicket"]>;
export type CardRead = Known<S["CardRead"]>;
export type ItemList = Known<S["ItemList"]>;
export type ItemCard = Known<S["ItemCard"]>;
export type ItemView = Known<S["ItemView"]>;
export type ItemMaterialView = Known<S["ItemMaterialView"]>;
export type HallView = Known<S["HallView"]>;
export type SkillView = Known<S["SkillView"]>;
export type WaitEstimate = Known<S["WaitEstimate"]>;
export type TicketState = Known<S["TicketState"]>;
export type PriorityClass = Known<S["PriorityClass"]>;
export type AccessNeed = Known<S["AccessNeed"]>;
export type TakeTicket = Known<S["TakeTicket"]>;
export type TicketView = Known<S["TicketView"]>;
export type SeatState = Known<S["SeatState"]>;
export type SeatView = Known<S["SeatView"]>;
export type OfferView = Known<S["OfferView"]>;
export type OpenSeat = Known<S["OpenSeat"]>;
export type GoAway = Known<S["GoAway"]>;
export type Decline = Known<S["Decline"]>;
export type Accepted = Known<S["Accepted"]>;
export type FormView = Known<S["FormView"]>;
export type PrefillView = Known<S["PrefillView"]>;
export type GroupView = Known<S["GroupView"]>;
export type FieldKind = Known<S["FieldKind"]>;
export type OptionView = Known<S["OptionView"]>;
export type FieldView = Known<S["FieldView"]>;
export type FieldErrorView = Known<S["FieldErrorView"]>;
export type OriginView = Known<S["OriginView"]>;
export type FieldCurrent = Known<S["FieldCurrent"]>;
export type FieldValue = Known<S["FieldValue"]>;
export type SessionState = Known<S["SessionState"]>;
export type MemberRole = Known<S["MemberRole"]>;
export type MemberView = Known<S["MemberView"]>;
export type SessionView = Known<S["SessionView"]>;
export type ConsentState = Known<S["ConsentState"]>;
export type ConsentView = Known<S["ConsentView"]>;
export type SignView = Known<S["SignView"]>;
export type MaterialView = Known<S["MaterialView"]>;
export type EndSession = Known<S["EndSession"]>;
export type WrapUp = Known<S["WrapUp"]>;
export type HandOff = Known<S["HandOff"]>;
export type HandoverCode = Known<S["HandoverCode"]>;
export type ExchangeCode = Known<S["ExchangeCode"]>;
export type CaseToken = Known<S["CaseToken"]>;
export type ClientFrame = Known<S["ClientFrame"]>;
export type ServerFrame = Known<S["ServerFrame"]>;
export type ReplyResult = Known<S["ReplyResult"]>;
export type WsLimits = Known<S["WsLimits"]>;
export type Command = Known<S["Command"]>;
export type CommandReply = Known<S["CommandReply"]>;
export type SlotView = Known<S["SlotView"]>;
export type MediaLine = Known<S["MediaLine"]>;
export type SessionEvent = Known<S["SessionEvent"]>;
export type EventBody = Known<S["EventBody"]>;
export type Ephemeral = Known<S["Ephemeral"]>;
export type CaseState = Known<S["CaseState"]>;
export type CaseList = Known<S["CaseList"]>;
export type CaseCard = Known<S["CaseCard"]>;
export type CaseView = Known<S["CaseView"]>;
export type BlockedAction = Known<S["BlockedAction"]>;
export type LookFirst = Known<S["LookFirst"]>;
export type LicenceAccessView = Known<S["LicenceAccessView"]>;
export type DutyView = Known<S["DutyView"]>;
export type StepView = Known<S["StepView"]>;
export type CaseEventView = Known<S["CaseEventView"]>;
export type SignatureView = Known<S["SignatureView"]>;
export type CorrectionView = Known<S["CorrectionView"]>;
export type CorrectionPoint = Known<S["CorrectionPoint"]>;
export type DecisionView = Known<S["DecisionView"]>;
export type CertificateView = Known<S["CertificateView"]>;
export type AskCorrection = Known<S["AskCorrection"]>;
export type ReplyCorrection = Known<S["ReplyCorrection"]>;
export type Refuse = Known<S["Refuse"]>;
export type Grant = Known<S["Grant"]>;
export type AtVersion = Known<S["AtVersion"]>;
export type Rate = Known<S["Rate"]>;
export type RatingView = Known<S["RatingView"]>;
export type RatingScale = Known<S["RatingScale"]>;
export type RatingLevel = Known<S["RatingLevel"]>;
export type RatingTag = Known<S["RatingTag"]>;
export type Slot = Known<S["SlotTime"]>;
export type SlotList = Known<S["SlotList"]>;
export type AppointmentState = Known<S["AppointmentState"]>;
export type AppointmentView = Known<S["AppointmentView"]>;
export type Booked = Known<S["Booked"]>;
export type CallBackView = Known<S["CallBackView"]>;
export type CallBackTaken = Known<S["CallBackTaken"]>;
export type RequestView = Known<S["RequestView"]>;
export type CarryCode = Known<S["CarryCode"]>;
export type GuestToken = Known<S["GuestToken"]>;
export type MemberPart = Known<S["MemberPart"]>;
/** How a talk is held, from rich to poor. */
export type TalkMode = Known<S["CallMode"]>;
/** How the citizen wishes to talk; the ladder of the session begins there. */
export type TicketMode = Known<S["TicketMode"]>;
export type InviteKind = Known<S["InviteKind"]>;
export type InviteState = Known<S["InviteState"]>;
/** What one may do with an invitation. */
export type InviteAct = Known<S["Step"]>;
export type InviteTarget = Known<S["InviteTarget"]>;
export type InviteView = Known<S["InviteView"]>;
export type Invited = Known<S["Invited"]>;
export type GuestLink = Known<S["GuestLink"]>;
export type NoteView = Known<S["NoteView"]>;
export type HistoryView = Known<S["HistoryView"]>;
export type ForcedView = Known<S["ForcedView"]>;
export type PhraseView = Known<S["PhraseView"]>;
export type RequestItem = Known<S["RequestItem"]>;
export type RequestFull = Known<S["RequestFull"]>;
export type Colleagues = Known<S["Colleagues"]>;
export type Colleague = Known<S["ColleagueView"]>;
export type Verify = Known<S["Verify"]>;
export type VerifyOutcome = Known<S["VerifyOutcome"]>;
export type Verification = Known<S["Verification"]>;
export type FileDigest = Known<S["FileDigest"]>;
export type QueueView = Known<S["QueueView"]>;
export type QueueRule = Known<S["QueueRule"]>;
export type QueueStep = Known<S["QueueStep"]>;
export type SkillAsked = Known<S["SkillAsked"]>;
export type OpenHours = Known<S["OpenHours"]>;
export type PutQueue = Known<S["PutQueue"]>;
export type PutOverflow = Known<S["PutOverflow"]>;
export type HallRef = Known<S["HallRef"]>;
export type HallConsents = Known<S["HallConsents"]>;
export type PutHallConsent = Known<S["PutHallConsent"]>;
export type ItemPair = Known<S["ItemPair"]>;
export type PutItemPair = Known<S["PutItemPair"]>;
export type PairSeen = Known<S["PairSeen"]>;
export type StaffSkills = Known<S["StaffSkills"]>;
export type PutStaffSkills = Known<S["PutStaffSkills"]>;
export type HallStaff = Known<S["HallStaff"]>;
export type SlotHours = Known<S["SlotHours"]>;
export type SlotRuleView = Known<S["SlotRuleView"]>;
export type SetSlotRule = Known<S["SetSlotRule"]>;
export type Wallboard = Known<S["Wallboard"]>;
export type Targets = Known<S["Targets"]>;
export type LevelView = Known<S["LevelView"]>;
export type QueueNow = Known<S["QueueNow"]>;
export type SeatNow = Known<S["SeatNow"]>;
export type TicketLine = Known<S["TicketLine"]>;
export type LiveSession = Known<S["LiveSession"]>;
export type SupervisionMode = Known<S["SupervisionMode"]>;
export type SupervisionView = Known<S["SupervisionView"]>;
export type SetSupervision = Known<S["SetSupervision"]>;
export type SupervisionPolicy = Known<S["SupervisionPolicy"]>;
export type SupervisionPolicyView = Known<S["SupervisionPolicyView"]>;
export type PutSupervisionPolicy = Known<S["PutSupervisionPolicy"]>;
export type MoveTicket = Known<S["MoveTicket"]>;
export type ForceSeat = Known<S["ForceSeat"]>;
export type SendNotice = Known<S["SendNotice"]>;
export type NoticeView = Known<S["NoticeView"]>;
export type AdminOverview = Known<S["AdminOverview"]>;
export type AuditHead = Known<S["AuditHead"]>;
export type AuditList = Known<S["AuditList"]>;
export type AuditView = Known<S["AuditView"]>;
export type IceServer = Known<S["IceServer"]>;
export type IceServers = Known<S["IceServers"]>;
export type CheckOffer = Known<S["CheckOffer"]>;
export type CheckAnswer = Known<S["CheckAnswer"]>;
