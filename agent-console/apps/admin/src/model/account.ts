/** Who administers at this page and through which client. */
import { computed } from "vue";
import { staffAccount } from "@cloud-booth/staff";

const common = staffAccount();

export const { api } = common;
export const account = { ...common, isAdmin: computed(() => common.has("admin")) };
