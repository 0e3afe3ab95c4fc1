/** The ten seconds in which a hang-up can be taken back. Owns their timer; while they run nobody hears this side. */
import type { LocalMedia } from "@cloud-booth/rtc";
import type { CallState } from "./callstate.ts";

/** 10 s to take back a hang-up (design guide, Irreversible). */
export const LEAVE_MS = 10_000;

export class Leaving {
  readonly #state: Pick<CallState, "leaving_until" | "local">;
  readonly #media: () => LocalMedia | null;
  readonly #go: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #micBefore = true;

  constructor(state: Pick<CallState, "leaving_until" | "local">, media: () => LocalMedia | null, go: () => void) {
    this.#state = state;
    this.#media = media;
    this.#go = go;
  }
  begin(): void {
    if (this.#state.leaving_until !== null) return;
    this.#micBefore = this.#state.local?.mic_on ?? true;
    this.#media()?.setMic(false);
    this.#state.leaving_until = Date.now() + LEAVE_MS;
    this.#timer = setTimeout(this.#go, LEAVE_MS);
  }
  takeBack(): void {
    if (this.#state.leaving_until === null) return;
    this.clear();
    this.#state.leaving_until = null;
    this.#media()?.setMic(this.#micBefore);
  }
  clear(): void {
    clearTimeout(this.#timer);
  }
}
