/** Who works at this page and through which client. */
import { computed } from "vue";
import { staffAccount } from "@cloud-booth/staff";
import { drafts } from "./drafts.ts";

const common = staffAccount({
  // Another person's unfinished opinions are not theirs to see.
  onPerson: (staff) => drafts.belongTo(staff.id),
  onSignOut: () => drafts.clear(),
});

export const { api } = common;
export const account = {
  ...common,
  isReviewer: computed(() => common.has("reviewer")),
  isIssuer: computed(() => common.has("issuer")),
  /** `claimed_by` names the viewer. */
  isMe(who: string | null): boolean {
    const me = common.staff.value;
    return me !== null && who !== null && (who === me.id || who === me.account || who === me.name);
  },
};
