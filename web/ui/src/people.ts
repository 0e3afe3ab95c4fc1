/** Who came into a session since the last look. Pure. */
import type { MemberView, SessionView } from "@cloud-booth/api";

/** Present now and not before; oneself and those who only came back are none. `before` null: the first look names nobody. */
export function newcomers(before: readonly MemberView[] | null, now: readonly MemberView[], me: string | null): MemberView[] {
  if (!before) return [];
  const known = new Set(before.map((one) => one.id));
  return now.filter((one) => one.present && one.id !== me && !known.has(one.id));
}

/** Whom a citizen's page shows. Somebody who is asked in private is no part of the citizen's talk, whatever is listed; a supervisor who
 * only listens has no picture: a note says that they are there. */
export function shownTo(session: Pick<SessionView, "members" | "hold" | "me"> | null): MemberView[] {
  return (session?.members ?? []).filter((one) => one.part !== "supervisor" && !(session?.hold && one.part === "consulted" && one.id !== session.me));
}

/** The word for what somebody is here: a supervisor who talks with everybody is one still. */
export function wordFor(one: Pick<MemberView, "part" | "role">): string {
  return one.role === "supervisor" ? "supervisor" : one.part;
}
