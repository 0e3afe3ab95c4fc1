/** Who works at this page and through which client. Owns the sign-in of the window; never stores anything in the browser. */
import { computed, shallowRef } from "vue";
import { StaffSession, type ApiClient, type Login, type Role, type StaffView } from "@cloud-booth/api";
import { preferences } from "@cloud-booth/i18n";
import { drafts } from "./drafts.ts";

type Stage = "resuming" | "out" | "in";

const staff = shallowRef<StaffView | null>(null);
const stage = shallowRef<Stage>("resuming");
const hasExpired = shallowRef(false);

const session = new StaffSession({
  language: () => preferences.state.locale,
  onChange: (next) => {
    // Another person's unfinished opinions are not theirs to see.
    if (next) drafts.belongTo(next.id);
    staff.value = next;
    stage.value = next ? "in" : "out";
  },
  onExpired: () => {
    hasExpired.value = true;
  },
});

const has = (role: Role): boolean => staff.value?.roles.includes(role) ?? false;

export const api: ApiClient = session.api;

export const account = {
  staff,
  stage,
  hasExpired,
  isReviewer: computed(() => has("reviewer")),
  isIssuer: computed(() => has("issuer")),
  async start(): Promise<void> {
    if (!(await session.resume())) stage.value = "out";
  },
  async signIn(login: Login): Promise<void> {
    await session.signIn(login);
    hasExpired.value = false;
  },
  async signOut(): Promise<void> {
    await session.signOut();
    drafts.clear();
  },
  /** `claimed_by` names the viewer. */
  isMe(who: string | null): boolean {
    const me = staff.value;
    return me !== null && who !== null && (who === me.id || who === me.account || who === me.name);
  },
};
