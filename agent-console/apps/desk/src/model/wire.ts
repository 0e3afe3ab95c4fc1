/** Wire shapes that the interface's description does not have yet. */
import type { Bilingual, OfferView, SeatState, SeatView, TalkMode } from "@cloud-booth/api";

export type DeskOffer = OfferView & { mode?: TalkMode };
export type DeskSeat = Omit<SeatView, "offer"> & { offer: DeskOffer | null; lane?: number; main?: string | null; text?: boolean; lanes?: { seat: string; lane: number }[] };
export interface Colleague {
  staff: string;
  name: string;
  hall: { id: string; name: Bilingual };
  own: boolean;
  seat: string;
  seat_name: Bilingual;
  state: SeatState;
  away_reason: string | null;
  skills: string[];
  department: Bilingual | null;
}
export interface ColleagueHall {
  id: string;
  name: Bilingual;
  own: boolean;
  queues: { code: string; name: Bilingual; on_duty: number }[];
}
export interface Colleagues {
  items: Colleague[];
  halls: ColleagueHall[];
}
