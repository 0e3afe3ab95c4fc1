/** Relays of a call, as the server names them: asked for once, kept until most of their time is over, shared by all connections
 * of a page. Owns no connection. A server that does not answer costs a call its relay, nothing else. */
import type { IceServers } from "@cloud-booth/api";

/** New ones are fetched when this part of their time is over: a dial takes seconds, a gathering begins at any moment. */
const RENEW_AT = 0.75;
/** A dial waits no longer for them, milliseconds. */
const PATIENCE_MS = 2_000;
/** After a failure the server is not asked again sooner, milliseconds. */
const AGAIN_MS = 10_000;
const NONE: RTCIceServer[] = [];

/** `?relay=1` in the page's address sends all media by the relay: to try it. Read once, since pages change their address. */
export const TRANSPORT_POLICY: RTCIceTransportPolicy = new URLSearchParams(globalThis.location?.search ?? "").get("relay") === "1" ? "relay" : "all";

/** As the browser takes them: it reads a null name as a word. */
export function toServers(wire: IceServers): RTCIceServer[] {
  return wire.ice_servers.map(({ urls, username, credential }) => (username && credential ? { urls, username, credential } : { urls }));
}

export function hasRelay(servers: readonly RTCIceServer[]): boolean {
  return servers.some(({ urls }) => [urls].flat().some((url) => /^turns?:/.test(url)));
}

export class IceSource {
  readonly #fetch: () => Promise<IceServers>;
  readonly #now: () => number;
  #servers = NONE;
  #renewAt = 0;
  #until = 0;
  #notBefore = 0;
  #asking: Promise<void> | null = null;
  /** Counts the persons: an answer to one of them is not the next one's. */
  #round = 0;

  constructor(fetch: () => Promise<IceServers>, now: () => number = () => performance.now()) {
    this.#fetch = fetch;
    this.#now = now;
  }

  /** For a connection that gathers now. The same list while it lasts, so that a caller sees when it has changed. Never rejects. */
  async get(): Promise<RTCIceServer[]> {
    const now = this.#now();
    if (now >= this.#renewAt && now >= this.#notBefore) {
      await within(PATIENCE_MS, this.#asked());
    }
    return this.#now() < this.#until ? this.#servers : NONE;
  }

  /** Another person's: nothing of the old one is used, and nothing that is still on its way to them. */
  forget(): void {
    this.#round += 1;
    this.#asking = null;
    this.#servers = NONE;
    this.#renewAt = this.#until = this.#notBefore = 0;
  }

  #asked(): Promise<void> {
    if (this.#asking) return this.#asking;
    const asking = this.#ask(this.#round).finally(() => {
      if (this.#asking === asking) this.#asking = null;
    });
    return (this.#asking = asking);
  }

  async #ask(round: number): Promise<void> {
    try {
      const wire = await this.#fetch();
      if (round !== this.#round) return;
      const life = wire.ttl_s * 1000;
      this.#servers = toServers(wire);
      this.#until = this.#now() + life;
      this.#renewAt = this.#now() + life * RENEW_AT;
    } catch {
      if (round === this.#round) this.#notBefore = this.#now() + AGAIN_MS;
    }
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([work, new Promise<void>((done) => (timer = setTimeout(done, ms)))]);
  clearTimeout(timer);
}
