import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { GateKeeper } from "../../../src/control/gates/keeper.ts";
import { preflight } from "../../../src/control/gates/preflight.ts";
import type { GateSaid } from "../../../src/model/gate-test.ts";
import type { Backend, Gate } from "../../../src/model/ruleset.ts";
import { json, startBackend } from "../../support/backend.ts";
import { until } from "../../support/until.ts";

const FILE: Gate = { kind: "file", path: "/go", present: true, everyMs: 5 };

function keeperWith(ask: (route: string, gate: Gate) => Promise<GateSaid>) {
  let nowMs = 0;
  const keeper = new GateKeeper({ ask, nowMs: () => nowMs });
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { keeper, pass, [Symbol.dispose]: () => keeper.stop() };
}

describe("the gate keeper", () => {
  test("a gate that was not asked yet has an error", () => {
    using room = keeperWith(() => new Promise(() => {}));
    room.keeper.want("r", { go: FILE });
    assert.deepEqual(room.keeper.answers("r", ["go", "other"]), [
      { name: "go", answer: "error", why: "not asked yet" },
      { name: "other", answer: "error", why: "not asked yet" },
    ]);
  });

  test("it asks again and again, and gives the last answer", async () => {
    let asked = 0;
    using room = keeperWith(async () => ({ answer: ++asked > 3 ? "yes" : "no", why: `${asked}` }));
    room.keeper.want("r", { go: FILE });
    await until("yes", () => room.keeper.answers("r", ["go"])[0]?.answer === "yes");
  });

  test("an old answer is none, and a gate that hangs is asked once at a time", async () => {
    let asked = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    using room = keeperWith(async () => {
      if (++asked === 2) {
        resolve();
        return new Promise<GateSaid>(() => {});
      }
      return { answer: "yes", why: "fine" };
    });
    room.keeper.want("r", { go: FILE });
    await promise;
    room.pass(6_000);
    const [said] = room.keeper.answers("r", ["go"]);
    assert.deepEqual(said, { name: "go", answer: "error", why: "no answer for 6 s; the last one: fine" });
    assert.equal(asked, 2);
  });

  test("gates that nobody waits for are not asked any more; one that changed is asked anew", async () => {
    const asked: string[] = [];
    using room = keeperWith(async (route, gate) => {
      asked.push(`${route} ${"path" in gate ? gate.path : ""}`);
      return { answer: "yes", why: "" };
    });
    const SLOW = { ...FILE, everyMs: 1_000_000 };
    room.keeper.want("r", { go: SLOW });
    room.keeper.want("r2", { go: SLOW });
    room.keeper.want("r", { go: { ...SLOW, path: "/other" } });
    await Promise.all([room.keeper.refresh("r2"), room.keeper.refresh("r")]);
    assert.deepEqual(asked, ["r /go", "r2 /go", "r /other"]);
    room.keeper.want("r2", {});
    assert.equal(room.keeper.answers("r2", ["go"])[0]?.why, "not asked yet");
    assert.equal(room.keeper.answers("r", ["go"])[0]?.answer, "yes");
  });
});

describe("the pre-flight gate", () => {
  const backend = (name: string, url: string): Backend => ({
    name,
    urls: [url],
    timeouts: { connectMs: 1, headersMs: 1, stallMs: 1, requestMs: null },
    maxConnections: 1,
    maxWaiting: 1,
    health: null,
    host: { kind: "keep" },
    tls: null,
  });

  test("wants a rehearsed rollback and backends that answer", async () => {
    // No ephemeral port, so that no test beside this one comes to listen there.
    const gone = "http://127.0.0.1:1";
    await using alive = await startBackend(json({}));
    const facts = {
      rehearsedAt: null,
      backends: [backend("legacy", alive.url), backend("modern", gone)],
      isHealthy: () => null,
    };
    const said = await preflight("r", facts);
    assert.equal(said.answer, "no");
    assert.match(said.why, /never rehearsed \(`cutover rollback r`.*; modern http.* accepts no connection$/);
    const well = { ...facts, rehearsedAt: "2026-01-05", backends: [backend("legacy", alive.url)] };
    assert.equal((await preflight("r", well)).answer, "yes");
    assert.match((await preflight("r", { ...well, isHealthy: () => false })).why, /legacy .* is unhealthy/);
  });
});
