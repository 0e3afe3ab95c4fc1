// WCAG 2.2 AA by axe-core. Evaluated through the debugger, so the page's own policy stays as strict as it is.
// Colours are judged when the page has come to rest: in the middle of a transition they are nobody's choice.
import axe from "axe-core";

/** @param {import("playwright-core").Page} page
 * @param {{ within?: string, skip_rules?: string[] }} [options] */
export async function checkAccessibility(page, { within, skip_rules = [] } = {}) {
  await page.evaluate(async () => {
    const ending = document.getAnimations().filter((one) => Number.isFinite(one.effect?.getComputedTiming().endTime));
    await Promise.allSettled(ending.map((one) => one.finished));
  });
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async ({ selector, skipped }) => {
    const engine = /** @type {{ axe: typeof import("axe-core") }} */ (/** @type {unknown} */ (window)).axe;
    const result = await engine.run(selector ?? document, {
      runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] },
      rules: Object.fromEntries(skipped.map((rule) => [rule, { enabled: false }])),
    });
    return result.violations.map((one) => `${one.id} (${one.impact}): ${one.nodes.slice(0, 3).map((node) => `${node.target.join(" ")} ${node.failureSummary ?? ""}`).join("; ")}`);
  }, { selector: within, skipped: skip_rules });
  if (violations.length > 0) throw new Error(`not accessible:\n${violations.join("\n")}`);
}
