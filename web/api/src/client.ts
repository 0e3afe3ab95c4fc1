/** The HTTP client. Owns base address, bearer token with one refresh, idempotency keys, versions, retries, problems.
 * A command is retried only with its own key, so that it happens once whatever the network does. */
import { newKey } from "./key.ts";
import { isProblem, networkProblem, ProblemError } from "./problem.ts";

export interface TokenSource {
  /** The bearer token of now, or null for public calls. */
  get(): string | null;
  /** A new token after a 401; null where the person has to sign in again. */
  refresh?(): Promise<string | null>;
}

export interface ApiOptions {
  base?: string;
  token?: TokenSource;
  /** Language of problems and texts: `zh-CN`, `en`. */
  language?: () => string;
  fetch?: typeof fetch;
  /** Whole call, milliseconds. */
  timeout_ms?: number;
  /** Called once when a refresh failed. */
  onSignedOut?: () => void;
}

export interface CallOptions {
  query?: Record<string, string | number | boolean | null | undefined>;
  signal?: AbortSignal;
  /** Idempotency key; commands get a fresh one when absent. Give one to retry a command across page loads. */
  key?: string;
  /** Version that the caller saw, for `If-Match`. */
  if_match?: string | number;
  headers?: Record<string, string>;
}

const TIMEOUT_MS = 15_000;
/** Waits before the second and third try, milliseconds. */
const RETRY_MS = [300, 1200];
const RETRY_AFTER_MAX_MS = 5_000;
const PASSING = new Set([502, 503, 504]);

type Body = { json: unknown } | { raw: BodyInit; type: string } | null;

export class ApiClient {
  readonly #options: ApiOptions;
  #refreshing: Promise<string | null> | null = null;

  constructor(options: ApiOptions = {}) {
    this.#options = options;
  }

  get<T>(path: string, options: CallOptions = {}): Promise<T> {
    return this.#json<T>("GET", path, null, options);
  }
  /** A command. */
  post<T = unknown>(path: string, body: unknown = {}, options: CallOptions = {}): Promise<T> {
    return this.#json<T>("POST", path, { json: body }, { ...options, key: options.key ?? newKey() });
  }
  put<T = unknown>(path: string, body: unknown, options: CallOptions = {}): Promise<T> {
    return this.#json<T>("PUT", path, { json: body }, { ...options, key: options.key ?? newKey() });
  }
  delete<T = unknown>(path: string, options: CallOptions = {}): Promise<T> {
    return this.#json<T>("DELETE", path, null, { ...options, key: options.key ?? newKey() });
  }
  /** Sends a file as the body. */
  upload<T = unknown>(path: string, file: Blob, options: CallOptions = {}): Promise<T> {
    return this.#json<T>("POST", path, { raw: file, type: file.type || "application/octet-stream" }, { ...options, key: options.key ?? newKey() });
  }
  /** A file (PDF, picture) that needs the bearer token; `path` may be an absolute path such as `pdf_url`. */
  async file(path: string, options: CallOptions = {}): Promise<Blob> {
    const response = await this.#call("GET", path, null, { ...options, headers: { accept: "*/*", ...options.headers } });
    return response.blob();
  }

  async #json<T>(method: string, path: string, body: Body, options: CallOptions): Promise<T> {
    const response = await this.#call(method, path, body, options);
    if (response.status === 204) return undefined as T;
    const text = await response.text();
    if (text === "") return undefined as T;
    try {
      return JSON.parse(text) as T;
    } catch {
      throw networkProblem("unreadable", response.status);
    }
  }

  async #call(method: string, path: string, body: Body, options: CallOptions): Promise<Response> {
    const isRepeatable = method === "GET" || Boolean(options.key);
    let hasRefreshed = false;
    for (let attempt = 0; ; ) {
      const token = this.#options.token?.get() ?? null;
      let response: Response;
      try {
        response = await this.#once(method, path, body, options, token);
      } catch (error) {
        if (options.signal?.aborted) throw networkProblem("aborted");
        const wait = RETRY_MS[attempt];
        if (!isRepeatable || wait === undefined) throw networkProblem(error instanceof DOMException && error.name === "TimeoutError" ? "timeout" : "network");
        attempt += 1;
        await pause(wait, options.signal);
        continue;
      }
      if (response.ok) return response;
      if (response.status === 401 && !hasRefreshed && this.#options.token?.refresh) {
        hasRefreshed = true;
        // Another call may have refreshed meanwhile: then its token is tried first.
        const next = this.#options.token.get() !== token ? this.#options.token.get() : await this.#refresh();
        if (next) continue;
        this.#options.onSignedOut?.();
      }
      const problem = await readProblem(response);
      const retryAfter = retryAfterMs(response, problem);
      const isPassing = PASSING.has(response.status) || (response.status === 409 && response.headers.has("retry-after"));
      const wait = RETRY_MS[attempt];
      if (isRepeatable && isPassing && wait !== undefined) {
        attempt += 1;
        await pause(Math.min(Math.max(wait, retryAfter), RETRY_AFTER_MAX_MS), options.signal);
        continue;
      }
      throw problem;
    }
  }

  #once(method: string, path: string, body: Body, options: CallOptions, token: string | null): Promise<Response> {
    const headers: Record<string, string> = { accept: "application/json", ...options.headers };
    if (token) headers.authorization = `Bearer ${token}`;
    if (this.#options.language) headers["accept-language"] = this.#options.language();
    if (options.key) headers["idempotency-key"] = options.key;
    if (options.if_match !== undefined) headers["if-match"] = `"${options.if_match}"`;
    let sent: BodyInit | null = null;
    if (body && "json" in body) {
      headers["content-type"] = "application/json";
      sent = JSON.stringify(body.json);
    } else if (body) {
      headers["content-type"] = body.type;
      sent = body.raw;
    }
    const timeout = AbortSignal.timeout(this.#options.timeout_ms ?? TIMEOUT_MS);
    const call = this.#options.fetch ?? fetch;
    return call(this.#address(path, options.query), {
      method, headers, body: sent, credentials: "same-origin", cache: "no-store", redirect: "error",
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
    });
  }

  #address(path: string, query: CallOptions["query"]): string {
    const base = this.#options.base ?? "/api/v1";
    const whole = path.startsWith(`${base}/`) || path.startsWith("/api/") ? path : `${base}${path.startsWith("/") ? "" : "/"}${path}`;
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query ?? {})) if (value !== null && value !== undefined) search.set(name, String(value));
    const text = search.toString();
    return text ? `${whole}${whole.includes("?") ? "&" : "?"}${text}` : whole;
  }

  /** One refresh at a time, shared by all calls that met the 401. */
  #refresh(): Promise<string | null> {
    this.#refreshing ??= (this.#options.token?.refresh?.() ?? Promise.resolve(null)).catch(() => null).finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }
}

async function readProblem(response: Response): Promise<ProblemError> {
  try {
    const value: unknown = await response.json();
    if (isProblem(value)) return new ProblemError(value);
  } catch {
    // A proxy's page, or nothing at all.
  }
  return networkProblem("unreadable", response.status);
}

function retryAfterMs(response: Response, error: ProblemError): number {
  const seconds = error.problem.retry_after ?? Number(response.headers.get("retry-after") ?? 0);
  return Number.isFinite(seconds) ? seconds * 1000 : 0;
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(networkProblem("aborted"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
