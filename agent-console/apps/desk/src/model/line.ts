/** One seat's work on this page: its connection, the server's word about the seat, what rings, the session of now and its wrap-up.
 * The seat frames lead; a line follows them and never assumes a state that the server did not say. Owns no devices, no bell, and not
 * what is on the screen: those are the desk's. */
import { computed, ref, shallowRef } from "vue";
import type { Accepted, ApiClient, SeatView, WrapUp } from "@cloud-booth/api";
import { CallPeer, type LocalMedia } from "@cloud-booth/rtc";
import { SignalClient, type SignalState } from "@cloud-booth/signal";
import { announce, toast } from "@cloud-booth/ui";
import { pick, preferences } from "@cloud-booth/i18n";
import type { Bell } from "./bell.ts";
import { clock } from "./clock.ts";
import { LiveSession } from "./session.ts";
import { say } from "./speak.ts";
import type { DeskOffer, DeskSeat, InviteStep, InviteView } from "./wire.ts";

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
  bell: Bell;
  /** A session is over: mute belongs to one call. */
  onCallOver: () => void;
  /** The seat is held by another page now. */
  onSuperseded: () => void;
  onSignedOut: () => void;
  /** Frames that are not every page's. */
  onFrame: (frame: { type: string }) => void;
}

export type SeatVerb = "ready" | "away" | "close" | "extend-wrap-up";

export class SeatLine {
  /** The seat's id. */
  readonly id: string;
  readonly seat = shallowRef<DeskSeat | null>(null);
  readonly session = shallowRef<LiveSession | null>(null);
  readonly connection = ref<SignalState>("idle");
  readonly isAccepting = ref(false);
  readonly offer = computed<DeskOffer | null>(() => (this.seat.value?.state === "ringing" ? (this.seat.value.offer ?? null) : null));
  /** A colleague asks for help. */
  readonly invite = computed<InviteView | null>(() => (this.seat.value?.state === "ringing" && this.seat.value.invite?.state === "ringing" ? this.seat.value.invite : null));
  readonly #needs: LineNeeds;
  readonly #signal: SignalClient;
  #warm: Warm | null = null;
  #ringing = "";
  #isDisposed = false;

  constructor(id: string, needs: LineNeeds) {
    this.id = id;
    this.#needs = needs;
    this.#signal = new SignalClient({ ticket: needs.ticket, language: () => preferences.state.locale, client: "console" });
    this.#listen();
  }

  async accept(): Promise<void> {
    const offer = this.offer.value;
    if (!offer || this.isAccepting.value || offer.calling_until) return;
    this.isAccepting.value = true;
    this.#needs.bell.stop();
    if (offer.call_back) return this.#call(offer);
    // The server forwards nothing before the accept, so the own picture may set off with the press.
    void this.#warm?.peer.goLive(this.#needs.media());
    try {
      const { session } = await this.#needs.api().post<Accepted>(`/pairings/${offer.pairing}/accept`);
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
      this.follow(await this.#needs.api().post<SeatView>(`/pairings/${offer.pairing}/call`), true);
    } finally {
      this.isAccepting.value = false;
    }
  }
  /** To a colleague who asks. */
  async answerInvite(step: InviteStep): Promise<void> {
    const invite = this.invite.value;
    if (!invite || this.isAccepting.value) return;
    this.isAccepting.value = true;
    this.#needs.bell.stop();
    try {
      await this.#needs.api().post<InviteView>(`/invites/${invite.id}/step`, { step, version: invite.version });
      if (step === "accept") await this.#enter(invite.session);
    } finally {
      this.isAccepting.value = false;
    }
  }
  async decline(reason: string): Promise<void> {
    const offer = this.offer.value;
    if (!offer) return;
    this.#needs.bell.stop();
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
      if (lost.seat) this.#needs.onSuperseded();
      // Out of one session, not off the seat: a helper who is done, an agent who handed over.
      else if (this.session.value?.id === lost.session) this.session.value?.leave();
    });
    signal.watchSeat(this.id);
    signal.start();
  }

  /** The one place where a seat's state becomes what the page does. `isLive`: made just now, so it tells the time. */
  follow(next: DeskSeat, isLive: boolean): void {
    const before = this.seat.value;
    if (this.#isDisposed || next.id !== this.id || (before && next.version < before.version)) return;
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
      this.#needs.bell.once();
      announce(say("ring.autoSaid", { what }), "assertive");
      void this.accept().catch(() => toast(say("ring.autoFailed")));
      return;
    }
    this.#needs.bell.start(say(offer.call_back ? "ring.callBackTitle" : "ring.title", { number: offer.number }), what);
    announce(say(offer.call_back ? "ring.callBackSaid" : "ring.announce", { what }), "assertive");
  }
  #ringInvite(invite: InviteView): void {
    this.#ringing = invite.id;
    const title = say(`invite.title.${invite.kind}`, { who: invite.from });
    this.#needs.bell.start(title, pick(invite.item_title) || say("work.noItem"));
    announce(say("invite.said", { title }), "assertive");
  }
  #ringOver(next: SeatView): void {
    this.#ringing = "";
    this.#needs.bell.stop();
    if (next.state === "busy" || !this.#warm || this.isAccepting.value) return;
    this.#warm.peer.dispose();
    this.#warm = null;
  }

  /** Connects the media path while it rings: what is left after the press is the first picture. */
  #warmUp(ticket: string): void {
    this.#warm?.peer.dispose();
    const peer = new CallPeer({
      negotiate: async (sdp) => {
        const reply = await this.#signal.command({ kind: "media_offer", room: ticket, sdp });
        if (reply.kind !== "media_answer") throw new Error("not an answer");
        return reply.sdp;
      },
    });
    this.#warm = { ticket, peer };
    peer.connect();
  }

  async #enter(id: string): Promise<void> {
    if (this.#isDisposed || this.session.value?.id === id) return;
    this.#forgetSession();
    const session = new LiveSession(id, { api: this.#needs.api(), signal: this.#signal, media: this.#needs.media() });
    this.session.value = session;
    session.useCall(this.#warm?.peer ?? null);
    this.#warm = null;
    await session.enter();
    announce(say("work.connectedTo", { who: session.nameOf(session.citizen.value?.id ?? null) }), "assertive");
  }

  async #finish(id: string): Promise<void> {
    if (this.session.value?.id === id) {
      this.session.value.hangUp();
      return;
    }
    const session = new LiveSession(id, { api: this.#needs.api(), signal: this.#signal, media: this.#needs.media() });
    this.session.value = session;
    await session.load().catch(() => undefined);
  }

  #forgetSession(): void {
    this.session.value?.dispose();
    this.session.value = null;
    this.#needs.onCallOver();
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#needs.bell.stop();
    this.#warm?.peer.dispose();
    this.#warm = null;
    this.#ringing = "";
    this.session.value?.dispose();
    this.session.value = null;
    this.#signal.dispose();
    this.seat.value = null;
  }
}
