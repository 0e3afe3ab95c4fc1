/** Whose pictures a conversation has, and whether they move. */
import type { LiveSession } from "./session.ts";

/** What somebody shows: their papers, or their screen. */
export interface Shown {
  member: string;
  source: "document" | "screen";
  stream: MediaStream;
}

/** Nothing comes through, here or there: the citizen's picture is from before. */
export function whoIsCut(session: LiveSession): "mine" | "theirs" | null {
  const mode = session.view.value?.mode;
  if (mode === "text" || mode === "phone") return null;
  if (session.ownQuality.value === "lost") return "mine";
  return session.quality.get(session.citizen.value?.id ?? "") === "lost" ? "theirs" : null;
}

/** What somebody shows me: the citizen's papers first, then a screen. */
export function shownTo(session: LiveSession): Shown | null {
  const first = session.members.value.toSorted((a, z) => Number(session.isCitizen(z.member)) - Number(session.isCitizen(a.member)));
  for (const source of ["document", "screen"] as const) {
    const found = first.find((entry) => entry.sources[source]);
    const stream = found?.sources[source];
    if (stream) return { member: found.member, source, stream };
  }
  return null;
}
