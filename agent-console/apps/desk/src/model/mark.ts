/** Which seat this tab held, and how: it survives a reload. The wish to take texts too survives the shift. No word about any person. */
const MARK = "cloud-booth.seat";
const TEXT = "cloud-booth.desk.text";

export interface Mark {
  seat: string;
  skills: string[];
  /** Callers are put through at once. */
  auto: boolean;
  /** Text conversations are taken too. */
  text: boolean;
}
export function readMark(): Mark | null {
  try {
    const found = JSON.parse(sessionStorage.getItem(MARK) ?? "null") as { seat?: unknown; skills?: unknown; auto?: unknown; text?: unknown } | null;
    return found && typeof found.seat === "string" && Array.isArray(found.skills) ? { seat: found.seat, skills: found.skills.map(String), auto: found.auto === true, text: found.text === true } : null;
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

export function readTextWish(): boolean {
  try {
    return localStorage.getItem(TEXT) === "1";
  } catch {
    return false;
  }
}
export function writeTextWish(on: boolean): void {
  try {
    if (on) localStorage.setItem(TEXT, "1");
    else localStorage.removeItem(TEXT);
  } catch {
    // Without storage it is asked again.
  }
}
