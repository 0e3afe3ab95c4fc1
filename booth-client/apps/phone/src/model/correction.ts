/** A correction in the making: which points name a field, a paper, or neither, and what the citizen did about each.
 * What was typed stays in memory while the page is open, so that a drop or a look elsewhere loses nothing; it is never stored. */
import type { CaseView, CorrectionPoint, FieldValue, FieldView, Json } from "@cloud-booth/api";

export type PointPlan =
  | { kind: "field"; at: number; point: CorrectionPoint; field: FieldView }
  | { kind: "material"; at: number; point: CorrectionPoint; code: string }
  | { kind: "general"; at: number; point: CorrectionPoint };

/** A field whose old value is masked starts empty: stars are not a value. */
function editable(field: FieldView): FieldView {
  return { ...field, writable: true, masked: false, visible: true, value: field.masked ? null : field.value, error: null };
}

export function planOf(view: CaseView): PointPlan[] {
  const fields = (view.form?.groups ?? []).flatMap((group) => group.fields);
  return (view.correction?.points ?? []).map((point, at) => {
    const target = point.target ?? "";
    const field = fields.find((one) => one.path === target);
    if (field) return { kind: "field", at, point, field: editable(field) };
    // A path that is not in this view is a field all the same; papers have plain codes.
    if (target && !/[./]/.test(target)) return { kind: "material", at, point, code: target };
    return { kind: "general", at, point };
  });
}

export interface Draft {
  values: Map<string, Json>;
  /** Codes of papers that were sent. */
  sent: Set<string>;
  note: string;
}

const drafts = new Map<string, Draft>();

export function draftOf(id: string): Draft {
  const known = drafts.get(id);
  if (known) return known;
  const made: Draft = { values: new Map(), sent: new Set(), note: "" };
  drafts.set(id, made);
  return made;
}
export function dropDraft(id: string): void {
  drafts.delete(id);
}

export function isAnswered(plan: PointPlan, draft: Draft): boolean {
  if (plan.kind === "field") {
    const value = draft.values.get(plan.field.path);
    return value !== undefined && value !== null && value !== "" && value !== plan.field.value;
  }
  if (plan.kind === "material") return draft.sent.has(plan.code);
  return draft.note.trim() !== "";
}

/** A word of explanation answers whatever cannot be answered otherwise. */
export function openPoints(plans: PointPlan[], draft: Draft): PointPlan[] {
  return draft.note.trim() === "" ? plans.filter((plan) => !isAnswered(plan, draft)) : [];
}

/** Problems point as JSON pointers or as the form's own paths: both name the same field. */
export function samePath(a: string, b: string): boolean {
  const plain = (path: string): string => path.replace(/^\//, "").replace(/\//g, ".");
  return plain(a) === plain(b);
}

/** The values to send: only those that were named. */
export function valuesOf(plans: PointPlan[], draft: Draft): FieldValue[] {
  const paths = new Set(plans.flatMap((plan) => (plan.kind === "field" ? [plan.field.path] : [])));
  return [...paths].flatMap((path) => {
    const value = draft.values.get(path);
    return value === undefined ? [] : [{ path, value }];
  });
}
