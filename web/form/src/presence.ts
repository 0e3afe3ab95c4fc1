/** Who is in which field, from hints. Typing holds a soft lock until three seconds after the last sign of it. */
import { shallowReactive } from "vue";
import type { Ephemeral, MemberRole } from "@cloud-booth/api";

export interface FieldPresence {
  member: string;
  name: string;
  role: MemberRole;
  typing: boolean;
}

export const LOCK_MS = 3_000;

export class FormPresence {
  /** By path: the others, one a field. */
  readonly fields = shallowReactive(new Map<string, FieldPresence>());
  readonly #who: (member: string) => { name: string; role: MemberRole } | null;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(who: (member: string) => { name: string; role: MemberRole } | null) {
    this.#who = who;
  }

  receive(from: string | null, hint: Ephemeral): void {
    if (!from) return;
    if (hint.kind === "focus") {
      this.#leave(from, hint.path ?? null);
      if (hint.path) this.#place(from, hint.path, this.fields.get(hint.path)?.typing ?? false);
    } else if (hint.kind === "typing" && hint.path) {
      this.#place(from, hint.path, hint.on);
      this.#arm(hint.path, hint.on);
    }
  }

  /** A member left or dropped. */
  leave(member: string): void {
    this.#leave(member, null);
  }
  dispose(): void {
    this.#timers.forEach(clearTimeout);
    this.#timers.clear();
    this.fields.clear();
  }

  #place(member: string, path: string, typing: boolean): void {
    const who = this.#who(member);
    if (who) this.fields.set(path, { member, ...who, typing });
  }
  #arm(path: string, on: boolean): void {
    clearTimeout(this.#timers.get(path));
    this.#timers.delete(path);
    if (!on) return;
    this.#timers.set(path, setTimeout(() => {
      this.#timers.delete(path);
      const entry = this.fields.get(path);
      if (entry) this.fields.set(path, { ...entry, typing: false });
    }, LOCK_MS));
  }
  #leave(member: string, except: string | null): void {
    for (const [path, entry] of [...this.fields]) {
      if (entry.member !== member || path === except) continue;
      this.fields.delete(path);
      this.#arm(path, false);
    }
  }
}
