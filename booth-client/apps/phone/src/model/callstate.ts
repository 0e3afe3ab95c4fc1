/** What pages see of the call. Plain data; only `call.ts` changes it. */
import type { FormView, SessionView, TicketView } from "@cloud-booth/api";
import type { LocalMediaState, MemberMedia, PeerState } from "@cloud-booth/rtc";
import type { SignalState } from "@cloud-booth/signal";
import type { NetworkLevel } from "@cloud-booth/ui";
import type { ChatLine } from "./chat.ts";

export type Stage = "none" | "opening" | "waiting" | "talking" | "ended";
export type CallMode = "video" | "audio" | "text";

export interface CallState {
  stage: Stage;
  mode: CallMode;
  item: string | null;
  ticket: TicketView | null;
  session: SessionView | null;
  form: FormView | null;
  chat: ChatLine[];
  connection: SignalState;
  peer: PeerState;
  members: MemberMedia[];
  mine: NetworkLevel;
  theirs: NetworkLevel;
  local: LocalMediaState | null;
  /** Member who types in the chat. */
  typing: string | null;
  /** Hanging up: until this moment (ms) it can be taken back. */
  leaving_until: number | null;
  /** Stable word of why it is over: `finished`, `citizen_left`, `cancelled`, `grace_over`, … */
  end_reason: string | null;
  /** The agent was lost and the place is the first in the queue again. */
  is_again: boolean;
  error: unknown;
}

/** No call. */
export const START: CallState = {
  stage: "none", mode: "video", item: null, ticket: null, session: null, form: null, chat: [], connection: "idle", peer: "new", members: [], mine: "unknown", theirs: "unknown",
  local: null, typing: null, leaving_until: null, end_reason: null, is_again: false, error: null,
};
