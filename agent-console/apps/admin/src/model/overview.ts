/** What the administrator's two views fetch: shapes of the `/admin` answers, and a loader that keeps the old content while it asks. */
import { ref, shallowRef } from "vue";
import type { BoothView, ItemCard, SeatState, SeatView, StaffView } from "@cloud-booth/api";
import type { StatusKind } from "@cloud-booth/ui";

/** `GET /api/v1/admin/overview` */
export interface Overview {
  staff: StaffView[];
  seats: SeatView[];
  booths: BoothView[];
  items: ItemCard[];
  audit: AuditHead;
}

/** The signed head of the audit log: entries, Merkle root (hex), when it was signed, entries not yet numbered. */
export interface AuditHead {
  size: number;
  root: string;
  signed_at: string | null;
  pending: number;
}

/** `GET /api/v1/admin/audit?object=` */
export interface AuditEntry {
  /** Absent until the sequencer has numbered it. */
  seq: number | null;
  at: string;
  actor: string;
  action: string;
  object: string;
}

export const SEAT_KINDS: Record<SeatState, StatusKind> = { offline: "info", ready: "ok", ringing: "warn", busy: "ok", wrap_up: "info", away: "warn" };

/** Only the newest question's answer is shown. */
export function useLoad<T>(fetch: () => Promise<T>) {
  const value = shallowRef<T | null>(null);
  const isLoading = ref(false);
  const error = shallowRef<unknown>(null);
  let asked = 0;
  async function load(): Promise<void> {
    const mine = ++asked;
    isLoading.value = true;
    try {
      const answer = await fetch();
      if (mine !== asked) return;
      value.value = answer;
      error.value = null;
    } catch (problem) {
      if (mine === asked) error.value = problem;
    } finally {
      if (mine === asked) isLoading.value = false;
    }
  }
  return { value, isLoading, error, load };
}
