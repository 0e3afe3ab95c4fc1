// A member who comes into a running call: from `connected` to the first picture of each of the two others. The publishers have been
// running for seconds, and their encoders give no keyframe unasked: the one that is needed must be had at once. A supervisor begins to
// listen and leaves, again and again. Prints two JSON lines; progress goes to standard error.
import { launch } from "@cloud-booth/testkit";
import { at, hangUp, open, PASSWORD, queueUp, say, server, sitDown, until } from "./agent.js";
import { line, percentile } from "./figures.js";
import { probe } from "./probe.js";

const base_url = server("late.js http://127.0.0.1:<port> [runs] [warm-ups]");
const runs = Number(process.argv[3] ?? 24);
const warm_ups = Number(process.argv[4] ?? 2);
/** Between two joins: no keyframe of the last one helps the next. */
const APART_MS = 5_500;
const FAILURES_MAX = 3;

/** @typedef {import("playwright-core").Page} Page */

/** @param {Page} wall */
const forget = (wall) => wall.evaluate("(() => { const seen = window.__join; seen.connected = null; seen.frames = {}; seen.peers.length = 0; })()");

/** One join; milliseconds from `connected` to the later first picture. @param {Page} wall */
async function joinLate(wall) {
  await forget(wall);
  await wall.locator('[data-testid^="supervise-listen-"]').first().click();
  /** @param {string} tile @returns {Promise<number>} */
  const first = (tile) => until(wall, `window.__join.frames["${tile}"] ?? null`, `first frame in ${tile}`);
  const frames = await Promise.all([first("sup-citizen"), first("sup-agent")]);
  const connected = /** @type {number} */ (await until(wall, "window.__join.connected", "the connection"));
  await at(wall, "sup-leave").click();
  await at(wall, "sup-close").click();
  return Math.max(...frames) - connected;
}

const browser = await launch();
/** @type {number[]} */
const samples = [];
let errors = 0;
try {
  const { page: desk } = await open(browser, "console", base_url, probe);
  await sitDown(desk);
  const { page: phone } = await open(browser, "phone", base_url, probe);
  await queueUp(phone);
  await at(desk, "accept").click();
  await until(phone, 'window.__join.frames["agent-video"] ?? null', "the call");
  const { page: wall } = await open(browser, "console", base_url, probe);
  await wall.goto("/wall/#live");
  await at(wall, "sign-in-account").fill("supervisor");
  await at(wall, "sign-in-password").fill(PASSWORD);
  await at(wall, "sign-in-submit").click();
  for (let run = 1 - warm_ups; run <= runs; run += 1) {
    await new Promise((resolve) => setTimeout(resolve, APART_MS));
    try {
      const took = await joinLate(wall);
      say(`${run > 0 ? `join ${run}` : "warm-up"}: ${took.toFixed(0)} ms`);
      if (run > 0) samples.push(took);
    } catch (error) {
      errors += 1;
      say(`join ${run}: ${error instanceof Error ? error.message : String(error)}`);
      if (errors > FAILURES_MAX) throw error;
      await wall.reload();
    }
  }
  await hangUp(desk);
} finally {
  await browser.close();
}
process.stdout.write(`${line("late_join_keyframe_p50_ms", percentile(samples, 50), "ms", samples.length, errors)}\n`);
process.stdout.write(`${line("late_join_keyframe_p95_ms", percentile(samples, 95), "ms", samples.length, errors)}\n`);
