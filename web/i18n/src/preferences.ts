/** What a person chose about reading: language, elder mode, theme, low reach line. One per page.
 * A booth serves the next person a minute later, so there nothing is ever stored: `forget()` brings the defaults back. */
import { reactive, watch } from "vue";

export type Locale = "zh-CN" | "en";
export type Surface = "booth" | "phone" | "public" | "console";

interface State {
  surface: Surface;
  locale: Locale;
  elder: boolean;
  theme: "light" | "dark";
  /** The booth's low mode: everything touchable lies lower. */
  low: boolean;
}

const DEFAULTS = { locale: "zh-CN", elder: false, theme: "light", low: false } as const;

const state = reactive<State>({ surface: "console", ...DEFAULTS });

const key = (): string => `cloud-booth.reading.${state.surface}`;
const isKept = (): boolean => state.surface !== "booth";

function applyToDocument(): void {
  if (typeof document === "undefined") return;
  const root = document.documentElement;
  root.lang = state.locale;
  root.dataset.surface = state.surface;
  root.toggleAttribute("data-elder", state.elder);
  root.toggleAttribute("data-low", state.low);
  if (state.theme === "dark") root.dataset.theme = "dark";
  else delete root.dataset.theme;
}

function save(): void {
  if (!isKept()) return;
  try {
    localStorage.setItem(key(), JSON.stringify({ locale: state.locale, elder: state.elder, theme: state.theme, low: state.low }));
  } catch {
    // Storage may be closed (private window, embedded view): the choice then lasts as long as the page.
  }
}

function load(): void {
  if (!isKept()) return;
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key()) ?? "{}");
    if (typeof stored !== "object" || stored === null) return;
    const found = stored as Record<string, unknown>;
    if (found.locale === "zh-CN" || found.locale === "en") state.locale = found.locale;
    if (typeof found.elder === "boolean") state.elder = found.elder;
    if (found.theme === "light" || found.theme === "dark") state.theme = found.theme;
    if (typeof found.low === "boolean") state.low = found.low;
  } catch {
    // A damaged or closed store means the defaults.
  }
}

export const preferences = {
  state,
  /** Called once by `setUpLanguages`. */
  start(surface: Surface): void {
    state.surface = surface;
    load();
    applyToDocument();
    watch(state, () => {
      applyToDocument();
      save();
    });
  },
  setLocale(locale: Locale): void {
    state.locale = locale;
  },
  toggleLocale(): void {
    state.locale = state.locale === "en" ? "zh-CN" : "en";
  },
  setElder(on: boolean): void {
    state.elder = on;
  },
  setTheme(theme: "light" | "dark"): void {
    state.theme = theme;
  },
  setLow(on: boolean): void {
    state.low = on;
  },
  /** Back to the defaults, as part of the booth's wipe. */
  forget(): void {
    Object.assign(state, DEFAULTS);
    try {
      localStorage.removeItem(key());
    } catch {
      // Nothing stored, nothing to remove.
    }
  },
};

export function usePreferences(): typeof preferences {
  return preferences;
}
