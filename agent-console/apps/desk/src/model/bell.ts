/** The ring: sound, the title of the window, system notification. Owns the audio context, which a press must unlock once, and who of
 * the lines rings now. The notification names the item, never the person. */
import { computed, ref, shallowRef } from "vue";

type Permission = "granted" | "denied" | "default" | "absent";

/** One ring: two tones, then silence, milliseconds. */
const PERIOD_MS = 2000;
const TONES: readonly [number, number][] = [[0, 784], [0.22, 988]];
const VOLUME = 0.25;
const SOFT_VOLUME = 0.08;

interface Ring {
  key: string;
  title: string;
}

export class Bell {
  /** A press has unlocked sound on this page. */
  readonly isUnlocked = ref(false);
  readonly permission = ref<Permission>(typeof Notification === "undefined" ? "absent" : Notification.permission);
  #context: AudioContext | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #notification: Notification | null = null;
  readonly #rings = shallowRef<readonly Ring[]>([]);
  /** What the window is called while it rings; empty: nothing rings. */
  readonly title = computed(() => {
    const last = this.#rings.value.at(-1);
    return last ? `● ${last.title}` : "";
  });

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

  /** A message came where nobody looks: one quiet tone. */
  soft(): void {
    this.#sound(SOFT_VOLUME);
  }

  /** Several may ring at once; each is told by its key. */
  start(key: string, title: string, body: string): void {
    this.#rings.value = [...this.#rings.value.filter((ring) => ring.key !== key), { key, title }];
    this.#sound();
    this.#timer ??= setInterval(() => this.#sound(), PERIOD_MS);
    if (this.permission.value !== "granted" || document.hasFocus()) return;
    try {
      this.#notification?.close();
      this.#notification = new Notification(title, { body, tag: "cloud-booth-ring", requireInteraction: true });
      this.#notification.onclick = () => window.focus();
    } catch {
      // Some systems allow notifications to service workers alone; sound and title remain.
    }
  }

  /** Without a key: all. */
  stop(key?: string): void {
    this.#rings.value = key ? this.#rings.value.filter((ring) => ring.key !== key) : [];
    if (this.#rings.value.length) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#notification?.close();
    this.#notification = null;
  }

  dispose(): void {
    this.stop();
    void this.#context?.close();
    this.#context = null;
    this.isUnlocked.value = false;
  }

  #sound(volume = VOLUME): void {
    const context = this.#context;
    if (!context || context.state !== "running") return;
    for (const [after, hertz] of TONES) {
      const oscillator = context.createOscillator();
      const gain = context.createGain();
      const at = context.currentTime + after;
      oscillator.frequency.value = hertz;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(volume, at + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.001, at + 0.5);
      oscillator.connect(gain).connect(context.destination);
      oscillator.start(at);
      oscillator.stop(at + 0.55);
    }
  }
}
