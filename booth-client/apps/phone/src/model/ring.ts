/** The sound of one's turn: two short tones, no file. A page may make sound only after a tap, so `unlock` is called in one. */
let context: AudioContext | null = null;

export function unlockSound(): void {
  try {
    context ??= new AudioContext();
    void context.resume().catch(() => undefined);
  } catch {
    // No sound here; the words and the vibration remain.
  }
}

function tone(hertz: number, after_s = 0, seconds = 0.35): void {
  if (!context) return;
  const start = context.currentTime + after_s;
  const source = context.createOscillator();
  const gain = context.createGain();
  source.frequency.value = hertz;
  gain.gain.setValueAtTime(0.0001, start);
  gain.gain.exponentialRampToValueAtTime(0.25, start + 0.03);
  gain.gain.exponentialRampToValueAtTime(0.0001, start + seconds);
  source.connect(gain).connect(context.destination);
  source.start(start);
  source.stop(start + seconds);
}

export function ring(): void {
  for (const [at, hertz] of [[0, 660], [0.4, 880], [1.2, 660], [1.6, 880]] as const) tone(hertz, at);
  vibrate([300, 150, 300]);
}

/** Before the first tap on a page the browser refuses it and complains. */
export function vibrate(pattern: number | number[]): void {
  if (navigator.userActivation?.hasBeenActive ?? true) navigator.vibrate?.(pattern);
}
