/** Errors as the server tells them (RFC 9457), and the few that arise on this side of the wire. */
import type { FieldProblem, Problem } from "./schema.ts";

/** What every call and command throws. The message is the stable code: texts and details may name a person and stay out of logs. */
export class ProblemError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.code);
    this.name = "ProblemError";
    this.problem = problem;
  }
  get code(): string {
    return this.problem.code;
  }
  get status(): number {
    return this.problem.status;
  }
}

/** A problem that never reached the server or came back unreadable: `network`, `timeout`, `aborted`, `unreadable`, `closed`. */
export function networkProblem(code: string, status = 0): ProblemError {
  return new ProblemError({ type: "about:blank", title: "", status, code });
}

export function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && typeof (value as Problem).code === "string" && typeof (value as Problem).status === "number";
}

const LOCAL: Record<string, string> = { network: "error.network", closed: "error.network", timeout: "error.timeout" };
const BY_STATUS: Record<number, string> = { 401: "error.unauthorized", 403: "error.forbidden", 404: "error.notFound", 409: "error.conflict", 412: "error.conflict", 429: "error.tooMany" };

/** What a person reads: the server's words in their language where there are some, else ours. `t` is vue-i18n's. */
export function problemText(error: unknown, t: (key: string) => string): string {
  if (!(error instanceof ProblemError)) return t("error.generic");
  const { problem } = error;
  const server = problem.detail || problem.title;
  if (server) return server;
  return t(LOCAL[problem.code] ?? BY_STATUS[problem.status] ?? "error.generic");
}

/** The fields that are to blame, by JSON pointer. */
export function fieldErrors(error: unknown): Map<string, FieldProblem> {
  const errors = error instanceof ProblemError ? (error.problem.errors ?? []) : [];
  return new Map(errors.map((entry) => [entry.pointer, entry]));
}
