// Starts Debian's Chromium. Never downloads a browser.
import { chromium } from "playwright-core";

export const CHROMIUM_ARGS = [
  "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
  // Timers and media of a window behind another must run as in front: journeys use two windows.
  "--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding",
  "--autoplay-policy=no-user-gesture-required",
];

/** @param {{ args?: string[], video_file?: string }} [options] `video_file` is a .y4m or .mjpeg file for the fake camera.
 * @returns {Promise<import("playwright-core").Browser>} */
export function launch({ args = [], video_file } = {}) {
  return chromium.launch({
    executablePath: process.env.CLOUD_BOOTH_CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: [...CHROMIUM_ARGS, ...(video_file ? [`--use-file-for-fake-video-capture=${video_file}`] : []), ...args],
  });
}
