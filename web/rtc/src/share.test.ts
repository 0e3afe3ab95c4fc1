import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ProblemError } from "@cloud-booth/api";
import { Peer, Stream, Track } from "./fakes.ts";
import { CallPeer } from "./peer.ts";
import { documentCamera, Share } from "./share.ts";

beforeEach(() => {
  vi.useFakeTimers();
  Peer.all = [];
  vi.stubGlobal("MediaStream", Stream);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
const CAMERA = [{ mid: "1", source: "camera" }];

describe("Share", () => {
  const tools = (track: Track) => ({ camera: vi.fn(async () => new Stream([track]) as unknown as MediaStream), screen: vi.fn(async () => new Stream([track]) as unknown as MediaStream) });

  it("sends what it opened until it is stopped here or by the browser's own bar", async () => {
    const track = new Track("video");
    const send = vi.fn(async () => undefined);
    const share = new Share("screen", send, tools(track));
    expect(await share.start()).toBe(true);
    expect(send).toHaveBeenLastCalledWith(track);
    expect([share.state.on, track.contentHint]).toEqual([true, "detail"]);
    track.dispatchEvent(new Event("ended"));
    await settle();
    expect(send).toHaveBeenLastCalledWith(null);
    expect(share.state.on).toBe(false);
  });

  it("takes a choice not to share for an answer, and says what is wrong with a camera", async () => {
    const no = async (): Promise<MediaStream> => Promise.reject(new DOMException("", "NotAllowedError"));
    const send = vi.fn(async () => undefined);
    const screen = new Share("screen", send, { camera: no, screen: no });
    expect(await screen.start()).toBe(false);
    expect(screen.state).toEqual({ on: false, opening: false, problem: null });
    const paper = new Share("document", send, { camera: no, screen: no });
    await paper.start("usb");
    expect(paper.state.problem).toBe("denied");
    expect(send).not.toHaveBeenCalled();
  });

  it("leaves nothing on that opened after it was stopped", async () => {
    const track = new Track("video");
    let late: (stream: MediaStream) => void = () => undefined;
    const camera = (): Promise<MediaStream> => new Promise((done) => (late = done));
    const send = vi.fn(async () => undefined);
    const share = new Share("document", send, { camera, screen: camera });
    const starting = share.start("usb");
    await share.stop();
    late(new Stream([track]) as unknown as MediaStream);
    expect(await starting).toBe(false);
    expect(track.readyState).toBe("ended");
    expect(send).not.toHaveBeenCalled();
  });

  it("finds the camera over the papers", () => {
    const camera = (deviceId: string, label: string) => ({ deviceId, label }) as MediaDeviceInfo;
    const face = camera("a", "Integrated Webcam");
    const paper = camera("b", "USB 高拍仪");
    const third = camera("c", "HD Camera");
    expect(documentCamera([face], "a", null)).toBeNull();
    expect(documentCamera([face, third], "a", null)).toBe(third);
    expect(documentCamera([face, third, paper], "a", null)).toBe(paper);
    expect(documentCamera([face, third, camera("d", "Camera 3")], "a", null)).toBeNull();
    expect(documentCamera([face, third, paper], "a", "hd cam")).toBe(third);
    expect(documentCamera([face, third, paper], "a", "none")).toBeNull();
    // The chosen one was unplugged; the person's own is never taken.
    expect(documentCamera([face, paper], "a", "gone")).toBe(paper);
    expect(documentCamera([paper], "b", "usb")).toBeNull();
  });

  it("takes nothing to show where pictures go neither way, and closes what was shown when they stop", async () => {
    const problem = { type: "", title: "x", status: 422, code: "codec_unsupported", errors: [{ pointer: "/sdp", code: "codec_needs_h264", detail: "H.264" }] };
    const negotiate = vi.fn(async () => "answer");
    const peer = new CallPeer({ negotiate, createPeer: () => new Peer() as unknown as RTCPeerConnection });
    peer.connect();
    await settle();
    const tracks = [new Track("video"), new Track("video")];
    const camera = vi.fn(async () => new Stream([tracks[camera.mock.calls.length - 1]!]) as unknown as MediaStream);
    const paper = new Share("document", (track) => peer.share("document", track), { camera, screen: camera });
    peer.on("voice", (why) => why && void paper.stop());
    expect(await paper.start("usb")).toBe(true);
    // The room's codec changes: this browser has none in common with it any more.
    negotiate.mockRejectedValueOnce(new ProblemError(problem));
    await peer.renegotiate();
    await settle();
    expect(peer.voice?.code).toBe("codec_unsupported");
    expect(negotiate).toHaveBeenLastCalledWith("offer-1", []);
    expect([paper.state.on, tracks[0]!.readyState]).toEqual([false, "ended"]);
    // A press while it is so: nobody would see it, so it is not open.
    const before = negotiate.mock.calls.length;
    expect(await paper.start("usb")).toBe(false);
    expect([paper.state.on, tracks[1]!.readyState]).toEqual([false, "ended"]);
    expect(negotiate).toHaveBeenCalledTimes(before);
    // Pictures are back: it is shown again by a press alone.
    Peer.all[1]!.become("connected");
    peer.rejoin();
    await settle();
    expect(negotiate).toHaveBeenLastCalledWith("offer-2", CAMERA);
    peer.dispose();
  });
});
