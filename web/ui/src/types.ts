/** Shapes that several components share. */
export type StatusKind = "ok" | "warn" | "danger" | "info";
/** The server's word for a line, and `unknown` before there is one. */
export type NetworkLevel = "good" | "fair" | "poor" | "lost" | "unknown";
/** As the signal client reports it, plus whether media still flows (then a chip, not a bar). */
export type ConnectionState = "idle" | "connecting" | "online" | "reconnecting" | "superseded" | "signed_out" | "closed";

export interface ChatMessage {
  id: string;
  /** Shown name of the sender. */
  who: string;
  mine: boolean;
  /** RFC 3339. */
  at: string;
  text: string;
  state?: "sending" | "sent" | "failed";
}

/** What the pad hands over: strokes of (x, y, ms) in pad pixels, a PNG (base64 without the data: head), and how it was made. */
export interface Signature {
  strokes: [number, number, number][][];
  image: string;
  method: "draw" | "tap" | "type";
}
