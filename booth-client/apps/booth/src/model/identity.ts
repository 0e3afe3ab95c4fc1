/** Who this booth is: log-in by the host's device key, and what the hall says now. The token lives in memory alone; a reload
 * logs in again. Owns no visit. */
import { reactive } from "vue";
import { ApiClient, ProblemError, type BoothNonce, type BoothToken, type BoothView, type HallView, type ItemCard, type ItemList } from "@cloud-booth/api";
import { preferences } from "@cloud-booth/i18n";
import type { Bridge } from "./bridge.ts";

/** `refused`: the server does not know this device. */
export type BoothState = "starting" | "ready" | "host_away" | "server_away" | "refused";

const HALL_MS = 10_000;
const RETRY_MS = 3_000;
/** Between looks for a host that has not answered yet. */
const LOOK_MS = 200;
/** A token this close to its end is renewed, milliseconds. */
const MARGIN_MS = 60_000;

export class BoothIdentity {
  readonly state = reactive<{ booth: BoothState; view: BoothView | null; hall: HallView | null; items: ItemCard[]; stale: boolean }>({ booth: "starting", view: null, hall: null, items: [], stale: false });
  readonly api: ApiClient;
  readonly #bridge: Bridge;
  readonly #public: ApiClient;
  #token: { text: string; until: number } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isDisposed = false;

  constructor(bridge: Bridge) {
    this.#bridge = bridge;
    const language = (): string => preferences.state.locale;
    this.#public = new ApiClient({ language });
    this.api = new ApiClient({ language, token: { get: () => this.#token?.text ?? null, refresh: () => this.#login() } });
  }

  /** Goes on until the page ends: log in, look at the hall, again. */
  start(): void {
    void this.#round();
  }
  /** A token that will last for a request. */
  async ready(): Promise<void> {
    if (!this.#token || this.#token.until - Date.now() < MARGIN_MS) await this.#login();
  }
  dispose(): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
    this.#token = null;
  }

  async #round(): Promise<void> {
    clearTimeout(this.#timer);
    let wait = HALL_MS;
    try {
      await this.ready();
      const hall = this.state.view?.hall;
      if (hall) {
        this.state.hall = await this.#public.get<HallView>(`/halls/${encodeURIComponent(hall)}`);
        if (this.state.items.length === 0) this.state.items = (await this.#public.get<ItemList>("/items")).items;
        this.state.booth = "ready";
        this.state.stale = false;
      }
    } catch (error) {
      const isLooking = error instanceof HostAway && this.#bridge.state.host === "looking";
      wait = isLooking ? LOOK_MS : RETRY_MS;
      this.state.stale = true;
      // The first moments of a page are no failure of the host.
      this.state.booth = isLooking ? "starting" : this.#explain(error);
    }
    if (!this.#isDisposed) this.#timer = setTimeout(() => void this.#round(), wait);
  }

  #explain(error: unknown): BoothState {
    if (error instanceof HostAway) return "host_away";
    if (error instanceof ProblemError && [400, 401, 403, 404, 422].includes(error.status)) return "refused";
    return "server_away";
  }

  async #login(): Promise<string | null> {
    const booth = this.#bridge.state.booth;
    if (!booth || this.#bridge.state.host !== "ready") throw new HostAway();
    const { nonce } = await this.#public.post<BoothNonce>("/auth/booth/challenge", { booth });
    const signed = await this.#bridge.login(nonce).catch(() => {
      throw new HostAway();
    });
    const token = await this.#public.post<BoothToken>("/auth/booth", signed);
    this.#token = { text: token.access_token, until: Date.parse(token.expires_at) };
    this.state.view = token.booth;
    return token.access_token;
  }
}

class HostAway extends Error {}
