/** One session's recording as this console works on it: asking for it, the script of prompts, pictures taken (抓拍). Owns the list of
 * pictures; the session's snapshot says the rest. Nothing stays after `forget()`. */
import { ref, shallowRef } from "vue";
import type { ApiClient, CommandReply, PromptAnswer, SessionView, SnapshotView } from "@cloud-booth/api";
import type { SignalClient } from "@cloud-booth/signal";
import { multipart } from "./multipart.ts";

/** The session has sound that can be recorded: the server refuses to ask for it in writing or on the telephone. */
export const hasSound = (view: Pick<SessionView, "mode"> | null | undefined): boolean => view?.mode !== "text" && view?.mode !== "phone";

export class SessionRecord {
  readonly snapshots = shallowRef<readonly SnapshotView[]>([]);
  readonly snapshotState = ref<"closed" | "loading" | "ready" | "failed">("closed");
  readonly #id: string;
  readonly #needs: { api: ApiClient; signal: SignalClient };

  constructor(id: string, needs: { api: ApiClient; signal: SignalClient }) {
    this.#id = id;
    this.#needs = needs;
  }

  /** Asks the citizen; the answer is given on their own screen. */
  ask(): Promise<CommandReply> {
    return this.#needs.signal.command({ kind: "recording_ask", session: this.#id });
  }
  read(recording: string, prompt: string): Promise<CommandReply> {
    return this.#needs.signal.command({ kind: "prompt_read", session: this.#id, recording, prompt });
  }
  /** A spoken answer, as the agent heard it. */
  answer(recording: string, prompt: string, answer: PromptAnswer): Promise<CommandReply> {
    return this.#needs.signal.command({ kind: "prompt_answer", session: this.#id, recording, prompt, answer });
  }

  /** `key`: one press, one picture, however often the network fails. */
  async keep(member: string, image: Blob, key: string): Promise<SnapshotView> {
    const made = await this.#needs.api.upload<SnapshotView>(`/sessions/${this.#id}/snapshots`, multipart({ member }, { name: "image", file: image }), { key });
    this.#add(made);
    return made;
  }
  async load(again = false): Promise<void> {
    if (this.snapshotState.value === "loading" || (this.snapshotState.value === "ready" && !again)) return;
    this.snapshotState.value = "loading";
    try {
      const { items } = await this.#needs.api.get<{ items: SnapshotView[] }>(`/sessions/${this.#id}/snapshots`);
      this.snapshots.value = items;
      this.snapshotState.value = "ready";
    } catch {
      this.snapshotState.value = "failed";
    }
  }
  /** The journal tells of one; who has not looked yet needs no list. */
  heard(): void {
    if (this.snapshotState.value === "ready") void this.load(true);
  }
  picture(one: SnapshotView): Promise<Blob> {
    return this.#needs.api.file(one.src);
  }

  forget(): void {
    this.snapshots.value = [];
    this.snapshotState.value = "closed";
  }

  #add(one: SnapshotView): void {
    if (!this.snapshots.value.some((other) => other.id === one.id)) this.snapshots.value = [...this.snapshots.value, one];
  }
}
