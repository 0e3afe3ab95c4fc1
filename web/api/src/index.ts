/** HTTP client and wire types. Plain TypeScript: no view library. */
export type * from "./schema.ts";
export { SUBPROTOCOL, PROTOCOL_VERSION } from "./schema.ts";
