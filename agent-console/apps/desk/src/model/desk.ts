/** The console as a whole: where the person is (sign-in, seat, work), the seat, the ring, the session of now.
 * The server's seat frames lead; this model follows them and never assumes a state that the server did not say. */
import { computed, ref, shallowRef } from "vue";
import { ProblemError, type Accepted, type HallView, type ItemCard, type ItemList, type Login, type SeatView, type WrapUp } from "@cloud-booth/api";
import { CallPeer, LocalMedia, type LocalMediaState } from "@cloud-booth/rtc";
import { SignalClient, type SignalState } from "@cloud-booth/signal";
import { announce, toast } from "@cloud-booth/ui";
import { pick, preferences } from "@cloud-booth/i18n";
import { Account } from "./account.ts";
import { Bell } from "./bell.ts";
import { clock } from "./clock.ts";
import { Notices, noticeIn } from "./notices.ts";
import { Phrases } from "./phrases.ts";
import { readMark, writeMark } from "./mark.ts";
import { LiveSession } from "./session.ts";
import { say } from "./speak.ts";
import type { DeskOffer, DeskSeat, InviteStep, InviteView } from "./wire.ts";
import { WorkList } from "./worklist.ts";

export type Phase = "starting" | "sign_in" | "seat" | "work" | "superseded";

interface Warm {
  ticket: string;
  peer: CallPeer;
}

export class Desk {
  readonly phase = ref<Phase>("starting");
  readonly seat = shallowRef<DeskSeat | null>(null);
  readonly seats = shallowRef<readonly DeskSeat[]>([]);
  readonly hall = shallowRef<HallView | null>(null);
  readonly items = shallowRef<readonly ItemCard[]>([]);
  readonly session = shallowRef<LiveSession | null>(null);
  readonly connection = ref<SignalState>("idle");
  readonly isAccepting = ref(false);
  /** Signed out by the server, not by the person. */
  readonly wasSignedOut = ref(false);
  readonly mediaState = shallowRef<LocalMediaState | null>(null);
  readonly offer = computed<DeskOffer | null>(() => (this.seat.value?.state === "ringing" ? (this.seat.value.offer ?? null) : null));
  /** A colleague asks for help. */
  readonly invite = computed<InviteView | null>(() => (this.seat.value?.state === "ringing" && this.seat.value.invite?.state === "ringing" ? this.seat.value.invite : null));
  readonly account = new Account(() => this.#signedOut());
  readonly bell = new Bell();
  readonly phrases = new Phrases(() => this.account.api);
  readonly work = new WorkList(() => this.account.api);
  readonly notices = new Notices(() => this.account.api);
  #media: LocalMedia | null = null;
  #signal: SignalClient | null = null;
  #warm: Warm | null = null;
  #ringing = "";

  get media(): LocalMedia {
    if (!this.#media) {
      const media = new LocalMedia();
      media.events.on("change", (state) => (this.mediaState.value = state));
      this.#media = media;
    }
    return this.#media;
  }

  async start(): Promise<void> {
    clock.start();
    if (!(await this.account.resume())) {
      this.phase.value = "sign_in";
      return;
    }
    await this.#signedIn();
  }

  async signIn(login: Login): Promise<void> {
    await this.account.signIn(login);
    this.wasSignedOut.value = false;
    await this.#signedIn();
  }

  async #signedIn(): Promise<void> {
    await this.loadSeats().catch(() => undefined);
    const mark = readMark();
    const held = this.seats.value.find((seat) => seat.id === mark?.seat && this.isMine(seat));
    if (mark && held) {
      try {
        // The same tab after a reload: the device questions were answered before.
        void this.media.open();
        await this.openSeat(held.id, mark.skills, true, mark.auto);
        return;
      } catch {
        writeMark(null);
      }
    }
    this.phase.value = "seat";
  }

  /** Seats and hall, for the choice. */
  async loadSeats(): Promise<void> {
    const staff = this.account.staff.value;
    if (!staff) return;
    const { api } = this.account;
    const [seats, hall] = await Promise.all([api.get<{ items: SeatView[] }>("/seats"), api.get<HallView>(`/halls/${staff.hall}`)]);
    this.seats.value = inOrder(seats.items);
    this.hall.value = hall;
    void api.get<ItemList>("/items").then((list) => (this.items.value = list.items)).catch(() => undefined);
  }

  /** Who is where now: before help is asked for. */
  async lookAround(): Promise<void> {
    const { items } = await this.account.api.get<{ items: SeatView[] }>("/seats");
    this.seats.value = inOrder(items);
  }

  isMine(seat: DeskSeat): boolean {
    return seat.state !== "offline" && seat.staff !== null && seat.staff === this.account.staff.value?.id;
  }

  skillName(code: string): string {
    return pick(this.hall.value?.skills.find((skill) => skill.code === code)?.name) || code;
  }
  itemTitle(id: string | null | undefined): string {
    return pick(this.items.value.find((item) => item.id === id)?.title);
  }

  /** Rejects with `seat_open_elsewhere` unless `takeOver`. */
  async openSeat(id: string, skills: string[], takeOver: boolean, auto = false): Promise<void> {
    const opened = await this.account.api.post<SeatView>(`/seats/${id}/open`, { skills, take_over: takeOver, ...(auto ? { auto_answer: true } : {}) });
    writeMark({ seat: id, skills, auto });
    this.seat.value = null;
    this.#listen(id);
    this.#follow(opened, false);
    this.phase.value = "work";
    if (opened.state === "away") await this.ready();
  }

  async ready(): Promise<void> {
    await this.#seatCommand("ready");
  }
  async away(reason: string): Promise<void> {
    await this.#seatCommand("away", { reason });
  }
  /** Leaves the seat and goes back to the choice. */
  async close(): Promise<void> {
    await this.#seatCommand("close");
    this.#leave();
    await this.loadSeats().catch(() => undefined);
    this.phase.value = "seat";
  }
  async signOut(): Promise<void> {
    const seat = this.seat.value;
    if (seat && seat.state !== "offline") await this.#seatCommand("close");
    this.#leave();
    await this.account.signOut();
    this.#closeDevices();
    this.phase.value = "sign_in";
  }
  /** From the notice of the other page: take the seat back. */
  async takeBack(): Promise<void> {
    const mark = readMark();
    if (mark) await this.openSeat(mark.seat, mark.skills, true, mark.auto);
    else this.phase.value = "seat";
  }

  async accept(): Promise<void> {
    const offer = this.offer.value;
    if (!offer || this.isAccepting.value || offer.calling_until) return;
    this.isAccepting.value = true;
    this.bell.stop();
    if (offer.call_back) return this.#call(offer);
    // The server forwards nothing before the accept, so the own picture may set off with the press.
    void this.#warm?.peer.goLive(this.media);
    try {
      const { session } = await this.account.api.post<Accepted>(`/pairings/${offer.pairing}/accept`);
      await this.#enter(session);
    } catch (error) {
      void this.#warm?.peer.hold();
      throw error;
    } finally {
      this.isAccepting.value = false;
    }
  }
  /** A call-back: now the citizen's phone rings; the session begins when they answer. */
  async #call(offer: DeskOffer): Promise<void> {
    try {
      this.#follow(await this.account.api.post<SeatView>(`/pairings/${offer.pairing}/call`), true);
    } finally {
      this.isAccepting.value = false;
    }
  }
  /** To a colleague who asks. */
  async answerInvite(step: InviteStep): Promise<void> {
    const invite = this.invite.value;
    if (!invite || this.isAccepting.value) return;
    this.isAccepting.value = true;
    this.bell.stop();
    try {
      await this.account.api.post<InviteView>(`/invites/${invite.id}/step`, { step, version: invite.version });
      if (step === "accept") await this.#enter(invite.session);
    } finally {
      this.isAccepting.value = false;
    }
  }
  async decline(reason: string): Promise<void> {
    const offer = this.offer.value;
    if (!offer) return;
    this.bell.stop();
    this.#follow(await this.account.api.post<SeatView>(`/pairings/${offer.pairing}/decline`, { reason }), true);
  }

  /** Sixty seconds more, once. */
  async extendWrapUp(): Promise<void> {
    await this.#seatCommand("extend-wrap-up");
  }
  async wrapUp(body: WrapUp): Promise<void> {
    const id = this.session.value?.id ?? this.seat.value?.wrap_up_session;
    if (id) this.#follow(await this.account.api.post<SeatView>(`/sessions/${id}/wrap-up`, body), true);
  }

  async #seatCommand(verb: "ready" | "away" | "close" | "extend-wrap-up", body: object = {}): Promise<void> {
    const seat = this.seat.value;
    if (seat) this.#follow(await this.account.api.post<SeatView>(`/seats/${seat.id}/${verb}`, body), true);
  }

  #listen(seat: string): void {
    this.#signal?.dispose();
    const signal = new SignalClient({ ticket: () => this.account.webSocketTicket(), language: () => preferences.state.locale, client: "console" });
    this.#signal = signal;
    signal.on("state", (state) => {
      this.connection.value = state;
      if (state === "signed_out") this.#signedOut();
    });
    signal.on("seat", (view) => view.id === seat && this.#follow(view, true));
    signal.on("frame", (frame) => {
      const notice = noticeIn(frame);
      if (notice && this.notices.hear(notice)) announce(say("notice.said", { who: notice.from, text: notice.text }), "assertive");
    });
    signal.on("superseded", (lost) => {
      if (this.#signal !== signal) return;
      // Out of one session, not off the seat: a helper who is done, an agent who handed over.
      if (!lost.seat) {
        if (this.session.value?.id === lost.session) this.session.value?.leave();
        return;
      }
      this.#leave(false);
      this.#closeDevices();
      this.phase.value = "superseded";
      announce(say("desk.superseded"), "assertive");
    });
    signal.watchSeat(seat);
    signal.start();
  }

  /** The one place where a seat's state becomes what the page does. `isLive`: made just now, so it tells the time. */
  #follow(next: DeskSeat, isLive: boolean): void {
    const before = this.seat.value;
    if (before && (before.id !== next.id || next.version < before.version)) return;
    if (isLive && before && before.state !== next.state) clock.heard(next.since);
    this.seat.value = next;
    const offer = this.offer.value;
    const invite = this.invite.value;
    if (offer && this.#ringing !== offer.pairing) this.#ring(offer, next);
    else if (invite && !offer && this.#ringing !== invite.id) this.#ringInvite(invite);
    if (!offer && !invite) this.#ringOver(next);
    const at = next.session ?? next.invite?.session;
    if (next.state === "busy" && at) void this.#enter(at).catch(() => undefined);
    else if (next.state === "wrap_up" && next.wrap_up_session) void this.#finish(next.wrap_up_session);
    else if (next.state === "ready" || next.state === "away" || next.state === "offline") this.#forgetSession();
    const { forced } = next;
    if (forced && forced.at !== before?.forced?.at) announce(say("forced.said", { by: forced.by, state: say(`work.${forced.state}`) }), "assertive");
    if (before && before.state !== next.state && next.state === "away" && next.away_reason === "no_answer") announce(say("work.noAnswer"), "assertive");
  }

  #ring(offer: DeskOffer, seat: DeskSeat): void {
    this.#ringing = offer.pairing;
    const what = pick(offer.item_title) || say("work.noItem");
    this.#warmUp(offer.ticket);
    if (seat.auto_answer && !offer.calling_until) {
      this.bell.once();
      announce(say("ring.autoSaid", { what }), "assertive");
      void this.accept().catch(() => toast(say("ring.autoFailed")));
      return;
    }
    this.bell.start(say(offer.call_back ? "ring.callBackTitle" : "ring.title", { number: offer.number }), what);
    announce(say(offer.call_back ? "ring.callBackSaid" : "ring.announce", { what }), "assertive");
  }
  #ringInvite(invite: InviteView): void {
    this.#ringing = invite.id;
    const title = say(`invite.title.${invite.kind}`, { who: invite.from });
    this.bell.start(title, pick(invite.item_title) || say("work.noItem"));
    announce(say("invite.said", { title }), "assertive");
  }
  #ringOver(next: SeatView): void {
    this.#ringing = "";
    this.bell.stop();
    if (next.state === "busy" || !this.#warm || this.isAccepting.value) return;
    this.#warm.peer.dispose();
    this.#warm = null;
  }

  /** Connects the media path while it rings: what is left after the press is the first picture. */
  #warmUp(ticket: string): void {
    this.#warm?.peer.dispose();
    const signal = this.#signal;
    if (!signal) return;
    const peer = new CallPeer({
      negotiate: async (sdp) => {
        const reply = await signal.command({ kind: "media_offer", room: ticket, sdp });
        if (reply.kind !== "media_answer") throw new Error("not an answer");
        return reply.sdp;
      },
    });
    this.#warm = { ticket, peer };
    peer.connect();
  }

  async #enter(id: string): Promise<void> {
    const signal = this.#signal;
    if (!signal || this.session.value?.id === id) return;
    this.#forgetSession();
    const session = new LiveSession(id, { api: this.account.api, signal, media: this.media });
    this.session.value = session;
    session.useCall(this.#warm?.peer ?? null);
    this.#warm = null;
    await session.enter();
    announce(say("work.connectedTo", { who: session.nameOf(session.citizen.value?.id ?? null) }), "assertive");
  }

  async #finish(id: string): Promise<void> {
    const signal = this.#signal;
    if (!signal || this.session.value?.id === id) {
      this.session.value?.hangUp();
      return;
    }
    const session = new LiveSession(id, { api: this.account.api, signal, media: this.media });
    this.session.value = session;
    await session.load().catch(() => undefined);
  }

  #forgetSession(): void {
    this.session.value?.dispose();
    this.session.value = null;
    // Mute belongs to one call: the next person must be able to hear. The camera stays as it was chosen.
    if (this.#media && this.mediaState.value && !this.mediaState.value.mic_on) this.#media.setMic(true);
  }

  #leave(forget = true): void {
    this.bell.stop();
    this.#warm?.peer.dispose();
    this.#warm = null;
    this.#ringing = "";
    this.session.value?.dispose();
    this.session.value = null;
    const signal = this.#signal;
    this.#signal = null;
    signal?.dispose();
    this.seat.value = null;
    this.notices.forget();
    this.work.forget();
    this.phrases.forget();
    this.connection.value = "idle";
    if (forget) writeMark(null);
  }

  /** A page that serves nobody keeps no camera open. */
  #closeDevices(): void {
    this.#media?.dispose();
    this.#media = null;
    this.mediaState.value = null;
  }

  #signedOut(): void {
    this.#leave(false);
    this.#closeDevices();
    this.wasSignedOut.value = true;
    this.phase.value = "sign_in";
  }

  dispose(): void {
    this.#leave(false);
    this.#closeDevices();
    this.bell.dispose();
    clock.stop();
  }
}

export function codeOf(error: unknown): string {
  return error instanceof ProblemError ? error.code : "unknown";
}

/** 2号席 before 10号席. */
function inOrder(seats: readonly SeatView[]): DeskSeat[] {
  return [...seats].sort((one, other) => one.name.zh.localeCompare(other.name.zh, "zh-CN", { numeric: true }));
}
