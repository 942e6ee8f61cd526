import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { askGate, type GateTools } from "../../../src/control/gates/ask.ts";
import type { Gate, GateTest } from "../../../src/model/ruleset.ts";
import { parseTimeWindow } from "../../../src/model/time-window.ts";
import { json, type Script, stall, startBackend } from "../../support/backend.ts";

const TOOLS: GateTools = {
  wallMs: () => Date.parse("2026-01-05T10:00:00Z"),
  preflight: async () => ({ answer: "yes", why: "all well" }),
};
const BELOW_5: GateTest = { by: "below", value: 5 };

async function askHttp(script: Script, fields: Partial<Extract<Gate, { kind: "http" }>> = {}) {
  await using backend = await startBackend(script);
  const gate: Gate = {
    kind: "http",
    url: `${backend.url}/lag`,
    path: "$.lagSeconds",
    test: BELOW_5,
    everyMs: 10_000,
    timeoutMs: 5_000,
    ...fields,
  };
  return await askGate(gate, TOOLS); // before the backend goes
}

async function askPrometheus(script: Script, test: GateTest = BELOW_5) {
  await using backend = await startBackend(script);
  const gate: Gate = {
    kind: "prometheus",
    url: backend.url,
    query: 'max(lag{job="copy"})',
    test,
    everyMs: 10_000,
    timeoutMs: 5_000,
  };
  const said = await askGate(gate, TOOLS);
  return { ...said, url: backend.seen[0]?.url };
}

const vector = (...values: string[]): Script =>
  json({
    status: "success",
    data: { resultType: "vector", result: values.map((value) => ({ metric: {}, value: [1, value] })) },
  });

describe("an HTTP gate", () => {
  test("says yes below its limit and no at it, with what it saw", async () => {
    assert.deepEqual(await askHttp(json({ lagSeconds: 4.9 })), { answer: "yes", why: "$.lagSeconds is 4.9" });
    const said = await askHttp(json({ lagSeconds: 5 }));
    assert.deepEqual(said, { answer: "no", why: "$.lagSeconds is 5, needs below 5" });
  });

  test("compares texts and truth by equality", async () => {
    const done: GateTest = { by: "equals", value: "done" };
    assert.equal((await askHttp(json({ lagSeconds: "done" }), { test: done })).answer, "yes");
    assert.equal((await askHttp(json({ lagSeconds: "doing" }), { test: done })).answer, "no");
    const yes: GateTest = { by: "equals", value: true };
    assert.equal((await askHttp(json({ lagSeconds: "true" }), { test: yes })).answer, "no");
  });

  test("every other answer is an error, never a yes", async () => {
    const text: Script = (_req, res) => res.end("4");
    const redirect: Script = (_req, res) => res.writeHead(302, { location: "/elsewhere" }).end();
    const huge: Script = (_req, res) => res.end(JSON.stringify({ lagSeconds: 1, pad: "x".repeat(70_000) }));
    const cases: readonly (readonly [Script, RegExp])[] = [
      [json({ lagSeconds: "4" }), /is "4", which is no number/],
      [json({ lag: 4 }), /names 0 values/],
      [json({ lagSeconds: null }), /is null, which is no number/],
      [(_req, res) => res.end('{"lagSeconds":-1e999}'), /is -Infinity, which is no number/],
      [json({ lagSeconds: 1 }, 500), /answered 500/],
      [redirect, /answered 302/],
      [text, /names 0 values/],
      [(_req, res) => res.end("<p>4"), /no JSON/],
      [huge, /larger than 65536 bytes/],
      [(req) => req.socket.destroy(), /./],
    ];
    for (const [script, why] of cases) {
      const said = await askHttp(script);
      assert.equal(said.answer, "error");
      assert.match(said.why, why);
    }
  });

  test("a gate that hangs is an error after its time limit", async () => {
    const said = await askHttp(stall, { timeoutMs: 50 });
    assert.deepEqual(said, { answer: "error", why: "no answer within 50 ms" });
    const drip: Script = (_req, res) => {
      res.write("{");
    };
    assert.equal((await askHttp(drip, { timeoutMs: 50 })).why, "no answer within 50 ms");
  });

  test("a peer that never shakes hands is an error after its time limit", async () => {
    const server = createServer(() => {}).listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const { port } = server.address() as AddressInfo;
      const said = await askHttp(json({}), { url: `https://127.0.0.1:${port}/`, timeoutMs: 50 });
      assert.deepEqual(said, { answer: "error", why: "no answer within 50 ms" });
    } finally {
      server.close();
    }
  });

  test("what it found cannot speak to the terminal", async () => {
    const said = await askHttp(json({ lagSeconds: `\u001b[2J${"x".repeat(500)}` }));
    assert.ok(said.why.length < 200);
    assert.doesNotMatch(said.why, /\p{Cc}/u);
  });
});

describe("a Prometheus gate", () => {
  test("asks the query API and compares the one value", async () => {
    const said = await askPrometheus(vector("4.5"));
    assert.deepEqual(said, {
      answer: "yes",
      why: "the query is 4.5",
      url: "/api/v1/query?query=max%28lag%7Bjob%3D%22copy%22%7D%29",
    });
    const scalar = json({ status: "success", data: { resultType: "scalar", result: [1, "6"] } });
    assert.equal((await askPrometheus(scalar)).answer, "no");
  });

  test("no series, several, and what is no number are errors", async () => {
    const scalarOf = (value: unknown): Script =>
      json({ status: "success", data: { resultType: "scalar", result: [1, value] } });
    const one = (value: unknown): Script =>
      json({ status: "success", data: { resultType: "vector", result: [{ value: [1, value] }] } });
    for (const [script, why] of [
      [one(""), /is "", which is no number/],
      [one(null), /is null, which is no number/],
      [one("-Inf"), /is "-Inf", which is no number/],
      [scalarOf("+Inf"), /is "\+Inf", which is no number/],
      [scalarOf(null), /no number/],
      [scalarOf(" "), /no number/],
      [vector(), /0 series: nothing matches; where that means 0 write `… or vector\(0\)`/],
      [vector("1", "2"), /2 series: aggregate/],
      [vector("NaN"), /no number/],
      [json({ status: "error", error: "bad" }), /not one of Prometheus/],
      [json({ status: "success", data: { resultType: "matrix", result: [] } }), /gives a matrix/],
    ] as const) {
      const said = await askPrometheus(script);
      assert.equal(said.answer, "error");
      assert.match(said.why, why);
    }
  });
});

describe("other gates", () => {
  test("a file gate follows the file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cutover-gate-"));
    try {
      const path = join(folder, "go");
      const gate = { kind: "file", path, present: true, everyMs: 1_000 } as const;
      assert.equal((await askGate(gate, TOOLS)).answer, "no");
      await writeFile(path, "");
      assert.equal((await askGate(gate, TOOLS)).answer, "yes");
      assert.equal((await askGate({ ...gate, present: false }, TOOLS)).answer, "no");
      assert.equal((await askGate({ ...gate, path: join(path, "below") }, TOOLS)).answer, "no");
      assert.equal((await askGate({ ...gate, path: `${path}\0` }, TOOLS)).answer, "error");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("a time window says when it opens", async () => {
    const window = parseTimeWindow("Mon-Fri 12:00-13:00");
    assert.ok(window.ok);
    const said = await askGate({ kind: "window", window: window.value }, TOOLS);
    assert.deepEqual(said, { answer: "no", why: "outside Mon-Fri 12:00-13:00, opens in 2 h" });
    const noon = { ...TOOLS, wallMs: () => Date.parse("2026-01-05T12:30:00Z") };
    assert.equal((await askGate({ kind: "window", window: window.value }, noon)).answer, "yes");
  });
});
