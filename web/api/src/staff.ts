/** A member of staff on an office or administration page. Owns the access token (in memory alone; the refresh token is an HttpOnly
 * cookie) and the HTTP client. Stores nothing, and never becomes another person without a sign-in on this page. */
import { ApiClient } from "./client.ts";
import { networkProblem } from "./problem.ts";
import type { Done, Login, StaffToken, StaffView } from "./schema.ts";

export interface StaffSessionOptions {
  language: () => string;
  /** Told of each change; null: nobody is signed in. */
  onChange: (staff: StaffView | null) => void;
  /** The server ended the sign-in without the person asking for it. */
  onExpired: () => void;
  fetch?: typeof fetch;
}

export class StaffSession {
  readonly api: ApiClient;
  readonly #plain: ApiClient;
  readonly #options: StaffSessionOptions;
  #token: string | null = null;
  #staff: StaffView | null = null;

  constructor(options: StaffSessionOptions) {
    this.#options = options;
    const { language, fetch } = options;
    this.#plain = new ApiClient({ language, fetch });
    this.api = new ApiClient({
      language,
      fetch,
      token: { get: () => this.#token, refresh: () => this.#refresh() },
      onSignedOut: () => {
        if (!this.#staff) return;
        this.#set(null, null);
        options.onExpired();
      },
    });
  }

  /** @throws ProblemError `login_failed`, `totp_required`, `login_locked` */
  async signIn(login: Login): Promise<void> {
    const answer = await this.#plain.post<StaffToken>("/auth/login", login);
    this.#set(answer.access_token, answer.staff);
  }

  /** After a reload: the cookie may still be good. False where the person has to sign in. */
  async resume(): Promise<boolean> {
    try {
      const answer = await this.#plain.post<StaffToken>("/auth/refresh");
      this.#set(answer.access_token, answer.staff);
      return true;
    } catch {
      return false;
    }
  }

  /** Signed out here even where the server cannot be reached. */
  async signOut(): Promise<void> {
    try {
      await this.api.post<Done>("/auth/logout");
    } catch {
      // The short access token dies by itself; the page forgets it now.
    } finally {
      this.#set(null, null);
    }
  }

  /** The cookie belongs to the browser, not to this page: another tab may have signed in somebody else meanwhile. */
  async #refresh(): Promise<string | null> {
    const answer = await this.#plain.post<StaffToken>("/auth/refresh");
    if (this.#staff && answer.staff.id !== this.#staff.id) throw networkProblem("signed_out", 401);
    this.#set(answer.access_token, answer.staff);
    return this.#token;
  }

  #set(token: string | null, staff: StaffView | null): void {
    this.#token = token;
    this.#staff = staff;
    this.#options.onChange(staff);
  }
}
