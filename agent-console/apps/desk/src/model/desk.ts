/** The console as a whole: where the person is (sign-in, seat, work), the devices, and the lines of the seat that is held: the
 * seat's own and one for each of its text lanes. What a seat does is its line's; this model decides when lines begin and end, and which
 * of them is on the screen. */
import { computed, ref, shallowRef } from "vue";
import type { Colleagues, HallView, IceServers, ItemCard, ItemList, Login, SeatView } from "@cloud-booth/api";
import { IceSource, LocalMedia, type LocalMediaState } from "@cloud-booth/rtc";
import { announce } from "@cloud-booth/ui";
import { pick } from "@cloud-booth/i18n";
import { Account } from "./account.ts";
import { Bell } from "./bell.ts";
import { clock } from "./clock.ts";
import { SeatLine, type LineNeeds } from "./line.ts";
import { Notices, noticeIn } from "./notices.ts";
import { Phrases } from "./phrases.ts";
import { readMark, writeMark } from "./mark.ts";
import { say } from "./speak.ts";
import { WorkList } from "./worklist.ts";

export type Phase = "starting" | "sign_in" | "seat" | "work" | "superseded";

export class Desk {
  readonly phase = ref<Phase>("starting");
  /** The seat that is held; null where none is. */
  readonly main = shallowRef<SeatLine | null>(null);
  readonly seat = computed<SeatView | null>(() => this.main.value?.seat.value ?? null);
  readonly seats = shallowRef<readonly SeatView[]>([]);
  readonly colleagues = shallowRef<Colleagues>({ items: [], halls: [] });
  readonly hall = shallowRef<HallView | null>(null);
  readonly items = shallowRef<readonly ItemCard[]>([]);
  /** The seat's text lanes, in order. */
  readonly lanes = shallowRef<readonly SeatLine[]>([]);
  readonly lines = computed<readonly SeatLine[]>(() => (this.main.value ? [this.main.value, ...this.lanes.value] : []));
  /** The line on the screen. */
  readonly line = computed<SeatLine | null>(() => this.lines.value.find((line) => line.id === this.#chosen.value) ?? this.main.value);
  /** Lines that ring, the one that rang first first. */
  readonly ringing = computed<readonly SeatLine[]>(() =>
    this.lines.value.filter((line) => (line.offer.value ?? line.invite.value) && !line.isServing.value).sort((one, other) => rangAt(one) - rangAt(other)));
  /** Messages that nobody has looked at, in all lines. */
  readonly unread = computed(() => this.lines.value.reduce((sum, line) => sum + (line.session.value?.isEnded.value ? 0 : (line.session.value?.unread.value ?? 0)), 0));
  /** People are in a session here. */
  readonly isServing = computed(() => this.lines.value.some((line) => line.isServing.value));
  /** The seat's people all write: no call comes, and leaving waits until the last of them is done. */
  readonly isTexting = computed(() => this.seat.value?.state === "busy" && this.seat.value.away_reason === "text");
  readonly isPaletteOpen = ref(false);
  readonly isKeysOpen = ref(false);
  /** Signed out by the server, not by the person. */
  readonly wasSignedOut = ref(false);
  readonly mediaState = shallowRef<LocalMediaState | null>(null);
  readonly account = new Account(() => this.#signedOut());
  readonly bell = new Bell();
  readonly phrases = new Phrases(() => this.account.api);
  readonly work = new WorkList(() => this.account.api);
  readonly notices = new Notices(() => this.account.api);
  /** Relays for all calls of this page. */
  readonly ice = new IceSource(() => this.account.api.get<IceServers>("/media/ice-servers"));
  readonly #chosen = ref("");
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
        await this.openSeat(held.id, mark.skills, true, mark);
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

  /** Who could help now, here and in the halls that serve this hall's people: before help is asked for. */
  async lookAround(): Promise<void> {
    const hall = this.account.staff.value?.hall;
    if (hall) this.colleagues.value = await this.account.api.get<Colleagues>(`/halls/${hall}/colleagues`);
  }

  isMine(seat: SeatView): boolean {
    return seat.state !== "offline" && seat.staff !== null && seat.staff === this.account.staff.value?.id;
  }

  skillName(code: string): string {
    return pick(this.hall.value?.skills.find((skill) => skill.code === code)?.name) || code;
  }
  itemTitle(id: string | null | undefined): string {
    return pick(this.items.value.find((item) => item.id === id)?.title);
  }

  /** Rejects with `seat_open_elsewhere` unless `takeOver`. */
  async openSeat(id: string, skills: string[], takeOver: boolean, ways: { auto?: boolean; text?: boolean } = {}): Promise<void> {
    const { auto = false, text = false } = ways;
    const opened = await this.account.api.post<SeatView>(`/seats/${id}/open`, { skills, take_over: takeOver, ...(auto ? { auto_answer: true } : {}), ...(text ? { text: true } : {}) });
    writeMark({ seat: id, skills, auto, text });
    this.#dropLines();
    const line = new SeatLine(id, 0, this.#needs());
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
    // While somebody writes the seat closes with the last of them.
    if (this.seat.value && this.seat.value.state !== "offline") return;
    await this.#closed();
  }
  async #closed(): Promise<void> {
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
    if (mark) await this.openSeat(mark.seat, mark.skills, true, mark);
    else this.phase.value = "seat";
  }

  /** Puts a line on the screen. */
  choose(line: SeatLine): void {
    this.#chosen.value = line.id;
  }

  #needs(): LineNeeds {
    // Here before it rings: the warm connection waits for nothing.
    void this.ice.get();
    return {
      ice: this.ice,
      api: () => this.account.api,
      ticket: () => this.account.webSocketTicket(),
      media: () => this.media,
      bell: this.bell,
      prefix: (line) => (line.lane === 0 || this.line.value === line ? "" : say("lane.said", { n: line.lane })),
      onSeat: (line, before) => this.#seatSaid(line, before),
      onBegan: (line, pressed) => {
        this.#unmute();
        // Whoever types goes on typing: only a press, or an empty screen, brings another conversation up.
        if (pressed || !this.line.value?.session.value) this.choose(line);
      },
      onOver: (line, had) => this.#over(line, had),
      onSaid: (line) => {
        if (this.line.value === line && !document.hidden) return;
        this.bell.soft();
        if (line.lane) announce(say("lane.newMessage", { n: line.lane }));
      },
      onSignedOut: () => this.#signedOut(),
      // A lane goes with its seat; alone it goes by the seat's list.
      onSuperseded: (line) => line.lane === 0 && this.#superseded(),
      onFrame: (frame) => {
        const notice = noticeIn(frame);
        if (notice && this.notices.hear(notice)) announce(say("notice.said", { who: notice.from, text: notice.text }), "assertive");
      },
    };
  }

  /** The seat's own word names its lanes: a line for each, and none for those that are gone. */
  #seatSaid(line: SeatLine, before: SeatView | null): void {
    const seat = line.seat.value;
    if (line.lane !== 0 || !seat) return;
    if (seat.state === "offline" && before?.forced?.state === "offline" && before.forced.by === this.account.staff.value?.name) {
      void this.#closed();
      return;
    }
    const wanted = seat.lanes;
    const held = this.lanes.value;
    if (held.length === wanted.length && held.every((one, index) => one.id === wanted[index]?.seat)) return;
    this.lanes.value = wanted.map((lane) => held.find((one) => one.id === lane.seat) ?? new SeatLine(lane.seat, lane.lane, this.#needs()));
    for (const one of held) if (!wanted.some((lane) => lane.seat === one.id)) one.dispose();
  }

  /** Done here: whoever has waited longest for words comes up; else the seat itself. */
  #over(line: SeatLine, had: boolean): void {
    if (this.lines.value.every((one) => !one.session.value)) this.#unmute();
    if (!had || this.line.value !== line) return;
    const waits = (one: SeatLine): string => one.session.value?.waitingSince.value ?? "9";
    const next = this.lines.value.filter((one) => one.session.value).sort((one, other) => waits(one).localeCompare(waits(other)))[0] ?? this.main.value;
    if (next) this.choose(next);
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

  #dropLines(): void {
    for (const line of this.lines.value) line.dispose();
    this.lanes.value = [];
    this.main.value = null;
    this.#chosen.value = "";
  }

  #leave(forget = true): void {
    this.#dropLines();
    this.isPaletteOpen.value = false;
    this.isKeysOpen.value = false;
    this.bell.stop();
    this.notices.forget();
    this.work.forget();
    this.phrases.forget();
    this.ice.forget();
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

function rangAt(line: SeatLine): number {
  return Date.parse(line.offer.value?.offered_at ?? line.invite.value?.asked_at ?? "") || 0;
}

/** 2号席 before 10号席. */
function inOrder(seats: readonly SeatView[]): SeatView[] {
  return [...seats].sort((one, other) => one.name.zh.localeCompare(other.name.zh, "zh-CN", { numeric: true }));
}
