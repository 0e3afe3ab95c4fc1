/** What everybody waits for now in a session, in one line. Owns nothing; the session's snapshots say it. */
import { computed, type ComputedRef } from "vue";
import { useI18n } from "vue-i18n";
import { useBilingual } from "@cloud-booth/i18n";
import { signOf, type StatusKind } from "@cloud-booth/ui";
import type { LiveSession } from "./session.ts";

export function useNow(session: () => LiveSession): ComputedRef<{ kind: StatusKind; text: string }> {
  const { t } = useI18n();
  const b = useBilingual();
  return computed(() => {
    const { value } = session().view;
    const form = session().form.value;
    const asked = value?.consents.find((consent) => consent.state === "asked");
    if (value?.hold) return { kind: "warn", text: t("help.now.onHold") };
    if (value?.case) return { kind: "ok", text: t("session.nowDone") };
    if (signOf(value?.recording) === "asked") return { kind: "warn", text: t("recording.staff.asked") };
    if (asked) return { kind: "warn", text: t("session.nowConsent", { what: b(asked.licence_name) }) };
    if (value?.sign?.signed_at) return { kind: "ok", text: t("session.nowSigned") };
    if (value?.sign) return { kind: "warn", text: t("session.nowSign") };
    if (!form) return { kind: "info", text: t("session.nowForm") };
    if (form.ready_to_sign) return { kind: "ok", text: t("session.nowReady") };
    return { kind: "info", text: t("session.nowFill") };
  });
}
