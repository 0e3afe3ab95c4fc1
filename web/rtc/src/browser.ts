/** Which words of advice fit: where a person has to press when the browser refused a device. Pure. */
export type Browser = "wechat" | "ios" | "android" | "desktop";

/** iPads call themselves Macintosh, but Macs have no touch. */
export function browserKind(agent: string = navigator.userAgent, touches: number = navigator.maxTouchPoints): Browser {
  if (/MicroMessenger/i.test(agent)) return "wechat";
  if (/iPhone|iPad|iPod/i.test(agent) || (/Macintosh/i.test(agent) && touches > 1)) return "ios";
  return /Android|HarmonyOS|OpenHarmony/i.test(agent) ? "android" : "desktop";
}
