/** Languages, elder mode and formats. Owns what the person chose about reading; never holds anything about who they are. */
export { setUpLanguages, type Messages } from "./setup.ts";
export { preferences, usePreferences, type Locale, type Surface } from "./preferences.ts";
export { pick, useBilingual, type Bilingual } from "./bilingual.ts";
export * from "./format.ts";
