// The shared components in real Chromium, under the strict policy: no violation, accessible in both languages, elder and dark;
// a sheet gives the focus back; a signature becomes a picture; media goes live without a new offer.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build } from "vite";
import type { Browser } from "playwright-core";
import { checkAccessibility, launch, openPage, serveDist, type VIEWPORTS } from "@cloud-booth/testkit";

const root = fileURLToPath(new URL("./gallery", import.meta.url));
let folder: string;
let browser: Browser;
let server: { url: string; close: () => Promise<void> };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloud-booth-gallery-"));
  await build({ root, configFile: join(root, "vite.config.js"), logLevel: "error", build: { outDir: folder, emptyOutDir: true } });
  server = await serveDist(folder, "/gallery/");
  browser = await launch();
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

const shots = process.env.CLOUD_BOOTH_SHOTS;
async function show(surface: keyof typeof VIEWPORTS, query = "") {
  const opened = await openPage(browser, { surface });
  await opened.page.goto(`${server.url}?surface=${surface}&${query}`);
  await opened.page.getByRole("main").waitFor();
  if (shots) await opened.page.screenshot({ path: join(shots, `${surface}-${query.replace(/\W/g, "") || "plain"}.png`), fullPage: true });
  return opened;
}

describe("shared components", () => {
  it.each([["booth", ""], ["booth", "elder&lang=en"], ["phone", ""], ["phone", "elder"], ["public", "lang=en"], ["console", ""], ["console", "theme=dark&lang=en"]] as const)(
    "%s %s: accessible, clean, no sideways scrolling", async (surface, query) => {
      const { page, context, guard } = await show(surface, query);
      await checkAccessibility(page);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
      guard.assertClean();
      await context.close();
    }, 30_000);

  it("gives the focus to a sheet's heading and back, and Esc closes it", async () => {
    const { page, context, guard } = await show("phone");
    const opener = page.getByRole("button", { name: "更多" }).first();
    await opener.click();
    const heading = page.getByRole("heading", { name: "更多" });
    await expect.poll(() => heading.evaluate((node) => node === document.activeElement)).toBe(true);
    await page.keyboard.press("Escape");
    await expect.poll(() => opener.evaluate((node) => node === document.activeElement)).toBe(true);
    guard.assertClean();
    await context.close();
  });

  it("asks for consent over the paper, and takes no for an answer", async () => {
    const { page, context, guard } = await show("booth");
    await page.getByRole("button", { name: "需要您决定" }).click();
    const [yes, no] = [page.getByRole("button", { name: "同意取用" }), page.getByRole("button", { name: "不同意，我自己填" })];
    const [a, b] = [await yes.boundingBox(), await no.boundingBox()];
    expect(Math.abs((a?.height ?? 0) - (b?.height ?? 1))).toBeLessThan(1);
    expect(Math.abs((a?.width ?? 0) - (b?.width ?? 1))).toBeLessThan(1);
    await checkAccessibility(page);
    await no.click();
    await page.getByText("refused").waitFor();
    guard.assertClean();
    await context.close();
  }, 30_000);

  it.each(["booth", "phone"] as const)("asks for a recording, shows a prompt and the way to stop, on the %s", async (surface) => {
    const { page, context, guard } = await show(surface, "elder");
    const shoot = async (name: string): Promise<void> => {
      if (shots) await page.screenshot({ path: join(shots, `${surface}-elder-${name}.png`) });
    };
    const sameSize = async (one: string, other: string): Promise<void> => {
      const [a, b] = [await page.getByTestId(one).boundingBox(), await page.getByTestId(other).boundingBox()];
      expect(Math.abs((a?.height ?? 0) - (b?.height ?? 9))).toBeLessThan(1);
      expect(Math.abs((a?.width ?? 0) - (b?.width ?? 9))).toBeLessThan(1);
    };
    await page.getByRole("button", { name: "录音录像", exact: true }).click();
    await sameSize("recording-agree", "recording-refuse");
    await checkAccessibility(page);
    await shoot("recording-ask");
    // Esc is no answer.
    await page.keyboard.press("Escape");
    await page.getByTestId("recording-refuse").getByRole("button").click();
    await page.getByText("unrecorded").waitFor();
    await page.getByTestId("recording-stop").getByRole("button").click();
    await sameSize("recording-keep", "recording-stop-now");
    await checkAccessibility(page);
    await shoot("recording-stop");
    await page.getByTestId("recording-stop-now").getByRole("button").click();
    await page.getByText("stopped").waitFor();
    await page.getByTestId("prompt-open").getByRole("button").click();
    await sameSize("prompt-yes", "prompt-no");
    await checkAccessibility(page);
    await shoot("prompt");
    await page.getByTestId("prompt-no").getByRole("button").click();
    await expect.poll(() => page.locator(".said").textContent()).toBe("no");
    guard.assertClean();
    await context.close();
  }, 60_000);

  it("signs by hand and by taps", async () => {
    const { page, context, guard } = await show("phone");
    const pad = page.locator("canvas");
    await pad.scrollIntoViewIfNeeded();
    const box = (await pad.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    await page.mouse.move(box.x + 40, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + 200, box.y + 80, { steps: 8 });
    await page.mouse.up();
    await page.getByRole("button", { name: "签好了" }).click();
    await expect.poll(() => page.locator(".signed").textContent()).toMatch(/^draw 1 \d{3,}$/);
    await page.getByRole("button", { name: "点着写" }).click();
    for (const [x, y] of [[50, 50], [90, 60], [60, 90]] as const) await pad.click({ position: { x, y } });
    await page.getByRole("button", { name: "签好了" }).click();
    await expect.poll(() => page.locator(".signed").textContent()).toMatch(/^tap 1 \d{3,}$/);
    guard.assertClean();
    await context.close();
  });

  it("shows both values of a conflict and lets the person choose", async () => {
    const { page, context, guard } = await show("console");
    const phone = page.getByLabel("手机号");
    await phone.fill("13700002222");
    await phone.blur();
    await page.getByText("▲ 两边都改了").waitFor();
    await page.getByRole("button", { name: "用李工的" }).click();
    await expect.poll(() => phone.inputValue()).toBe("13800001111");
    guard.assertClean();
    await context.close();
  });

  it("types on the kiosk's pad", async () => {
    const { page, context, guard } = await show("booth");
    await page.getByRole("button", { name: "打字签名" }).click();
    const name = page.getByLabel("请输入您的姓名");
    await name.focus();
    const pad = page.locator("footer");
    for (const letter of "wang") await pad.getByRole("button", { name: letter, exact: true }).click();
    await pad.getByRole("button", { name: "王", exact: true }).click();
    expect(await name.inputValue()).toBe("王");
    guard.assertClean();
    await context.close();
  });
});

describe("call media", () => {
  it("connects warm, sends nothing before it is live, needs no new offer, survives a rejoin, leaves nothing on", async () => {
    const { page, context, guard } = await show("console");
    const result = await page.evaluate(() => (window as unknown as { callMyself: () => Promise<Record<string, unknown>> }).callMyself());
    expect(result).toMatchObject({ before: 0, offers: 1, offersWhenLive: 1, sameStream: true, live: 0, state: { has_camera: true, has_microphone: true } });
    expect(result.width).toBeGreaterThan(0);
    guard.assertClean();
    await context.close();
  }, 30_000);
});
