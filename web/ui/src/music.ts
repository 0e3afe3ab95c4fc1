/** What one hears while on hold: a slow, soft chord progression made here; no file, nothing fetched. Owns its audio context. */
const CHORDS = [
  [261.63, 329.63, 392.0],
  [220.0, 261.63, 329.63],
  [174.61, 220.0, 261.63],
  [196.0, 246.94, 293.66],
] as const;
const CHORD_S = 4;
/** Of full scale: speech that comes back must not startle after it. */
const LOUDNESS = 0.05;

export class HoldMusic {
  #context: AudioContext | null = null;
  #out: GainNode | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #next = 0;
  #at = 0;

  get isPlaying(): boolean {
    return this.#context !== null;
  }

  start(): void {
    if (this.#context) return;
    try {
      this.#context = new AudioContext();
    } catch {
      // No sound here; the words on the screen say the same.
      return;
    }
    const context = this.#context;
    void context.resume().catch(() => undefined);
    this.#out = context.createGain();
    this.#out.gain.value = LOUDNESS;
    this.#out.connect(context.destination);
    this.#next = 0;
    this.#at = context.currentTime + 0.1;
    this.#fill();
    this.#timer = setInterval(() => this.#fill(), 1000);
  }
  stop(): void {
    clearInterval(this.#timer);
    const context = this.#context;
    this.#context = null;
    this.#out = null;
    void context?.close().catch(() => undefined);
  }

  /** Keeps two chords ahead of the clock: a page in the background is woken once a second. */
  #fill(): void {
    const context = this.#context;
    if (!context) return;
    // After a pause of the context nothing is made up for.
    this.#at = Math.max(this.#at, context.currentTime);
    while (this.#at < context.currentTime + CHORD_S * 2) {
      for (const hertz of CHORDS[this.#next % CHORDS.length] ?? []) this.#note(context, hertz, this.#at);
      this.#next += 1;
      this.#at += CHORD_S;
    }
  }
  #note(context: AudioContext, hertz: number, at: number): void {
    if (!this.#out) return;
    const source = context.createOscillator();
    const gain = context.createGain();
    source.type = "triangle";
    source.frequency.value = hertz;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.6, at + 1.2);
    gain.gain.linearRampToValueAtTime(0, at + CHORD_S + 0.6);
    source.connect(gain).connect(this.#out);
    source.start(at);
    source.stop(at + CHORD_S + 0.7);
  }
}
