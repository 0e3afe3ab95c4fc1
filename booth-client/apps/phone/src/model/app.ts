/** The one call, the cases and the errands of this page, with everything they need plugged in. */
import { pick, preferences } from "@cloud-booth/i18n";
import { CallPeer } from "@cloud-booth/rtc";
import { SignalClient } from "@cloud-booth/signal";
import { apiWith, publicApi } from "./api.ts";
import { Call } from "./call.ts";
import { Cases } from "./cases.ts";
import { Errands } from "./errands.ts";
import { newKey } from "@cloud-booth/api";
import { ring } from "./ring.ts";
import { phoneShelf, tabShelf } from "./store.ts";

export const cases = new Cases({ tab: tabShelf, phone: phoneShelf, open: publicApi, client: apiWith });

export const errands = new Errands({ open: publicApi, client: apiWith, phone: phoneShelf, language: () => preferences.state.locale, elder: () => preferences.state.elder });

export const call = new Call({
  open: publicApi,
  client: apiWith,
  phone: phoneShelf,
  signal: (options) => new SignalClient(options),
  peer: (options) => new CallPeer(options),
  ring,
  handover: (code) => void cases.exchange({ code, key: newKey() }).catch(() => undefined),
  name: (member) => pick(member.name, preferences.state.locale),
});
