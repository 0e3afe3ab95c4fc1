/** The ladder of this page's call: what the session says becomes what this phone sends; a step of one's own goes to the server first. */
import { computed, ref, watch } from "vue";
import type { Command, TalkMode } from "@cloud-booth/api";
import { devicesAt } from "@cloud-booth/ui";
import { call } from "./app.ts";
import type { useOwnMedia } from "./own.ts";

export function useWays(own: ReturnType<typeof useOwnMedia>, said: (mode: TalkMode) => void) {
  const isBusy = ref(false);
  const wrong = ref<unknown>(null);
  const mode = computed<TalkMode>(() => call.state.session?.mode ?? call.state.mode);
  const asked = computed(() => call.state.session?.mode_asked ?? null);
  /** Steps that this side took or agreed to: only those may open a device. */
  let mine: TalkMode | null = null;

  async function apply(to: TalkMode, is_mine: boolean): Promise<void> {
    const local = call.state.local;
    const now = { mic: local?.mic_on ?? false, camera: local?.camera_on ?? false };
    const next = devicesAt(to, now, is_mine);
    // Nothing is needed: the devices are closed, their lamps go out. They are opened again by a step of this side's own.
    if (!next.mic && !next.camera) return call.setMedia(null);
    if (!call.media) return own.open(next.camera);
    if (next.mic !== now.mic) own.setMic(next.mic);
    if (next.camera !== now.camera) await own.setCamera(next.camera);
  }
  watch(() => call.state.session?.mode, (to, from) => {
    // The first word of a session is no change.
    if (!to || !from) return;
    said(to);
    void apply(to, mine === to);
    mine = null;
  });

  async function act(make: (session: string) => Command, to: TalkMode | null): Promise<void> {
    isBusy.value = true;
    wrong.value = null;
    mine = to;
    try {
      await call.send(make);
    } catch (error) {
      mine = null;
      wrong.value = error;
    } finally {
      isBusy.value = false;
    }
  }
  const step = (to: TalkMode): Promise<void> => act((session) => ({ kind: "mode", session, to }), to);
  const answer = (agree: boolean): Promise<void> => act((session) => ({ kind: agree ? "mode_agree" : "mode_refuse", session }), agree ? asked.value : null);
  return { mode, asked, isBusy, wrong, step, answer };
}
