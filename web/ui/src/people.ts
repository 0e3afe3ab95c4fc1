/** Who came into a session since the last look. Pure. */
import type { MemberView, SessionView } from "@cloud-booth/api";

/** Present now and not before; oneself and those who only came back are none. `before` null: the first look names nobody. */
export function newcomers(before: readonly MemberView[] | null, now: readonly MemberView[], me: string | null): MemberView[] {
  if (!before) return [];
  const known = new Set(before.map((one) => one.id));
  return now.filter((one) => one.present && one.id !== me && !known.has(one.id));
}

/** Whom a citizen's page shows. Somebody who is asked in private is no part of the citizen's talk, whatever is listed. */
export function shownTo(session: Pick<SessionView, "members" | "hold" | "me"> | null): MemberView[] {
  return (session?.members ?? []).filter((one) => !(session?.hold && one.part === "consulted" && one.id !== session.me));
}
