/** A supervisor's words to this seat. Owns those not yet read; the server keeps all and sends the unread ones again after a reconnect. */
import { shallowRef } from "vue";
import type { ApiClient, NoticeView } from "@cloud-booth/api";

const NOTICES_MAX = 20;

export class Notices {
  readonly unread = shallowRef<readonly NoticeView[]>([]);
  readonly #api: () => ApiClient;
  constructor(api: () => ApiClient) {
    this.#api = api;
  }

  /** True where it is new to this page. */
  hear(notice: NoticeView): boolean {
    if (notice.read_at || this.unread.value.some((one) => one.id === notice.id)) return false;
    this.unread.value = [...this.unread.value, notice].slice(-NOTICES_MAX);
    return true;
  }
  /** Gone from the screen at once; where the server did not hear it, it comes back with the next connection. */
  async read(id: string): Promise<void> {
    this.unread.value = this.unread.value.filter((one) => one.id !== id);
    await this.#api().post(`/notices/${id}/read`).catch(() => undefined);
  }
  forget(): void {
    this.unread.value = [];
  }
}

export function noticeIn(frame: { type: string }): NoticeView | null {
  return frame.type === "notice" ? (frame as unknown as { notice: NoticeView }).notice : null;
}
