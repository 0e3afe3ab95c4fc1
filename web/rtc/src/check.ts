/** The check before a call: is there light, does the microphone hear? Owns no track; looks at given ones. */

const SIDE = 32;
/** Below this mean brightness a face is hard to see. */
const DARK = 0.18;
/** Louder than this is speech, not the room. */
const SPEECH = 0.25;

export const isDark = (light: number): boolean => light < DARK;
export const isSpeech = (level: number): boolean => level > SPEECH;

/** Mean brightness of the picture, 0 to 1; null before the first frame. */
export function measureLight(video: HTMLVideoElement): number | null {
  if (video.readyState < 2 || video.videoWidth === 0) return null;
  const canvas = document.createElement("canvas");
  canvas.width = SIDE;
  canvas.height = SIDE;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return null;
  context.drawImage(video, 0, 0, SIDE, SIDE);
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  let sum = 0;
  for (let at = 0; at < data.length; at += 4) sum += 0.2126 * (data[at] ?? 0) + 0.7152 * (data[at + 1] ?? 0) + 0.0722 * (data[at + 2] ?? 0);
  return sum / (data.length / 4) / 255;
}

/** Loudness of a stream, 0 to 1. Where the page may not make sound yet, it stays at 0 until `resume()` in a tap. */
export class LevelProbe {
  readonly #context: AudioContext;
  readonly #analyser: AnalyserNode;
  readonly #source: MediaStreamAudioSourceNode;
  readonly #samples: Float32Array<ArrayBuffer>;

  constructor(stream: MediaStream) {
    this.#context = new AudioContext();
    this.#analyser = this.#context.createAnalyser();
    this.#analyser.fftSize = 1024;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
  }
  resume(): void {
    void this.#context.resume().catch(() => undefined);
  }
  level(): number {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    // Speech lies about -40 to -10 dBFS.
    const decibel = 10 * Math.log10(sum / this.#samples.length + 1e-10);
    return Math.min(1, Math.max(0, (decibel + 50) / 40));
  }
  dispose(): void {
    this.#source.disconnect();
    void this.#context.close().catch(() => undefined);
  }
}
