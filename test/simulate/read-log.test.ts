import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";

import type { AccessFields } from "../../src/observe/access-line.ts";
import { ecsLine } from "../../src/observe/ecs.ts";
import { ecsAccessLine } from "../../src/observe/ecs-access.ts";
import { type LoggedRequest, readLine } from "../../src/simulate/log-line.ts";
import { readLog } from "../../src/simulate/read-log.ts";
import { atBoundedCost } from "../support/cost.ts";

const OURS = {
  level: 30,
  time: "2026-01-05T10:00:00.000Z",
  msg: "request",
  route: "profiles",
  side: "old",
  method: "GET",
  path: "/profiles/7",
  status: 200,
  failure: null,
  durationMs: 12.5,
  backendMs: 10,
  key: "5d41402abc4b2a76",
};

/** What is logged too, and not read. */
const OTHER_FIELDS = {
  reason: "default",
  rules: "0123456789ab",
  fallback: false,
  shadow: false,
  requestId: "id-1",
  traceId: "",
  bytesIn: 0,
  bytesOut: 0,
};

function request(line: string | object): LoggedRequest {
  const read = readLine(typeof line === "string" ? line : JSON.stringify(line));
  assert.equal(read.kind, "request", JSON.stringify(read));
  return (read as Extract<typeof read, { kind: "request" }>).request;
}

async function* pieces(...texts: string[]): AsyncGenerator<string> {
  yield* texts;
}

async function times(...texts: string[]) {
  const seen: number[] = [];
  const summary = await readLog(pieces(...texts), ({ atMs }) => seen.push(atMs - Date.parse(OURS.time)));
  return { seen, summary };
}

describe("a line of an access log", () => {
  test("our own has route, key and the backend's time", () => {
    assert.deepEqual(request(OURS), {
      atMs: Date.parse("2026-01-05T10:00:00Z"),
      method: "GET",
      target: "/profiles/7",
      host: null,
      ip: "",
      route: "profiles",
      side: "old",
      key: "5d41402abc4b2a76",
      failed: false,
      clientError: false,
      durationMs: 10,
    });
  });

  test("one that was logged in ECS is the same request", () => {
    const lines = [
      OURS,
      { ...OURS, status: 504, failure: "http_response_timeout", backendMs: null, key: null },
    ];
    for (const { level: _, time, msg, ...fields } of lines) {
      const ecs = ecsAccessLine({ ...OTHER_FIELDS, ...fields } as AccessFields, time);
      assert.deepEqual(request(ecs), request({ time, msg, ...fields }));
    }
    const event = ecsLine({ level: "info", time: OURS.time, msg: "reload", fields: { by: "rules" } });
    assert.equal(readLine(JSON.stringify(event)).kind, "other");
  });

  test("failures are 5xx and those by name, and a client that left is none", () => {
    assert.equal(request({ ...OURS, status: 502 }).failed, true);
    assert.equal(request({ ...OURS, status: 504, failure: "http_response_timeout" }).failed, true);
    assert.equal(request({ ...OURS, status: 499, failure: "client_gone" }).failed, false);
    assert.equal(request({ ...OURS, status: 404 }).clientError, true);
  });

  test("events of ours are no requests, and no mistakes", () => {
    assert.equal(readLine('{"msg":"reload"}').kind, "other");
    assert.equal(readLine("  ").kind, "other");
  });

  test("common and combined format, with a zone and a request time at the end", () => {
    const common = '192.0.2.7 - frank [10/Oct/2026:13:55:36 -0700] "GET /a?b=1 HTTP/1.0" 503 2326';
    assert.deepEqual(request(common), {
      atMs: Date.parse("2026-10-10T20:55:36Z"),
      method: "GET",
      target: "/a?b=1",
      host: null,
      ip: "192.0.2.7",
      route: null,
      side: null,
      key: null,
      failed: true,
      clientError: false,
      durationMs: null,
    });
    const combined = `${common} "http://example.com/" "Mozilla/5.0 (X11)" 0.125`;
    assert.equal(request(combined).durationMs, 125);
    assert.equal(request(`${common} "-" "agent/1.5"`).durationMs, null);
    assert.equal(request(common.replace("503", "499")).clientError, false);
    assert.equal(request(common.replace("frank", "frank miller")).ip, "192.0.2.7");
  });

  test("whatever else comes has a reason, and no line takes long", () => {
    const far = JSON.stringify({ ...OURS, time: "9999-01-01T00:00:00Z" });
    const noDay = '192.0.2.7 - - [31/Feb/2026:13:55:36 -0700] "GET /a HTTP/1.0" 200 2';
    const noHour = '192.0.2.7 - - [10/Oct/2026:25:55:36 -0700] "GET /a HTTP/1.0" 200 2';
    const bad = [
      '{"msg":"request"',
      '{"msg":"request","time":"x"}',
      "hello",
      "- - - [x]",
      far,
      noDay,
      noHour,
    ];
    for (const line of bad) {
      assert.equal(readLine(line).kind, "unreadable");
    }
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => void readLine(text)));
    atBoundedCost(() => readLine(`${"a ".repeat(30_000)}[`));
    atBoundedCost(() => readLine(`a b ${"c".repeat(60_000)}`));
  });
});

describe("an access log", () => {
  const BEGIN = Date.parse(OURS.time);
  const line = (at: number): string => JSON.stringify({ ...OURS, time: BEGIN + at });

  test("lines come whole, however the text is cut", async () => {
    const text = [1, 2, 3].map((at) => `${line(at)}\r\n`).join("");
    for (let cut = 0; cut <= text.length; cut += 7) {
      const { seen } = await times(text.slice(0, cut), text.slice(cut));
      assert.deepEqual(seen, [1, 2, 3]);
    }
    assert.deepEqual((await times(line(1))).seen, [1]);
  });

  test("time never goes back, and more than a little disorder is counted", async () => {
    const { seen, summary } = await times([200_000, 190_000, 100_000, 300_000].map(line).join("\n"));
    assert.deepEqual(seen, [200_000, 200_000, 200_000, 300_000]);
    assert.equal(summary.outOfOrder, 1);
  });

  test("what cannot be read is counted and shown, and a line without end costs no memory", async () => {
    const { seen, summary } = await times("oops\n", "x".repeat(50_000), "x".repeat(50_000), `\n${line(5)}\n`);
    assert.deepEqual(seen, [5]);
    assert.deepEqual(summary, {
      requests: 1,
      unreadable: 2,
      examples: ["line 1: neither JSON nor common or combined log format", "line 2: too long"],
      outOfOrder: 0,
    });
  });
});
