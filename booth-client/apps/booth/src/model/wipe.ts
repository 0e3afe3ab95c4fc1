/** What the browser could still hold of a citizen, cleared and then looked at again. Owns no visit; says what stayed. */
import { dropAll, openAddresses } from "./files.ts";

/** Clears storage, databases, caches, workers, cookies, blob addresses, typed text. */
export async function clearBrowser(): Promise<void> {
  dropAll();
  for (const field of document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("input, textarea")) field.value = "";
  for (const video of document.querySelectorAll("video")) {
    stopAll(video.srcObject);
    video.srcObject = null;
  }
  getSelection()?.removeAllRanges();
  attempt(() => localStorage.clear());
  attempt(() => sessionStorage.clear());
  for (const cookie of document.cookie.split(";")) {
    const name = cookie.split("=")[0]?.trim();
    if (!name) continue;
    for (const path of ["/", "/booth", "/booth/"]) document.cookie = `${name}=; path=${path}; expires=Thu, 01 Jan 1970 00:00:00 GMT`;
  }
  await Promise.allSettled([clearCaches(), clearDatabases(), clearWorkers()]);
  globalThis.speechSynthesis?.cancel();
}

/** What is left, as words for the log of the booth's keeper; empty = clean. */
export async function leftovers(): Promise<string[]> {
  const left: string[] = [];
  attempt(() => localStorage.length > 0 && left.push("local_storage"));
  attempt(() => sessionStorage.length > 0 && left.push("session_storage"));
  if (document.cookie !== "") left.push("cookies");
  if (openAddresses() > 0) left.push("files");
  if ((await globalThis.caches?.keys().catch(() => []))?.length) left.push("caches");
  if ((await databases()).length > 0) left.push("databases");
  if (document.location.hash !== "") left.push("address");
  return left;
}

function attempt(act: () => unknown): void {
  try {
    act();
  } catch {
    // A store that is closed holds nothing.
  }
}
function stopAll(source: MediaProvider | null): void {
  if (source instanceof MediaStream) for (const track of source.getTracks()) track.stop();
}
async function clearCaches(): Promise<void> {
  const names = (await globalThis.caches?.keys()) ?? [];
  await Promise.all(names.map((name) => caches.delete(name)));
}
async function databases(): Promise<IDBDatabaseInfo[]> {
  return (await globalThis.indexedDB?.databases?.().catch(() => [])) ?? [];
}
async function clearDatabases(): Promise<void> {
  for (const { name } of await databases()) if (name) indexedDB.deleteDatabase(name);
}
async function clearWorkers(): Promise<void> {
  const workers = (await navigator.serviceWorker?.getRegistrations()) ?? [];
  await Promise.all(workers.map((worker) => worker.unregister()));
}
