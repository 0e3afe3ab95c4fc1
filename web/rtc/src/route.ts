/** One way to the server, tried for a few seconds as a call would use it: the WebSocket's echo, or a connection to the media port
 * by UDP alone, by TCP alone, or by the relay alone. Sends silence, hears nothing, closes everything that it opened. */
import { judge, type QualityLevel } from "./quality.ts";

/** `udp`, `tcp`: straight to the media port. `relay`: through TURN. */
export type Route = "udp" | "tcp" | "relay";

export interface RouteResult {
  /** `none`: there is no such way here. */
  state: "ok" | "failed" | "none";
  level: QualityLevel | null;
  rtt_ms: number | null;
  /** Of what was sent; null where it was not counted. */
  loss_pct: number | null;
}

export interface RouteTools {
  createPeer: (configuration: RTCConfiguration) => RTCPeerConnection;
  /** A track without sound: packets as of speech, and nobody's voice in them. */
  silence: () => { track: MediaStreamTrack; stop: () => void } | null;
}

/** Longest way to a connection; longer is no use in a call. */
export const CONNECT_MS = 8_000;
/** Packets are counted this long: some 150 of 20 ms. */
export const COUNT_MS = 3_000;
const LOOK_MS = 250;
const ECHOES = 4;

const FAILED: RouteResult = { state: "failed", level: null, rtt_ms: null, loss_pct: null };
export const NO_ROUTE: RouteResult = { ...FAILED, state: "none" };

/** The answer with the candidates of one way only; null where the server offers none. */
export function onlyRoute(sdp: string, route: Route): string | null {
  const transport = route === "tcp" ? "tcp" : "udp";
  const lines = sdp.split(/\r?\n/).filter((line) => line !== "");
  const fits = (line: string): boolean => !line.startsWith("a=candidate:") || line.split(" ")[2]?.toLowerCase() === transport;
  const kept = lines.filter(fits);
  return kept.some((line) => line.startsWith("a=candidate:")) ? `${kept.join("\r\n")}\r\n` : null;
}

export const browserTools: RouteTools = {
  createPeer: (configuration) => new RTCPeerConnection(configuration),
  silence: () => {
    try {
      const context = new AudioContext();
      void context.resume().catch(() => undefined);
      const out = context.createMediaStreamDestination();
      const track = out.stream.getAudioTracks()[0];
      if (!track) return null;
      return {
        track,
        stop: () => {
          track.stop();
          void context.close().catch(() => undefined);
        },
      };
    } catch {
      return null;
    }
  },
};

/** Connects by one way and looks at it. Never rejects, but passes on what `answer` says when it is no fault of the way. */
export async function probeRoute(route: Route, servers: RTCIceServer[], answer: (sdp: string) => Promise<string>, signal: AbortSignal, tools: RouteTools = browserTools): Promise<RouteResult> {
  const sound = tools.silence();
  const peer = tools.createPeer({
    bundlePolicy: "max-bundle", rtcpMuxPolicy: "require",
    iceServers: route === "relay" ? servers : [], iceTransportPolicy: route === "relay" ? "relay" : "all",
  });
  try {
    const line = peer.addTransceiver("audio", { direction: "sendrecv" });
    if (sound) await line.sender.replaceTrack(sound.track);
    const offer = await peer.createOffer();
    await peer.setLocalDescription(offer);
    const sdp = onlyRoute(await answer(peer.localDescription?.sdp ?? offer.sdp ?? ""), route);
    if (sdp === null || signal.aborted) return FAILED;
    await peer.setRemoteDescription({ type: "answer", sdp });
    if (!(await connected(peer, signal))) return FAILED;
    return await count(peer, signal);
  } finally {
    peer.close();
    sound?.stop();
  }
}

function connected(peer: RTCPeerConnection, signal: AbortSignal): Promise<boolean> {
  return new Promise((done) => {
    const end = (is: boolean): void => {
      clearTimeout(timer);
      peer.onconnectionstatechange = null;
      signal.removeEventListener("abort", stop);
      done(is);
    };
    const stop = (): void => end(false);
    const look = (): void => {
      if (peer.connectionState === "connected") end(true);
      else if (peer.connectionState === "failed" || peer.connectionState === "closed") end(false);
    };
    const timer = setTimeout(stop, CONNECT_MS);
    signal.addEventListener("abort", stop, { once: true });
    peer.onconnectionstatechange = look;
    look();
  });
}

async function count(peer: RTCPeerConnection, signal: AbortSignal): Promise<RouteResult> {
  let rtt: number | null = null;
  let lost: number | null = null;
  let jitter = 0;
  for (let waited = 0; waited < COUNT_MS && !signal.aborted; waited += LOOK_MS) {
    await pause(LOOK_MS, signal);
    const report = await peer.getStats().catch(() => null);
    report?.forEach((entry: Record<string, unknown>) => {
      if (entry.type === "candidate-pair" && (entry.nominated === true || entry.state === "succeeded") && typeof entry.currentRoundTripTime === "number") {
        // The best of several: what the way can do, not what a busy moment did to it.
        rtt = Math.min(rtt ?? Infinity, entry.currentRoundTripTime * 1000);
      } else if (entry.type === "remote-inbound-rtp") {
        if (typeof entry.fractionLost === "number") lost = Math.max(lost ?? 0, entry.fractionLost * 100);
        jitter = Math.max(jitter, Number(entry.jitter ?? 0) * 1000);
      }
    });
  }
  return { state: "ok", level: judge({ rtt_ms: rtt ?? 0, loss_pct: lost ?? 0, jitter_ms: jitter }), rtt_ms: rtt, loss_pct: lost };
}

/** Says a few words to the echo and takes the time. Never rejects. */
export function probeSocket(url: string, signal: AbortSignal, create: (url: string) => WebSocket = (address) => new WebSocket(address)): Promise<RouteResult> {
  return new Promise((done) => {
    const times: number[] = [];
    let sent = 0;
    let socket: WebSocket | null = null;
    const end = (result: RouteResult): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      if (socket) {
        socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
        socket.close();
      }
      done(result);
    };
    const stop = (): void => end(FAILED);
    const say = (): void => {
      sent = performance.now();
      socket?.send(String(times.length));
    };
    const timer = setTimeout(stop, CONNECT_MS);
    signal.addEventListener("abort", stop, { once: true });
    try {
      socket = create(url);
    } catch {
      stop();
      return;
    }
    socket.onopen = say;
    socket.onmessage = () => {
      times.push(performance.now() - sent);
      if (times.length < ECHOES) {
        say();
        return;
      }
      const rtt = Math.min(...times);
      end({ state: "ok", level: judge({ rtt_ms: rtt, loss_pct: 0, jitter_ms: 0 }), rtt_ms: rtt, loss_pct: null });
    };
    socket.onclose = socket.onerror = stop;
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      done();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
