import { expect, test } from "vitest";
import type { ApiClient, Command, CommandReply, SnapshotView } from "@cloud-booth/api";
import type { SignalClient } from "@cloud-booth/signal";
import { multipart } from "./multipart.ts";
import { SessionRecord } from "./session_record.ts";
import { fitting, QUALITIES } from "./still.ts";

const snapshot = (id: string): SnapshotView => ({ id, member: "mem_c", at: "2026-11-22T01:00:00Z", at_ms: 1_000, sm3: "00", width: 640, height: 480, src: `/api/v1/snapshots/${id}` });

function begin(items: SnapshotView[] = []) {
  const sent: Command[] = [];
  const uploads: { path: string; key: string | undefined; body: Blob }[] = [];
  let lists = 0;
  const api = {
    upload: (path: string, body: Blob, options: { key?: string }) => {
      uploads.push({ path, key: options.key, body });
      return Promise.resolve(snapshot(`snp_${uploads.length}`));
    },
    get: () => {
      lists += 1;
      return Promise.resolve({ items });
    },
  } as unknown as ApiClient;
  const signal = { command: (command: Command): Promise<CommandReply> => (sent.push(command), Promise.resolve({ kind: "done" })) } as unknown as SignalClient;
  return { record: new SessionRecord("ses_1", { api, signal }), sent, uploads, lists: () => lists };
}

test("asks, reads and marks under the recording's id", async () => {
  const { record, sent } = begin();
  await record.ask();
  await record.read("rec_1", "will");
  await record.answer("rec_1", "will", "yes");
  expect(sent).toEqual([
    { kind: "recording_ask", session: "ses_1" },
    { kind: "prompt_read", session: "ses_1", recording: "rec_1", prompt: "will" },
    { kind: "prompt_answer", session: "ses_1", recording: "rec_1", prompt: "will", answer: "yes" },
  ]);
});

test("a picture goes up under the key of its press and stands in the list once", async () => {
  const { record, uploads, lists } = begin([snapshot("snp_1")]);
  await record.keep("mem_c", new Blob(["jpeg"], { type: "image/jpeg" }), "key-1");
  expect(uploads.map((one) => [one.path, one.key])).toEqual([["/sessions/ses_1/snapshots", "key-1"]]);
  expect(uploads[0]?.body.type).toMatch(/^multipart\/form-data; boundary=cloud-booth-[0-9a-f]{24}$/);
  // The journal tells of it; a list that nobody looked at is not fetched.
  record.heard();
  expect(lists()).toBe(0);
  await record.load();
  record.heard();
  await Promise.resolve();
  expect([lists(), record.snapshots.value.map((one) => one.id)]).toEqual([2, ["snp_1"]]);
  record.forget();
  expect(record.snapshots.value).toEqual([]);
});

test("the body is parts between boundaries, the file last", async () => {
  const body = multipart({ member: "mem_c" }, { name: "image", file: new Blob(["JPEG"], { type: "image/jpeg" }) });
  const boundary = body.type.split("boundary=")[1];
  expect(await body.text()).toBe(
    `--${boundary}\r\nContent-Disposition: form-data; name="member"\r\n\r\nmem_c\r\n--${boundary}\r\nContent-Disposition: form-data; name="image"; filename="image.jpg"\r\nContent-Type: image/jpeg\r\n\r\nJPEG\r\n--${boundary}--\r\n`,
  );
});

test("a picture that is too large is tried with less quality, and given up at the end", async () => {
  const sizes = new Map(QUALITIES.map((quality, index) => [quality, 400 - index * 100]));
  const tried: number[] = [];
  const encode = async (quality: number): Promise<Blob> => {
    tried.push(quality);
    return new Blob(["x".repeat(sizes.get(quality as (typeof QUALITIES)[number]) ?? 0)]);
  };
  expect((await fitting(encode, 250))?.size).toBe(200);
  expect(tried).toEqual(QUALITIES.slice(0, 3));
  expect(await fitting(encode, 50)).toBeNull();
  expect(await fitting(async () => null)).toBeNull();
});
