/** One seat's work on this page: its connection, the server's word about the seat, what rings, the session of now and its wrap-up. The
 * seat itself has one; each of its text lanes has one more. The seat frames lead; a line follows them and never assumes a state that the
 * server did not say. Owns no devices, no bell, and not what is on the screen: those are the desk's. */
import { computed, ref, shallowRef } from "vue";
import type { Accepted, ApiClient, InviteAct, InviteView, OfferView, SeatView, WrapUp } from "@cloud-booth/api";
import { CallPeer, type IceSource, type LocalMedia } from "@cloud-booth/rtc";
import { SignalClient, type SignalState } from "@cloud-booth/signal";
import { announce, toast } from "@cloud-booth/ui";
import { pick, preferences } from "@cloud-booth/i18n";
import type { Bell } from "./bell.ts";
import { clock } from "./clock.ts";
import { LiveSession } from "./session.ts";
import { say } from "./speak.ts";
import { DeskUi } from "./ui.ts";

interface Warm {
  ticket: string;
  peer: CallPeer;
}

/** What the desk lends to its lines, and what it wants to hear of them. */
export interface LineNeeds {
  api: () => ApiClient;
  /** A single-use ticket for the WebSocket. */
  ticket: () => Promise<string>;
  media: () => LocalMedia;
  ice?: IceSource;
  bell: Bell;
  /** How this line is told apart aloud; empty where it is on the screen or the only one. */
  prefix: (line: SeatLine) => string;
  /** The server's newer word about the seat. */
  onSeat: (line: SeatLine, before: SeatView | null) => void;
  /** A session begins; `pressed`: by the agent's own press. */
  onBegan: (line: SeatLine, pressed: boolean) => void;
  /** Nobody is served here now; `had`: until now somebody was. */
  onOver: (line: SeatLine, had: boolean) => void;
  /** The citizen wrote. */
  onSaid: (line: SeatLine) => void;
  /** The seat is held by another page now. */
  onSuperseded: (line: SeatLine) => void;
  onSignedOut: () => void;
  /** Frames that are not every page's. */
  onFrame: (frame: { type: string }) => void;
}

export type SeatVerb = "ready" | "away" | "close" | "extend-wrap-up";

export class SeatLine {
  /** The seat's id. */
  readonly id: string;
  /** 0: the seat itself; else the number of its text lane. */
  readonly lane: number;
  /** What is open on the screen; stays while another line is looked at. */
  readonly ui = new DeskUi();
  /** The ticket's number, while the page knows it. */
  readonly number = ref("");
  readonly seat = shallowRef<SeatView | null>(null);
  readonly session = shallowRef<LiveSession | null>(null);
  readonly connection = ref<SignalState>("idle");
  readonly isAccepting = ref(false);
  readonly offer = computed<OfferView | null>(() => (this.seat.value?.state === "ringing" ? (this.seat.value.offer ?? null) : null));
  /** A colleague asks for help. */
  readonly invite = computed<InviteView | null>(() => (this.seat.value?.state === "ringing" && this.seat.value.invite?.state === "ringing" ? this.seat.value.invite : null));
  /** Somebody is served here, this page among the members. */
  readonly isServing = computed(() => Boolean(this.session.value && !this.session.value.isEnded.value && !this.session.value.isOut.value));
  readonly #needs: LineNeeds;
  readonly #signal: SignalClient;
  #warm: Warm | null = null;
  #ringing = "";
  #isDisposed = false;

  constructor(id: string, lane: number, needs: LineNeeds) {
    this.id = id;
    this.lane = lane;
    this.#needs = needs;
    this.#signal = new SignalClient({ ticket: needs.ticket, language: () => preferences.state.locale, client: "console" });
    this.#listen();
  }

  async accept(): Promise<void> {
    const offer = this.offer.value;
    if (!offer || this.isAccepting.value || offer.calling_until) return;
    this.isAccepting.value = true;
    this.#needs.bell.stop(this.id);
    if (offer.call_back) return this.#call(offer);
    // The server forwards nothing before the accept, so the own picture may set off with the press.
    void this.#warm?.peer.goLive(this.#needs.media());
    try {
      const { session } = await this.#needs.api().post<Accepted>(`/pairings/${offer.pairing}/accept`);
      await this.#enter(session, !this.seat.value?.auto_answer);
    } catch (error) {
      void this.#warm?.peer.hold();
      throw error;
    } finally {
      this.isAccepting.value = false;
    }
  }
  /** A call-back: now the citizen's phone rings; the session begins when they answer. */
  async #call(offer: OfferView): Promise<void> {
    try {
      this.follow(await this.#needs.api().post<SeatView>(`/pairings/${offer.pairing}/call`), true);
    } finally {
      this.isAccepting.value = false;
    }
  }
  /** To a colleague who asks. */
  async answerInvite(step: InviteAct): Promise<void> {
    const invite = this.invite.value;
    if (!invite || this.isAccepting.value) return;
    this.isAccepting.value = true;
    this.#needs.bell.stop(this.id);
    try {
      await this.#needs.api().post<InviteView>(`/invites/${invite.id}/step`, { step, version: invite.version });
      if (step === "accept") await this.#enter(invite.session, true);
    } finally {
      this.isAccepting.value = false;
    }
  }
  async decline(reason: string): Promise<void> {
    const offer = this.offer.value;
    if (!offer) return;
    this.#needs.bell.stop(this.id);
    this.follow(await this.#needs.api().post<SeatView>(`/pairings/${offer.pairing}/decline`, { reason }), true);
  }

  /** Sixty seconds more, once. */
  async extendWrapUp(): Promise<void> {
    await this.command("extend-wrap-up");
  }
  async wrapUp(body: WrapUp): Promise<void> {
    const id = this.session.value?.id ?? this.seat.value?.wrap_up_session;
    if (id) this.follow(await this.#needs.api().post<SeatView>(`/sessions/${id}/wrap-up`, body), true);
  }

  async command(verb: SeatVerb, body: object = {}): Promise<void> {
    const seat = this.seat.value;
    if (seat) this.follow(await this.#needs.api().post<SeatView>(`/seats/${seat.id}/${verb}`, body), true);
  }

  #listen(): void {
    const signal = this.#signal;
    signal.on("state", (state) => {
      this.connection.value = state;
      if (state === "signed_out") this.#needs.onSignedOut();
    });
    signal.on("seat", (view) => this.follow(view, true));
    signal.on("frame", (frame) => this.#needs.onFrame(frame));
    signal.on("superseded", (lost) => {
      if (lost.seat) this.#needs.onSuperseded(this);
      // Out of one session, not off the seat: a helper who is done, an agent who handed over.
      else if (this.session.value?.id === lost.session) this.session.value?.leave();
    });
    signal.watchSeat(this.id);
    signal.start();
  }

  /** The one place where a seat's state becomes what the page does. `isLive`: made just now, so it tells the time. */
  follow(next: SeatView, isLive: boolean): void {
    const before = this.seat.value;
    if (this.#isDisposed || next.id !== this.id || (before && next.version < before.version)) return;
    if (isLive && before && before.state !== next.state) clock.heard(next.since);
    this.seat.value = next;
    this.#needs.onSeat(this, before);
    if (this.#isDisposed) return;
    const offer = this.offer.value;
    const invite = this.invite.value;
    if (offer && this.#ringing !== offer.pairing) this.#ring(offer, next);
    else if (invite && !offer && this.#ringing !== invite.id) this.#ringInvite(invite);
    if (!offer && !invite) this.#ringOver(next);
    const at = next.session ?? next.invite?.session;
    if (next.state === "busy" && at) void this.#enter(at, this.isAccepting.value && !next.auto_answer).catch(() => undefined);
    else if (next.state === "wrap_up" && next.wrap_up_session) void this.#finish(next.wrap_up_session);
    // Busy without a session: the seat's people write, in its lanes.
    else if (next.state === "ready" || next.state === "away" || next.state === "offline" || (next.state === "busy" && next.away_reason === "text")) this.#forgetSession();
    const { forced } = next;
    if (forced && this.lane === 0 && forced.at !== before?.forced?.at) announce(say("forced.said", { by: forced.by, state: say(`work.${forced.state}`) }), "assertive");
    if (before && before.state !== next.state && next.state === "away" && next.away_reason === "no_answer") this.#tell(say(this.lane ? "lane.noAnswer" : "work.noAnswer"));
  }

  #ring(offer: OfferView, seat: SeatView): void {
    this.#ringing = offer.pairing;
    this.number.value = offer.number;
    const what = pick(offer.item_title) || say("work.noItem");
    if (offer.mode !== "text") this.#warmUp(offer.ticket);
    if (seat.auto_answer && !offer.calling_until) {
      this.#needs.bell.once();
      this.#tell(say("ring.autoSaid", { what }));
      void this.accept().catch(() => toast(say("ring.autoFailed")));
      return;
    }
    const kind = offer.mode === "text" ? "text" : offer.call_back ? "callBack" : "";
    this.#needs.bell.start(this.id, this.#named(say(kind ? `ring.${kind}Title` : "ring.title", { number: offer.number })), what);
    this.#tell(say(kind ? `ring.${kind}Said` : "ring.announce", { what }));
  }
  #ringInvite(invite: InviteView): void {
    this.#ringing = invite.id;
    const title = say(`invite.title.${invite.kind}`, { who: invite.from });
    this.#needs.bell.start(this.id, title, pick(invite.item_title) || say("work.noItem"));
    announce(say("invite.said", { title }), "assertive");
  }
  #ringOver(next: SeatView): void {
    this.#ringing = "";
    this.#needs.bell.stop(this.id);
    if (next.state === "busy" || !this.#warm || this.isAccepting.value) return;
    this.#warm.peer.dispose();
    this.#warm = null;
  }

  /** Connects the media path while it rings: what is left after the press is the first picture. */
  #warmUp(ticket: string): void {
    this.#warm?.peer.dispose();
    const peer = new CallPeer({
      ice: this.#needs.ice,
      negotiate: async (sdp, sources) => {
        const reply = await this.#signal.command({ kind: "media_offer", room: ticket, sdp, sources });
        if (reply.kind !== "media_answer") throw new Error("not an answer");
        return reply.sdp;
      },
    });
    this.#warm = { ticket, peer };
    peer.connect();
  }

  async #enter(id: string, pressed = false): Promise<void> {
    if (this.#isDisposed || this.session.value?.id === id) return;
    const session = this.#begin(id);
    this.#needs.onBegan(this, pressed);
    if (this.#warm) session.useCall(this.#warm.peer);
    this.#warm = null;
    await session.enter();
    this.#tell(say("work.connectedTo", { who: session.nameOf(session.citizen.value?.id ?? null) }));
  }

  #begin(id: string): LiveSession {
    const session = new LiveSession(id, { api: this.#needs.api(), signal: this.#signal, media: this.#needs.media(), ice: this.#needs.ice, prefix: () => this.#needs.prefix(this), onSaid: () => this.#needs.onSaid(this) });
    this.session.value?.dispose();
    this.ui.reset();
    this.session.value = session;
    return session;
  }

  /** Aloud, and which line it is where more than one could be meant. */
  #tell(text: string): void {
    announce(this.#needs.prefix(this) + text, "assertive");
  }
  #named(text: string): string {
    return this.lane ? `${text} · ${say("lane.name", { n: this.lane })}` : text;
  }

  async #finish(id: string): Promise<void> {
    if (this.session.value?.id === id) {
      this.session.value.hangUp();
      return;
    }
    const session = this.#begin(id);
    this.#needs.onBegan(this, false);
    await session.load().catch(() => undefined);
  }

  #forgetSession(): void {
    const had = this.session.value;
    had?.dispose();
    this.session.value = null;
    this.number.value = "";
    this.#needs.onOver(this, had !== null);
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#needs.bell.stop(this.id);
    this.#warm?.peer.dispose();
    this.#warm = null;
    this.#ringing = "";
    this.session.value?.dispose();
    this.session.value = null;
    this.#signal.dispose();
    this.seat.value = null;
  }
}
