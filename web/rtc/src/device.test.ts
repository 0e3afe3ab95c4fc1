import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { DeviceCheck, lastCheck } from "./device.ts";
import { Stream, Track } from "./fakes.ts";
import { NetworkCheck, type NetworkTools } from "./netcheck.ts";
import { NO_ROUTE } from "./route.ts";

const node = { connect: () => node, disconnect: () => undefined, fftSize: 0, getFloatTimeDomainData: () => undefined };
class Sound {
  createAnalyser = () => node;
  createMediaStreamSource = () => node;
  resume = async () => undefined;
  close = async () => undefined;
}

type Wish = { audio?: { deviceId?: { exact: string } } | false; video?: { deviceId?: { exact: string } } | false };
let opened: Track[];
const open = vi.fn<(wish: Wish) => Promise<Stream>>();
const live = (): number => opened.filter((track) => track.readyState === "live").length;

beforeEach(() => {
  vi.useFakeTimers();
  opened = [];
  open.mockReset().mockImplementation(async ({ audio, video }) => {
    const tracks = [...(audio ? [new Track("audio", audio.deviceId?.exact ?? "mic-1")] : []), ...(video ? [new Track("video", video.deviceId?.exact ?? "cam-1")] : [])];
    opened.push(...tracks);
    return new Stream(tracks);
  });
  const device = (kind: string, deviceId: string) => ({ kind, deviceId, label: deviceId });
  vi.stubGlobal("MediaStream", Stream);
  vi.stubGlobal("AudioContext", Sound);
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia: open, enumerateDevices: async () => ["cam-1", "cam-2"].map((id) => device("videoinput", id)).concat(["mic-1", "mic-2"].map((id) => device("audioinput", id))) } });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function made(network?: "asked") {
  const way = { ...NO_ROUTE, state: "ok" as const, level: "good" as const };
  const tools: NetworkTools = { route: async () => way, socket: async () => way, address: () => "ws://here" };
  const asked = vi.fn();
  const api = { get: async <T>() => (asked(), { ice_servers: [], expires_at: "", ttl_s: 60 } as T), post: async <T>() => ({}) as T };
  const check = new DeviceCheck(api, { network }, new NetworkCheck(api, tools));
  return { check, asked };
}

it("names the devices in use, and goes on with the one before where another does not open", async () => {
  const { check } = made("asked");
  await check.start();
  expect([check.state.camera_id, check.state.microphone_id]).toEqual(["cam-1", "mic-1"]);
  await check.choose("video", "cam-2");
  expect([check.state.camera_id, check.state.refused]).toEqual(["cam-2", null]);
  open.mockRejectedValueOnce(new DOMException("", "NotReadableError"));
  const choosing = check.choose("audio", "mic-2");
  expect(check.state.microphone_id).toBe("mic-2");
  await choosing;
  expect([check.state.microphone_id, check.state.refused, check.state.microphone]).toEqual(["mic-1", "audio", "listening"]);
  // A second look keeps what was chosen.
  await check.start();
  expect([check.state.camera_id, check.state.refused]).toEqual(["cam-2", null]);
  check.dispose();
  expect(live()).toBe(0);
});

it("tries the network when it is asked for alone, where the page wants it so", async () => {
  const { check, asked } = made("asked");
  await check.start();
  expect(asked).not.toHaveBeenCalled();
  expect(check.state.network.stage).toBe("idle");
  await check.again();
  expect(check.state.network.stage).toBe("done");
  expect(lastCheck()).toMatchObject({ verdict: "video" });
  expect(lastCheck()?.untested).toBeUndefined();
  check.dispose();
  const always = made();
  await always.check.start();
  expect(always.asked).toHaveBeenCalledTimes(1);
  always.check.dispose();
});

it("opens no camera for a call by voice, and the other way's devices are closed", async () => {
  const { check } = made("asked");
  await check.start({ voice: true });
  expect(opened.map((track) => track.kind)).toEqual(["audio"]);
  await check.start();
  expect(opened.map((track) => `${track.kind} ${track.readyState}`)).toEqual(["audio ended", "audio live", "video live"]);
  check.dispose();
});

it("hands its devices to the call, which alone closes them", async () => {
  const { check } = made("asked");
  expect(check.take()).toBeNull();
  await check.start();
  const media = check.take();
  check.dispose();
  expect(live()).toBe(2);
  media?.dispose();
  expect(live()).toBe(0);
});

it("another way that is chosen while the browser asks leaves nothing on", async () => {
  const { check } = made("asked");
  let allow = (): void => undefined;
  open.mockImplementationOnce(() => new Promise((done) => (allow = () => {
    const tracks = [new Track("audio", "mic-1"), new Track("video", "cam-1")];
    opened.push(...tracks);
    done(new Stream(tracks));
  })));
  const first = check.start();
  await check.start({ voice: true });
  allow();
  await first;
  expect(opened.filter((track) => track.readyState === "live").map((track) => track.kind)).toEqual(["audio"]);
  expect(check.state.voice).toBe(true);
  check.dispose();
});
