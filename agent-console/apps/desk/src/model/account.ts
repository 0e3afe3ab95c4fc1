/** Who is signed in at this console. Owns the access token (in memory alone; the refresh token is an HttpOnly cookie)
 * and the HTTP client. The browser keeps one word, that somebody was signed in, so that a fresh page asks no useless question. */
import { shallowRef } from "vue";
import { ApiClient, networkProblem, ProblemError, type Done, type Login, type StaffToken, type StaffView, type WsTicket } from "@cloud-booth/api";
import { preferences } from "@cloud-booth/i18n";

const MARK = "cloud-booth.signed-in";

export class Account {
  /** Null: nobody is signed in. */
  readonly staff = shallowRef<StaffView | null>(null);
  readonly api: ApiClient;
  #token: string | null = null;
  #plain: ApiClient;

  /** `onSignedOut` runs when the session with the server ended without the person asking for it. */
  constructor(onSignedOut: () => void) {
    const language = (): string => preferences.state.locale;
    this.#plain = new ApiClient({ language });
    this.api = new ApiClient({
      language,
      token: { get: () => this.#token, refresh: () => this.#refresh() },
      onSignedOut: () => {
        if (!this.staff.value) return;
        this.#forget();
        onSignedOut();
      },
    });
  }

  async signIn(login: Login): Promise<void> {
    this.#accept(await this.#plain.post<StaffToken>("/auth/login", login));
  }

  /** After a reload: the cookie may still be good. False where the person has to sign in. */
  async resume(): Promise<boolean> {
    if (!wasSignedIn()) return false;
    try {
      this.#accept(await this.#plain.post<StaffToken>("/auth/refresh"));
      return true;
    } catch (error) {
      if (error instanceof ProblemError && error.status === 401) keepSignedIn(false);
      return false;
    }
  }

  async signOut(): Promise<void> {
    try {
      await this.api.post<Done>("/auth/logout");
    } finally {
      this.#forget();
    }
  }

  /** A single-use ticket for the WebSocket. */
  async webSocketTicket(): Promise<string> {
    if (!this.#token) throw networkProblem("unauthorized", 401);
    return (await this.api.post<WsTicket>("/ws-tickets")).ticket;
  }

  async #refresh(): Promise<string | null> {
    this.#accept(await this.#plain.post<StaffToken>("/auth/refresh"));
    return this.#token;
  }

  #accept(token: StaffToken): void {
    this.#token = token.access_token;
    this.staff.value = token.staff;
    keepSignedIn(true);
  }

  #forget(): void {
    this.#token = null;
    this.staff.value = null;
    keepSignedIn(false);
  }
}

function wasSignedIn(): boolean {
  try {
    return localStorage.getItem(MARK) === "1";
  } catch {
    return false;
  }
}
function keepSignedIn(on: boolean): void {
  try {
    if (on) localStorage.setItem(MARK, "1");
    else localStorage.removeItem(MARK);
  } catch {
    // Without storage a reload asks for the password again.
  }
}
