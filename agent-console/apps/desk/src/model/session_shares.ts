/** What the agent shows the citizen in one session: a screen, or papers under a second camera. Nothing opens before a press; everything
 * is closed with the call. */
import { ref, shallowRef } from "vue";
import { canShareScreen, documentCamera, listDevices, Share, type ShareSource, type ShareState } from "@cloud-booth/rtc";
import { announce, toast } from "@cloud-booth/ui";
import { say } from "./speak.ts";

type Send = (source: ShareSource, track: MediaStreamTrack | null) => Promise<void>;

export class SessionShares {
  readonly screen: Share;
  readonly paper: Share;
  readonly screenState = shallowRef<ShareState>({ on: false, opening: false, problem: null });
  readonly paperState = shallowRef<ShareState>({ on: false, opening: false, problem: null });
  readonly canScreen = canShareScreen();
  /** The camera over the papers, where there is one. */
  readonly paperCamera = ref<string | null>(null);
  readonly #look = (): void => void this.look(this.#own);
  #own: string | null = null;

  constructor(send: Send) {
    this.screen = new Share("screen", (track) => send("screen", track));
    this.paper = new Share("document", (track) => send("document", track));
    this.screen.events.on("change", (state) => (this.screenState.value = state));
    this.paper.events.on("change", (state) => (this.paperState.value = state));
    globalThis.navigator?.mediaDevices?.addEventListener?.("devicechange", this.#look);
  }

  /** `own`: the camera of the agent's face, which is never the one over the papers. */
  async look(own: string | null): Promise<void> {
    this.#own = own ?? this.#own;
    if (!this.#own) return;
    const { cameras } = await listDevices().catch(() => ({ cameras: [] }));
    this.paperCamera.value = documentCamera(cameras, this.#own)?.deviceId ?? null;
  }

  async toggleScreen(): Promise<boolean> {
    if (!this.screenState.value.on) return (await this.screen.start()) || this.screenState.value.problem === null;
    await this.screen.stop();
    return true;
  }
  async togglePaper(): Promise<boolean> {
    if (!this.paperState.value.on) return this.paper.start(this.paperCamera.value ?? "");
    await this.paper.stop();
    return true;
  }

  stop(): void {
    for (const share of this.#open()) void share.stop();
  }
  /** The talk goes on without pictures: nothing is captured that nobody sees. The agent is told, since they did not press. */
  endWithPictures(): void {
    if (!this.#open().length) return;
    this.stop();
    toast(say("session.shareEnded"));
    announce(say("session.shareEnded"));
  }
  dispose(): void {
    globalThis.navigator?.mediaDevices?.removeEventListener?.("devicechange", this.#look);
    this.screen.dispose();
    this.paper.dispose();
  }

  #open(): Share[] {
    return [this.screen, this.paper].filter((share) => share.state.on || share.state.opening);
  }
}
