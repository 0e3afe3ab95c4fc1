/** The ring: sound, window title, system notification. Owns the audio context, which a press must unlock once.
 * The notification names the item, never the person. */
import { ref } from "vue";

type Permission = "granted" | "denied" | "default" | "absent";

/** One ring: two tones, then silence, milliseconds. */
const PERIOD_MS = 2000;
const TONES: readonly [number, number][] = [[0, 784], [0.22, 988]];
const VOLUME = 0.25;

export class Bell {
  /** A press has unlocked sound on this page. */
  readonly isUnlocked = ref(false);
  readonly permission = ref<Permission>(typeof Notification === "undefined" ? "absent" : Notification.permission);
  #context: AudioContext | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #notification: Notification | null = null;
  #title = "";

  /** In a press or key: from now on the page may sound. */
  async unlock(): Promise<void> {
    if (this.isUnlocked.value) return;
    this.#context ??= new AudioContext();
    await this.#context.resume().catch(() => undefined);
    this.isUnlocked.value = this.#context.state === "running";
  }

  /** In a press: sounds once, asks for notifications. */
  async test(): Promise<void> {
    await this.unlock();
    this.#sound();
    if (this.permission.value !== "default") return;
    try {
      this.permission.value = await Notification.requestPermission();
    } catch {
      this.permission.value = "denied";
    }
  }

  /** One ring and no more: somebody is put through by itself. */
  once(): void {
    this.#sound();
  }

  start(title: string, body: string): void {
    this.stop();
    this.#title = document.title;
    document.title = `● ${title}`;
    this.#sound();
    this.#timer = setInterval(() => this.#sound(), PERIOD_MS);
    if (this.permission.value !== "granted" || document.hasFocus()) return;
    try {
      this.#notification = new Notification(title, { body, tag: "cloud-booth-ring", requireInteraction: true });
      this.#notification.onclick = () => window.focus();
    } catch {
      // Some systems allow notifications to service workers alone; sound and title remain.
    }
  }

  stop(): void {
    if (!this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.#title) document.title = this.#title;
    this.#notification?.close();
    this.#notification = null;
  }

  dispose(): void {
    this.stop();
    void this.#context?.close();
    this.#context = null;
    this.isUnlocked.value = false;
  }

  #sound(): void {
    const context = this.#context;
    if (!context || context.state !== "running") return;
    for (const [after, hertz] of TONES) {
      const oscillator = context.createOscillator();
      const gain = context.createGain();
      const at = context.currentTime + after;
      oscillator.frequency.value = hertz;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(VOLUME, at + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.001, at + 0.5);
      oscillator.connect(gain).connect(context.destination);
      oscillator.start(at);
      oscillator.stop(at + 0.55);
    }
  }
}
