/** Which seat this tab held, and how: it survives a reload. No word about any person. */
const MARK = "cloud-booth.seat";

export interface Mark {
  seat: string;
  skills: string[];
  /** Callers are put through at once. */
  auto: boolean;
}
export function readMark(): Mark | null {
  try {
    const found = JSON.parse(sessionStorage.getItem(MARK) ?? "null") as { seat?: unknown; skills?: unknown; auto?: unknown } | null;
    return found && typeof found.seat === "string" && Array.isArray(found.skills) ? { seat: found.seat, skills: found.skills.map(String), auto: found.auto === true } : null;
  } catch {
    return null;
  }
}
export function writeMark(mark: Mark | null): void {
  try {
    if (mark) sessionStorage.setItem(MARK, JSON.stringify(mark));
    else sessionStorage.removeItem(MARK);
  } catch {
    // Without storage a reload asks for the seat again.
  }
}
