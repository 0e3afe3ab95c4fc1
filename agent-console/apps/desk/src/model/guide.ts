/** Guides of items, fetched once each while the page lives. Owns the cache; a catalogue changes rarely, a shift is short. */
import { shallowReactive, shallowRef, watch, type Ref, type ShallowRef } from "vue";
import type { ItemView } from "@cloud-booth/api";
import { useDesk } from "./inject.ts";

const GUIDES_MAX = 100;
const guides = shallowReactive(new Map<string, ItemView>());

export function useGuide(id: Ref<string>): { guide: ShallowRef<ItemView | null>; hasFailed: ShallowRef<boolean>; retry: () => void } {
  const { api } = useDesk().account;
  const guide = shallowRef<ItemView | null>(null);
  const hasFailed = shallowRef(false);
  async function load(item: string): Promise<void> {
    hasFailed.value = false;
    guide.value = guides.get(item) ?? null;
    if (!item || guide.value) return;
    try {
      const found = await api.get<ItemView>(`/items/${item}`);
      if (guides.size >= GUIDES_MAX) guides.clear();
      guides.set(item, found);
      if (id.value === item) guide.value = found;
    } catch {
      if (id.value === item) hasFailed.value = true;
    }
  }
  watch(id, (item) => void load(item), { immediate: true });
  return { guide, hasFailed, retry: () => void load(id.value) };
}
