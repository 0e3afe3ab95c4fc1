/** When a picture of the citizen may be kept: only while it moves. */
import { expect, test, vi } from "vitest";
import { effectScope, nextTick, ref, shallowRef } from "vue";
import type { MemberView, SessionView } from "@cloud-booth/api";
import { useWhyNoPicture } from "./picture.ts";
import { nextPicture } from "./still.ts";
import type { LiveSession } from "./session.ts";

const { weak } = vi.hoisted(() => ({ weak: { now: false, then: [] as (() => void)[] } }));
vi.mock("@cloud-booth/rtc", () => ({ isWeak: () => weak.now, onWeak: (_stream: unknown, then: () => void) => (weak.then.push(then), () => undefined) }));
const stream = {} as MediaStream;

function begin() {
  const session = {
    citizenStream: shallowRef<MediaStream | null>(stream),
    citizenPapers: shallowRef<MediaStream | null>(null),
    citizen: shallowRef({ present: true, camera_on: true } as MemberView),
    view: shallowRef({ mode: "video", hold: false } as SessionView),
    peerState: ref("connected"),
    cut: ref<"mine" | "theirs" | null>(null),
  };
  const read = () => session as unknown as LiveSession;
  const [face, papers] = effectScope().run(() => [useWhyNoPicture(read, "camera"), useWhyNoPicture(read, "document")] as const) ?? [];
  return { session, face: () => face?.value, papers: () => papers?.value };
}

test("a picture that stands still is none of now: the line is cut, the citizen is gone, the network rests it", async () => {
  const { session, face } = begin();
  expect(face()).toBe("");
  session.peerState.value = "reconnecting";
  expect(face()).toBe("stands");
  session.peerState.value = "connected";
  session.cut.value = "theirs";
  expect(face()).toBe("stands");
  session.cut.value = null;
  session.citizen.value = { ...session.citizen.value, present: false };
  expect(face()).toBe("stands");
  session.citizen.value = { ...session.citizen.value, present: true };
  weak.now = true;
  for (const then of weak.then) then();
  await nextTick();
  expect(face()).toBe("stands");
  weak.now = false;
  for (const then of weak.then) then();
  expect(face()).toBe("");
});

test("no picture at all is another thing, and papers need no face", () => {
  const { session, face, papers } = begin();
  expect(papers()).toBe("none");
  session.citizenPapers.value = stream;
  session.citizen.value = { ...session.citizen.value, camera_on: false };
  expect([face(), papers()]).toEqual(["none", ""]);
  session.view.value = { ...session.view.value, mode: "audio" };
  expect([face(), papers()]).toEqual(["none", "none"]);
});

test("a still waits for the next picture, and is not taken where none comes", async () => {
  vi.useFakeTimers();
  const shown: (() => void)[] = [];
  const video = { requestVideoFrameCallback: (then: () => void) => shown.push(then), cancelVideoFrameCallback: vi.fn() };
  const taken = nextPicture(video as unknown as HTMLVideoElement);
  shown[0]?.();
  expect(await taken).toBe(true);
  const stale = nextPicture(video as unknown as HTMLVideoElement, 2_000);
  vi.advanceTimersByTime(2_000);
  expect([await stale, video.cancelVideoFrameCallback.mock.calls]).toEqual([false, [[2]]]);
  vi.useRealTimers();
});
