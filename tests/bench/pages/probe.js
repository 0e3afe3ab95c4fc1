// Runs inside both pages before their own code: notes when the accept button was clicked, when each remote picture had its
// first frame, and since when the transport is up. Times are milliseconds since the epoch, so two pages can be compared.

/** What the probe keeps.
 * @typedef {{ click: number | null, connected: number | null, frames: Record<string, number>, peers: RTCPeerConnection[] }} Seen */

export function probe() {
  /** @type {Seen} */
  const seen = { click: null, connected: null, frames: {}, peers: [] };
  Object.assign(window, { __join: seen });
  document.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (target.closest?.('[data-testid="accept"]')) seen.click = performance.timeOrigin + event.timeStamp;
  }, { capture: true });

  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    /** @param {RTCConfiguration} [configuration] */
    constructor(configuration) {
      super(configuration);
      seen.peers.push(this);
      this.addEventListener("connectionstatechange", () => {
        if (this.connectionState === "connected") seen.connected = performance.timeOrigin + performance.now();
      });
    }
  };

  const setter = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "srcObject");
  if (!setter?.set) return;
  const { get, set } = setter;
  Object.defineProperty(HTMLMediaElement.prototype, "srcObject", {
    ...setter,
    get,
    /** @param {MediaProvider | null} stream */
    set(stream) {
      set.call(this, stream);
      if (!stream || !(this instanceof HTMLVideoElement)) return;
      this.requestVideoFrameCallback((now) => {
        const id = this.closest("[data-testid]")?.getAttribute("data-testid") ?? "";
        seen.frames[id] ??= performance.timeOrigin + now;
      });
    },
  });
}
