/** Problems as this page says them: its own few first, then the server's words. */
import { problemText, ProblemError } from "@cloud-booth/api";

const OWN: Record<string, string> = { file_too_large: "casework.tooLarge", file_type: "casework.wrongType" };

export function explain(error: unknown, t: (key: string) => string): string {
  const key = error instanceof ProblemError ? OWN[error.code] : undefined;
  return key ? t(key) : problemText(error, t);
}
