/**
 * Which received pictures rest because this page's network is too weak for them; the sound goes on. Kept with the streams,
 * so that whatever shows one can say it.
 */
const weak = new WeakSet<MediaStream>();
const CHANGE = "cb-weak";

export const isWeak = (stream: MediaStream | null): boolean => stream !== null && weak.has(stream);

/** Only `CallPeer` knows. */
export function setWeak(stream: MediaStream, now: boolean): void {
  if (weak.has(stream) === now) return;
  if (now) weak.add(stream);
  else weak.delete(stream);
  stream.dispatchEvent(new Event(CHANGE));
}

/** Calls back at every change of a stream; returns the way to stop that. */
export function onWeak(stream: MediaStream, then: () => void): () => void {
  stream.addEventListener(CHANGE, then);
  return () => stream.removeEventListener(CHANGE, then);
}
