/** Who watches at this page and through which client. */
import { computed } from "vue";
import { staffAccount } from "@cloud-booth/staff";

const common = staffAccount();

export const { api } = common;
export const account = {
  ...common,
  isSupervisor: computed(() => common.has("supervisor")),
  /** An administrator may look; acting on people's work is the supervisor's. */
  mayWatch: computed(() => common.has("supervisor", "admin")),
};
