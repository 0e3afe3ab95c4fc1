/** The hall that this phone calls, the items, the guide: public data, read without a token. */
import { reactive } from "vue";
import type { HallView, ItemCard, ItemList, ItemView, RatingScale } from "@cloud-booth/api";
import { publicApi } from "./api.ts";
import { phoneShelf } from "./store.ts";

const KEY = "cloud-booth.hall";

export const hall = reactive({ halls: [] as HallView[], chosen: phoneShelf.read<string>(KEY), loading: false, error: null as unknown });

export function currentHall(): HallView | null {
  return hall.halls.find((one) => one.id === hall.chosen) ?? hall.halls[0] ?? null;
}

export function chooseHall(id: string): void {
  hall.chosen = id;
  phoneShelf.write(KEY, id);
}

export async function readHalls(): Promise<void> {
  hall.loading = true;
  try {
    hall.halls = (await publicApi.get<{ items: HallView[] }>("/halls")).items;
    hall.error = null;
  } catch (error) {
    hall.error = error;
  } finally {
    hall.loading = false;
  }
}

export const readItems = async (q: string, signal?: AbortSignal): Promise<ItemCard[]> => (await publicApi.get<ItemList>("/items", { query: { q: q || null }, signal })).items;
export const readItem = (id: string): Promise<ItemView> => publicApi.get<ItemView>(`/items/${encodeURIComponent(id)}`);
export const readScale = (): Promise<RatingScale> => publicApi.get<RatingScale>("/rating-tags");
/** Halls that consent to serve this one's people. */
export const readOthers = async (id: string): Promise<HallView[]> => (await publicApi.get<{ items: HallView[] }>(`/halls/${encodeURIComponent(id)}/others`)).items;
/** Another hall than those of the first list may be chosen: it joins the list. */
export function addHall(one: HallView): void {
  if (!hall.halls.some(({ id }) => id === one.id)) hall.halls = [...hall.halls, one];
  chooseHall(one.id);
}
