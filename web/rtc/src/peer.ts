/** The one peer connection of a call. This side always offers: audio and video sendrecv, four recvonly pairs, and two more lines of
 * pictures for what is shown beside the person; the server is ICE-lite and answers with its candidates, so nothing is trickled or
 * waited for. It may connect before the call is accepted: no track is attached to a sender before `goLive`, so nothing leaves the
 * page. What the lines show is said beside the offer; showing something more is a new offer of the same connection. On failure it
 * rejoins with a new connection; where there is no video codec in common with the others, it goes on by voice. */
import { Emitter } from "@cloud-booth/signal";
import { ProblemError, type MediaLine, type SlotView } from "@cloud-booth/api";
import { TRANSPORT_POLICY, type IceSource } from "./ice.ts";
import type { LocalMedia } from "./local.ts";
import { ReceptionMeter, type Reception } from "./reception.ts";
import { setWeak } from "./weak.ts";

export type PeerState = "new" | "connecting" | "connected" | "reconnecting" | "failed" | "closed";

/** What is received from one member: a stream for each source (`camera`, `document`, `screen`). Streams keep their identity over a rejoin. */
export interface MemberMedia {
  member: string;
  sources: Record<string, MediaStream>;
}

/** What a page may show beside the person. */
export type ShareSource = "document" | "screen";

export type PeerEvents = {
  state: PeerState;
  members: MemberMedia[];
  /** Pictures go neither way, and why; null: they do. */
  voice: ProblemError | null;
  /** How long the received pictures stood still: for the server. */
  reception: Reception;
};

export interface CallPeerOptions {
  /** Takes the offer and what its lines show to the server and brings its answer. Rejects when the line or the server refuses. */
  negotiate: (sdp: string, sources: MediaLine[]) => Promise<string>;
  /** Relays; without it the connection goes straight to the server. */
  ice?: IceSource;
  createPeer?: (configuration: RTCConfiguration) => RTCPeerConnection;
}

/** Pairs of lines for other members; the server's rooms hold six. */
export const RECEIVE_PAIRS = 4;
/** In the order of their lines. */
const SHARES: readonly ShareSource[] = ["document", "screen"];
const STATS_MS = 5_000;
/** `disconnected` often heals by itself; longer than this it is a failure. */
const HEAL_MS = 3_000;
/** A connection that is not up by then is given up, later with each attempt: one whose relay refused it stays `new` and would never fail. */
const UP_MS = 8_000;
const REJOIN_MS = [0, 500, 1_000, 2_000, 4_000, 8_000];

/** webrtc-svc; not in the compiler's library yet. */
const LAYERS: RTCRtpEncodingParameters & { scalabilityMode: string } = { scalabilityMode: "L1T2" };

/** Two layers in time: on a weak network the server forwards every other picture. A browser that knows no layers refuses them. */
function layered(peer: RTCPeerConnection): RTCRtpTransceiver {
  try {
    return peer.addTransceiver("video", { direction: "sendrecv", sendEncodings: [LAYERS] });
  } catch {
    return peer.addTransceiver("video", { direction: "sendrecv" });
  }
}

export class CallPeer {
  readonly events = new Emitter<PeerEvents>();
  readonly #options: CallPeerOptions;
  #peer: RTCPeerConnection | null = null;
  #audio: RTCRtpSender | null = null;
  /** Lines of pictures on which this side may send. */
  readonly #pictures = new Map<MediaLine["source"], RTCRtpTransceiver>();
  readonly #shares = new Map<ShareSource, MediaStreamTrack>();
  /** Why there are no pictures, once the server said so. */
  #voice: ProblemError | null = null;
  /** What is sent changed, or the server asked, since the last offer was made. */
  #isStale = false;
  #isOffering = false;
  #state: PeerState = "new";
  #media: LocalMedia | null = null;
  #stopMedia: (() => void) | null = null;
  #slots: SlotView[] = [];
  readonly #streams = new Map<string, MediaStream>();
  #attempt = 0;
  #round = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heal: ReturnType<typeof setTimeout> | undefined;
  #up: ReturnType<typeof setTimeout> | undefined;
  #stats: ReturnType<typeof setInterval> | undefined;
  #meter = new ReceptionMeter();
  /** What the connection of now gathers with. */
  #servers: RTCIceServer[] = [];

  constructor(options: CallPeerOptions) {
    this.#options = options;
  }
  get state(): PeerState {
    return this.#state;
  }
  /** The connection of now, for measurements. */
  get connection(): RTCPeerConnection | null {
    return this.#peer;
  }
  on<Name extends keyof PeerEvents>(name: Name, listener: (value: PeerEvents[Name]) => void): () => void {
    return this.events.on(name, listener);
  }

  /** Connects without sending anything. Safe to call again. */
  connect(): void {
    if (this.#state !== "new" && this.#state !== "failed") return;
    this.#attempt = 0;
    this.#setVoice(null);
    this.#set("connecting");
    void this.#dial();
  }

  /** From now on this media is sent, and what changes in it. No renegotiation. */
  async goLive(media: LocalMedia): Promise<void> {
    this.#stopMedia?.();
    this.#media = media;
    this.#stopMedia = media.events.on("tracks", () => void this.#attach());
    await this.#attach();
  }

  /** Shows this beside the person, or no longer (null). Leaves at once in a live call, else when it is; the track stays the caller's.
   * Rejects with the reason where pictures go neither way: nobody would see it. */
  async share(source: ShareSource, track: MediaStreamTrack | null): Promise<void> {
    if (track && this.#voice) throw this.#voice;
    if ((this.#shares.get(source) ?? null) === track) return;
    const isKnown = this.#shares.has(source) && track !== null;
    if (track) this.#shares.set(source, track);
    else this.#shares.delete(source);
    await this.#attach();
    // Another track of the same source needs no words.
    if (!isKnown) await this.renegotiate();
  }

  /** Pictures go neither way, and why; null: they do. */
  get voice(): ProblemError | null {
    return this.#voice;
  }

  /** A new offer of the same connection: the room changed its codec, or what is shown changed. */
  async renegotiate(): Promise<void> {
    this.#isStale = true;
    const peer = this.#peer;
    // An offer under way is followed by another; without a connection the next one says it all.
    if (!peer || this.#isOffering || this.#timer !== undefined) return;
    await this.#agree(peer, this.#round);
  }

  /** Stops sending; the connection stays warm. */
  async hold(): Promise<void> {
    this.#stopMedia?.();
    this.#stopMedia = null;
    this.#media = null;
    await this.#attach();
  }

  /** Which line carries whom, as the server says. */
  setSlots(slots: SlotView[]): void {
    this.#slots = slots;
    this.#assign();
  }

  /** What is received, by member. */
  members(): MemberMedia[] {
    const members = new Map<string, MemberMedia>();
    for (const slot of this.#slots) {
      const stream = this.#streams.get(`${slot.member}/${slot.source}`);
      if (!stream) continue;
      const entry = members.get(slot.member) ?? { member: slot.member, sources: {} };
      entry.sources[slot.source] = stream;
      members.set(slot.member, entry);
    }
    return [...members.values()];
  }

  /** Starts over with a new connection, for example after the server said that the old one ended. */
  rejoin(): void {
    if (this.#state === "closed" || this.#state === "new") return;
    this.#attempt = 0;
    this.#setVoice(null);
    this.#fail();
  }

  dispose(): void {
    if (this.#state === "closed") return;
    this.#round += 1;
    this.#stopMedia?.();
    this.#close();
    clearTimeout(this.#timer);
    for (const stream of this.#streams.values()) stream.getTracks().forEach((track) => stream.removeTrack(track));
    this.#streams.clear();
    this.#set("closed");
    this.events.clear();
  }

  #set(state: PeerState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.events.emit("state", state);
  }

  #setVoice(problem: ProblemError | null): void {
    if (this.#voice === problem) return;
    this.#voice = problem;
    this.events.emit("voice", problem);
  }

  async #dial(): Promise<void> {
    this.#timer = undefined;
    const round = ++this.#round;
    this.#close();
    if (this.#options.ice) {
      this.#servers = await this.#options.ice.get();
      if (round !== this.#round) return;
    }
    const configuration: RTCConfiguration = { bundlePolicy: "max-bundle", rtcpMuxPolicy: "require", iceServers: this.#servers, iceTransportPolicy: TRANSPORT_POLICY };
    const peer = this.#options.createPeer?.(configuration) ?? new RTCPeerConnection(configuration);
    this.#peer = peer;
    const isVoice = this.#voice !== null;
    this.#audio = peer.addTransceiver("audio", { direction: "sendrecv" }).sender;
    if (!isVoice) this.#pictures.set("camera", layered(peer));
    for (let pair = 0; pair < RECEIVE_PAIRS; pair += 1) {
      peer.addTransceiver("audio", { direction: "recvonly" });
      if (!isVoice) peer.addTransceiver("video", { direction: "recvonly" });
    }
    if (!isVoice) for (const source of SHARES) this.#pictures.set(source, peer.addTransceiver("video", { direction: "sendrecv" }));
    peer.ontrack = () => this.#assign();
    peer.onconnectionstatechange = () => {
      if (this.#peer === peer) this.#watch(peer.connectionState);
    };
    await this.#agree(peer, round);
  }

  /** Offers until the answer speaks of what is sent now. */
  async #agree(peer: RTCPeerConnection, round: number): Promise<void> {
    this.#isOffering = true;
    try {
      do {
        this.#isStale = false;
        const [offer] = await Promise.all([peer.createOffer(), this.#attach()]);
        await peer.setLocalDescription(offer);
        const answer = await this.#options.negotiate(peer.localDescription?.sdp ?? offer.sdp ?? "", this.#lines());
        if (round !== this.#round) return;
        await peer.setRemoteDescription({ type: "answer", sdp: answer });
        if (round !== this.#round) return;
        clearTimeout(this.#up);
        if (peer.connectionState !== "connected") this.#up = setTimeout(() => this.#fail(), UP_MS * (1 + this.#attempt / 2));
        this.#assign();
      } while (this.#isStale && round === this.#round);
    } catch (error) {
      if (round !== this.#round) return;
      if (this.#voice === null && isCodecNeeded(error)) {
        this.#setVoice(error);
        this.#attempt = 0;
      }
      this.#fail();
    } finally {
      if (round === this.#round) this.#isOffering = false;
    }
  }

  /** What the lines show: the camera always, so that it can be turned on without words. */
  #lines(): MediaLine[] {
    const lines: MediaLine[] = [];
    for (const [source, line] of this.#pictures) {
      if (line.mid !== null && (source === "camera" || this.#shares.has(source))) lines.push({ mid: line.mid, source });
    }
    return lines;
  }

  async #attach(): Promise<void> {
    const live = this.#media;
    const put = (sender: RTCRtpSender | null | undefined, track: MediaStreamTrack | null | undefined): Promise<void> | undefined =>
      // A track that ended between two steps is no reason to lose the call.
      sender?.replaceTrack(live ? (track ?? null) : null).catch(() => undefined);
    await Promise.all([
      put(this.#audio, live?.audio),
      put(this.#pictures.get("camera")?.sender, live?.video),
      ...SHARES.map((source) => put(this.#pictures.get(source)?.sender, this.#shares.get(source))),
    ]);
  }

  #watch(state: RTCPeerConnectionState): void {
    clearTimeout(this.#heal);
    if (state === "connected") {
      clearTimeout(this.#up);
      this.#attempt = 0;
      this.#set("connected");
      this.#measure();
    } else if (state === "disconnected") {
      // Said at once: by now the picture has stood still for seconds.
      this.#set("reconnecting");
      this.#heal = setTimeout(() => this.#fail(), HEAL_MS);
    } else if (state === "failed") this.#fail();
  }

  #fail(): void {
    clearTimeout(this.#heal);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#state === "closed") return;
    const wait = REJOIN_MS[this.#attempt];
    if (wait === undefined) {
      this.#close();
      this.#set("failed");
      return;
    }
    this.#attempt += 1;
    this.#set("reconnecting");
    this.#timer = setTimeout(() => void this.#dial(), wait);
  }

  #close(): void {
    this.#isOffering = false;
    clearInterval(this.#stats);
    clearTimeout(this.#heal);
    clearTimeout(this.#up);
    const peer = this.#peer;
    this.#peer = null;
    this.#audio = null;
    this.#pictures.clear();
    if (!peer) return;
    peer.ontrack = null;
    peer.onconnectionstatechange = null;
    peer.close();
  }

  /** Puts received tracks into the streams of their members. */
  #assign(): void {
    const byMid = new Map<string, MediaStreamTrack>();
    for (const line of this.#peer?.getTransceivers() ?? []) if (line.mid !== null) byMid.set(line.mid, line.receiver.track);
    const wanted = new Map<string, Set<MediaStreamTrack>>();
    for (const slot of this.#slots) {
      const track = byMid.get(slot.mid);
      if (!track) continue;
      const key = `${slot.member}/${slot.source}`;
      const set = wanted.get(key) ?? new Set();
      set.add(track);
      wanted.set(key, set);
    }
    let isNew = false;
    for (const [key, tracks] of wanted) {
      const stream = this.#streams.get(key) ?? new MediaStream();
      if (!this.#streams.has(key)) isNew = true;
      this.#streams.set(key, stream);
      for (const old of stream.getTracks()) if (!tracks.has(old)) stream.removeTrack(old);
      for (const track of tracks) if (!stream.getTracks().includes(track)) stream.addTrack(track);
    }
    for (const key of [...this.#streams.keys()]) {
      // Between two connections nothing is wanted yet: the last picture stays.
      if (wanted.has(key) || this.#state !== "connected") continue;
      this.#streams.delete(key);
      isNew = true;
    }
    for (const slot of this.#slots) {
      const stream = this.#streams.get(`${slot.member}/${slot.source}`);
      if (stream && slot.media === "video") setWeak(stream, slot.paused === true);
    }
    if (isNew || wanted.size > 0) this.events.emit("members", this.members());
  }

  #measure(): void {
    clearInterval(this.#stats);
    this.#meter = new ReceptionMeter();
    this.#stats = setInterval(() => void this.#sample(), STATS_MS);
  }

  async #sample(): Promise<void> {
    const peer = this.#peer;
    if (!peer) return;
    void this.#renew(peer);
    const report = await peer.getStats().catch(() => null);
    if (!report || peer !== this.#peer) return;
    const entries: Record<string, unknown>[] = [];
    report.forEach((entry: Record<string, unknown>) => entries.push(entry));
    const reception = this.#meter.take(entries, performance.now());
    if (reception) this.events.emit("reception", reception);
  }

  /** A connection that outlives its credentials gathers with new ones: after a change of network, in an ICE restart. */
  async #renew(peer: RTCPeerConnection): Promise<void> {
    const servers = await this.#options.ice?.get();
    if (!servers || servers === this.#servers || peer !== this.#peer) return;
    this.#servers = servers;
    try {
      peer.setConfiguration({ ...peer.getConfiguration(), iceServers: servers });
    } catch {
      // The old ones go on as long as their allocation does.
    }
  }
}

/** The others have no video codec in common with this browser; by voice it may go on. */
function isCodecNeeded(error: unknown): error is ProblemError {
  return error instanceof ProblemError && error.code === "codec_unsupported" && (error.problem.errors ?? []).some((one) => one.code.startsWith("codec_needs_"));
}
