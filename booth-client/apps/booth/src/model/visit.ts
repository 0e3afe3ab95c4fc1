/** One citizen's visit: token, identity, ticket. Everything lives in memory; `forget` leaves nothing. */
import { reactive } from "vue";
import { ApiClient, networkProblem, type AccessNeed, type AppointmentView, type Booked, type CardRead, type CarryCode, type HallView, type OpenVisit, type RatingView, type RequestView, type Slot, type SlotList, type TicketMode, type TicketView, type VisitToken, type VisitView, type WsTicket } from "@cloud-booth/api";
import { preferences } from "@cloud-booth/i18n";
import type { BoothIdentity } from "./identity.ts";

export type CallMode = TicketMode;
export const MODES: readonly CallMode[] = ["video", "audio", "text"];

export class Visit {
  readonly state = reactive<{ view: VisitView | null; ticket: TicketView | null }>({ view: null, ticket: null });
  readonly api: ApiClient;
  readonly #identity: BoothIdentity;
  #token: string | null = null;
  #opening: Promise<void> | null = null;

  constructor(identity: BoothIdentity) {
    this.#identity = identity;
    this.api = new ApiClient({
      language: () => preferences.state.locale, token: { get: () => this.#token },
    });
  }
  get isOpen(): boolean {
    return this.#token !== null;
  }

  /** Begins the visit; safe to call again. */
  open(): Promise<void> {
    if (this.#token) return Promise.resolve();
    this.#opening ??= this.#open().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }
  async #open(): Promise<void> {
    await this.#identity.ready();
    const hall = this.#identity.state.view?.hall;
    if (!hall) throw networkProblem("network");
    const body: OpenVisit = { channel: "booth", hall, language: preferences.state.locale, elder: preferences.state.elder };
    const answer = await this.#identity.api.post<VisitToken>("/visits", body);
    this.#token = answer.access_token;
    this.state.view = answer.visit;
  }

  /** A nonce for the card reader: the visit's own, or a new one when the last was spent. */
  async cardNonce(): Promise<string | null> {
    const view = this.state.view;
    if (!view) return null;
    if (!view.card_nonce) this.state.view = await this.api.get<VisitView>(`/visits/${view.id}`);
    return this.state.view?.card_nonce ?? null;
  }
  async refresh(): Promise<void> {
    const view = this.state.view;
    if (view) this.state.view = await this.api.get<VisitView>(`/visits/${view.id}`);
  }
  async identify(read: CardRead): Promise<void> {
    const view = this.state.view;
    if (!view) return;
    try {
      this.state.view = await this.api.post<VisitView>(`/visits/${view.id}/identity`, { read });
    } catch (error) {
      // A nonce is good once, whether the read was accepted or not.
      if (this.state.view) this.state.view.card_nonce = null;
      throw error;
    }
  }

  async takeTicket(item: string | null, needs: AccessNeed[], priority: boolean, mode: CallMode): Promise<TicketView> {
    const ticket = await this.api.post<TicketView>("/tickets", { item, needs, priority, mode });
    this.state.ticket = ticket;
    return ticket;
  }
  /** Another way of talking; the place stays. */
  async changeMode(mode: CallMode): Promise<void> {
    const ticket = this.state.ticket;
    if (ticket) this.setTicket(await this.api.put<TicketView>(`/tickets/${ticket.id}/mode`, { mode }));
  }
  /** Takes a snapshot from whichever way it came; an older one is dropped. */
  setTicket(ticket: TicketView): void {
    const now = this.state.ticket;
    if (now && now.id === ticket.id && now.version > ticket.version) return;
    this.state.ticket = ticket;
  }
  async followTicket(id: string): Promise<TicketView> {
    const ticket = await this.api.get<TicketView>(`/tickets/${id}`);
    this.state.ticket = ticket;
    return ticket;
  }
  async cancelTicket(): Promise<void> {
    const ticket = this.state.ticket;
    if (ticket) this.setTicket(await this.api.post<TicketView>(`/tickets/${ticket.id}/cancel`));
  }
  get #hall(): string {
    return encodeURIComponent(this.#identity.state.view?.hall ?? "");
  }
  async readSlots(queue: string, date: string): Promise<Slot[]> {
    return (await this.api.get<SlotList>(`/halls/${this.#hall}/slots`, { query: { queue, date } })).items;
  }
  /** The key is the caller's: one booking, however often it is pressed. */
  book(item: string | null, starts_at: string, needs: AccessNeed[], key: string): Promise<Booked> {
    return this.api.post<Booked>("/appointments", { item, starts_at, needs }, { key });
  }
  /** Of the card that this visit has read. */
  async readAppointments(): Promise<AppointmentView[]> {
    return (await this.api.get<{ items: AppointmentView[] }>("/appointments")).items;
  }
  cancelAppointment(id: string): Promise<AppointmentView> {
    return this.api.post<AppointmentView>(`/appointments/${id}/cancel`, {});
  }
  /** By the code, or without one by the card. */
  async checkIn(code?: string): Promise<TicketView> {
    const ticket = await this.api.post<TicketView>("/appointments/check-in", code ? { code } : {});
    this.state.ticket = ticket;
    return ticket;
  }
  leaveRequest(item: string | null, text: string, contact: string, key: string): Promise<RequestView> {
    return this.api.post<RequestView>("/requests", { item, text, contact }, { key });
  }
  async readOthers(): Promise<HallView[]> {
    return (await this.api.get<{ items: HallView[] }>(`/halls/${this.#hall}/others`)).items;
  }
  /** The code under which a phone takes the ticket over; this visit then ends by itself. */
  carry(): Promise<CarryCode> {
    return this.api.post<CarryCode>(`/tickets/${this.state.ticket?.id ?? ""}/carry`, {});
  }
  rate(id: string, stars: number, tags: number[]): Promise<RatingView> {
    return this.api.post<RatingView>(`/cases/${id}/rating`, { stars, tags, comment: "" });
  }
  /** For the WebSocket's handshake. */
  async wsTicket(): Promise<string> {
    return (await this.api.post<WsTicket>("/ws-tickets")).ticket;
  }

  /** Ends the visit at the server (and with it ticket and session). */
  async end(): Promise<void> {
    const view = this.state.view;
    if (view && this.#token) await this.api.post(`/visits/${view.id}/end`);
  }
  /** The page goes away without a wipe: told in passing, without waiting. */
  endInPassing(): void {
    const view = this.state.view;
    if (!view || !this.#token) return;
    void fetch(`/api/v1/visits/${view.id}/end`, {
      method: "POST", keepalive: true, headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json", "idempotency-key": crypto.randomUUID?.() ?? String(Math.random()) }, body: "{}",
    }).catch(() => undefined);
  }
  forget(): void {
    this.#token = null;
    this.state.view = null;
    this.state.ticket = null;
  }
}
