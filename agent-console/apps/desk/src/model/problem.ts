/** The stable code of what went wrong. Pure. */
import { ProblemError } from "@cloud-booth/api";

export function codeOf(error: unknown): string {
  return error instanceof ProblemError ? error.code : "unknown";
}
