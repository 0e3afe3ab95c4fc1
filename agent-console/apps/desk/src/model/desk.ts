/** The console as a whole: where the person is (sign-in, seat, work), the devices, and the line of the seat that is held.
 * What the seat does is its line's; this model decides when a line begins and ends. */
import { computed, ref, shallowRef } from "vue";
import type { HallView, ItemCard, ItemList, Login, SeatView, WrapUp } from "@cloud-booth/api";
import { LocalMedia, type LocalMediaState } from "@cloud-booth/rtc";
import type { SignalState } from "@cloud-booth/signal";
import { announce } from "@cloud-booth/ui";
import { pick } from "@cloud-booth/i18n";
import { Account } from "./account.ts";
import { Bell } from "./bell.ts";
import { clock } from "./clock.ts";
import { SeatLine } from "./line.ts";
import { Notices, noticeIn } from "./notices.ts";
import { Phrases } from "./phrases.ts";
import { readMark, writeMark } from "./mark.ts";
import type { LiveSession } from "./session.ts";
import { say } from "./speak.ts";
import type { DeskOffer, DeskSeat, InviteStep, InviteView } from "./wire.ts";
import { WorkList } from "./worklist.ts";

export type Phase = "starting" | "sign_in" | "seat" | "work" | "superseded";

export class Desk {
  readonly phase = ref<Phase>("starting");
  /** The seat that is held; null where none is. */
  readonly main = shallowRef<SeatLine | null>(null);
  readonly seat = computed<DeskSeat | null>(() => this.main.value?.seat.value ?? null);
  readonly seats = shallowRef<readonly DeskSeat[]>([]);
  readonly hall = shallowRef<HallView | null>(null);
  readonly items = shallowRef<readonly ItemCard[]>([]);
  readonly session = computed<LiveSession | null>(() => this.main.value?.session.value ?? null);
  readonly connection = computed<SignalState>(() => this.main.value?.connection.value ?? "idle");
  readonly isAccepting = computed(() => this.main.value?.isAccepting.value ?? false);
  /** Signed out by the server, not by the person. */
  readonly wasSignedOut = ref(false);
  readonly mediaState = shallowRef<LocalMediaState | null>(null);
  readonly offer = computed<DeskOffer | null>(() => this.main.value?.offer.value ?? null);
  readonly invite = computed<InviteView | null>(() => this.main.value?.invite.value ?? null);
  readonly account = new Account(() => this.#signedOut());
  readonly bell = new Bell();
  readonly phrases = new Phrases(() => this.account.api);
  readonly work = new WorkList(() => this.account.api);
  readonly notices = new Notices(() => this.account.api);
  #media: LocalMedia | null = null;

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
    this.main.value?.dispose();
    const line = this.#lineFor(id);
    this.main.value = line;
    line.follow(opened, false);
    this.phase.value = "work";
    if (opened.state === "away") await this.ready();
  }

  async ready(): Promise<void> {
    await this.main.value?.command("ready");
  }
  async away(reason: string): Promise<void> {
    await this.main.value?.command("away", { reason });
  }
  /** Leaves the seat and goes back to the choice. */
  async close(): Promise<void> {
    await this.main.value?.command("close");
    this.#leave();
    await this.loadSeats().catch(() => undefined);
    this.phase.value = "seat";
  }
  async signOut(): Promise<void> {
    const seat = this.seat.value;
    if (seat && seat.state !== "offline") await this.main.value?.command("close");
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
    await this.main.value?.accept();
  }
  async answerInvite(step: InviteStep): Promise<void> {
    await this.main.value?.answerInvite(step);
  }
  async decline(reason: string): Promise<void> {
    await this.main.value?.decline(reason);
  }
  async extendWrapUp(): Promise<void> {
    await this.main.value?.extendWrapUp();
  }
  async wrapUp(body: WrapUp): Promise<void> {
    await this.main.value?.wrapUp(body);
  }

  #lineFor(seat: string): SeatLine {
    return new SeatLine(seat, {
      api: () => this.account.api,
      ticket: () => this.account.webSocketTicket(),
      media: () => this.media,
      bell: this.bell,
      onCallOver: () => this.#unmute(),
      onSignedOut: () => this.#signedOut(),
      onSuperseded: () => this.#superseded(),
      onFrame: (frame) => {
        const notice = noticeIn(frame);
        if (notice && this.notices.hear(notice)) announce(say("notice.said", { who: notice.from, text: notice.text }), "assertive");
      },
    });
  }

  #superseded(): void {
    this.#leave(false);
    this.#closeDevices();
    this.phase.value = "superseded";
    announce(say("desk.superseded"), "assertive");
  }

  /** Mute belongs to one call: the next person must be able to hear. The camera stays as it was chosen. */
  #unmute(): void {
    if (this.#media && this.mediaState.value && !this.mediaState.value.mic_on) this.#media.setMic(true);
  }

  #leave(forget = true): void {
    this.main.value?.dispose();
    this.main.value = null;
    this.bell.stop();
    this.notices.forget();
    this.work.forget();
    this.phrases.forget();
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

/** 2号席 before 10号席. */
function inOrder(seats: readonly SeatView[]): DeskSeat[] {
  return [...seats].sort((one, other) => one.name.zh.localeCompare(other.name.zh, "zh-CN", { numeric: true }));
}
