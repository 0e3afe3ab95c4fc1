import { expect, test, vi } from "vitest";
import { shallowRef } from "vue";
import type { FieldView, FormView, GroupView, SessionView } from "@cloud-booth/api";
import { Acts, missingForSign, nextField, nextGroup } from "./acts.ts";
import type { LiveSession } from "./session.ts";
import { DeskUi } from "./ui.ts";

const field = (path: string, change: Partial<FieldView> = {}): FieldView => ({
  path, kind: "text", label: { zh: path, en: path }, help: null, options: [], max_chars: 10, visible: true, required: true, writable: true, citizen_only: false,
  confirm_single: false, value: "x", masked: false, version: 1, origin: null, confirmed: true, changed_since_confirm: false, error: null, ...change,
});
const group = (id: string, fields: FieldView[], change: Partial<GroupView> = {}): GroupView => ({ id, title: { zh: id, en: id }, fields, confirmed: true, disputed: false, ...change });
function session(groups: GroupView[], missing: string[] = []): LiveSession {
  return { form: shallowRef({ groups } as unknown as FormView), view: shallowRef({ missing } as unknown as SessionView) } as unknown as LiveSession;
}
const wrong = { code: "id_length", message: { zh: "", en: "" } };

test("a wrong field is looked at before an empty one, an empty one before an unconfirmed one", () => {
  const unconfirmed = field("/a", { confirmed: false });
  const empty = field("/b", { value: null });
  const bad = field("/c", { error: wrong });
  expect(nextField(session([group("one", [unconfirmed, empty, bad])]))?.path).toBe("/c");
  expect(nextField(session([group("one", [unconfirmed, empty])]))?.path).toBe("/b");
  expect(nextField(session([group("one", [unconfirmed, field("/d", { value: "", required: false, confirmed: false })])]))?.path).toBe("/a");
});

test("hidden fields ask for nothing", () => {
  expect(nextField(session([group("one", [field("/a", { visible: false, value: null, error: wrong })])]))).toBeNull();
  expect(nextGroup(session([group("one", [field("/a", { visible: false })], { confirmed: false })]))).toBeNull();
});

test("a confirmed group with a deciding fact left open is still to be confirmed", () => {
  const open = group("facts", [field("/account", { confirm_single: true, confirmed: false })]);
  expect(nextGroup(session([group("done", [field("/a")]), open]))?.id).toBe("facts");
  expect(nextGroup(session([group("said no", [field("/a")], { disputed: true })]))?.id).toBe("said no");
});

test("a signature does not wait for itself", () => {
  expect(missingForSign(session([], ["identity", "signature"]))).toEqual(["identity"]);
});

test("a recording is asked for only where there is sound", async () => {
  for (const [mode, asks] of [["video", 1], ["audio", 1], ["text", 0], ["phone", 0]] as const) {
    const ask = vi.fn(() => Promise.resolve());
    await new Acts(new DeskUi()).askRecording({ view: shallowRef({ mode } as SessionView), record: { ask } } as unknown as LiveSession);
    expect(ask.mock.calls.length, mode).toBe(asks);
  }
});
