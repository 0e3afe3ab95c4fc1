/** How a state of a case looks: shape and colour. Its word stands in the message file. */
import type { CaseState } from "@cloud-booth/api";
import type { StatusKind } from "@cloud-booth/ui";

const KINDS: Record<CaseState, StatusKind> = {
  draft: "info", received: "info", pre_check: "info", correction: "warn", not_accepted: "danger", transferred: "info", accepted: "info", in_review: "info",
  extended: "warn", suspended: "warn", granted: "ok", refused: "danger", issuing: "warn", issued: "ok", delivered: "ok", archived: "ok", withdrawn: "info", returned: "danger",
};

export const stateKind = (state: CaseState): StatusKind => KINDS[state];
