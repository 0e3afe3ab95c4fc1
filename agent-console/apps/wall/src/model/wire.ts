/** Wire shapes that the supervisor's pages alone use. Names and fields as in the server's `protocol` crate (`wallboard.rs`, `desk_rules.rs`). */
import type { Bilingual, MemberRole, PriorityClass, SeatState, SessionState, TicketState } from "@cloud-booth/api";

/** Counts, and the shares made of them in tenths of a percent; null: nothing to judge. */
export interface LevelView {
  /** answered + abandoned + lost: the base of the shares. */
  offered: number;
  answered: number;
  answered_in_time: number;
  abandoned: number;
  abandoned_short: number;
  lost: number;
  open: number;
  service_level_permille: number | null;
  connection_permille: number | null;
  abandoned_permille: number | null;
  mean_wait_s: number | null;
  longest_wait_s: number;
}
export interface Targets {
  answer_within_s: number;
  connection_pct: number;
  short_abandon_s: number;
}
export interface QueueNow {
  code: string;
  name: Bilingual;
  waiting: number;
  /** RFC 3339; the page counts on. */
  longest_since: string | null;
  seats_on_duty: number;
  /** The hall that serves it too, for now. */
  overflow_now: string | null;
  level: LevelView;
}
export interface SeatNow {
  id: string;
  name: Bilingual;
  state: SeatState;
  since: string;
  reason: string | null;
  staff: string | null;
  staff_name: string | null;
  session: string | null;
  forced_next: SeatState | null;
}
/** One whole snapshot of a hall. */
export interface Wallboard {
  hall: string;
  name: Bilingual;
  at: string;
  date: string;
  targets: Targets;
  waiting: number;
  longest_since: string | null;
  queues: QueueNow[];
  seats: SeatNow[];
  day: LevelView;
  hours: { hour: number; level: LevelView }[];
}

export interface TicketLine {
  id: string;
  number: string;
  queue: string;
  item: string | null;
  class: PriorityClass;
  state: TicketState;
  enqueued_at: string;
  overflow_hall: string | null;
}
export interface LiveSession {
  id: string;
  ticket: string;
  number: string;
  queue: string;
  item: string | null;
  seat: string;
  seat_name: Bilingual;
  state: SessionState;
  since: string;
  /** Staff by name; everybody else's is empty. */
  members: { role: MemberRole; name: string; present: boolean }[];
}

export interface MoveTicket {
  queue?: string;
  class?: PriorityClass;
  head?: boolean;
}
export interface ForceSeat {
  state: SeatState;
  reason: string;
}
export interface HallRef {
  id: string;
  name: Bilingual;
}
export interface HallConsents {
  accepts: HallRef[];
  accepted_by: HallRef[];
}
export interface PutOverflow {
  hall: string | null;
}
export interface SendNotice {
  text: string;
}
export interface NoticeView {
  id: string;
  seat: string;
  from: string;
  at: string;
  text: string;
  read_at: string | null;
}
