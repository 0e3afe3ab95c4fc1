import { describe, expect, it } from "vitest";
import { networkProblem, ProblemError, type ApiClient, type Verification } from "@cloud-booth/api";
import { askedOf, FILE_MAX, tidy, Verifier } from "./verify.ts";

const valid = { outcome: "valid", checked_at: "2026-11-21T00:00:00Z", file_matches: null } as Verification;
function played(answers: (Verification | Error)[]) {
  const bodies: unknown[] = [];
  const api = {
    post: async (_path: string, body: unknown) => {
      bodies.push(body);
      const answer = answers.shift();
      if (!answer || answer instanceof Error) throw answer ?? networkProblem("network");
      return answer;
    },
    upload: async () => ({ sm3: "ab", bytes: 1 }),
  } as unknown as ApiClient;
  return { verifier: new Verifier(api), bodies };
}
const asked = { number: "YJ-1", code: "ABCD2345" };

describe("verification", () => {
  it("reads the address of the QR code and forgives how people type", () => {
    expect(askedOf("#n=YJ-1&v=abcd2345")).toEqual(asked);
    expect(tidy(" ＹＪ-1 ", "abcd 2345")).toEqual(asked);
    expect(askedOf("#n=YJ-1")).toBeNull();
    expect(askedOf("#main")).toBeNull();
  });
  it("has no outcome without an answer, even after an earlier valid one", async () => {
    const { verifier } = played([valid, networkProblem("network")]);
    await verifier.check(asked);
    expect(verifier.state.answer?.outcome).toBe("valid");
    await verifier.check(asked);
    expect(verifier.state.stage).toBe("cannot");
    expect(verifier.state.answer).toBeNull();
  });
  it("takes a shown outcome away when the network goes", async () => {
    const { verifier } = played([valid]);
    await verifier.check(asked);
    verifier.offline();
    expect(verifier.state.stage).toBe("cannot");
    expect(verifier.state.answer).toBeNull();
  });
  it("does not show an answer that comes after the network went", async () => {
    const { verifier } = played([valid]);
    const running = verifier.check(asked);
    verifier.offline();
    await running;
    expect(verifier.state.stage).toBe("cannot");
  });
  it("tells a refusal from an absent server", async () => {
    const { verifier } = played([new ProblemError({ type: "", title: "", status: 429, code: "too_many" }), new ProblemError({ type: "", title: "", status: 503, code: "down" })]);
    await verifier.check(asked);
    expect(verifier.state.stage).toBe("refused");
    await verifier.check(asked);
    expect(verifier.state.stage).toBe("cannot");
  });
  it("sends the digest of a compared file, and refuses a file that is too large before sending", async () => {
    const { verifier, bodies } = played([valid, { ...valid, outcome: "altered", file_matches: false }]);
    await verifier.check(asked);
    await verifier.compare(new Blob(["x"]));
    expect(bodies[1]).toEqual({ ...asked, file_sm3: "ab" });
    expect(verifier.state.answer?.outcome).toBe("altered");
    await verifier.compare({ size: FILE_MAX + 1 } as Blob);
    expect(verifier.state.file).toBe("too_large");
    expect(bodies).toHaveLength(2);
  });
});
