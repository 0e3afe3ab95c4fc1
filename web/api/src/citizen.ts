/** What the citizen's pages exchange around the queue: appointments, call-backs, requests, carrying a ticket, guests, the ladder. */
import type { MemberView, SessionView, TicketView } from "./schema.ts";

/** 预约: one bookable time; `left` 0 = full. */
export interface Slot {
  from: string;
  to: string;
  capacity: number;
  left: number;
}
export interface SlotList {
  queue: string;
  date: string;
  items: Slot[];
}
export type AppointmentState = "booked" | "checked_in" | "served" | "cancelled" | "no_show";
export interface AppointmentView {
  id: string;
  hall: string;
  queue: string;
  item?: string | null;
  starts_at: string;
  ends_at: string;
  state: AppointmentState;
  check_in_from: string;
  check_in_until: string;
  ticket?: string | null;
}
export interface Booked {
  appointment: AppointmentView;
  /** What the person shows or types; as good as the appointment itself. */
  code: string;
  url: string;
  qr_svg: string;
}

/** 回拨: named by its ticket. */
export interface CallBackView {
  ticket: string;
  state: "waiting" | "ringing" | "answered" | "closed" | "cancelled";
  tries: number;
  tries_max: number;
  ring_until?: string | null;
  next_try_at?: string | null;
  session?: string | null;
}
export interface CallBackTaken {
  ticket: TicketView;
  call_back: CallBackView;
  access_token: string;
  expires_at: string;
}

/** 留言: left for the staff, answered later. */
export interface RequestView {
  id: string;
  state: "open" | "claimed" | "done";
  item?: string | null;
  queue: string;
  created_at: string;
  answer?: string | null;
  answered_at?: string | null;
}

/** The ticket goes on to the phone: `/phone/#t=<code>`. */
export interface CarryCode {
  code: string;
  url: string;
  qr_svg: string;
  expires_at: string;
}

/** A family member, by link `/phone/#g=<code>`. */
export interface GuestToken {
  access_token: string;
  expires_at: string;
  session: string;
  member: string;
}

/** How the talk is held, from rich to poor. */
export type TalkMode = "video" | "audio" | "text" | "phone";

/** What a session tells beyond its first version; absent from an older server. */
export interface Helped {
  /** The staff member asks a colleague: nothing is forwarded to the citizen. */
  hold?: boolean;
  mode?: TalkMode;
  /** The agent asks for this; the citizen decides. */
  mode_asked?: TalkMode | null;
}
export const helped = (session: SessionView | null | undefined): Helped => (session ?? {}) as Helped;

export type MemberPart = "citizen" | "agent" | "consulted" | "colleague" | "interpreter" | "guest" | "supervisor";
export const partOf = (member: MemberView): MemberPart => (member as MemberView & { part?: MemberPart }).part ?? member.role;
