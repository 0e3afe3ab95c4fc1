/** One session's help, ladder, notes and the citizen's history, as this console asks for them. Owns what was fetched; the session's
 * snapshot says what is under way. Nothing stays after `forget()`. */
import { ref, shallowRef } from "vue";
import type { ApiClient, CommandReply, GuestLink, HistoryView, InviteAct, InviteKind, InviteTarget, InviteView, Invited, NoteView, TalkMode } from "@cloud-booth/api";
import type { SignalClient } from "@cloud-booth/signal";

export class SessionHelp {
  readonly notes = shallowRef<readonly NoteView[]>([]);
  readonly history = shallowRef<HistoryView | null>(null);
  readonly historyState = ref<"closed" | "loading" | "ready" | "failed">("closed");
  /** The family member's link: shown to this agent alone, once. */
  readonly link = shallowRef<{ invite: string; link: GuestLink } | null>(null);
  readonly #id: string;
  readonly #needs: { api: ApiClient; signal: SignalClient };
  #hasNotes = false;

  constructor(id: string, needs: { api: ApiClient; signal: SignalClient }) {
    this.#id = id;
    this.#needs = needs;
  }

  async ask(kind: InviteKind, target: InviteTarget): Promise<Invited> {
    const made = await this.#needs.api.post<Invited>(`/sessions/${this.#id}/invites`, { kind, target });
    if (made.link) this.link.value = { invite: made.invite.id, link: made.link };
    return made;
  }
  step(invite: InviteView, step: InviteAct): Promise<InviteView> {
    return this.#needs.api.post<InviteView>(`/invites/${invite.id}/step`, { step, version: invite.version });
  }
  mode(to: TalkMode): Promise<CommandReply> {
    return this.#needs.signal.command({ kind: "mode", session: this.#id, to });
  }

  /** Kept at the server at once, for staff alone. */
  async note(text: string): Promise<void> {
    const made = await this.#needs.api.post<NoteView>(`/sessions/${this.#id}/notes`, { text });
    this.#addNote(made);
  }
  /** On the first look, and after a colleague wrote one. */
  async loadNotes(again = false): Promise<void> {
    if (this.#hasNotes && !again) return;
    this.#hasNotes = true;
    try {
      const { items } = await this.#needs.api.get<{ items: NoteView[] }>(`/sessions/${this.#id}/notes`);
      this.notes.value = items;
    } catch {
      this.#hasNotes = false;
    }
  }
  heardNote(id: string): void {
    if (this.#hasNotes && !this.notes.value.some((note) => note.id === id)) void this.loadNotes(true);
  }

  /** Never by itself: a look is recorded. */
  async loadHistory(): Promise<void> {
    if (this.historyState.value === "loading" || this.historyState.value === "ready") return;
    this.historyState.value = "loading";
    try {
      this.history.value = await this.#needs.api.get<HistoryView>(`/sessions/${this.#id}/history`);
      this.historyState.value = "ready";
    } catch {
      this.historyState.value = "failed";
    }
  }

  forget(): void {
    this.notes.value = [];
    this.history.value = null;
    this.historyState.value = "closed";
    this.link.value = null;
  }

  #addNote(note: NoteView): void {
    if (!this.notes.value.some((one) => one.id === note.id)) this.notes.value = [...this.notes.value, note];
  }
}
