/** Strokes of a signature and how they are drawn. Pure but for `paint`; stores nothing. */
export type Point = [x: number, y: number, ms: number];
export type Stroke = Point[];

/** Pad pixels: strokes are recorded in this grid whatever the size on the screen. */
export const PAD_WIDTH = 984;
export const PAD_HEIGHT = 420;
/** Bounds of one signature: a name never needs more, and a message stays small. */
export const STROKES_MAX = 200;
export const POINTS_MAX = 4000;
/** PNG, base64 characters: the server takes 120 KiB. */
export const IMAGE_MAX = 120 * 1024;

export function countPoints(strokes: readonly Stroke[]): number {
  return strokes.reduce((sum, stroke) => sum + stroke.length, 0);
}

/** A point, rounded and held inside the pad. */
export function toPoint(x: number, y: number, ms: number): Point {
  const within = (value: number, end: number): number => Math.min(end, Math.max(0, Math.round(value)));
  return [within(x, PAD_WIDTH), within(y, PAD_HEIGHT), Math.max(0, Math.round(ms))];
}

export function paint(context: CanvasRenderingContext2D, strokes: readonly Stroke[], ink: string): void {
  context.clearRect(0, 0, PAD_WIDTH, PAD_HEIGHT);
  context.strokeStyle = ink;
  context.fillStyle = ink;
  context.lineWidth = 5;
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const stroke of strokes) {
    const [first, ...rest] = stroke;
    if (!first) continue;
    context.beginPath();
    context.moveTo(first[0], first[1]);
    if (rest.length === 0) context.lineTo(first[0] + 0.1, first[1]);
    let before = first;
    for (const point of rest) {
      // Through the middle of each pair: a smooth line without a drawing library.
      context.quadraticCurveTo(before[0], before[1], (before[0] + point[0]) / 2, (before[1] + point[1]) / 2);
      before = point;
    }
    context.lineTo(before[0], before[1]);
    context.stroke();
  }
}

export function paintName(context: CanvasRenderingContext2D, name: string, ink: string, font: string): void {
  context.clearRect(0, 0, PAD_WIDTH, PAD_HEIGHT);
  context.fillStyle = ink;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const size = Math.min(180, Math.floor((PAD_WIDTH - 80) / Math.max(1, Array.from(name).length)));
  context.font = `${size}px ${font}`;
  context.fillText(name, PAD_WIDTH / 2, PAD_HEIGHT / 2, PAD_WIDTH - 40);
}
