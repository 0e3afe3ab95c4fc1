/** One picture of what a video element shows now: a JPEG that the server takes (at most 2 MiB). */

/** What the server takes at most, bytes. */
export const PICTURE_MAX = 2 * 1024 * 1024;
/** Tried in turn until the picture fits. */
export const QUALITIES = [0.92, 0.8, 0.65, 0.5] as const;
/** A picture that has not moved for so long is an old one, milliseconds: the weakest network still brings two a second. */
export const FRESH_WITHIN_MS = 2_000;

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

/** Waits for the next picture that is shown; false: none came. */
export async function nextPicture(video: HTMLVideoElement, within_ms = FRESH_WITHIN_MS): Promise<boolean> {
  // A browser that cannot say so shows what it has.
  if (!("requestVideoFrameCallback" in video)) return true;
  return new Promise((resolve) => {
    const frame = video.requestVideoFrameCallback(() => {
      clearTimeout(late);
      resolve(true);
    });
    const late = setTimeout(() => {
      video.cancelVideoFrameCallback(frame);
      resolve(false);
    }, within_ms);
  });
}

/** Null where there is no picture to take, or it stands still: an old picture is never kept as one of now. */
export async function stillOf(video: HTMLVideoElement | null | undefined): Promise<Blob | null> {
  if (!video || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || !video.videoWidth || !(await nextPicture(video))) return null;
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.drawImage(video, 0, 0);
  return fitting((quality) => new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality)));
}
