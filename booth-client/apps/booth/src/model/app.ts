/** The booth's walk from idle to idle. Owns which screen is shown, the card question, and the wipe; the parts own their own work.
 * Nothing here is ever stored or put into the address. */
import { computed, reactive, shallowRef } from "vue";
import { ProblemError, type AccessNeed, type CardRead, type TicketView } from "@cloud-booth/api";
import { preferences } from "@cloud-booth/i18n";
import { isLocked } from "@cloud-booth/ui";
import { Bridge, bridgeAddress } from "./bridge.ts";
import { BoothIdentity } from "./identity.ts";
import { Call, type CallEvents } from "./call.ts";
import { Visit, type CallMode } from "./visit.ts";
import { clearBrowser, leftovers } from "./wipe.ts";

export type Screen = "idle" | "item" | "needs" | "book" | "message" | "mine" | "others" | "devices" | "wait" | "session" | "end" | "wiping" | "broken";
/** `asking`: the reader waits for a card; `late`: none came in time; `locked`: the item wants a recording first. */
export type CardStep = "none" | "locked" | "asking" | "reading" | "refused" | "late" | "absent";

/** As long as the host waits for a swipe. */
const CARD_MS = 120_000;
const WIPED_MS = 1_500;
const END_TRIES = 3;

export const bridge = new Bridge(bridgeAddress(location));
export const identity = new BoothIdentity(bridge);
export const visit = new Visit(identity);
export const call = shallowRef<Call | null>(null);

export const app = reactive({
  screen: "idle" as Screen,
  /** Chosen item's id; null: "not sure". */
  item: null as string | null,
  /** How one wishes to talk. */
  mode: "video" as CallMode,
  needs: [] as AccessNeed[],
  priority: false,
  busy: false,
  problem: null as unknown,
  card: "none" as CardStep,
  /** The agent was lost and the place in the queue kept. */
  requeued: false,
  /** A code is out under which a phone may take the ticket over. */
  carrying: false,
  /** Asked whether somebody is still there. */
  asking: false,
  wiped: false,
  /** What a failed wipe left. */
  left: [] as string[],
});

/** The citizen, masked, from the session or the visit. */
export const citizen = computed(() => call.value?.state.session?.identity ?? visit.state.view?.identity ?? null);
/** The card was read, but not in the recording to which the item binds it. */
export const isCardAgain = computed(() => call.value?.state.session?.recording_rule?.identify_again ?? false);
export const isVisiting = computed(() => visit.state.view !== null);

/** What the page says aloud about things that happen; set by the root component, which has the words. */
export const say: { event: CallEvents["event"]; joined: () => void; identified: () => void } = { event: () => undefined, joined: () => undefined, identified: () => undefined };

export function start(): void {
  bridge.start();
  identity.start();
  bridge.events.on("card_present", () => {
    if ((!citizen.value || isCardAgain.value) && ["idle", "item", "needs", "mine", "book", "wait", "session"].includes(app.screen)) void askCard();
  });
  bridge.events.on("card_read", (read) => void cardRead(read));
  addEventListener("pagehide", () => visit.endInPassing());
}

/** Runs one act of the citizen: busy while it lasts, its problem shown. */
export async function act(work: () => Promise<unknown>): Promise<boolean> {
  if (app.busy) return false;
  app.busy = true;
  app.problem = null;
  try {
    await work();
    return true;
  } catch (error) {
    app.problem = error;
    return false;
  } finally {
    app.busy = false;
  }
}

export function go(screen: Screen): void {
  app.problem = null;
  app.screen = screen;
}

let before: Screen = "idle";
/** 检测设备, from wherever no call is under way; back goes there. */
export function openDevices(): void {
  before = app.screen;
  go("devices");
}
export function closeDevices(): void {
  go(before);
}

/** 叫工作人员: a visit begins. */
export async function begin(item?: string): Promise<void> {
  if (!(await act(() => visit.open()))) return;
  if (item === undefined) go("item");
  else choose(item);
}
export function choose(item: string | null): void {
  app.item = item;
  if (preferences.state.elder && !app.needs.includes("large_text")) app.needs.push("large_text");
  go("needs");
}

/** 预约 · 留言 · 其他县 · 我的预约: what one does here without a call. */
export async function errand(screen: "book" | "message" | "mine" | "others"): Promise<void> {
  if (await act(() => visit.open())) go(screen);
}
/** From there back to where one came from: the place in the queue, where there is one. */
export function leaveErrand(): void {
  go(call.value && visit.state.ticket ? "wait" : isVisiting.value && app.item ? "needs" : "item");
}
/** The appointment's time has come: it takes its place in the queue. */
export async function checkIn(code?: string): Promise<void> {
  await act(async () => {
    const ticket = await visit.checkIn(code);
    app.item = ticket.item;
    app.requeued = false;
    app.mode = "video";
    openCall(ticket);
    go("wait");
  });
}

/** While one waits; the devices follow. */
export async function changeMode(mode: CallMode): Promise<boolean> {
  return act(async () => {
    await visit.changeMode(mode);
    app.mode = mode;
    await call.value?.prepare(mode);
  });
}
export async function queue(): Promise<void> {
  await act(async () => {
    const ticket = await visit.takeTicket(app.item, [...app.needs], app.priority, app.mode);
    app.requeued = false;
    openCall(ticket);
    go("wait");
  });
}
function openCall(ticket: TicketView): void {
  call.value?.dispose();
  const made = new Call(visit, ticket.id, {
    ticket: (next) => void onTicket(next),
    event: (...event) => say.event(...event),
    joined: () => say.joined(),
    ended: () => void onEnded(),
    // Carried to the phone: the visit lives there now, nothing of it is ended from here.
    signedOut: () => void wipe(app.carrying),
  });
  call.value = made;
  void made.start(app.mode);
}

async function onTicket(ticket: TicketView): Promise<void> {
  visit.setTicket(ticket);
  const now = visit.state.ticket;
  if (!now || now.id !== ticket.id) return;
  // The turn comes first, whatever is being booked meanwhile.
  if (now.state === "paired" && now.session && ["wait", "book", "message", "others"].includes(app.screen)) {
    go("session");
    await call.value?.join(now.session).catch((error: unknown) => (app.problem = error));
  } else if (now.next_ticket && now.state !== "paired") await backToQueue(now.next_ticket);
}
let following: string | null = null;
/** The other side was lost for good: the citizen keeps class and time in a new ticket. Told twice (by ticket and by session), done once. */
async function backToQueue(next: string): Promise<void> {
  if ((app.screen !== "wait" && app.screen !== "session") || following === next) return;
  following = next;
  const ticket = await visit.followTicket(next).catch(() => null);
  if (!ticket) {
    following = null;
    return;
  }
  await visit.refresh().catch(() => undefined);
  call.value?.follow(next);
  app.requeued = true;
  go("wait");
  await onTicket(ticket);
}

/** Leaves the session's screen once the server says that it is over: to the last one, or back to the queue where the agent was
 * lost before anything was handed in. */
async function onEnded(): Promise<void> {
  const session = call.value?.state.session;
  if (app.screen !== "session" || session?.state !== "ended") return;
  const old = visit.state.ticket?.id;
  if (session.end_reason === "agent_lost" && !session.case && old) {
    const ticket = await visit.followTicket(old).catch(() => null);
    if (ticket?.next_ticket) await backToQueue(ticket.next_ticket);
  }
  if (call.value?.state.session?.state !== "ended") return;
  // Everything is off as soon as the talk is over, not only when somebody leaves.
  call.value.closeDevices();
  go("end");
}
export async function hangUp(): Promise<void> {
  await act(async () => call.value?.end("finished"));
}
export async function leaveQueue(): Promise<void> {
  const state = visit.state.ticket?.state;
  if (state === "waiting" || state === "offered") await act(() => visit.cancelTicket());
  call.value?.dispose();
  call.value = null;
  visit.state.ticket = null;
  go("item");
}
/** 再叫一次, from the last screen. */
export function again(): void {
  call.value?.dispose();
  call.value = null;
  visit.state.ticket = null;
  go("item");
}

let armed: string | null = null;
let cardTimer: ReturnType<typeof setTimeout> | undefined;

/** Asks for the card: before the session for the visit, within it for the session. */
export async function askCard(): Promise<void> {
  if (bridge.state.reader === "absent") {
    app.card = "absent";
    return;
  }
  if (isLocked(call.value?.state.session?.recording_rule, "identify")) {
    app.card = "locked";
    return;
  }
  try {
    await visit.open();
    const nonce = call.value?.state.session ? call.value.state.session.card_nonce : await visit.cardNonce();
    if (!nonce) return;
    armed = nonce;
    app.card = "asking";
    clearTimeout(cardTimer);
    cardTimer = setTimeout(() => {
      if (app.card === "asking") app.card = "late";
    }, CARD_MS);
    await bridge.arm(nonce);
  } catch (error) {
    app.card = "none";
    app.problem = error;
  }
}
export function closeCard(): void {
  clearTimeout(cardTimer);
  armed = null;
  app.card = "none";
  void bridge.disarm().catch(() => undefined);
}
async function cardRead(read: CardRead): Promise<void> {
  if (read.nonce !== armed) return;
  armed = null;
  clearTimeout(cardTimer);
  app.card = "reading";
  try {
    if (call.value?.state.session) await call.value.identify(read);
    else await visit.identify(read);
    app.card = "none";
    if (app.screen === "idle") go("item");
    else if (app.screen === "mine") say.identified();
  } catch (error) {
    app.card = "refused";
    app.problem = error instanceof ProblemError ? error : null;
  }
}

/** Ends everything of this citizen: server, host, browser; looks whether anything stayed; then begins anew by a full reload. */
export async function wipe(is_moved = false): Promise<void> {
  if (app.screen === "wiping") return;
  const wasOpen = visit.isOpen && !is_moved;
  if (is_moved) visit.forget();
  app.asking = false;
  app.card = "none";
  app.wiped = false;
  app.screen = "wiping";
  clearTimeout(cardTimer);
  armed = null;
  for (let attempt = 0; wasOpen && attempt < END_TRIES; attempt += 1) {
    // The server ends a silent visit by itself as well; here it is told at once where it can be.
    const isDone = await visit.end().then(() => true, (error: unknown) => error instanceof ProblemError && [401, 403, 404, 409].includes(error.status));
    if (isDone) break;
  }
  call.value?.dispose();
  call.value = null;
  visit.forget();
  Object.assign(app, { item: null, mode: "video", needs: [], priority: false, carrying: false, problem: null });
  preferences.forget();
  await bridge.wipe().catch(() => undefined);
  await clearBrowser();
  app.left = await leftovers();
  if (app.left.length > 0) {
    app.screen = "broken";
    return;
  }
  app.wiped = true;
  setTimeout(() => location.replace(location.pathname + location.search), WIPED_MS);
}
