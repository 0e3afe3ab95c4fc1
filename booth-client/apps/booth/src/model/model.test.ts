// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bridgeAddress } from "./bridge.ts";
import { dropAll, fileAddress, openAddresses } from "./files.ts";
import { clearBrowser, leftovers } from "./wipe.ts";
import { Visit } from "./visit.ts";
import type { BoothIdentity } from "./identity.ts";
import type { TicketView } from "@cloud-booth/api";

const at = (address: string): Location => new URL(address) as unknown as Location;

describe("the host's address", () => {
  it("is fixed", () => expect(bridgeAddress(at("https://hall.example/booth/"))).toBe("http://127.0.0.1:8091"));
  it("may be another loopback port for a page on loopback", () => expect(bridgeAddress(at("http://127.0.0.1:8080/booth/?bridge=http://127.0.0.1:9"))).toBe("http://127.0.0.1:9"));
  it("is never taken from the address of a public page, nor another machine", () => {
    expect(bridgeAddress(at("https://hall.example/booth/?bridge=http://127.0.0.1:9"))).toBe("http://127.0.0.1:8091");
    expect(bridgeAddress(at("http://localhost:8080/booth/?bridge=http://evil.example"))).toBe("http://127.0.0.1:8091");
    expect(bridgeAddress(at("http://localhost:8080/booth/?bridge=http://127.0.0.1.evil.example:80"))).toBe("http://127.0.0.1:8091");
  });
});

describe("the wipe", () => {
  beforeEach(() => {
    URL.createObjectURL = vi.fn(() => `blob:${Math.random()}`);
    URL.revokeObjectURL = vi.fn();
  });
  afterEach(() => dropAll());

  it("says what is left, and leaves nothing", async () => {
    localStorage.setItem("a", "1");
    sessionStorage.setItem("b", "1");
    document.cookie = "c=1; path=/";
    const address = fileAddress(new Blob(["receipt"]));
    const field = document.body.appendChild(document.createElement("input"));
    field.value = "429006199003071513";
    expect(await leftovers()).toEqual(["local_storage", "session_storage", "cookies", "files"]);
    await clearBrowser();
    expect(await leftovers()).toEqual([]);
    expect(field.value).toBe("");
    expect(URL.revokeObjectURL).toHaveBeenCalledWith(address);
    expect(openAddresses()).toBe(0);
  });
  it("notices a store that does not empty", async () => {
    localStorage.setItem("a", "1");
    const clear = vi.spyOn(Storage.prototype, "clear").mockImplementation(() => undefined);
    await clearBrowser();
    expect(await leftovers()).toContain("local_storage");
    clear.mockRestore();
    localStorage.clear();
  });
});

describe("a visit", () => {
  const ticket = (version: number, id = "tkt_1"): TicketView => ({
    id, number: "A001", state: "waiting", version, item: null, class: "normal", ahead: version, waiting: 1, seats_on_duty: 1, estimate: null, enqueued_at: "", session: null, next_ticket: null, reason: null, mode: "video",
  });
  it("drops snapshots that are older than the one shown", () => {
    const visit = new Visit({} as BoothIdentity);
    visit.setTicket(ticket(3));
    visit.setTicket(ticket(2));
    expect(visit.state.ticket?.version).toBe(3);
    visit.setTicket(ticket(1, "tkt_2"));
    expect(visit.state.ticket?.id).toBe("tkt_2");
  });
  it("opens once for two presses, and forgets all", async () => {
    const post = vi.fn(async () => ({ access_token: "t", expires_at: "", visit: { id: "vis_1", card_nonce: "n" } }));
    const identity = { ready: async () => undefined, state: { view: { hall: "h" } }, api: { post } } as unknown as BoothIdentity;
    const visit = new Visit(identity);
    await Promise.all([visit.open(), visit.open()]);
    expect(post).toHaveBeenCalledTimes(1);
    expect(await visit.cardNonce()).toBe("n");
    visit.forget();
    expect(visit.isOpen).toBe(false);
    expect(visit.state.view).toBeNull();
  });
});
