/** Skills of a member of staff as they are edited: every skill of the hall with a level, 0 for none. */
import type { HallStaff, SkillView, StaffSkills } from "@cloud-booth/api";

export interface SkillLevel {
  code: string;
  level: number;
}
export type SkillKind = "work" | "language" | "need";
export const KINDS: SkillKind[] = ["work", "language", "need"];

export function kindOf(code: string): SkillKind {
  if (code.startsWith("need:")) return "need";
  return code.startsWith("lang:") || code.startsWith("dialect:") ? "language" : "work";
}

/** In the hall's order; a code that the hall no longer knows comes last, so that it is seen and can be taken away. */
export function levelsOf(skills: readonly SkillView[], has: StaffSkills["skills"]): SkillLevel[] {
  const known = skills.map((one) => one.code);
  const others = Object.keys(has).filter((code) => !known.includes(code)).sort();
  return [...known, ...others].map((code) => ({ code, level: has[code] ?? 0 }));
}

export const skillsOf = (levels: readonly SkillLevel[]): StaffSkills["skills"] => Object.fromEntries(levels.filter((one) => one.level > 0).map((one) => [one.code, one.level]));

/** By name or account, and by a skill; whoever has none of it is left out. */
export function choose(people: readonly HallStaff[], words: string, skill: string): HallStaff[] {
  const wanted = words.trim().toLowerCase();
  return people.filter((one) => (wanted === "" || one.name.toLowerCase().includes(wanted) || one.account.toLowerCase().includes(wanted)) && (skill === "" || (one.skills[skill] ?? 0) > 0));
}
