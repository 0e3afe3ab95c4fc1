/** What pages see of the call, and what the call is made with. Plain data; only `call.ts` changes it. */
import type { AccessNeed, ApiClient, CallBackView, FormView, Language, MemberView, SessionView, TicketMode, TicketView } from "@cloud-booth/api";
import type { CallPeer, CallPeerOptions, LocalMedia, LocalMediaState, MemberMedia, PeerState } from "@cloud-booth/rtc";
import type { SignalClient, SignalOptions, SignalState } from "@cloud-booth/signal";
import type { NetworkLevel } from "@cloud-booth/ui";
import type { ChatLine } from "./chat.ts";
import type { Shelf } from "./store.ts";

export type Stage = "none" | "opening" | "waiting" | "talking" | "ended";
export type CallMode = TicketMode;
export const MODES: readonly CallMode[] = ["video", "audio", "text"];

export interface CallState {
  stage: Stage;
  mode: CallMode;
  item: string | null;
  ticket: TicketView | null;
  /** The place is kept for a call-back; null: an ordinary wait. */
  call_back: CallBackView | null;
  /** When its ring ends, ms by this phone's clock; null: it does not ring. */
  ring_ends: number | null;
  session: SessionView | null;
  /** Came by a link: picture and dialogue alone. */
  is_guest: boolean;
  form: FormView | null;
  chat: ChatLine[];
  connection: SignalState;
  peer: PeerState;
  members: MemberMedia[];
  mine: NetworkLevel;
  theirs: NetworkLevel;
  local: LocalMediaState | null;
  /** Why there is no picture although there is voice. */
  voice_only: string;
  /** Member who types in the chat. */
  typing: string | null;
  /** Pictures that the agent took while this page looked on. */
  snapshots: number;
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
  stage: "none", mode: "video", item: null, ticket: null, call_back: null, ring_ends: null, session: null, is_guest: false, form: null, chat: [], connection: "idle", peer: "new", members: [],
  mine: "unknown", theirs: "unknown", local: null, voice_only: "", typing: null, snapshots: 0, leaving_until: null, end_reason: null, is_again: false, error: null,
};

export interface StartOptions {
  hall: string;
  item: string | null;
  mode: CallMode;
  needs: AccessNeed[];
  priority: boolean;
  elder: boolean;
  language: Language;
  media: LocalMedia | null;
  /** Code of an appointment whose time has come: it is checked in instead of queueing. */
  appointment?: string;
  /** The place is kept, the phone rings when it is their turn. */
  call_back?: boolean;
}

export interface CallOptions {
  open: ApiClient;
  client: (token: () => string | null) => ApiClient;
  phone: Shelf;
  signal: (options: SignalOptions) => SignalClient;
  peer: (options: CallPeerOptions) => CallPeer;
  /** A visit begins: what the page keeps of the one before is not its own. */
  begun?: () => void;
  /** The turn has come. */
  ring: () => void;
  /** The session made a case: this code opens it on the phone. */
  handover?: (code: string) => void;
  name: (member: MemberView) => string;
  canTalk?: () => boolean;
}

/** What a closed page needs to find its place again. */
export interface KeptVisit {
  /** Empty for a guest, who has no visit. */
  id: string;
  token: string;
  mode: CallMode;
  item: string | null;
  /** The ticket of a call-back. */
  call_back?: string;
  /** The session of a guest. */
  guest?: string;
}
