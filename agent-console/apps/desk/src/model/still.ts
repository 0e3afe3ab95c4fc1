/** One picture of what a video element shows now: a JPEG that the server takes (at most 2 MiB). */

/** What the server takes at most, bytes. */
export const PICTURE_MAX = 2 * 1024 * 1024;
/** Tried in turn until the picture fits. */
export const QUALITIES = [0.92, 0.8, 0.65, 0.5] as const;

export type Encode = (quality: number) => Promise<Blob | null>;

/** The best quality that fits; null where none does, or nothing could be drawn. */
export async function fitting(encode: Encode, max = PICTURE_MAX): Promise<Blob | null> {
  for (const quality of QUALITIES) {
    const made = await encode(quality);
    if (!made) return null;
    if (made.size <= max) return made;
  }
  return null;
}

/** Null where there is no picture to take. */
export async function stillOf(video: HTMLVideoElement | null | undefined): Promise<Blob | null> {
  if (!video || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || !video.videoWidth) return null;
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.drawImage(video, 0, 0);
  return fitting((quality) => new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality)));
}
