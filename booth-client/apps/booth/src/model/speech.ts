/** Every screen speaks, where the machine has a voice of its own. Voices over the network are never used: what is said may be personal. */
import { reactive, watch } from "vue";
import { preferences } from "@cloud-booth/i18n";

export const sound = reactive({ on: true });

export function speak(text: string): void {
  const synthesis = globalThis.speechSynthesis;
  if (!synthesis || !sound.on || !text) return;
  const language = preferences.state.locale === "en" ? "en" : "zh";
  const voice = synthesis.getVoices().find((one) => one.localService && one.lang.toLowerCase().startsWith(language));
  if (!voice) return;
  synthesis.cancel();
  const words = new SpeechSynthesisUtterance(text);
  words.voice = voice;
  words.lang = voice.lang;
  words.rate = preferences.state.elder ? 0.8 : 0.95;
  synthesis.speak(words);
}

watch(() => sound.on, (on) => {
  if (!on) globalThis.speechSynthesis?.cancel();
});
