/** The one peer connection of a call. This side always offers: audio and video sendrecv plus four recvonly pairs; the server is
 * ICE-lite and answers with its candidates, so nothing is trickled or waited for. It may connect before the call is accepted:
 * no track is attached to a sender before `goLive`, so nothing leaves the page. On failure it rejoins with a new connection. */
import { Emitter } from "@cloud-booth/signal";
import type { SlotView } from "@cloud-booth/api";
import { TRANSPORT_POLICY, type IceSource } from "./ice.ts";
import type { LocalMedia } from "./local.ts";
import { ReceptionMeter, type Reception } from "./reception.ts";

export type PeerState = "new" | "connecting" | "connected" | "reconnecting" | "failed" | "closed";

/** What is received from one member: a stream for each source (`camera`, `document`, `screen`). Streams keep their identity over a rejoin. */
export interface MemberMedia {
  member: string;
  sources: Record<string, MediaStream>;
}

export type PeerEvents = {
  state: PeerState;
  members: MemberMedia[];
  /** How long the received pictures stood still: for the server. */
  reception: Reception;
};

export interface CallPeerOptions {
  /** Takes the offer to the server and brings its answer. Rejects when the line or the server refuses. */
  negotiate: (sdp: string) => Promise<string>;
  /** Relays; without it the connection goes straight to the server. */
  ice?: IceSource;
  createPeer?: (configuration: RTCConfiguration) => RTCPeerConnection;
}

/** Pairs of lines for other members; the server's rooms hold six. */
export const RECEIVE_PAIRS = 4;
const STATS_MS = 5_000;
/** `disconnected` often heals by itself; longer than this it is a failure. */
const HEAL_MS = 3_000;
const REJOIN_MS = [0, 500, 1_000, 2_000, 4_000, 8_000];

export class CallPeer {
  readonly events = new Emitter<PeerEvents>();
  readonly #options: CallPeerOptions;
  #peer: RTCPeerConnection | null = null;
  #audio: RTCRtpSender | null = null;
  #video: RTCRtpSender | null = null;
  #state: PeerState = "new";
  #media: LocalMedia | null = null;
  #stopMedia: (() => void) | null = null;
  #slots: SlotView[] = [];
  readonly #streams = new Map<string, MediaStream>();
  #attempt = 0;
  #round = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heal: ReturnType<typeof setTimeout> | undefined;
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

  async #dial(): Promise<void> {
    const round = ++this.#round;
    this.#close();
    if (this.#options.ice) {
      this.#servers = await this.#options.ice.get();
      if (round !== this.#round) return;
    }
    const configuration: RTCConfiguration = { bundlePolicy: "max-bundle", rtcpMuxPolicy: "require", iceServers: this.#servers, iceTransportPolicy: TRANSPORT_POLICY };
    const peer = this.#options.createPeer?.(configuration) ?? new RTCPeerConnection(configuration);
    this.#peer = peer;
    this.#audio = peer.addTransceiver("audio", { direction: "sendrecv" }).sender;
    this.#video = peer.addTransceiver("video", { direction: "sendrecv" }).sender;
    for (let pair = 0; pair < RECEIVE_PAIRS; pair += 1) {
      peer.addTransceiver("audio", { direction: "recvonly" });
      peer.addTransceiver("video", { direction: "recvonly" });
    }
    peer.ontrack = () => this.#assign();
    peer.onconnectionstatechange = () => {
      if (this.#peer === peer) this.#watch(peer.connectionState);
    };
    try {
      const [offer] = await Promise.all([peer.createOffer(), this.#attach()]);
      await peer.setLocalDescription(offer);
      const answer = await this.#options.negotiate(peer.localDescription?.sdp ?? offer.sdp ?? "");
      if (round !== this.#round) return;
      await peer.setRemoteDescription({ type: "answer", sdp: answer });
      this.#assign();
    } catch {
      if (round === this.#round) this.#fail();
    }
  }

  async #attach(): Promise<void> {
    // A track that ended between two steps is no reason to lose the call.
    await Promise.all([
      this.#audio?.replaceTrack(this.#media?.audio ?? null).catch(() => undefined),
      this.#video?.replaceTrack(this.#media?.video ?? null).catch(() => undefined),
    ]);
  }

  #watch(state: RTCPeerConnectionState): void {
    clearTimeout(this.#heal);
    if (state === "connected") {
      this.#attempt = 0;
      this.#set("connected");
      this.#measure();
    } else if (state === "disconnected") {
      this.#heal = setTimeout(() => this.#fail(), HEAL_MS);
    } else if (state === "failed") this.#fail();
  }

  #fail(): void {
    clearTimeout(this.#heal);
    clearTimeout(this.#timer);
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
    clearInterval(this.#stats);
    clearTimeout(this.#heal);
    const peer = this.#peer;
    this.#peer = null;
    this.#audio = null;
    this.#video = null;
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
