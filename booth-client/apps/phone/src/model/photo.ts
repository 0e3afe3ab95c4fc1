/** Files for upload. Photos are made smaller and lose what the camera wrote into them (place, time, device); PDFs go as they are. */
import { networkProblem } from "@cloud-booth/api";

/** The server takes no more, bytes. */
export const UPLOAD_MAX = 8 * 1024 * 1024;
/** Longer edge; a page of small print stays readable, pixels. */
const EDGE_MAX = 2400;
const QUALITY = 0.85;

export async function preparePhoto(file: File): Promise<Blob> {
  if (file.type === "application/pdf") {
    if (file.size > UPLOAD_MAX) throw networkProblem("file_too_large");
    return file;
  }
  if (!file.type.startsWith("image/")) throw networkProblem("file_type");
  const picture = await createImageBitmap(file).catch(() => {
    throw networkProblem("file_type");
  });
  const scale = Math.min(1, EDGE_MAX / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const made = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  if (!made || made.size > UPLOAD_MAX) throw networkProblem("file_too_large");
  return made;
}
