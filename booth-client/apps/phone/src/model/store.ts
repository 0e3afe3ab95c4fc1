/** Browser storage that may be closed (private window, embedded view): reading then gives nothing, writing is forgotten. */
export interface Shelf {
  read<T>(key: string): T | null;
  write(key: string, value: unknown): void;
  remove(key: string): void;
}

export function shelf(storage: () => Storage): Shelf {
  return {
    read<T>(key: string): T | null {
      try {
        const text = storage().getItem(key);
        return text === null ? null : (JSON.parse(text) as T);
      } catch {
        return null;
      }
    },
    write(key, value) {
      try {
        storage().setItem(key, JSON.stringify(value));
      } catch {
        // The page then remembers as long as it is open.
      }
    },
    remove(key) {
      try {
        storage().removeItem(key);
      } catch {
        // Nothing kept, nothing to remove.
      }
    },
  };
}

/** Gone when the page is closed. */
export const tabShelf = shelf(() => sessionStorage);
/** Stays on the phone: only what the person asked to keep, and the place in a running queue. */
export const phoneShelf = shelf(() => localStorage);
