/** Papers that need the citizen's token: fetched, then shown or saved from memory. Addresses are given back when the page goes. */
import { onBeforeUnmount, reactive } from "vue";
import { cases } from "./app.ts";

export function useCaseFiles(id: () => string) {
  const urls = new Set<string>();
  const state = reactive({ busy: null as string | null, error: null as unknown, picture: null as { url: string; name: string } | null });

  async function fetchUrl(path: string): Promise<{ url: string; type: string } | null> {
    state.busy = path;
    state.error = null;
    try {
      const blob = await cases.client(id()).file(path);
      const url = URL.createObjectURL(blob);
      urls.add(url);
      return { url, type: blob.type };
    } catch (error) {
      state.error = error;
      return null;
    } finally {
      state.busy = null;
    }
  }
  /** A file onto the phone. */
  async function save(path: string, name: string): Promise<void> {
    const got = await fetchUrl(path);
    if (!got) return;
    const link = document.createElement("a");
    link.href = got.url;
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
  }
  /** A picture over the page; anything else is saved. */
  async function look(path: string, name: string): Promise<void> {
    const got = await fetchUrl(path);
    if (!got) return;
    if (got.type.startsWith("image/")) state.picture = { url: got.url, name };
    else {
      const link = document.createElement("a");
      link.href = got.url;
      link.download = name;
      link.click();
    }
  }
  onBeforeUnmount(() => urls.forEach((url) => URL.revokeObjectURL(url)));
  return { state, save, look };
}
