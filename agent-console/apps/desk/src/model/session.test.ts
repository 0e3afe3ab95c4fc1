import { afterEach, expect, test, vi } from "vitest";
import { computed } from "vue";
import { ApiClient, ProblemError, type Command, type CommandReply, type SessionEvent, type SessionView } from "@cloud-booth/api";
import { Emitter, type SignalClient, type SignalEvents } from "@cloud-booth/signal";
import type { LocalMedia } from "@cloud-booth/rtc";
import { LiveSession } from "./session.ts";

const { told } = vi.hoisted(() => ({ told: [] as string[] }));
vi.mock("@cloud-booth/ui", async (original) => ({ ...(await original<object>()), toast: (words: string) => told.push(words) }));

/** The line as the session uses it: frames come in through `events`, commands are answered by the test. */
class Line {
  readonly events = new Emitter<SignalEvents>();
  readonly sent: Command[] = [];
  readonly forgotten: string[] = [];
  readonly readAgain: string[] = [];
  answer: (command: Command) => Promise<CommandReply> = () => Promise.resolve({ kind: "done" });
  on<Name extends keyof SignalEvents>(name: Name, listener: (value: SignalEvents[Name]) => void) {
    return this.events.on(name, listener);
  }
  command(command: Command): Promise<CommandReply> {
    this.sent.push(command);
    return this.answer(command);
  }
  again(id: string): Promise<unknown> {
    this.readAgain.push(id);
    return Promise.resolve();
  }
  hint(): void {}
  forget(id: string): void {
    this.forgotten.push(id);
  }
}
const media = () => ({ state: { mic_on: true, camera_on: true, has_microphone: true, has_camera: true, problem: null }, events: new Emitter() }) as unknown as LocalMedia;
const view = (change: Partial<SessionView> = {}): SessionView =>
  ({
  id: "ses_1", room: "tkt_1", state: "active", end_reason: null, seq: 0, version: 1, started_at: "2026-11-21T01:00:00Z", ended_at: null, grace_until: null, me: "mem_a",
  members: [
    { id: "mem_a", role: "agent", name: { zh: "李工", en: "Li" }, present: true, mic_on: true, camera_on: true },
    { id: "mem_c", role: "citizen", name: { zh: "王*某", en: "W*" }, present: true, mic_on: true, camera_on: true },
  ],
  channel: "booth", needs: [], identity: null, card_nonce: null, item: null, form_open: false, consents: [], sign: null, materials: [], case: null, missing: [], ...change,
}) as unknown as SessionView;
const event = (seq: number, actor: string | null, body: SessionEvent["body"]): SessionEvent => ({ seq, at: "2026-11-21T01:00:01Z", actor, body });

const open: LiveSession[] = [];
function begin() {
  const line = new Line();
  const session = new LiveSession("ses_1", { api: new ApiClient(), signal: line as unknown as SignalClient, media: media() });
  open.push(session);
  line.events.emit("session", view());
  const hear = (one: SessionEvent) => line.events.emit("event", { session: "ses_1", event: one, replayed: false });
  return { line, session, hear };
}
afterEach(() => {
  for (const session of open.splice(0)) session.dispose();
});

test("an older snapshot never replaces a newer one, another session's never at all", () => {
  const { line, session } = begin();
  line.events.emit("session", view({ version: 5, item: "new" }));
  line.events.emit("session", view({ version: 4, item: "old" }));
  line.events.emit("session", view({ id: "ses_2", version: 9, item: "other" }));
  expect(session.view.value?.item).toBe("new");
});

test("what I say stands once: first as sent, then as the journal has it", async () => {
  const { session, hear } = begin();
  await session.say("您好");
  expect(session.chat.value.map((one) => [one.text, one.mine])).toEqual([["您好", true]]);
  hear(event(1, "mem_a", { kind: "chat", text: "您好" }));
  expect(session.chat.value.map((one) => [one.text, one.state])).toEqual([["您好", "sent"]]);
  expect(session.unread.value).toBe(0);
});

test("what was not sent stays, says so, and goes out again with the same key", async () => {
  const { line, session } = begin();
  line.answer = () => Promise.reject(new Error("line down"));
  await session.say("您好");
  const [failed] = session.chat.value;
  expect(failed?.state).toBe("failed");
  line.answer = () => Promise.resolve({ kind: "done" });
  session.sayAgain(failed?.id ?? "");
  await vi.waitFor(() => expect(session.chat.value[0]?.state).toBe("sending"));
  expect(session.chat.value).toHaveLength(1);
});

test("the other side's words count as unread until they are looked at", () => {
  const { session, hear } = begin();
  hear(event(1, "mem_c", { kind: "chat", text: "在吗" }));
  hear(event(2, "mem_c", { kind: "chat", text: "在吗？" }));
  expect(session.unread.value).toBe(2);
  session.markRead();
  expect(session.unread.value).toBe(0);
});

test("they wait for words from the first that nobody of staff answered", () => {
  const { session, hear } = begin();
  expect(session.waitingSince.value).toBeNull();
  hear({ ...event(1, "mem_c", { kind: "chat", text: "在吗" }), at: "2026-11-21T01:00:05Z" });
  hear({ ...event(2, "mem_c", { kind: "chat", text: "在吗？" }), at: "2026-11-21T01:00:20Z" });
  expect(session.waitingSince.value).toBe("2026-11-21T01:00:05Z");
  hear(event(3, "mem_a", { kind: "chat", text: "在，请说" }));
  expect(session.waitingSince.value).toBeNull();
});

test("in writing nobody is called, until the ladder goes up", async () => {
  const { line, session } = begin();
  const { view: now } = session;
  Object.assign(line, { join: () => Promise.resolve() });
  const call = vi.spyOn(session, "useCall").mockImplementation(() => undefined);
  line.events.emit("session", view({ version: 2, mode: "text" } as never));
  await session.enter();
  expect([now.value?.mode, session.isText.value, call.mock.calls.length]).toEqual(["text", true, 0]);
  line.events.emit("session", view({ version: 3, mode: "audio" } as never));
  expect([session.isText.value, call.mock.calls.length]).toEqual([false, 1]);
});

/** A screen that the browser gives, and what became of it. */
function screen() {
  const track = Object.assign(new EventTarget(), { kind: "video", readyState: "live", contentHint: "", stop: vi.fn(() => (track.readyState = "ended")) });
  let tracks: object[] = [];
  class Stream {
    getVideoTracks = () => tracks;
    getTracks = () => [...tracks];
    addTrack = (one: object) => (tracks = [...tracks, one]);
    removeTrack = (one: object) => (tracks = tracks.filter((other) => other !== one));
  }
  vi.stubGlobal("MediaStream", Stream);
  vi.stubGlobal("navigator", { mediaDevices: { getDisplayMedia: () => Promise.resolve({ getVideoTracks: () => [track], getTracks: () => [track] }) } });
  return track;
}

test("what is shown ends with the pictures: in writing, by voice, and at the end of the session", async () => {
  for (const [what, tells] of [["text", true], ["audio", true], ["voice", true], ["ended", false], ["video", false]] as const) {
    const { line, session } = begin();
    const peer = Object.assign(new Emitter<Record<string, unknown>>(), { state: "connected", goLive: () => Promise.resolve(), share: vi.fn((..._given: unknown[]) => Promise.resolve()), connect: () => undefined, dispose: () => undefined });
    session.useCall(peer as never);
    line.events.emit("session", view({ version: 2, mode: "video" } as never));
    const track = screen();
    expect(await session.shares.toggleScreen()).toBe(true);
    expect([track.readyState, peer.share.mock.calls.at(-1)]).toEqual(["live", ["screen", track]]);
    told.length = 0;
    if (what === "voice") peer.emit("voice", new ProblemError({ type: "", title: "没有共同的编码", status: 422, code: "codec_unsupported" }));
    else line.events.emit("session", view({ version: 3, ...(what === "ended" ? { state: "ended" } : { mode: what }) } as never));
    const isOver = what !== "video";
    expect([what, track.readyState, session.shares.screenState.value.on], what).toEqual([what, isOver ? "ended" : "live", !isOver]);
    expect(told, what).toEqual(tells ? ["session.shareEnded"] : []);
    expect(session.mayShow.value, what).toBe(!isOver);
    session.dispose();
    vi.unstubAllGlobals();
  }
});

test("a citizen who comes back is looked at again; an agent who does is not", () => {
  const { session, hear } = begin();
  hear(event(1, null, { kind: "member_back", member: "mem_a" }));
  expect(session.hasReturned.value).toBe(false);
  hear(event(2, null, { kind: "member_back", member: "mem_c" }));
  expect(session.hasReturned.value).toBe(true);
});

test("who dropped is in no field any more", () => {
  const { line, session, hear } = begin();
  line.events.emit("ephemeral", { session: "ses_1", from: "mem_c", body: { kind: "typing", path: "/applicant/name", on: true } });
  expect(session.presence.fields.get("/applicant/name")?.typing).toBe(true);
  hear(event(1, null, { kind: "member_dropped", member: "mem_c", grace_until: "2026-11-21T01:02:00Z" }));
  expect(session.presence.fields.size).toBe(0);
});

test("the number of the case comes from the journal even where the case was not read", () => {
  const { session, hear } = begin();
  hear(event(1, "mem_a", { kind: "handed_off", case: "cas_1", number: "430981-0007" }));
  expect(session.handedOff.value).toEqual({ number: "430981-0007", due_on: null });
});

test("after dispose nothing is listened to and nothing written is kept", () => {
  const { line, session } = begin();
  session.note.value = "内部的话";
  session.dispose();
  line.events.emit("session", view({ version: 9, item: "late" }));
  expect(session.view.value?.item).toBeNull();
  expect(session.note.value).toBe("");
  expect(line.forgotten).toEqual(["ses_1"]);
});

test("whoever left is named in the timeline still", () => {
  const { line, session } = begin();
  const helper = { id: "mem_h", role: "agent" as const, name: { zh: "孙工", en: "Sun" }, present: true, mic_on: true, camera_on: true };
  line.events.emit("session", view({ version: 2, members: [...view().members, { ...helper, part: "colleague" } as never] }));
  expect(session.others.value.map((member) => member.id)).toEqual(["mem_h"]);
  const named = computed(() => session.nameOf("mem_late"));
  expect(named.value).toBe("");
  line.events.emit("session", view({ version: 3, members: [...view().members, { ...helper, id: "mem_late" } as never] }));
  expect([session.nameOf("mem_h"), named.value]).toEqual(["孙工", "孙工"]);
});

test("a supervisor who only listens has no place among the pictures; one who whispers is heard", () => {
  const { line, session } = begin();
  const boss = { id: "mem_s", role: "supervisor", part: "supervisor", name: { zh: "杨帆", en: "Yang" }, present: true, mic_on: false, camera_on: false };
  const members = [...view().members, boss as never];
  line.events.emit("session", view({ version: 2, members, supervision: { mode: "listen", member: "mem_s" } } as never));
  expect(session.others.value).toEqual([]);
  line.events.emit("session", view({ version: 3, members, supervision: { mode: "whisper", member: "mem_s" } } as never));
  expect(session.others.value.map((member) => member.id)).toEqual(["mem_s"]);
});

test("whoever takes over reads the journal again, and each entry stands once", () => {
  const { line, session, hear } = begin();
  line.events.emit("session", view({ version: 2, may: ["staff_talk"] } as never));
  hear(event(1, "mem_c", { kind: "hidden" } as never));
  expect([session.chat.value, line.readAgain]).toEqual([[], []]);
  line.events.emit("session", view({ version: 3, may: ["staff_talk", "read_chat"] } as never));
  expect(line.readAgain).toEqual(["ses_1"]);
  line.events.emit("joined", { kind: "joined", session: view({ version: 3 }), form: null, events: [] });
  line.events.emit("event", { session: "ses_1", event: event(1, "mem_c", { kind: "chat", text: "您好" }), replayed: true });
  expect(session.events.value).toHaveLength(1);
  expect(session.chat.value.map((one) => one.text)).toEqual(["您好"]);
});

test("a helper may what the server says, an agent of an older server all", () => {
  const { line, session } = begin();
  expect([session.isHelper.value, session.may("invite")]).toEqual([false, true]);
  const [me, citizen] = view().members;
  line.events.emit("session", view({ version: 2, members: [{ ...me, part: "consulted" }, citizen], may: ["staff_talk"] } as never));
  expect([session.isHelper.value, session.may("staff_talk"), session.may("read_form")]).toEqual([true, true, false]);
});

test("each line has the server's word, the own one none while the own connection is not up", () => {
  const { line, session } = begin();
  const say = (member: string, state: "good" | "poor" | "lost") =>
    line.events.emit("ephemeral", { session: "ses_1", from: null, body: { kind: "quality", member, state, loss_pct: 1, jitter_ms: 3, rtt_ms: 20 } });
  say("mem_c", "poor");
  say("mem_a", "good");
  expect(session.quality.get("mem_c")).toBe("poor");
  expect(session.ownQuality.value).toBe("unknown");
  session.peerState.value = "connected";
  expect(session.ownQuality.value).toBe("good");
  expect(session.cut.value).toBeNull();
  say("mem_c", "lost");
  expect(session.cut.value, "the picture is from before").toBe("theirs");
  say("mem_c", "poor");
  session.peerState.value = "reconnecting";
  expect(session.ownQuality.value).toBe("lost");
  expect(session.cut.value).toBe("mine");
  expect(session.quality.get("mem_c"), "another's line is the server's to say").toBe("poor");
});
