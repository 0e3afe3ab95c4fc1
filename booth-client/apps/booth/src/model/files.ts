/** Blob addresses of this visit: each one made here is taken back by the wipe at the latest. */
const made = new Set<string>();

export function fileAddress(blob: Blob): string {
  const address = URL.createObjectURL(blob);
  made.add(address);
  return address;
}
export function dropAddress(address: string | null): void {
  if (!address || !made.delete(address)) return;
  URL.revokeObjectURL(address);
}
export function dropAll(): void {
  for (const address of made) URL.revokeObjectURL(address);
  made.clear();
}
export function openAddresses(): number {
  return made.size;
}
