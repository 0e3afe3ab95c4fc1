// Shows that a call-back rings while the page is behind another, and brings the page back when that is pressed. Keeps nothing.

/** @typedef {{ notification: { close(): void }, waitUntil(done: Promise<unknown>): void }} Pressed */
/** @typedef {{ matchAll(which: object): Promise<{ focus(): Promise<unknown> }[]> }} Pages */

const worker = /** @type {{ clients: Pages, addEventListener(kind: string, hear: (event: Pressed) => void): void }} */ (/** @type {unknown} */ (self));

worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const pages = worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  event.waitUntil(pages.then((all) => all[0]?.focus()));
});
