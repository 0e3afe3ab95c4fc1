// What the benches in a browser share: pages with a probe, an agent who sits ready, a phone in line, waiting for what a page shows.
import { openPage } from "@cloud-booth/testkit";

export const PASSWORD = "Demo-2026-yunchuang";
const WAIT_MS = 30_000;

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").Browser} Browser */

/** @param {string} text */
export const say = (text) => process.stderr.write(`bench: ${text}\n`);

/** The server to measure, from the command line. @param {string} usage */
export function server(usage) {
  const url = process.argv[2] ?? "";
  if (!/^http:\/\/127\.0\.0\.1:\d+$/.test(url)) throw new Error(`usage: ${usage}`);
  return url;
}

/** @param {Page} page @param {string} id */
export const at = (page, id) => page.locator(`[data-testid="${id}"]`).locator("visible=true").first();

/** Asks the page until the answer is something. `waitForFunction` would need `eval`, which the pages' content policy refuses.
 * Times are taken inside the page, so how often is asked changes no figure.
 * @template T @param {Page} page @param {string} expression @param {string} what @returns {Promise<T>} */
export async function until(page, expression, what) {
  for (const end = Date.now() + WAIT_MS; ; ) {
    const answer = /** @type {T | null} */ (await page.evaluate(expression));
    if (answer !== null) return answer;
    if (Date.now() > end) throw new Error(`waited too long: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** @param {Browser} browser @param {"phone" | "console"} surface @param {string} base_url @param {() => void} probe Runs before the page's own code. */
export async function open(browser, surface, base_url, probe) {
  const { context, page } = await openPage(browser, { surface, base_url });
  context.setDefaultTimeout(WAIT_MS);
  await context.addInitScript(probe);
  page.on("dialog", (dialog) => void dialog.accept().catch(() => undefined));
  return { context, page };
}

/** An agent of the demo county who sits ready. @param {Page} page */
export async function sitDown(page) {
  await page.goto("/console/");
  await at(page, "sign-in-account").fill("agent1");
  await at(page, "sign-in-password").fill(PASSWORD);
  await at(page, "sign-in-submit").click();
  await at(page, "seat-choice").waitFor();
  await at(page, "ring-test").click();
  await at(page, "seat-start").click();
  await at(page, "workspace").waitFor();
}

/** A phone takes a ticket. @param {Page} phone */
export async function queueUp(phone) {
  await phone.goto("/phone/check");
  await at(phone, "check-start").click();
  await at(phone, "queue").click();
}

/** Whatever state the desk is in: ready for the next. @param {Page} desk */
export async function hangUp(desk) {
  const state = () => desk.locator('[data-testid="workspace"]').getAttribute("data-seat-state");
  /** @param {string} word */
  const becomes = (word) => desk.locator(`[data-testid="workspace"][data-seat-state="${word}"]`).waitFor();
  if ((await state()) === "ringing") {
    await at(desk, "decline").click();
    await becomes("away");
  }
  if ((await state()) === "busy") {
    await at(desk, "end").click();
    await at(desk, "end-now").click();
    await becomes("wrap_up");
  }
  if ((await state()) === "wrap_up") await at(desk, "wrap-done").click();
  if ((await state()) === "away") await at(desk, "ready").click();
  await becomes("ready");
}
