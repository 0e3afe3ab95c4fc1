// Accept click to first remote picture: a console and a phone page in Chromium against a running server with the demo county.
// Prints two JSON lines; progress goes to standard error. Starts and ends no server.
import { launch, openPage } from "@cloud-booth/testkit";
import { line, percentile } from "./figures.js";
import { probe } from "./probe.js";

const PASSWORD = "Demo-2026-yunchuang";
const WAIT_MS = 30_000;
/** Runs that may fail before the whole measurement does. */
const FAILURES_MAX = 3;

const base_url = process.argv[2] ?? "";
const runs = Number(process.argv[3] ?? 40);
const warm_ups = Number(process.argv[4] ?? 3);
if (!/^http:\/\/127\.0\.0\.1:\d+$/.test(base_url) || !(runs > 0)) throw new Error("usage: main.js http://127.0.0.1:<port> [runs] [warm-ups]");

/** @typedef {import("playwright-core").Page} Page */

/** @param {string} text */
const say = (text) => process.stderr.write(`bench: ${text}\n`);

/** @param {Page} page @param {string} id */
const at = (page, id) => page.locator(`[data-testid="${id}"]`).locator("visible=true").first();

/** Asks the page until the answer is something. `waitForFunction` would need `eval`, which the pages' content policy refuses.
 * Times are taken inside the page, so how often is asked changes no figure.
 * @template T @param {Page} page @param {string} expression @param {string} what @returns {Promise<T>} */
async function until(page, expression, what) {
  for (const end = Date.now() + WAIT_MS; ; ) {
    const answer = /** @type {T | null} */ (await page.evaluate(expression));
    if (answer !== null) return answer;
    if (Date.now() > end) throw new Error(`waited too long: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** @param {Page} page */
const reset = (page) => page.evaluate("(() => { const seen = window.__join; seen.click = null; seen.frames = {}; seen.peers.length = 0; })()");

/** The newest connection of the page is up: both sides warm up before the accept.
 * @param {Page} page @param {string} who */
const isWarm = (page, who) => until(page, 'window.__join.peers.at(-1)?.connectionState === "connected" || null', `${who}: transport`);

/** When the remote picture had its first frame.
 * @param {Page} page @param {string} tile @returns {Promise<number>} */
const firstFrame = (page, tile) => until(page, `window.__join.frames["${tile}"] ?? null`, `first frame in ${tile}`);

/** @param {import("playwright-core").Browser} browser @param {"phone" | "console"} surface */
async function open(browser, surface) {
  const { context, page } = await openPage(browser, { surface, base_url });
  context.setDefaultTimeout(WAIT_MS);
  await context.addInitScript(probe);
  page.on("dialog", (dialog) => void dialog.accept().catch(() => undefined));
  return { context, page };
}

/** An agent who sits ready. @param {import("playwright-core").Browser} browser */
async function sitDown(browser) {
  const { page } = await open(browser, "console");
  await page.goto("/console/");
  await at(page, "sign-in-account").fill("agent1");
  await at(page, "sign-in-password").fill(PASSWORD);
  await at(page, "sign-in-submit").click();
  await at(page, "seat-choice").waitFor();
  await at(page, "ring-test").click();
  await at(page, "seat-start").click();
  await at(page, "workspace").waitFor();
  return page;
}

/** One call from the queue to the wrap-up; milliseconds from the click to the later picture.
 * @param {import("playwright-core").Browser} browser @param {Page} desk */
async function call(browser, desk) {
  const { context, page: phone } = await open(browser, "phone");
  try {
    await reset(desk);
    await phone.goto("/phone/check");
    await at(phone, "check-start").click();
    await at(phone, "queue").click();
    const accept = at(desk, "accept");
    await accept.waitFor();
    await Promise.all([isWarm(phone, "phone"), isWarm(desk, "console")]);
    await accept.click();
    const [citizen, agent] = await Promise.all([firstFrame(phone, "agent-video"), firstFrame(desk, "citizen-video")]);
    const click = /** @type {number} */ (await until(desk, "window.__join.click", "the click"));
    return { both: Math.max(citizen, agent) - click, citizen: citizen - click, agent: agent - click };
  } finally {
    await hangUp(desk);
    await context.close();
  }
}

/** Whatever state the desk is in: ready for the next. @param {Page} desk */
async function hangUp(desk) {
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

const browser = await launch();
/** @type {number[]} */
const samples = [];
let errors = 0;
try {
  const desk = await sitDown(browser);
  for (let run = 1 - warm_ups; run <= runs; run += 1) {
    try {
      const { both, citizen, agent } = await call(browser, desk);
      say(`${run > 0 ? `run ${run}` : "warm-up"}: ${both.toFixed(0)} ms (citizen ${citizen.toFixed(0)}, agent ${agent.toFixed(0)})`);
      if (run > 0) samples.push(both);
    } catch (error) {
      errors += 1;
      say(`run ${run}: ${error instanceof Error ? error.message : String(error)}`);
      if (errors > FAILURES_MAX) throw error;
    }
  }
} finally {
  await browser.close();
}
process.stdout.write(`${line("join_first_frame_p50_ms", percentile(samples, 50), "ms", samples.length, errors)}\n`);
process.stdout.write(`${line("join_first_frame_p95_ms", percentile(samples, 95), "ms", samples.length, errors)}\n`);
