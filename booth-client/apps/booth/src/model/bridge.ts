/** The booth host beside this page: device key, card reader, wipe. Owns the connection to it; never keeps a card. */
import type { BoothLogin, CardRead } from "@cloud-booth/api";
import { reactive } from "vue";
import { Emitter } from "@cloud-booth/signal";

export type HostState = "looking" | "ready" | "away";
type Events = { card_present: null; card_read: CardRead };

const DEFAULT = "http://127.0.0.1:8091";
const CALL_MS = 5_000;

/** The host's address is fixed; a developer's page on loopback may name another one. */
export function bridgeAddress(page: Location): string {
  const wanted = new URLSearchParams(page.search).get("bridge");
  const isLocal = page.hostname === "127.0.0.1" || page.hostname === "localhost";
  return isLocal && wanted && /^http:\/\/(127\.0\.0\.1|localhost):\d{1,5}$/.test(wanted) ? wanted : DEFAULT;
}

export class Bridge {
  readonly events = new Emitter<Events>();
  readonly state = reactive<{ host: HostState; reader: "ready" | "absent"; booth: string | null }>({ host: "looking", reader: "absent", booth: null });
  readonly #base: string;
  #source: EventSource | null = null;

  constructor(base: string) {
    this.#base = base;
  }

  /** Listens; the browser reconnects by itself. */
  start(): void {
    const source = new EventSource(`${this.#base}/v1/events`);
    this.#source = source;
    source.onerror = () => {
      this.state.host = "away";
      // A refusal (not a lost line) closes the source for good: begin again.
      if (source.readyState === EventSource.CLOSED && this.#source === source) setTimeout(() => this.#source === source && this.start(), 3000);
    };
    source.addEventListener("status", (event) => this.#status((event as MessageEvent<string>).data));
    source.addEventListener("card_present", () => this.events.emit("card_present", null));
    source.addEventListener("card_read", (event) => {
      const read = parse((event as MessageEvent<string>).data) as CardRead | null;
      if (read) this.events.emit("card_read", read);
    });
  }

  login(nonce: string): Promise<BoothLogin> {
    return this.#post("login", { nonce });
  }
  /** The next card, or one of the last ten seconds, is signed over this nonce. */
  arm(nonce: string): Promise<void> {
    return this.#post("arm", { nonce });
  }
  disarm(): Promise<void> {
    return this.#post("disarm", {});
  }
  wipe(): Promise<void> {
    return this.#post("wipe", {});
  }

  dispose(): void {
    this.#source?.close();
    this.#source = null;
    this.events.clear();
  }

  #status(text: string): void {
    const value = parse(text) as { booth?: string; devices?: { card_reader?: string } } | null;
    if (!value) return;
    this.state.host = "ready";
    this.state.booth = value.booth ?? null;
    this.state.reader = value.devices?.card_reader === "ready" ? "ready" : "absent";
  }

  async #post<T>(name: string, body: unknown): Promise<T> {
    const response = await fetch(`${this.#base}/v1/${name}`, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(CALL_MS),
    });
    if (!response.ok) throw new Error(`bridge ${response.status}`);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
