/** Reads a text aloud with a voice of the device's own. Voices over the network are never used: what is said may be personal. One text at
 * a time; a page falls silent with what it read. */
import { computed, onBeforeUnmount, shallowRef, watch, type WatchSource } from "vue";
import { preferences } from "@cloud-booth/i18n";

const voices = shallowRef<readonly SpeechSynthesisVoice[]>([]);
const synthesis = (): SpeechSynthesis | undefined => globalThis.speechSynthesis;
function look(): void {
  voices.value = synthesis()?.getVoices() ?? [];
}
// Many browsers name their voices some time after the page has begun; old ones have no such event.
look();
synthesis()?.addEventListener?.("voiceschanged", look);

const voice = computed(() => {
  const language = preferences.state.locale === "en" ? "en" : "zh";
  return voices.value.find((one) => one.localService && one.lang.toLowerCase().startsWith(language)) ?? null;
});

/** Whether there is a voice for the page's language: without one nothing is offered. */
export const canRead = computed(() => voice.value !== null);

export function readAloud(text: string): void {
  if (!voice.value) look();
  const chosen = voice.value;
  if (!chosen || !text) return;
  stopReading();
  const words = new SpeechSynthesisUtterance(text);
  words.voice = chosen;
  words.lang = chosen.lang;
  words.rate = preferences.state.elder ? 0.8 : 0.95;
  synthesis()?.speak(words);
}
export function stopReading(): void {
  synthesis()?.cancel();
}

/** For a part of a page that reads what it shows: silent as soon as that changes, and when the part goes. */
export function silentAfter(shown: WatchSource<unknown>): void {
  watch(shown, stopReading);
  onBeforeUnmount(stopReading);
}
