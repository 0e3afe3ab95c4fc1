/** Who watches at this page and through which client. Never stores anything in the browser. */
import { computed, shallowRef } from "vue";
import { StaffSession, type ApiClient, type Login, type StaffView } from "@cloud-booth/api";
import { preferences } from "@cloud-booth/i18n";

const staff = shallowRef<StaffView | null>(null);
const stage = shallowRef<"resuming" | "out" | "in">("resuming");
const hasExpired = shallowRef(false);

const session = new StaffSession({
  language: () => preferences.state.locale,
  onChange: (next) => {
    staff.value = next;
    stage.value = next ? "in" : "out";
  },
  onExpired: () => {
    hasExpired.value = true;
  },
});

export const api: ApiClient = session.api;

export const account = {
  staff,
  stage,
  hasExpired,
  isSupervisor: computed(() => staff.value?.roles.includes("supervisor") ?? false),
  /** An administrator may look; acting on people's work is the supervisor's. */
  mayWatch: computed(() => staff.value?.roles.some((role) => role === "supervisor" || role === "admin") ?? false),
  async start(): Promise<void> {
    if (!(await session.resume())) stage.value = "out";
  },
  async signIn(login: Login): Promise<void> {
    await session.signIn(login);
    hasExpired.value = false;
  },
  signOut: (): Promise<void> => session.signOut(),
};
