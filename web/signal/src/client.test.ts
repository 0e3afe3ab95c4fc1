import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket as NodeSocket, WebSocketServer, type WebSocket as Peer } from "ws";
import { networkProblem, ProblemError } from "@cloud-booth/api";
import type { ClientFrame, ServerFrame, SessionView } from "@cloud-booth/api";
import { backoff } from "./backoff.ts";
import { SignalClient, type SignalOptions, type SignalState } from "./client.ts";

/** A server that records frames and answers as each test says. */
class Server {
  readonly sockets = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "cloud-booth.v1" });
  readonly frames: ClientFrame[] = [];
  readonly protocols: string[] = [];
  peer: Peer | null = null;
  limits = { message_bytes: 262144, commands_per_s: 20, ping_s: 20, dead_s: 45 };
  answer: (frame: ClientFrame) => void = () => undefined;
  #waiting: { test: () => boolean; done: () => void }[] = [];

  constructor() {
    this.sockets.on("connection", (peer, request) => {
      this.peer = peer;
      this.protocols.push(String(request.headers["sec-websocket-protocol"]));
      peer.on("message", (data) => {
        const frame = JSON.parse(String(data)) as ClientFrame;
        this.frames.push(frame);
        if (frame.type === "hello") this.send({ type: "welcome", version: 1, connection: "con_1", now: "2026-11-21T00:00:00Z", limits: this.limits });
        this.answer(frame);
        this.#waiting = this.#waiting.filter(({ test, done }) => (test() ? (done(), false) : true));
      });
    });
  }
  get url(): string {
    return `ws://127.0.0.1:${(this.sockets.address() as AddressInfo).port}/ws`;
  }
  send(frame: ServerFrame): void {
    this.peer?.send(JSON.stringify(frame));
  }
  until(test: () => boolean): Promise<void> {
    return test() ? Promise.resolve() : new Promise((done) => this.#waiting.push({ test, done }));
  }
  of<Type extends ClientFrame["type"]>(type: Type): Extract<ClientFrame, { type: Type }>[] {
    return this.frames.filter((frame): frame is Extract<ClientFrame, { type: Type }> => frame.type === type);
  }
}

const session = (seq: number): SessionView => ({ id: "ses_1", seq, version: seq }) as SessionView;

let server: Server;
let client: SignalClient;
let tickets = 0;

function open(options: Partial<SignalOptions> = {}): SignalClient {
  client = new SignalClient({
    ticket: async () => `t${++tickets}`,
    url: () => server.url,
    WebSocket: NodeSocket as unknown as SignalOptions["WebSocket"],
    random: () => 0,
    ...options,
  });
  client.start();
  return client;
}
function reached(state: SignalState): Promise<void> {
  return client.state === state ? Promise.resolve() : new Promise((done) => {
    const stop = client.on("state", (now) => {
      if (now !== state) return;
      stop();
      done();
    });
  });
}

beforeEach(async () => {
  server = new Server();
  tickets = 0;
  await once(server.sockets, "listening");
});
afterEach(async () => {
  client.dispose();
  server.sockets.clients.forEach((peer) => peer.terminate());
  await new Promise((done) => server.sockets.close(done));
});

describe("SignalClient", () => {
  it("carries the ticket as a subprotocol and says hello first", async () => {
    open({ client: "booth", language: () => "en" });
    await reached("online");
    expect(server.protocols[0]).toBe("cloud-booth.v1,ticket.t1");
    expect(server.frames[0]).toEqual({ type: "hello", versions: [1], language: "en", client: "booth" });
  });

  it("resolves a command by its id and rejects it with the problem", async () => {
    server.answer = (frame) => {
      if (frame.type !== "command") return;
      if (frame.command.kind === "chat") server.send({ type: "reply", id: frame.id, ok: { kind: "done" } });
      else server.send({ type: "reply", id: frame.id, problem: { type: "x", title: "", status: 409, code: "stale_version", current: { version: 3 } } });
    };
    open();
    await expect(client.command({ kind: "chat", session: "ses_1", text: "您好" })).resolves.toEqual({ kind: "done" });
    const refused = client.command({ kind: "form_set", session: "ses_1", path: "/a", base_version: 1, value: "x" });
    await expect(refused).rejects.toBeInstanceOf(ProblemError);
    await expect(refused).rejects.toMatchObject({ code: "stale_version", problem: { current: { version: 3 } } });
  });

  it("sends a command again with the same id after a drop, with a new ticket", async () => {
    open();
    await reached("online");
    const sent = client.command({ kind: "chat", session: "ses_1", text: "一" }, "key-1");
    await server.until(() => server.of("command").length === 1);
    server.answer = (frame) => {
      if (frame.type === "command") server.send({ type: "reply", id: frame.id, ok: { kind: "done" } });
    };
    server.peer?.terminate();
    await expect(sent).resolves.toEqual({ kind: "done" });
    expect(server.of("command").map((frame) => frame.id)).toEqual(["key-1", "key-1"]);
    expect(server.protocols[1]).toContain("ticket.t2");
  });

  it("reads a journal again from its start, though later entries came in between", async () => {
    server.answer = (frame) => {
      if (frame.type !== "command" || frame.command.kind !== "join") return;
      if (server.of("command").length === 2) server.send({ type: "event", session: "ses_1", event: { seq: 3, at: "", actor: null, body: { kind: "chat", text: "3" } } });
      const upto = server.of("command").length + 1;
      const events = [1, 2, 3].filter((seq) => seq <= upto).map((seq) => ({ seq, at: "", actor: null, body: { kind: "chat" as const, text: String(seq) } }));
      server.send({ type: "reply", id: frame.id, ok: { kind: "joined", session: session(upto), form: null, events } });
    };
    open();
    const seen: number[] = [];
    client.on("event", ({ event }) => seen.push(event.seq));
    await client.join("ses_1");
    await client.again("ses_1");
    expect(server.of("command").map((frame) => frame.command.kind === "join" && frame.command.after_seq)).toEqual([0, 0]);
    expect(seen).toEqual([1, 2, 3, 1, 2, 3]);
  });

  it("rejoins after a drop from the last number seen and gives each entry once", async () => {
    server.answer = (frame) => {
      if (frame.type !== "command" || frame.command.kind !== "join") return;
      const after = frame.command.after_seq ?? 0;
      const events = [1, 2, 3, 5].filter((seq) => seq > after && seq <= (after === 0 ? 2 : 5));
      server.send({
        type: "reply", id: frame.id,
        ok: { kind: "joined", session: session(after === 0 ? 2 : 5), form: null, events: events.map((seq) => ({ seq, at: "", actor: null, body: { kind: "chat", text: String(seq) } })) },
      });
    };
    open();
    const seen: number[] = [];
    let five: () => void = () => undefined;
    const done = new Promise<void>((resolve) => (five = resolve));
    client.on("event", ({ event }) => {
      seen.push(event.seq);
      if (event.seq === 5) five();
    });
    await client.join("ses_1");
    const live = new Promise<void>((resolve) => client.on("event", ({ event }) => event.seq === 3 && resolve()));
    server.send({ type: "event", session: "ses_1", event: { seq: 2, at: "", actor: null, body: { kind: "signed" } } });
    server.send({ type: "event", session: "ses_1", event: { seq: 3, at: "", actor: null, body: { kind: "signed" } } });
    await live;
    server.peer?.terminate();
    await done;
    expect(seen).toEqual([1, 2, 3, 5]);
    expect(server.of("command").map((frame) => frame.command)).toEqual([
      { kind: "join", session: "ses_1", after_seq: 0 },
      { kind: "join", session: "ses_1", after_seq: 3 },
    ]);
  });

  it("watches again after a drop, and not what was forgotten", async () => {
    open();
    client.watchTicket("tkt_1");
    client.watchSeat("sea_1");
    await reached("online");
    await server.until(() => server.of("watch_seat").length === 1);
    client.forget("tkt_1");
    server.peer?.terminate();
    await server.until(() => server.of("watch_seat").length === 2);
    expect(server.of("watch_ticket")).toHaveLength(1);
  });

  it("answers pings, and leaves a line that fell silent", async () => {
    server.limits = { ...server.limits, ping_s: 0.1, dead_s: 0.3 };
    open();
    await reached("online");
    server.send({ type: "ping", n: 7 });
    await server.until(() => server.of("pong").some((frame) => frame.n === 7));
    await reached("reconnecting");
    await reached("online");
    expect(server.protocols.length).toBeGreaterThan(1);
  });

  it("watches a hall again after a drop, and tells by its own questions that a quiet line is alive", async () => {
    server.answer = (frame) => frame.type === "ping" && server.send({ type: "pong", n: frame.n });
    open({ probe_ms: 40 });
    client.watchHall("hal_1");
    await reached("online");
    const watched = (): object[] => server.frames.filter((frame: { type: string }) => frame.type === "watch_hall");
    await server.until(() => watched().length === 1);
    server.peer?.terminate();
    await server.until(() => watched().length === 2);
    expect(watched()[1]).toEqual({ type: "watch_hall", hall: "hal_1" });
    await server.until(() => server.of("ping").length > 0);
    await new Promise<void>((done) => client.on("heard", () => done()));
  });

  it("stays away once the seat was opened elsewhere", async () => {
    open();
    client.watchSeat("sea_1");
    await reached("online");
    const lost = client.command({ kind: "chat", session: "ses_1", text: "x" });
    server.send({ type: "superseded", seat: "sea_1", session: null });
    await reached("superseded");
    await expect(lost).rejects.toMatchObject({ code: "closed" });
    await expect(client.command({ kind: "chat", session: "ses_1", text: "y" })).rejects.toMatchObject({ code: "closed" });
    expect(server.protocols).toHaveLength(1);
  });

  it("stops when the ticket is refused", async () => {
    open({ ticket: () => Promise.reject(networkProblem("token_expired", 401)) });
    await reached("signed_out");
    expect(server.protocols).toHaveLength(0);
  });

  it("ignores frames that it does not know", async () => {
    open();
    await reached("online");
    server.peer?.send("not json");
    server.peer?.send(JSON.stringify({ type: "from_the_future" }));
    server.send({ type: "ping", n: 1 });
    await server.until(() => server.of("pong").length === 1);
    expect(client.state).toBe("online");
  });
});

describe("backoff", () => {
  it("doubles to a ceiling and never falls below half", () => {
    expect([0, 1, 2, 20].map((attempt) => backoff(attempt, 1))).toEqual([250, 500, 1000, 8000]);
    expect(backoff(20, 0)).toBe(4000);
  });
});
