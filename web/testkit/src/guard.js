// Watches pages and keeps what must not happen. `assertClean` at the end of each test throws with the list.
/** @typedef {{ allow?: RegExp[] }} GuardOptions Messages that a test provokes on purpose (an expected 409 in the console). */

export class Guard {
  /** @type {string[]} */
  found = [];
  /** @type {RegExp[]} */
  #allow;

  /** @param {GuardOptions} [options] */
  constructor({ allow = [] } = {}) {
    this.#allow = allow;
  }

  /** @param {RegExp} pattern From now on this is expected. */
  allow(pattern) {
    this.#allow.push(pattern);
  }

  /** @param {string} message */
  #note(message) {
    if (!this.#allow.some((pattern) => pattern.test(message))) this.found.push(message);
  }

  /** @param {import("playwright-core").BrowserContext} context */
  async watch(context) {
    // A violation event tells more than the console line, and some violations print none.
    await context.exposeBinding("__cloudBoothViolation", (_source, text) => this.#note(`policy: ${text}`));
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        const report = /** @type {{ __cloudBoothViolation?: (text: string) => void }} */ (/** @type {unknown} */ (window)).__cloudBoothViolation;
        report?.(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
      });
    });
    context.on("page", (page) => this.#page(page));
    for (const page of context.pages()) this.#page(page);
  }

  /** @param {import("playwright-core").Page} page */
  #page(page) {
    page.on("console", (message) => {
      if (message.type() === "error" || (message.type() === "warning" && message.text().includes("[Vue warn]"))) this.#note(`console: ${message.text()} ${message.location().url}`);
    });
    page.on("pageerror", (error) => this.#note(`error: ${error.stack ?? error.message}`));
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (/^https?:$/.test(url.protocol) && !["127.0.0.1", "localhost", "[::1]"].includes(url.hostname)) this.#note(`host: ${url.origin}`);
    });
  }

  /** Throws when something was found; the list starts anew. */
  assertClean() {
    const found = this.found.splice(0);
    if (found.length > 0) throw new Error(`the pages were not clean:\n${found.join("\n")}`);
  }
}
