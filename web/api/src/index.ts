/** HTTP client and wire types. Plain TypeScript: no view library. */
export type * from "./schema.ts";
export { SUBPROTOCOL, PROTOCOL_VERSION } from "./schema.ts";
export { ApiClient, type ApiOptions, type CallOptions, type TokenSource } from "./client.ts";
export { ProblemError, networkProblem, problemText, fieldErrors } from "./problem.ts";
export { newKey } from "./key.ts";
export { StaffSession, type StaffSessionOptions } from "./staff.ts";
