// One window of one kind of user: size, language, device permissions, own storage.
import { Guard } from "./guard.js";

export const VIEWPORTS = {
  booth: { width: 1080, height: 1920 },
  phone: { width: 390, height: 844 },
  public: { width: 390, height: 844 },
  console: { width: 1920, height: 1080 },
};

/** @param {import("playwright-core").Browser} browser
 * @param {{ surface: keyof typeof VIEWPORTS, base_url?: string, locale?: string, guard?: Guard, allow?: RegExp[] }} options */
export async function openPage(browser, { surface, base_url, locale = "zh-CN", guard, allow = [] }) {
  const context = await browser.newContext({
    viewport: VIEWPORTS[surface], locale, timezoneId: "Asia/Shanghai", permissions: ["camera", "microphone", "notifications"],
    hasTouch: surface !== "console", ...(base_url ? { baseURL: base_url } : {}),
  });
  const watcher = guard ?? new Guard({ allow });
  await watcher.watch(context);
  const page = await context.newPage();
  return { context, page, guard: watcher };
}
