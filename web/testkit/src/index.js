// What browser tests share: Chromium with fake devices, pages of the right size, guards that turn a policy violation, a console
// error or a call to another host into a failed test, the accessibility check, and a static server under the strict policy.
export { launch, CHROMIUM_ARGS } from "./launch.js";
export { openPage, VIEWPORTS } from "./page.js";
export { Guard } from "./guard.js";
export { checkAccessibility } from "./axe.js";
export { serveDist, POLICY } from "./serve.js";
