/** The phone's own notification that a call-back rings, for a page that is behind another one or under the lock. Where a browser
 * has none (WeChat), sound, title and vibration remain. Never says more than the page's ring does. */
import { ref } from "vue";

const TAG = "call-back";
const SCOPE = "/phone/";
const WORKER = `${SCOPE}sw.js`;
/** A worker that is not there by then never comes for this ring, milliseconds: those after it must not wait for it. */
const WORKER_MS = 5_000;

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
  let late: ReturnType<typeof setTimeout> | undefined;
  const given = new Promise<undefined>((done) => (late = setTimeout(() => done(undefined), WORKER_MS)));
  const ready = navigator.serviceWorker.register(WORKER, { scope: SCOPE }).then(() => navigator.serviceWorker.ready);
  try {
    return await Promise.race([ready, given]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(late);
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
