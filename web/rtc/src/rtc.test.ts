import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ProblemError } from "@cloud-booth/api";
import { IceSource } from "./ice.ts";
import { LocalMedia } from "./local.ts";
import { Peer, Stream, Track } from "./fakes.ts";
import { CallPeer } from "./peer.ts";
import { isWeak, onWeak } from "./weak.ts";

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
const CAMERA = [{ mid: "1", source: "camera" }];
const sent = (index: number): (Track | null)[] => Peer.all[index]!.lines.slice(0, 2).map((line) => line.sender.track);

describe("CallPeer", () => {
  it("offers two lines to send, four pairs to receive and two lines for more pictures, with no track attached", async () => {
    const { negotiate } = dial();
    await settle();
    expect(Peer.all[0]!.lines.map((line) => line.direction)).toEqual(["sendrecv", "sendrecv", ...Array(8).fill("recvonly"), "sendrecv", "sendrecv"]);
    expect(sent(0)).toEqual([null, null]);
    expect(negotiate).toHaveBeenCalledWith("offer-0", CAMERA);
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

  it("gives up a connection that never comes up, and leaves alone one that does", async () => {
    const { peer, negotiate } = dial();
    await vi.advanceTimersByTimeAsync(7_999);
    expect(negotiate).toHaveBeenCalledTimes(1);
    // No candidate, no check: the browser leaves it at `new` for ever.
    await vi.advanceTimersByTimeAsync(1);
    expect(peer.state).toBe("reconnecting");
    await vi.advanceTimersByTimeAsync(1);
    expect(negotiate).toHaveBeenLastCalledWith("offer-1", expect.anything());
    expect(Peer.all[0]!.isClosed).toBe(true);
    Peer.all[1]!.become("connecting");
    Peer.all[1]!.become("connected");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(negotiate).toHaveBeenCalledTimes(2);
    expect(peer.state).toBe("connected");
    peer.dispose();
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
    expect(negotiate).toHaveBeenLastCalledWith("offer-1", CAMERA);
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
    expect(peer.state, "nobody takes a picture that stands still for a live one").toBe("reconnecting");
    await vi.advanceTimersByTimeAsync(2000);
    Peer.all[0]!.become("connected");
    expect(peer.state).toBe("connected");
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

  it("shows something more on a line of its own, says so in a new offer of the same connection, and takes it away again", async () => {
    const { peer, negotiate } = dial();
    await settle();
    const paper = new Track("video") as unknown as MediaStreamTrack;
    const line = (): unknown => Peer.all[0]!.lines[10]!.sender.track;
    await peer.share("document", paper);
    expect(negotiate).toHaveBeenLastCalledWith("offer-0", [...CAMERA, { mid: "10", source: "document" }]);
    expect(line()).toBeNull();
    const media = new LocalMedia();
    await media.open();
    await peer.goLive(media);
    expect(line()).toBe(paper);
    expect(sent(0)).toEqual([media.audio, media.video]);
    // Another camera over the papers needs no words.
    const other = new Track("video") as unknown as MediaStreamTrack;
    await peer.share("document", other);
    expect(line()).toBe(other);
    expect(negotiate).toHaveBeenCalledTimes(2);
    // A new connection shows it again.
    Peer.all[0]!.become("connected");
    peer.rejoin();
    await settle();
    expect(negotiate).toHaveBeenLastCalledWith("offer-1", [...CAMERA, { mid: "10", source: "document" }]);
    expect(Peer.all[1]!.lines[10]!.sender.track).toBe(other);
    await peer.share("document", null);
    expect(negotiate).toHaveBeenLastCalledWith("offer-1", CAMERA);
    expect(Peer.all[1]!.lines[10]!.sender.track).toBeNull();
    expect(Peer.all).toHaveLength(2);
  });

  it("offers again when the server asks, one offer at a time", async () => {
    const answers: (() => void)[] = [];
    const { peer, negotiate } = dial(vi.fn(() => new Promise<string>((done) => answers.push(() => done("answer")))));
    await settle();
    void peer.renegotiate();
    void peer.renegotiate();
    await settle();
    expect(negotiate).toHaveBeenCalledTimes(1);
    answers.shift()!();
    await settle();
    expect(negotiate).toHaveBeenCalledTimes(2);
    answers.shift()!();
    await settle();
    expect(negotiate).toHaveBeenCalledTimes(2);
    expect(Peer.all).toHaveLength(1);
  });

  it("goes on by voice where no video codec is in common, and says why", async () => {
    const problem = { type: "", title: "x", status: 422, code: "codec_unsupported", errors: [{ pointer: "/sdp", code: "codec_needs_h264", detail: "H.264" }] };
    const negotiate = vi.fn(async () => "answer").mockRejectedValueOnce(new ProblemError(problem));
    const { peer } = dial(negotiate);
    const told: unknown[] = [];
    peer.on("voice", (why) => told.push(why?.problem.errors?.[0]?.detail));
    await settle();
    await settle();
    expect(told).toEqual(["H.264"]);
    expect(Peer.all[1]!.lines.map((line) => line.kind)).toEqual(Array(5).fill("audio"));
    expect(negotiate).toHaveBeenLastCalledWith("offer-1", []);
    const media = new LocalMedia();
    await media.open();
    await peer.goLive(media);
    expect(Peer.all[1]!.lines[0]!.sender.track).toBe(media.audio);
    // Asked for anew, pictures are tried again.
    Peer.all[1]!.become("connected");
    peer.rejoin();
    await settle();
    expect(peer.voice).toBeNull();
    expect(Peer.all[2]!.lines.map((line) => line.kind)).toContain("video");
  });

  it("says of a stream that its picture rests on a weak network, and when it goes on", async () => {
    const { peer } = dial();
    await settle();
    const slot = (paused: boolean) => [{ mid: "3", member: "a", media: "video", source: "camera", paused }];
    peer.setSlots(slot(false));
    const stream = peer.members()[0]!.sources.camera!;
    expect(isWeak(stream)).toBe(false);
    const seen: boolean[] = [];
    const stop = onWeak(stream, () => seen.push(isWeak(stream)));
    peer.setSlots(slot(true));
    peer.setSlots(slot(true));
    peer.setSlots(slot(false));
    stop();
    peer.setSlots(slot(true));
    expect(seen).toEqual([true, false]);
  });

  it("gives each member one stream that survives a rejoin", async () => {
    const { peer } = dial();
    await settle();
    Peer.all[0]!.become("connected");
    peer.setSlots([{ mid: "2", member: "mem_1", media: "audio", source: "camera", paused: false }, { mid: "3", member: "mem_1", media: "video", source: "camera", paused: false }]);
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
