/** The agent's acts on a session that need more than one step or a look first. Owns no state of its own: it opens sheets, sends, tells.
 * What the citizen must decide is only ever asked for here. */
import type { FieldView, GroupView } from "@cloud-booth/api";
import { pick } from "@cloud-booth/i18n";
import { announce, toast } from "@cloud-booth/ui";
import type { LiveSession } from "./session.ts";
import { hasSound } from "./session_record.ts";
import { say } from "./speak.ts";
import { useUi, type DeskUi } from "./ui.ts";

/** Time to take an end back, milliseconds. */
export const END_GRACE_MS = 10_000;

const isBlank = (field: FieldView): boolean => field.value === null || field.value === "";

export function visibleGroups(session: LiveSession): GroupView[] {
  return session.form.value?.groups.filter((group) => group.fields.some((field) => field.visible)) ?? [];
}

/** The field to look at next: wrong first, then empty where something must stand, then not confirmed. */
export function nextField(session: LiveSession): FieldView | null {
  const fields = visibleGroups(session).flatMap((group) => group.fields.filter((field) => field.visible));
  return fields.find((field) => field.error) ?? fields.find((field) => field.required && isBlank(field)) ?? fields.find((field) => !isBlank(field) && !field.confirmed) ?? null;
}

export function nextGroup(session: LiveSession): GroupView | null {
  return visibleGroups(session).find((group) => group.disputed || !group.confirmed || group.fields.some((field) => field.visible && field.confirm_single && !isBlank(field) && !field.confirmed)) ?? null;
}

/** What a signature still lacks: what a hand-off lacks but for the signature itself. */
export function missingForSign(session: LiveSession): string[] {
  return (session.view.value?.missing ?? []).filter((word) => word !== "signature");
}

export class Acts {
  readonly #ui: DeskUi;
  constructor(ui: DeskUi) {
    this.#ui = ui;
  }

  /** A line in the dialogue and a pointer to the field: the citizen sees both on their own screen. */
  async askConfirm(session: LiveSession): Promise<void> {
    const group = nextGroup(session);
    if (!group) {
      toast(say(session.form.value ? "act.allConfirmed" : "act.formFirst"));
      return;
    }
    const title = pick(group.title);
    const field = group.fields.find((one) => one.visible && !one.confirmed) ?? group.fields.find((one) => one.visible);
    if (await this.#ui.act("confirm", () => session.say(say("act.confirmChat", { group: title })))) {
      if (field) session.focus(field.path);
      toast(say("act.confirmSent", { group: title }));
    }
  }

  async askSign(session: LiveSession): Promise<void> {
    if (!session.form.value) {
      toast(say("act.formFirst"));
      return;
    }
    if (!session.form.value.ready_to_sign || missingForSign(session).length) {
      this.#ui.sheet.value = "missing_sign";
      return;
    }
    await this.#ui.act("sign", () => session.askSign());
  }

  /** On the citizen's own screen; nothing is recorded before they agree. */
  async askRecording(session: LiveSession): Promise<void> {
    if (!hasSound(session.view.value)) {
      toast(say("rec.needsSound"));
      return;
    }
    if (await this.#ui.act("recording", () => session.record.ask())) toast(say("rec.asked"));
  }

  openHandOff(session: LiveSession): void {
    if (session.view.value?.case) return;
    this.#ui.sheet.value = session.view.value?.missing.length || !session.form.value ? "missing" : "hand_off";
  }

  async handOff(session: LiveSession): Promise<void> {
    const done = await this.#ui.act("hand-off", async () => {
      const made = await session.handOff();
      announce(say("act.done", { number: made.number }), "assertive");
    });
    this.#ui.sheet.value = done ? "" : this.#ui.sheet.value;
  }

  /** Starts the ten seconds in which the end can be taken back. */
  startEnd(): void {
    this.#ui.endsAt.value = Date.now() + END_GRACE_MS;
    announce(say("act.endTitle"), "assertive");
  }
  takeEndBack(): void {
    this.#ui.endsAt.value = 0;
  }
  async end(session: LiveSession): Promise<void> {
    this.#ui.endsAt.value = 0;
    await this.#ui.act("end", () => session.end("finished"));
  }

  async ask(session: LiveSession, text: string, told: string): Promise<void> {
    if (await this.#ui.act("ask", () => session.say(text))) toast(told);
  }
}

export function useActs(): Acts {
  return new Acts(useUi());
}
