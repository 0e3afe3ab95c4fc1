/** Who is signed in at this console. Owns nothing but the wish to come back after a reload of this tab: the tab keeps the
 * person's opaque id, so that a fresh page asks no useless question and never becomes somebody else's. */
import { shallowRef } from "vue";
import { networkProblem, StaffSession, type ApiClient, type Login, type StaffView, type WsTicket } from "@cloud-booth/api";
import { preferences } from "@cloud-booth/i18n";

const MARK = "cloud-booth.staff";

export class Account {
  /** Null: nobody is signed in. */
  readonly staff = shallowRef<StaffView | null>(null);
  readonly #session: StaffSession;

  /** `onExpired` runs when the sign-in ended without the person asking for it. */
  constructor(onExpired: () => void) {
    this.#session = new StaffSession({
      language: () => preferences.state.locale,
      onChange: (staff) => (this.staff.value = staff),
      onExpired: () => {
        keep(null);
        onExpired();
      },
    });
  }
  get api(): ApiClient {
    return this.#session.api;
  }

  async signIn(login: Login): Promise<void> {
    await this.#session.signIn(login);
    keep(this.staff.value?.id ?? null);
  }

  /** After a reload: the cookie may still be good. False where the person has to sign in. */
  async resume(): Promise<boolean> {
    const before = kept();
    if (!before) return false;
    const isBack = await this.#session.resume();
    if (isBack && this.staff.value?.id === before) return true;
    // Another tab signed in somebody else: theirs is the cookie, not this page.
    this.staff.value = null;
    keep(null);
    return false;
  }

  async signOut(): Promise<void> {
    await this.#session.signOut();
    keep(null);
  }

  /** A single-use ticket for the WebSocket. */
  async webSocketTicket(): Promise<string> {
    if (!this.staff.value) throw networkProblem("unauthorized", 401);
    return (await this.api.post<WsTicket>("/ws-tickets")).ticket;
  }
}

function kept(): string | null {
  try {
    return sessionStorage.getItem(MARK);
  } catch {
    return null;
  }
}
function keep(id: string | null): void {
  try {
    if (id) sessionStorage.setItem(MARK, id);
    else sessionStorage.removeItem(MARK);
  } catch {
    // Without storage a reload asks for the password again.
  }
}
