/** Reads a text aloud with a voice of the phone's own. Voices over the network are never used: what is said may be personal. */
import { preferences } from "@cloud-booth/i18n";

function voiceOf(): SpeechSynthesisVoice | null {
  const language = preferences.state.locale === "en" ? "en" : "zh";
  return globalThis.speechSynthesis?.getVoices().find((one) => one.localService && one.lang.toLowerCase().startsWith(language)) ?? null;
}

/** Whether there is such a voice: without one nothing is offered. */
export const canRead = (): boolean => voiceOf() !== null;

export function readAloud(text: string): void {
  const voice = voiceOf();
  if (!voice || !text) return;
  speechSynthesis.cancel();
  const words = new SpeechSynthesisUtterance(text);
  words.voice = voice;
  words.lang = voice.lang;
  words.rate = preferences.state.elder ? 0.8 : 0.95;
  speechSynthesis.speak(words);
}
