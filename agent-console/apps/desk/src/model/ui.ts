/** What one line shows besides the server's facts: the open panel, the large picture, sheets, and the acts under way. It stays as it is
 * while another line is on the screen. One place runs an act, marks it busy and keeps the problem that came of it. */
import { inject, ref, shallowReactive, shallowRef, type InjectionKey } from "vue";
import { problemText } from "@cloud-booth/api";
import { codeOf } from "./problem.ts";
import type { HelpTab } from "./help.ts";
import { say } from "./speak.ts";

export const PANELS = [1, 2, 3, 4, 5, 6] as const;
export type Panel = (typeof PANELS)[number];

export class DeskUi {
  readonly panel = ref<Panel>(1);
  readonly isFace = ref(false);
  /** Which sheet lies over the work. */
  readonly sheet = ref<"" | "missing" | "missing_sign" | "hand_off" | "help">("");
  readonly helpTab = ref<HelpTab>("consult");
  /** Grows by one for each time the canned replies are asked for by name. */
  readonly phrasesAsked = ref(0);
  /** The left column's lower part. */
  readonly past = ref<"timeline" | "history">("timeline");
  /** Volume of the citizen, 0 to 1. */
  readonly volume = ref(1);
  /** Item whose guide is shown; empty: that of the form. */
  readonly guideItem = ref("");
  readonly problem = shallowRef<{ text: string; code: string } | null>(null);
  readonly busy = shallowReactive(new Set<string>());
  /** While the call is about to end: when it will, milliseconds of this page's clock. */
  readonly endsAt = ref(0);

  /** Runs an act once at a time. True where it went well. */
  async act(name: string, work: () => Promise<unknown>): Promise<boolean> {
    if (this.busy.has(name)) return false;
    this.busy.add(name);
    this.problem.value = null;
    try {
      await work();
      return true;
    } catch (error) {
      this.problem.value = { text: problemText(error, say), code: codeOf(error) };
      return false;
    } finally {
      this.busy.delete(name);
    }
  }

  /** `isBeside`: the dialogue has a place of its own. */
  openPhrases(isBeside: boolean): void {
    if (!isBeside) this.panel.value = 4;
    this.phrasesAsked.value += 1;
  }
  openHelp(tab: HelpTab): void {
    this.helpTab.value = tab;
    this.problem.value = null;
    this.sheet.value = "help";
  }

  /** A new session starts with a clean table. */
  reset(): void {
    this.panel.value = 1;
    this.isFace.value = false;
    this.sheet.value = "";
    this.guideItem.value = "";
    this.past.value = "timeline";
    this.problem.value = null;
    this.endsAt.value = 0;
  }
}

export const UI: InjectionKey<DeskUi> = Symbol("desk ui");

export function useUi(): DeskUi {
  const ui = inject(UI);
  if (!ui) throw new Error("a part outside the workspace");
  return ui;
}
