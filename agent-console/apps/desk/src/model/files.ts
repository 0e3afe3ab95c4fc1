/** Files that came with the bearer token, shown through blob addresses that are given back soon after. */
const KEPT_MS = 60_000;

/** Opens in a new tab. */
export function openBlob(blob: Blob): void {
  const address = URL.createObjectURL(blob);
  window.open(address, "_blank", "noopener");
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
}
