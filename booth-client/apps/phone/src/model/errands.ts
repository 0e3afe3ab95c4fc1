/** What one does without a call: appointments and messages to the staff. Owns a visit of its own (anonymous) whose token stays on
 * the phone, and the appointments' codes, which the person asked to keep; their views hold no personal data. */
import { reactive } from "vue";
import { newKey, ProblemError } from "@cloud-booth/api";
import type { AccessNeed, ApiClient, AppointmentView, Booked, Language, RequestView, Slot, SlotList, VisitToken } from "@cloud-booth/api";
import type { Shelf } from "./store.ts";

export interface KeptAppointment {
  code: string;
  view: AppointmentView;
}
interface KeptErrand {
  token: string;
  hall: string;
  until: string;
}
export interface ErrandOptions {
  open: ApiClient;
  client: (token: () => string | null) => ApiClient;
  phone: Shelf;
  language: () => Language;
  elder: () => boolean;
}

const VISIT = "cloud-booth.errand";
const APPOINTMENTS = "cloud-booth.appointments";
const KEPT_MAX = 20;
/** A token this close to its end is not used, milliseconds. */
const MARGIN_MS = 60_000;
/** Codes are letters and digits without look-alikes; people add blanks and write small. */
export const cleanCode = (typed: string): string => typed.toUpperCase().replace(/[^0-9A-Z]/g, "");
export const isMobile = (typed: string): boolean => /^1[3-9]\d{9}$/.test(typed.replace(/[\s-]/g, ""));

export class Errands {
  readonly state = reactive<{ appointments: KeptAppointment[]; requests: RequestView[] }>({ appointments: [], requests: [] });
  readonly #options: ErrandOptions;
  readonly #api: ApiClient;
  #visit: KeptErrand | null;

  constructor(options: ErrandOptions) {
    this.#options = options;
    this.#visit = options.phone.read<KeptErrand>(VISIT);
    this.#api = options.client(() => this.#visit?.token ?? null);
    this.state.appointments = options.phone.read<KeptAppointment[]>(APPOINTMENTS) ?? [];
  }

  readSlots(hall: string, queue: string, date: string): Promise<Slot[]> {
    return this.#options.open.get<SlotList>(`/halls/${encodeURIComponent(hall)}/slots`, { query: { queue, date } }).then((list) => list.items);
  }

  /** Commands take a key from the caller, so that pressing again after a lost answer books once. */
  async book(hall: string, item: string | null, starts_at: string, needs: AccessNeed[], key = newKey()): Promise<KeptAppointment & { url: string }> {
    const booked = await this.#within(hall, (api) => api.post<Booked>("/appointments", { item, starts_at, needs }, { key }));
    const kept = { code: booked.code, view: booked.appointment };
    this.#keep(kept);
    return { ...kept, url: booked.url };
  }
  /** By its code: from the link, typed, or to look again. */
  async find(hall: string, typed: string): Promise<KeptAppointment> {
    const code = cleanCode(typed);
    const kept = { code, view: await this.#within(hall, (api) => api.post<AppointmentView>("/appointments/find", { code })) };
    this.#keep(kept);
    return kept;
  }
  async cancel(one: KeptAppointment): Promise<void> {
    const view = await this.#within(one.view.hall, (api) => api.post<AppointmentView>(`/appointments/${one.view.id}/cancel`, { code: one.code }));
    this.#keep({ code: one.code, view });
  }
  /** Looks again at those that may still change. One that the server no longer knows stays as it was last seen. */
  async refresh(): Promise<void> {
    for (const one of this.state.appointments.filter(({ view }) => view.state === "booked" || view.state === "checked_in")) {
      await this.find(one.view.hall, one.code).catch(() => undefined);
    }
  }
  forget(id: string): void {
    this.state.appointments = this.state.appointments.filter(({ view }) => view.id !== id);
    this.#options.phone.write(APPOINTMENTS, this.state.appointments);
  }

  async leave(hall: string, item: string | null, text: string, contact: string, key = newKey()): Promise<void> {
    const request = await this.#within(hall, (api) => api.post<RequestView>("/requests", { item, text: text.trim(), contact: contact.replace(/[\s-]/g, "") }, { key }));
    this.state.requests = [request, ...this.state.requests.filter((one) => one.id !== request.id)];
  }
  /** Asks only where a visit is there already: looking opens none. */
  async readRequests(): Promise<void> {
    if (this.#isGood(this.#visit?.hall ?? "")) this.state.requests = (await this.#api.get<{ items: RequestView[] }>("/requests/mine")).items;
  }

  #keep(one: KeptAppointment): void {
    const others = this.state.appointments.filter(({ view }) => view.id !== one.view.id);
    this.state.appointments = [one, ...others].sort((a, b) => b.view.starts_at.localeCompare(a.view.starts_at)).slice(0, KEPT_MAX);
    this.#options.phone.write(APPOINTMENTS, this.state.appointments);
  }
  #isGood(hall: string): boolean {
    return this.#visit !== null && this.#visit.hall === hall && Date.parse(this.#visit.until) - MARGIN_MS > Date.now();
  }
  async #within<T>(hall: string, ask: (api: ApiClient) => Promise<T>): Promise<T> {
    if (!this.#isGood(hall)) await this.#open(hall);
    try {
      return await ask(this.#api);
    } catch (error) {
      // The visit ended meanwhile: once more with a new one.
      if (!(error instanceof ProblemError) || error.status !== 401) throw error;
      await this.#open(hall);
      return ask(this.#api);
    }
  }
  async #open(hall: string): Promise<void> {
    const opened = await this.#options.open.post<VisitToken>("/visits", { channel: "phone", hall, language: this.#options.language(), elder: this.#options.elder() });
    this.#visit = { token: opened.access_token, hall, until: opened.expires_at };
    this.#options.phone.write(VISIT, this.#visit);
  }
}
