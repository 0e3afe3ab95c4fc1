/** The WebSocket to the server. Plain TypeScript: no view library. See the protocol document for the frames. */
export { SignalClient, type SignalOptions, type SignalState, type SignalEvents } from "./client.ts";
export { Emitter } from "./emitter.ts";
export { backoff } from "./backoff.ts";
