import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { IceSource } from "./ice.ts";
import { LocalMedia } from "./local.ts";
import { CallPeer } from "./peer.ts";

class Track extends EventTarget {
  enabled = true;
  readyState = "live";
  contentHint = "";
  kind: string;
  constructor(kind: string) {
    super();
    this.kind = kind;
  }
  stop(): void {
    this.readyState = "ended";
  }
}
class Stream {
  tracks: Track[];
  constructor(tracks: Track[] = []) {
    this.tracks = [...tracks];
  }
  getTracks = (): Track[] => [...this.tracks];
  getAudioTracks = (): Track[] => this.tracks.filter((track) => track.kind === "audio");
  getVideoTracks = (): Track[] => this.tracks.filter((track) => track.kind === "video");
  addTrack = (track: Track): void => void this.tracks.push(track);
  removeTrack = (track: Track): void => void (this.tracks = this.tracks.filter((one) => one !== track));
}
class Peer {
  static all: Peer[] = [];
  lines: { kind: string; direction: string; mid: string | null; sender: { track: Track | null; replaceTrack: (t: Track | null) => Promise<void> }; receiver: { track: Track } }[] = [];
  connectionState = "new";
  localDescription: { sdp: string } | null = null;
  onconnectionstatechange: (() => void) | null = null;
  ontrack: (() => void) | null = null;
  isClosed = false;
  constructor() {
    Peer.all.push(this);
  }
  addTransceiver(kind: string, init: { direction: string }) {
    const sender = { track: null as Track | null, replaceTrack: async (track: Track | null) => void (sender.track = track) };
    const line = { kind, direction: init.direction, mid: null as string | null, sender, receiver: { track: new Track(kind) } };
    this.lines.push(line);
    return line;
  }
  getTransceivers = () => this.lines;
  createOffer = async () => ({ type: "offer", sdp: `offer-${Peer.all.indexOf(this)}` });
  setLocalDescription = async (offer: { sdp: string }) => {
    this.localDescription = offer;
    this.lines.forEach((line, index) => (line.mid = String(index)));
  };
  setRemoteDescription = async () => undefined;
  getStats = async () => new Map();
  configuration: RTCConfiguration = {};
  getConfiguration = () => this.configuration;
  setConfiguration = (next: RTCConfiguration) => void (this.configuration = next);
  close(): void {
    this.isClosed = true;
  }
  become(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

let opened: Track[];
const getUserMedia = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  Peer.all = [];
  opened = [];
  getUserMedia.mockReset().mockImplementation(async (wish: { audio?: unknown; video?: unknown }) => {
    const tracks = [...(wish.audio ? [new Track("audio")] : []), ...(wish.video ? [new Track("video")] : [])];
    opened.push(...tracks);
    return new Stream(tracks);
  });
  vi.stubGlobal("MediaStream", Stream);
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia } });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
function dial(negotiate = vi.fn(async () => "answer")) {
  const peer = new CallPeer({ negotiate, createPeer: () => new Peer() as unknown as RTCPeerConnection });
  peer.connect();
  return { peer, negotiate };
}
const sent = (index: number): (Track | null)[] => Peer.all[index]!.lines.slice(0, 2).map((line) => line.sender.track);

describe("CallPeer", () => {
  it("offers two lines to send and four pairs to receive, with no track attached", async () => {
    const { negotiate } = dial();
    await settle();
    expect(Peer.all[0]!.lines.map((line) => line.direction)).toEqual(["sendrecv", "sendrecv", ...Array(8).fill("recvonly")]);
    expect(sent(0)).toEqual([null, null]);
    expect(negotiate).toHaveBeenCalledWith("offer-0");
  });

  it("sends only from goLive on, without a new offer, and follows mute, camera and device changes", async () => {
    const { peer, negotiate } = dial();
    await settle();
    const media = new LocalMedia();
    await media.open();
    expect(sent(0)).toEqual([null, null]);
    await peer.goLive(media);
    expect(sent(0)).toEqual([media.audio, media.video]);
    media.setMic(false);
    expect(media.audio?.enabled).toBe(false);
    await media.setCamera(false);
    expect(sent(0)[1]).toBeNull();
    await media.replace("audio", "usb");
    expect(sent(0)[0]).toBe(media.audio);
    expect(media.audio?.enabled).toBe(false);
    await peer.hold();
    expect(sent(0)).toEqual([null, null]);
    expect(negotiate).toHaveBeenCalledTimes(1);
  });

  it("rejoins with a new connection after a failure and keeps what was muted", async () => {
    const { peer, negotiate } = dial();
    await settle();
    const media = new LocalMedia();
    await media.open();
    media.setMic(false);
    await peer.goLive(media);
    Peer.all[0]!.become("connected");
    Peer.all[0]!.become("failed");
    expect(peer.state).toBe("reconnecting");
    await settle();
    expect(negotiate).toHaveBeenLastCalledWith("offer-1");
    expect(Peer.all[0]!.isClosed).toBe(true);
    expect((sent(1)[0] as unknown as Track).enabled).toBe(false);
    Peer.all[1]!.become("connected");
    expect(peer.state).toBe("connected");
  });

  it("lets a short disconnection heal, and acts on a long one", async () => {
    const { peer } = dial();
    await settle();
    Peer.all[0]!.become("connected");
    Peer.all[0]!.become("disconnected");
    await vi.advanceTimersByTimeAsync(2000);
    Peer.all[0]!.become("connected");
    await vi.advanceTimersByTimeAsync(5000);
    expect(Peer.all).toHaveLength(1);
    Peer.all[0]!.become("disconnected");
    await vi.advanceTimersByTimeAsync(3001);
    expect(peer.state).toBe("reconnecting");
  });

  it("gives up after its tries and can be asked again", async () => {
    const { peer } = dial(vi.fn(() => Promise.reject(new Error("refused"))));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(peer.state).toBe("failed");
    const tries = Peer.all.length;
    peer.connect();
    await settle();
    expect(Peer.all.length).toBeGreaterThan(tries);
  });

  it("gathers with the server's relays, with new ones at a rejoin and before they end", async () => {
    let now = 0;
    let given = 0;
    const ice = new IceSource(async () => ({ ice_servers: [{ urls: ["turn:r"], username: `n${++given}`, credential: "c" }], expires_at: "", ttl_s: 100 }), () => now);
    const names = (): unknown[] => Peer.all.map((one) => one.configuration.iceServers?.[0]?.username);
    const peer = new CallPeer({ negotiate: async () => "answer", ice, createPeer: (configuration) => Object.assign(new Peer(), { configuration }) as unknown as RTCPeerConnection });
    peer.connect();
    await settle();
    expect(names()).toEqual(["n1"]);
    Peer.all[0]!.become("connected");
    now = 80_000;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(names()).toEqual(["n2"]);
    now = 160_000;
    peer.rejoin();
    await settle();
    expect(names()).toEqual(["n2", "n3"]);
    peer.dispose();
  });

  it("a page that went away while relays were asked for opens no connection", async () => {
    let answer: () => void = () => undefined;
    const ice = new IceSource(() => new Promise((done) => (answer = () => done({ ice_servers: [], expires_at: "", ttl_s: 60 }))));
    const peer = new CallPeer({ negotiate: async () => "answer", ice, createPeer: () => new Peer() as unknown as RTCPeerConnection });
    peer.connect();
    peer.dispose();
    answer();
    await settle();
    expect(Peer.all).toHaveLength(0);
  });

  it("gives each member one stream that survives a rejoin", async () => {
    const { peer } = dial();
    await settle();
    Peer.all[0]!.become("connected");
    peer.setSlots([{ mid: "2", member: "mem_1", media: "audio", source: "camera" }, { mid: "3", member: "mem_1", media: "video", source: "camera" }]);
    const before = peer.members()[0]!.sources.camera!;
    expect(before.getTracks()).toEqual([Peer.all[0]!.lines[2]!.receiver.track, Peer.all[0]!.lines[3]!.receiver.track]);
    peer.rejoin();
    await settle();
    Peer.all[1]!.become("connected");
    const after = peer.members()[0]!.sources.camera!;
    expect(after).toBe(before);
    expect(after.getTracks()).toEqual([Peer.all[1]!.lines[2]!.receiver.track, Peer.all[1]!.lines[3]!.receiver.track]);
    peer.setSlots([]);
    expect(peer.members()).toEqual([]);
  });
});

describe("LocalMedia", () => {
  it("goes on with sound where the camera does not open, and says why", async () => {
    getUserMedia.mockImplementation(async (wish: { audio?: unknown; video?: unknown }) => {
      if (wish.video) throw new DOMException("", "NotReadableError");
      return new Stream([new Track("audio")]);
    });
    const media = new LocalMedia();
    expect(await media.open()).toMatchObject({ has_microphone: true, has_camera: false, problem: "busy" });
  });

  it("leaves no track running after dispose, even one that opens late", async () => {
    const media = new LocalMedia();
    await media.open();
    let late: (stream: Stream) => void = () => undefined;
    getUserMedia.mockImplementationOnce(() => new Promise((done) => (late = done)));
    const replacing = media.replace("video", "usb");
    media.dispose();
    const track = new Track("video");
    late(new Stream([track]));
    await replacing;
    expect([...opened, track].map((one) => one.readyState)).toEqual(["ended", "ended", "ended"]);
    expect(media.stream.getTracks()).toEqual([]);
  });

  it("closes the camera when it is turned off and opens it again", async () => {
    const media = new LocalMedia();
    await media.open();
    const first = media.video as unknown as Track;
    await media.setCamera(false);
    expect(first.readyState).toBe("ended");
    expect(media.state.camera_on).toBe(false);
    await media.setCamera(true);
    expect(media.state.camera_on).toBe(true);
  });
});
