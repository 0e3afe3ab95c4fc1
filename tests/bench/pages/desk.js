// A day's work in the console, measured in the page: from the press or key to the frame that shows what came of it, the server's
// answer included where there is one. And what of the lists is touched while the agent types.
// Prints JSON lines; progress goes to standard error. Starts and ends no server.
import { launch } from "@cloud-booth/testkit";
import { at, hangUp, open, queueUp, say, server, sitDown, until } from "./agent.js";
import { line, percentile } from "./figures.js";
import { watch } from "./watch.js";

const base_url = server("desk.js http://127.0.0.1:<port> [calls]");
const calls = Number(process.argv[3] ?? 20);
const ITEM = "no-criminal-record";
const TYPED = "请把身份证放在镜头前面";

/** @typedef {import("playwright-core").Page} Page */

/** @type {Record<string, number[]>} */
const times = {};
let errors = 0;
let touched = 0;

/** Does something and keeps how long it took until `shown` (a selector; with `gone`, until nothing matches) stood on the screen.
 * @param {Page} page @param {string} name @param {string} shown @param {() => Promise<void>} act @param {{ gone?: boolean, text?: string }} [how] */
async function measure(page, name, shown, act, { gone = false, text = "" } = {}) {
  await page.evaluate(`window.__watch.arm(${JSON.stringify({ shown, gone, text })})`);
  await act();
  const took = /** @type {number} */ (await until(page, "window.__watch.took()", `${name}: ${shown}`));
  (times[name] ??= []).push(took);
}

/** @param {string} id */
const id = (id) => `[data-testid="${id}"]`;
/** @param {string} state */
const seat = (state) => `[data-testid="workspace"][data-seat-state="${state}"]`;

/** One call with everything that an agent does in it. @param {import("playwright-core").Browser} browser @param {Page} desk @param {number} run */
async function work(browser, desk, run) {
  const { context, page: phone } = await open(browser, "phone", base_url, watch);
  try {
    await queueUp(phone);
    await at(desk, "accept").waitFor();
    await measure(desk, "accept", id("session"), () => at(desk, "accept").click());
    await phone.locator(id("talk-view")).waitFor();
    await measure(desk, "form", id("form-title"), () => at(desk, `open-form-${ITEM}`).click());
    await measure(desk, "palette", id("palette-input"), () => desk.keyboard.press("Control+k"));
    await measure(desk, "palette_close", id("palette-input"), () => desk.keyboard.press("Escape"), { gone: true });
    await measure(desk, "mute", `${id("mute")}[aria-pressed="true"]`, () => at(desk, "mute").click());
    await measure(desk, "unmute", `${id("mute")}[aria-pressed="false"]`, () => at(desk, "mute").click());
    await measure(desk, "panel", id("internal-note"), () => desk.keyboard.press("Control+Alt+4"));
    const said = `第${run}位，${TYPED}`;
    const box = desk.locator(`${id("chat")} textarea`).first();
    await box.click();
    await desk.evaluate("window.__watch.count()");
    await box.pressSequentially(said);
    touched += /** @type {number} */ (await desk.evaluate("window.__watch.counted()"));
    await measure(desk, "chat", id("chat"), () => desk.keyboard.press("Enter"), { text: said });
    const note = `备注${run}`;
    await at(desk, "internal-note").fill(note);
    await measure(desk, "note", id("notes"), () => desk.keyboard.press("Control+Enter"), { text: note });
    await measure(desk, "end_ask", id("end-now"), () => at(desk, "end").click());
    await measure(desk, "end", seat("wrap_up"), () => at(desk, "end-now").click());
    await measure(desk, "wrap_up", seat("ready"), () => at(desk, "wrap-done").click());
    await at(desk, "state-menu").click();
    await measure(desk, "away", seat("away"), () => at(desk, "go-away-break").click());
    await measure(desk, "ready", seat("ready"), () => at(desk, "ready").click());
  } finally {
    await hangUp(desk);
    await context.close();
  }
}

const browser = await launch();
try {
  const { page: desk } = await open(browser, "console", base_url, watch);
  await sitDown(desk);
  for (let run = 0; run <= calls; run += 1) {
    try {
      await work(browser, desk, run);
      say(`call ${run}`);
    } catch (error) {
      errors += 1;
      say(`call ${run}: ${error instanceof Error ? error.message : String(error)}`);
      if (errors > 3) throw error;
    }
    // The first call warms up.
    if (run === 0) for (const name of Object.keys(times)) delete times[name];
  }
} finally {
  await browser.close();
}
for (const [name, samples] of Object.entries(times)) say(`${name}: p50 ${percentile(samples, 50).toFixed(0)} ms, worst ${Math.max(...samples).toFixed(0)} ms`);
const all = Object.values(times).flat();
process.stdout.write(`${line("desk_action_p50_ms", percentile(all, 50), "ms", all.length, errors)}\n`);
process.stdout.write(`${line("desk_action_p99_ms", percentile(all, 99), "ms", all.length, errors)}\n`);
process.stdout.write(`${line("desk_lists_touched_while_typing", touched, "1", calls * TYPED.length, errors)}\n`);
