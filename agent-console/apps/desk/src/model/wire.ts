/** Wire shapes that the desk alone uses: help, ladder, notices, canned replies, requests. Names and fields as in the server's `protocol` crate. */
import type { Bilingual, Command, EventBody, IdentityView, MemberView, OfferView, SeatState, SeatView, SessionView } from "@cloud-booth/api";

export type InviteKind = "consult" | "join" | "guest" | "transfer_warm" | "transfer_cold";
export type InviteState = "ringing" | "accepted" | "introduced" | "done" | "declined" | "timed_out" | "cancelled" | "returned";
export type InviteStep = "accept" | "decline" | "cancel" | "introduce" | "finish" | "return";
export type InviteTarget = { to: "staff"; id: string } | { to: "seat"; id: string } | { to: "skill"; code: string } | { to: "queue"; skill: string } | { to: "link" };
export interface InviteView {
  id: string;
  version: number;
  kind: InviteKind;
  state: InviteState;
  session: string;
  target: InviteTarget;
  /** The agent who asks. */
  from: string;
  /** Who is rung; nobody yet for a link or a queue. */
  to?: string | null;
  seat?: string | null;
  member?: string | null;
  item?: string | null;
  item_title?: Bilingual | null;
  interpreter: boolean;
  asked_at: string;
  /** End of the ring. */
  until?: string | null;
}
export interface GuestLink {
  code: string;
  url: string;
  qr_svg: string;
}
export interface Invited {
  invite: InviteView;
  link?: GuestLink | null;
}
export interface NoteView {
  id: string;
  at: string;
  by: string;
  kind: string;
  text: string;
}
export interface HistoryView {
  sessions: { at: string; minutes?: number | null; item?: string | null; item_title?: Bilingual | null; end_reason?: string | null; disposition?: string | null }[];
  cases: { number: string; item: string; item_title?: Bilingual | null; state: string; received_at: string }[];
}

export type CallMode = "video" | "audio" | "text" | "phone";
export interface ForcedView {
  state: SeatState;
  reason: string;
  /** The supervisor's name. */
  by: string;
  at: string;
  /** It acts only when session and wrap-up are over. */
  after_session: boolean;
}
export interface NoticeView {
  id: string;
  seat: string;
  from: string;
  at: string;
  text: string;
  read_at?: string | null;
}
export interface PhraseView {
  id: string;
  scope: "hall" | "own";
  text: Bilingual;
  shortcut: string;
}
export interface RequestItem {
  id: string;
  state: "open" | "claimed" | "done";
  queue: string;
  item?: string | null;
  created_at: string;
  claimed_by?: string | null;
}
export interface RequestFull {
  request: RequestItem;
  text: string;
  contact: string;
  identity?: IdentityView | null;
  answer?: string | null;
}
export interface SlotTime {
  from: string;
  to: string;
  capacity: number;
  left: number;
}
export interface SlotList {
  queue: string;
  date: string;
  items: SlotTime[];
}

export type DeskOffer = OfferView & { mode?: CallMode };
export interface LaneRef {
  seat: string;
  lane: number;
}
export type DeskSeat = Omit<SeatView, "offer"> & {
  offer: DeskOffer | null;
  invite?: InviteView | null;
  auto_answer?: boolean;
  wrap_up_extended?: boolean;
  forced?: ForcedView | null;
  lane?: number;
  main?: string | null;
  text?: boolean;
  lanes?: LaneRef[];
};
export type DeskMember = MemberView & { part?: "citizen" | "agent" | "consulted" | "colleague" | "interpreter" | "guest" | "supervisor" };
export type DeskSessionView = Omit<SessionView, "members"> & {
  members: DeskMember[];
  may?: string[];
  hold?: boolean;
  mode?: CallMode;
  mode_asked?: CallMode | null;
  invites?: InviteView[];
};
/** Journal entries of help and ladder. */
export type HelpEvent =
  | { kind: "invited"; invite: string; invite_kind: InviteKind }
  | { kind: "invite_changed"; invite: string; state: InviteState }
  | { kind: "hold"; on: boolean }
  | { kind: "transferred"; member: string }
  | { kind: "mode_changed" | "mode_asked"; mode: CallMode }
  | { kind: "mode_refused" | "hidden" }
  | { kind: "noted"; note: string };
export type DeskEventBody = EventBody | HelpEvent;

export function modeCommand(session: string, to: CallMode): Command {
  return { kind: "mode", session, to } as unknown as Command;
}
