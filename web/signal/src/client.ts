/** One WebSocket per page. Owns hello, watches, joins with resume, commands with their retry, heartbeat, reconnecting.
 * Never owns what the frames mean: it hands them on. A command keeps its id over reconnects, so the server does it once.
 * Hidden journal entries leave gaps in `seq`, so a gap is not a loss; order within a connection is the transport's. */
import { newKey, networkProblem, ProblemError, PROTOCOL_VERSION, SUBPROTOCOL } from "@cloud-booth/api";
import type { ClientFrame, Command, CommandReply, Ephemeral, FormView, Language, Problem, SeatView, ServerFrame, SessionEvent, SessionView, SlotView, TicketView, WsLimits } from "@cloud-booth/api";
import { backoff } from "./backoff.ts";
import { Emitter } from "./emitter.ts";

export type SignalState = "idle" | "connecting" | "online" | "reconnecting" | "superseded" | "signed_out" | "closed";
export type JoinedReply = Extract<CommandReply, { kind: "joined" }>;

export type SignalEvents = {
  state: SignalState;
  ticket: TicketView;
  seat: SeatView;
  session: SessionView;
  form: { session: string; form: FormView };
  slots: { session: string; slots: SlotView[] };
  /** The room's video codec changed: the page's connection is to offer again. */
  renegotiate: { session: string };
  /** Journal entries, each once and in order, replayed ones included. */
  event: { session: string; event: SessionEvent; replayed: boolean };
  ephemeral: { session: string; from: string | null; body: Ephemeral };
  /** After each (re)join: the snapshot. */
  joined: JoinedReply;
  superseded: { seat: string | null; session: string | null };
  /** Any frame came: the line is alive. */
  heard: number;
  problem: Problem;
  /** Frames that only single pages understand (a supervisor's notice, the wallboard, a call-back that rings), as they came. */
  frame: { type: string };
};

export interface SignalOptions {
  /** A fresh single-use ticket (`POST /api/v1/ws-tickets`). */
  ticket: () => Promise<string>;
  /** Default: `/ws` of this page's host. */
  url?: () => string;
  language?: () => Language;
  /** `booth`, `phone`, `console`: for the server's log alone. */
  client?: string;
  /** Asks the server after this much silence, milliseconds, so that `heard` tells within seconds when a quiet line is dead. */
  probe_ms?: number;
  WebSocket?: new (url: string, protocols: string[]) => WebSocket;
  random?: () => number;
}

interface Pending {
  command: Command;
  resolve: (reply: CommandReply) => void;
  reject: (error: ProblemError) => void;
  timer: ReturnType<typeof setTimeout>;
}

/** How long a command may wait for its answer, reconnecting included, milliseconds. */
const COMMAND_MS = 30_000;
const PENDING_MAX = 100;
const CONNECT_MS = 10_000;
const FIRST_LIMITS: WsLimits = { message_bytes: 262_144, commands_per_s: 20, ping_s: 20, dead_s: 45 };

export class SignalClient {
  readonly events = new Emitter<SignalEvents>();
  readonly #options: SignalOptions;
  #state: SignalState = "idle";
  #socket: WebSocket | null = null;
  #isWelcome = false;
  #limits = FIRST_LIMITS;
  #attempt = 0;
  #round = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #connectTimer: ReturnType<typeof setTimeout> | undefined;
  #heart: ReturnType<typeof setInterval> | undefined;
  #heard = 0;
  #ping = 0;
  readonly #pending = new Map<string, Pending>();
  readonly #tickets = new Set<string>();
  readonly #seats = new Set<string>();
  readonly #halls = new Set<string>();
  /** Joined sessions and the last journal number seen. */
  readonly #sessions = new Map<string, number>();
  /** Sessions whose journal was asked for from its start. */
  readonly #fromStart = new Set<string>();
  readonly #online = (): void => this.#hurry();

  constructor(options: SignalOptions) {
    this.#options = options;
  }

  get state(): SignalState {
    return this.#state;
  }
  on<Name extends keyof SignalEvents>(name: Name, listener: (value: SignalEvents[Name]) => void): () => void {
    return this.events.on(name, listener);
  }

  start(): void {
    if (this.#state !== "idle") return;
    if (typeof window !== "undefined") window.addEventListener("online", this.#online);
    this.#set("connecting");
    void this.#connect();
  }

  /** Sends a command and waits for its answer, over reconnects if need be. Rejects with `ProblemError`. */
  command<Reply extends CommandReply = CommandReply>(command: Command, id: string = newKey()): Promise<Reply> {
    if (this.#isOver()) return Promise.reject(networkProblem("closed"));
    if (this.#pending.size >= PENDING_MAX) return Promise.reject(networkProblem("too_many_pending"));
    return new Promise<Reply>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(networkProblem("timeout"));
      }, COMMAND_MS);
      this.#pending.set(id, { command, resolve: resolve as (reply: CommandReply) => void, reject, timer });
      if (this.#isWelcome) this.#send({ type: "command", id, command });
    });
  }

  /** A hint; lost without harm when the line is down. */
  hint(session: string, body: Ephemeral): void {
    if (this.#isWelcome) this.#send({ type: "ephemeral", session, body });
  }

  watchTicket(ticket: string): void {
    if (this.#tickets.has(ticket)) return;
    this.#tickets.add(ticket);
    if (this.#isWelcome) this.#send({ type: "watch_ticket", ticket });
  }
  watchSeat(seat: string): void {
    if (this.#seats.has(seat)) return;
    this.#seats.add(seat);
    if (this.#isWelcome) this.#send({ type: "watch_seat", seat });
  }
  watchHall(hall: string): void {
    if (this.#halls.has(hall)) return;
    this.#halls.add(hall);
    if (this.#isWelcome) this.#send({ type: "watch_hall", hall } as object as ClientFrame);
  }
  /** Not watched again after a reconnect. */
  forget(id: string): void {
    this.#tickets.delete(id);
    this.#seats.delete(id);
    this.#halls.delete(id);
    this.#sessions.delete(id);
  }

  /** Enters a session; after every reconnect it is entered again by itself, with what was missed replayed as events. */
  join(session: string): Promise<JoinedReply> {
    if (!this.#sessions.has(session)) this.#sessions.set(session, 0);
    return this.#join(session);
  }

  /** From the start of the journal: what was hidden from this member may be seen by now. */
  again(session: string): Promise<JoinedReply> {
    this.#fromStart.add(session);
    return this.command<JoinedReply>({ kind: "join", session, after_seq: 0 });
  }

  dispose(): void {
    if (typeof window !== "undefined") window.removeEventListener("online", this.#online);
    this.#end("closed");
    this.events.clear();
  }

  #join(session: string): Promise<JoinedReply> {
    return this.command<JoinedReply>({ kind: "join", session, after_seq: this.#sessions.get(session) ?? 0 });
  }

  #isOver(): boolean {
    return this.#state === "closed" || this.#state === "signed_out" || this.#state === "superseded";
  }
  #set(state: SignalState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.events.emit("state", state);
  }

  async #connect(): Promise<void> {
    const round = ++this.#round;
    const isStale = (): boolean => round !== this.#round || this.#isOver();
    let ticket: string;
    try {
      ticket = await this.#options.ticket();
    } catch (error) {
      if (isStale()) return;
      if (error instanceof ProblemError && (error.status === 401 || error.status === 403)) this.#end("signed_out");
      else this.#again();
      return;
    }
    if (isStale()) return;
    const Socket = this.#options.WebSocket ?? WebSocket;
    let socket: WebSocket;
    try {
      socket = new Socket(this.#options.url?.() ?? defaultUrl(), [SUBPROTOCOL, `ticket.${ticket}`]);
    } catch {
      this.#again();
      return;
    }
    this.#socket = socket;
    this.#isWelcome = false;
    this.#connectTimer = setTimeout(() => this.#drop(socket), CONNECT_MS);
    socket.onopen = () => {
      if (this.#socket !== socket) return;
      this.#send({ type: "hello", versions: [PROTOCOL_VERSION], language: this.#options.language?.() ?? "zh-CN", client: this.#options.client ?? "" });
    };
    socket.onmessage = (message: MessageEvent) => {
      if (this.#socket === socket) this.#receive(message.data);
    };
    socket.onclose = () => this.#lost(socket);
    // An error is always followed by a close.
    socket.onerror = () => undefined;
  }

  #receive(data: unknown): void {
    this.#heard = Date.now();
    this.events.emit("heard", this.#heard);
    let frame: ServerFrame;
    try {
      frame = JSON.parse(String(data)) as ServerFrame;
    } catch {
      return;
    }
    switch (frame.type) {
      case "welcome":
        return this.#welcome(frame.limits);
      case "reply":
        return this.#reply(frame);
      case "event":
        return this.#event(frame.session, frame.event, false);
      case "ticket":
        return this.events.emit("ticket", frame.ticket);
      case "seat":
        return this.events.emit("seat", frame.seat);
      case "session":
        return this.events.emit("session", frame.session);
      case "form":
        return this.events.emit("form", { session: frame.session, form: frame.form });
      case "slots":
        return this.events.emit("slots", { session: frame.session, slots: frame.slots });
      case "renegotiate":
        return this.events.emit("renegotiate", { session: frame.session });
      case "ephemeral":
        return this.events.emit("ephemeral", { session: frame.session, from: frame.from ?? null, body: frame.body });
      case "superseded":
        return this.#superseded(frame.seat ?? null, frame.session ?? null);
      case "signed_out":
        return this.#end("signed_out");
      case "error":
        return this.events.emit("problem", frame.problem);
      case "ping":
        return this.#send({ type: "pong", n: frame.n });
      case "pong":
        return;
      default:
        // What is not everybody's is handed on; a newer server may say more than any page knows.
        return this.events.emit("frame", frame as { type: string });
    }
  }

  #welcome(limits: WsLimits): void {
    clearTimeout(this.#connectTimer);
    this.#isWelcome = true;
    this.#limits = limits;
    this.#attempt = 0;
    this.#beat();
    for (const ticket of this.#tickets) this.#send({ type: "watch_ticket", ticket });
    for (const seat of this.#seats) this.#send({ type: "watch_seat", seat });
    for (const hall of this.#halls) this.#send({ type: "watch_hall", hall } as object as ClientFrame);
    const joining = new Set([...this.#pending.values()].map(({ command }) => (command.kind === "join" ? command.session : "")));
    // The rejoin goes first: a command of a member who is still counted as gone would be refused.
    const early = [...this.#pending];
    for (const session of this.#sessions.keys()) {
      if (!joining.has(session)) void this.#join(session).catch((error: ProblemError) => this.events.emit("problem", error.problem));
    }
    for (const [id, { command }] of early) this.#send({ type: "command", id, command });
    this.#set("online");
  }

  #reply(frame: Extract<ServerFrame, { type: "reply" }>): void {
    const pending = this.#pending.get(frame.id);
    if (!pending) return;
    this.#pending.delete(frame.id);
    clearTimeout(pending.timer);
    if ("problem" in frame) {
      pending.reject(new ProblemError(frame.problem));
      return;
    }
    const reply = frame.ok;
    if (reply.kind === "joined") {
      // Set back only now: what came live in between is part of the answer.
      if (this.#fromStart.delete(reply.session.id)) this.#sessions.set(reply.session.id, 0);
      this.events.emit("joined", reply);
      for (const event of reply.events) this.#event(reply.session.id, event, true);
      const last = this.#sessions.get(reply.session.id);
      if (last !== undefined) this.#sessions.set(reply.session.id, Math.max(last, reply.session.seq));
    }
    pending.resolve(reply);
  }

  #event(session: string, event: SessionEvent, replayed: boolean): void {
    const last = this.#sessions.get(session);
    if (last === undefined || event.seq <= last) return;
    this.#sessions.set(session, event.seq);
    this.events.emit("event", { session, event, replayed });
  }

  #superseded(seat: string | null, session: string | null): void {
    if (seat) this.#seats.delete(seat);
    if (session) this.#sessions.delete(session);
    this.events.emit("superseded", { seat, session });
    // Nothing left to listen to: reconnecting would only take the seat back from the newer page.
    if (this.#seats.size + this.#sessions.size + this.#tickets.size + this.#halls.size === 0) this.#end("superseded");
  }

  #send(frame: ClientFrame): void {
    const socket = this.#socket;
    if (socket?.readyState === 1) socket.send(JSON.stringify(frame));
  }

  /** The server pings; silence beyond its limit is a dead line, and half of it is worth a question. */
  #beat(): void {
    clearInterval(this.#heart);
    const probe = this.#options.probe_ms;
    this.#heard = Date.now();
    this.#heart = setInterval(() => {
      const silent = Date.now() - this.#heard;
      if (silent > this.#limits.dead_s * 1000) this.#drop(this.#socket);
      else if (silent > (probe ?? this.#limits.ping_s * 1500)) this.#send({ type: "ping", n: ++this.#ping });
    }, probe ? probe / 2 : Math.max(50, (this.#limits.ping_s * 1000) / 4));
  }

  #drop(socket: WebSocket | null): void {
    if (!socket) return;
    socket.close();
    this.#lost(socket);
  }
  #lost(socket: WebSocket): void {
    if (this.#socket !== socket) return;
    this.#release();
    if (!this.#isOver()) this.#again();
  }
  #release(): void {
    clearTimeout(this.#connectTimer);
    clearInterval(this.#heart);
    this.#socket = null;
    this.#isWelcome = false;
  }
  #again(): void {
    this.#set("reconnecting");
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#connect(), backoff(this.#attempt, (this.#options.random ?? Math.random)()));
    this.#attempt += 1;
  }
  /** The network came back: no need to sit out the wait. */
  #hurry(): void {
    if (this.#state !== "reconnecting" || this.#socket) return;
    clearTimeout(this.#retry);
    this.#attempt = 0;
    void this.#connect();
  }

  #end(state: "closed" | "signed_out" | "superseded"): void {
    if (this.#isOver()) return;
    this.#round += 1;
    clearTimeout(this.#retry);
    const socket = this.#socket;
    this.#release();
    socket?.close();
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(networkProblem("closed"));
    }
    this.#pending.clear();
    this.#set(state);
  }
}

function defaultUrl(): string {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return `${scheme}://${location.host}/ws`;
}
