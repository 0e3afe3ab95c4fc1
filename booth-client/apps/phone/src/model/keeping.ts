/** The visit's token (anonymous) while a place is held: in memory, and on the phone, so that a closed page finds its place again. */
import type { KeptVisit } from "./callstate.ts";
import type { Shelf } from "./store.ts";

const KEY = "cloud-booth.visit";

export class Keeping {
  readonly #shelf: Shelf;
  readonly #begun: (() => void) | undefined;
  #visit: KeptVisit | null = null;

  constructor(shelf: Shelf, begun?: () => void) {
    this.#shelf = shelf;
    this.#begun = begun;
  }
  get visit(): KeptVisit | null {
    return this.#visit;
  }
  get token(): string | null {
    return this.#visit?.token ?? null;
  }
  /** What an earlier page left. */
  read(): KeptVisit | null {
    return this.#shelf.read<KeptVisit>(KEY);
  }
  /** A visit begins. In memory alone: a place is not held yet, or is kept already. */
  use(visit: KeptVisit): void {
    this.#visit = visit;
    this.#begun?.();
  }
  keep(visit: KeptVisit): void {
    this.#visit = visit;
    this.#shelf.write(KEY, visit);
  }
  change(more: Partial<KeptVisit>): void {
    if (this.#visit) this.keep({ ...this.#visit, ...more });
  }
  /** From memory alone: the next load tries again. */
  drop(): void {
    this.#visit = null;
  }
  /** For good; what it was. */
  forget(): KeptVisit | null {
    const was = this.#visit;
    this.#shelf.remove(KEY);
    this.#visit = null;
    return was;
  }
}
