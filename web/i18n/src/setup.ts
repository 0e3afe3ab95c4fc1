/** vue-i18n for one page: Chinese first, English second; the shared texts plus the page's own. */
import { watch, type App } from "vue";
import { createI18n } from "vue-i18n";
import common from "./messages/common.json";
import form from "./messages/form.json";
import call from "./messages/call.json";
import check from "./messages/check.json";
import desk from "./messages/desk.json";
import recording from "./messages/recording.json";
import { preferences, type Locale, type Surface } from "./preferences.ts";

/** A message file: `{ "zh-CN": { area: {...} }, "en": { area: {...} } }`. Each page has its own area name. */
export type Messages = Record<Locale, Record<string, unknown>>;

export interface LanguageOptions {
  surface: Surface;
  /** One file or several; areas must differ. */
  messages?: Messages | Messages[];
}

/** Returns a Vue plugin; `app.use(setUpLanguages({ surface: "booth", messages }))`. */
export function setUpLanguages({ surface, messages = [] }: LanguageOptions) {
  preferences.start(surface);
  const own = Array.isArray(messages) ? messages : [messages];
  const files: Messages[] = [common, form, call, check, desk, recording, ...own];
  const merged = { "zh-CN": {}, en: {} } as Record<Locale, Record<string, string>>;
  for (const file of files) {
    Object.assign(merged["zh-CN"], file["zh-CN"]);
    Object.assign(merged.en, file.en);
  }
  const i18n = createI18n({
    legacy: false,
    locale: preferences.state.locale,
    fallbackLocale: "zh-CN",
    messages: merged,
    missingWarn: import.meta.env?.DEV ?? false,
    fallbackWarn: false,
  });
  watch(
    () => preferences.state.locale,
    (locale) => {
      i18n.global.locale.value = locale;
    },
    { flush: "sync" },
  );
  return {
    i18n,
    install(app: App): void {
      app.use(i18n);
    },
  };
}
