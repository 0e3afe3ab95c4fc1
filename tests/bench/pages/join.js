// Accept click to first remote picture: a console and a phone page in Chromium against a running server with the demo county.
// Prints two JSON lines; progress goes to standard error. Starts and ends no server.
import { launch } from "@cloud-booth/testkit";
import { at, hangUp, open, queueUp, say, server, sitDown, until } from "./agent.js";
import { line, percentile } from "./figures.js";
import { probe } from "./probe.js";

const base_url = server("join.js http://127.0.0.1:<port> [runs] [warm-ups]");
const runs = Number(process.argv[3] ?? 40);
const warm_ups = Number(process.argv[4] ?? 3);
/** Runs that may fail before the whole measurement does. */
const FAILURES_MAX = 3;

/** @typedef {import("playwright-core").Page} Page */

/** @param {Page} page */
const reset = (page) => page.evaluate("(() => { const seen = window.__join; seen.click = null; seen.frames = {}; seen.peers.length = 0; })()");

/** The newest connection of the page is up: both sides warm up before the accept.
 * @param {Page} page @param {string} who */
const isWarm = (page, who) => until(page, 'window.__join.peers.at(-1)?.connectionState === "connected" || null', `${who}: transport`);

/** When the remote picture had its first frame.
 * @param {Page} page @param {string} tile @returns {Promise<number>} */
const firstFrame = (page, tile) => until(page, `window.__join.frames["${tile}"] ?? null`, `first frame in ${tile}`);

/** One call from the queue to the wrap-up; milliseconds from the click to the later picture.
 * @param {import("playwright-core").Browser} browser @param {Page} desk */
async function call(browser, desk) {
  const { context, page: phone } = await open(browser, "phone", base_url, probe);
  try {
    await reset(desk);
    await queueUp(phone);
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

const browser = await launch();
/** @type {number[]} */
const samples = [];
let errors = 0;
try {
  const { page: desk } = await open(browser, "console", base_url, probe);
  await sitDown(desk);
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
