/** The phone's own notification that a call-back rings, for a page that is behind another one or under the lock. Where a browser
 * has none (WeChat), sound, title and vibration remain. Never says more than the page's ring does. */
import { ref } from "vue";

const TAG = "call-back";
const SCOPE = "/phone/";
const WORKER = `${SCOPE}sw.js`;

export type NotifyState = NotificationPermission | "none";

const hasIt = (): boolean => "Notification" in window && "serviceWorker" in navigator;
export const notifyState = ref<NotifyState>(hasIt() ? Notification.permission : "none");

/** In a tap: the browser asks the person. */
export async function askToNotify(): Promise<void> {
  if (!hasIt()) return;
  notifyState.value = await Notification.requestPermission();
}

/** A page on a phone may show one through a worker alone. */
async function worker(): Promise<ServiceWorkerRegistration | undefined> {
  if (!hasIt() || Notification.permission !== "granted") return undefined;
  try {
    await navigator.serviceWorker.register(WORKER, { scope: SCOPE });
    return await navigator.serviceWorker.ready;
  } catch {
    return undefined;
  }
}

/** One after another: a ring that ends late must not take the next one's notification away. */
let last: Promise<void> = Promise.resolve();
function inTurn(act: () => Promise<void>): Promise<void> {
  last = last.then(act).catch(() => undefined);
  return last;
}

export function notifyRing(title: string, body: string): Promise<void> {
  if (document.visibilityState === "visible") return Promise.resolve();
  return inTurn(async () => {
    await (await worker())?.showNotification(title, { body, tag: TAG, requireInteraction: true, icon: "/phone/icon.svg" });
  });
}

export function notifyOver(): Promise<void> {
  return inTurn(async () => {
    for (const one of (await (await worker())?.getNotifications({ tag: TAG })) ?? []) one.close();
  });
}
