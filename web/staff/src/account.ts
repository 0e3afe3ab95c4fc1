/** Who works at a page and through which client. Owns the sign-in of the window; never stores anything in the browser. */
import { shallowRef, type ShallowRef } from "vue";
import { StaffSession, type ApiClient, type Login, type Role, type StaffView } from "@cloud-booth/api";
import { preferences } from "@cloud-booth/i18n";

export type Stage = "resuming" | "out" | "in";

export interface StaffAccount {
  readonly api: ApiClient;
  readonly staff: ShallowRef<StaffView | null>;
  readonly stage: ShallowRef<Stage>;
  /** The server ended the sign-in without the person asking for it. */
  readonly hasExpired: ShallowRef<boolean>;
  has(...any: Role[]): boolean;
  start(): Promise<void>;
  signIn(login: Login): Promise<void>;
  signOut(): Promise<void>;
}

/** `onPerson` runs before the page shows anything of the person; `onSignOut` after they left by themselves. */
export function staffAccount({ onPerson, onSignOut }: { onPerson?: (staff: StaffView) => void; onSignOut?: () => void } = {}): StaffAccount {
  const staff = shallowRef<StaffView | null>(null);
  const stage = shallowRef<Stage>("resuming");
  const hasExpired = shallowRef(false);
  const session = new StaffSession({
    language: () => preferences.state.locale,
    onChange: (next) => {
      if (next) onPerson?.(next);
      staff.value = next;
      stage.value = next ? "in" : "out";
    },
    onExpired: () => {
      hasExpired.value = true;
    },
  });
  return {
    api: session.api,
    staff,
    stage,
    hasExpired,
    has: (...any) => staff.value?.roles.some((role) => any.includes(role)) ?? false,
    async start() {
      if (!(await session.resume())) stage.value = "out";
    },
    async signIn(login) {
      await session.signIn(login);
      hasExpired.value = false;
    },
    async signOut() {
      await session.signOut();
      onSignOut?.();
    },
  };
}
