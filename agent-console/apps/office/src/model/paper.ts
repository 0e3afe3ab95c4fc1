/** Which papers a case has, and which field came from which paper. Pure. */
import type { CaseView, FieldView, ItemView, OriginView } from "@cloud-booth/api";

export interface Paper {
  id: string;
  kind: "material" | "signature" | "receipt" | "decision" | "certificate";
  /** Where to fetch it. */
  path: string;
  label: { zh: string; en: string } | null;
  /** `licence_copy`, `camera`, `upload`; empty for what this system wrote. */
  source: string;
  at: string | null;
  bytes: number | null;
  sm3: string | null;
  licenceType: string | null;
}

export const SIGNATURE = "signature";

export function papersOf(view: CaseView, item: ItemView | null, mayPreview: boolean): Paper[] {
  const base = `/cases/${encodeURIComponent(view.id)}`;
  const own = (kind: Paper["kind"], path: string, more: Partial<Paper> = {}): Paper => ({ id: kind, kind, path, label: null, source: "", at: null, bytes: null, sm3: null, licenceType: null, ...more });
  const papers: Paper[] = view.materials.map((material) => ({
    id: material.id, kind: "material", path: `${base}/materials/${encodeURIComponent(material.id)}`, label: material.name, source: material.source,
    at: material.at, bytes: material.bytes, sm3: material.sm3,
    licenceType: item?.materials.find((one) => one.code === material.code)?.licence_type ?? null,
  }));
  if (view.signature) papers.push(own("signature", view.signature.image_url, { at: view.signature.signed_at, sm3: view.signature.digest }));
  if (view.accepted_at) papers.push(own("receipt", `${base}/receipt.pdf`, { at: view.accepted_at }));
  if (view.decision?.kind === "refused") papers.push(own("decision", `${base}/decision.pdf`, { at: view.decision.at }));
  if (view.certificate && mayPreview) papers.push(own("certificate", view.certificate.pdf_url, { label: view.certificate.title, at: view.certificate.issued_at, sm3: view.certificate.sm3 }));
  return papers;
}

const licenceOf = (origin: OriginView | null): string | null => (origin?.kind === "licence" ? origin.licence_type : null);

export function paperOfField(field: FieldView, papers: readonly Paper[]): Paper | null {
  const type = licenceOf(field.origin);
  return type === null ? null : (papers.find((paper) => paper.licenceType === type) ?? null);
}

/** Paths of the fields that this paper is the source of. */
export function fieldsOfPaper(paper: Paper | null, view: CaseView): Set<string> {
  if (!paper?.licenceType) return new Set();
  const fields = view.form?.groups.flatMap((group) => group.fields) ?? [];
  return new Set(fields.filter((field) => licenceOf(field.origin) === paper.licenceType).map((field) => field.path));
}

export const fieldId = (path: string): string => `field-${path.replaceAll("/", "-")}`;
