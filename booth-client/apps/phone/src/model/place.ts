/** Where a visit comes from that this page did not open itself, and where a kept one leads: the place in the queue, the call-back, the
 * running session. */
import { networkProblem, type ApiClient, type CallBackView, type GuestToken, type HandoverCode, type TicketView, type VisitToken, type VisitView } from "@cloud-booth/api";
import type { CallMode, KeptVisit } from "./callstate.ts";

export const LIVE_TICKET: ReadonlySet<string> = new Set(["waiting", "offered", "paired"]);

/** The appointment's place in the queue. Its mode can only be said afterwards; where it rings at once, the ladder is there. */
export async function checkedIn(api: ApiClient, code: string, mode: CallMode): Promise<TicketView> {
  const ticket = await api.post<TicketView>("/appointments/check-in", { code });
  if (mode === ticket.mode) return ticket;
  return api.put<TicketView>(`/tickets/${ticket.id}/mode`, { mode }).catch(() => ticket);
}

export interface Place {
  ticket: TicketView | null;
  session: string | null;
  /** `closed`: it rang in vain while nobody looked. */
  call_back: CallBackView | null;
}

/** Rejects with a 404 problem when nothing is left of it. */
export async function findPlace(api: ApiClient, kept: KeptVisit): Promise<Place> {
  const visit = kept.call_back ? null : await api.get<VisitView>(`/visits/${kept.id}`);
  const id = kept.call_back ?? visit?.ticket;
  const ticket = id ? await api.get<TicketView>(`/tickets/${id}`) : null;
  const asked = kept.call_back ? await api.get<CallBackView>(`/call-backs/${kept.call_back}`) : null;
  // Once answered it is an ordinary talk.
  const call_back = asked?.state === "answered" ? null : asked;
  const session = visit?.session ?? ticket?.session ?? null;
  const isOpen = ticket !== null && LIVE_TICKET.has(ticket.state);
  if (!session && !isOpen && call_back?.state !== "closed") throw networkProblem("over", 404);
  return { ticket, session: call_back ? null : session, call_back };
}

/** The ticket that a booth gave out: its visit goes on here. */
export async function carried(open: ApiClient, code: string, key: string): Promise<KeptVisit> {
  const taken = await open.post<VisitToken>("/tickets/carry", { code }, { key });
  return { id: taken.visit.id, token: taken.access_token, mode: "video", item: null };
}
/** A guest's place in a talk. */
export async function invited(open: ApiClient, who: { code: string; name: string }, key: string, mode: CallMode): Promise<KeptVisit> {
  const token = await open.post<GuestToken>("/guests", who, { key });
  return { id: "", token: token.access_token, mode, item: null, guest: token.session };
}
/** Ends a visit at the server; before that the code of the case that its session made is handed over. */
export async function closeVisit(api: ApiClient, visit: string, session: string | null, found: (code: string) => void): Promise<void> {
  if (session) await api.post<HandoverCode>(`/sessions/${session}/handover-code`, {}).then(({ code }) => found(code), () => undefined);
  await api.post(`/visits/${visit}/end`, {}).catch(() => undefined);
}
