import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { FAILURES } from "../../src/model/failures.ts";
import type { AccessFields } from "../../src/observe/access-line.ts";
import { ecsLine, type LoggedLine } from "../../src/observe/ecs.ts";
import { ecsAccessLine } from "../../src/observe/ecs-access.ts";

/** Of the field reference of ECS (8.11 and 9): those that the gateway writes, with their types. */
const ECS_FIELDS: Readonly<Record<string, "date" | "keyword" | "keywords" | "long" | "text" | "texts">> = {
  "@timestamp": "date",
  "ecs.version": "keyword",
  "error.message": "texts",
  "error.type": "keyword",
  "event.action": "keyword",
  "event.category": "keywords",
  "event.dataset": "keyword",
  "event.duration": "long",
  "event.kind": "keyword",
  "event.module": "keyword",
  "event.outcome": "keyword",
  "event.reason": "keyword",
  "event.type": "keywords",
  "http.request.body.bytes": "long",
  "http.request.id": "keyword",
  "http.request.method": "keyword",
  "http.response.body.bytes": "long",
  "http.response.status_code": "long",
  "log.level": "keyword",
  message: "text",
  "service.name": "keyword",
  "trace.id": "keyword",
  "url.path": "keyword",
};

/** Words that go together, by the schema's table of categorization fields. */
const TYPES_OF: Readonly<Record<string, readonly string[]>> = {
  configuration: ["access", "change", "creation", "deletion", "info"],
  database: ["access", "change", "info", "error"],
  process: ["access", "change", "end", "info", "start"],
  web: ["access", "error", "info"],
};

const TIME = "2026-05-01T10:00:00.000Z";

const REQUEST: AccessFields = {
  route: "profiles",
  side: "old",
  reason: "fallback",
  rules: "0123456789ab",
  method: "GET",
  path: "/profiles/7",
  status: 502,
  failure: "connection_refused",
  durationMs: 12.345678,
  backendMs: null,
  fallback: true,
  shadow: false,
  key: "0123456789abcdef",
  requestId: "id-1",
  traceId: "0af7651916cd43dd8448eb211c80319c",
  bytesIn: 10,
  bytesOut: 20,
  upgrade: "websocket",
  endedBy: null,
};

const EVIDENCE = {
  summary: "errors: new 5/100",
  samples: { old: 100, new: 100 },
  errors: { old: 0, new: 5 },
  evidence: { errors: 1.2, "client-errors": 0 },
  rulesVersion: "0123456789ab",
};

/** One of each event that docs/logs.md lists. */
const EVENTS: Readonly<Record<string, LoggedLine["fields"]>> = {
  listening: { proxy: "http://127.0.0.1:1", admin: "http://127.0.0.1:2", threads: 2, rules: "0123456789ab" },
  reload: { rules: "0123456789ab", changes: ["a", "b"], notes: [], by: "rules" },
  "reload-failed": { errors: ["rules.yaml:1:1 wrong"] },
  rollback: { route: "profiles", cause: "errors", by: "guard", reason: "too many", evidence: EVIDENCE },
  reset: { route: "profiles", by: "operator", reason: "mended" },
  promote: { route: "r", by: "operator", reason: "go", from: "1%", to: "5%", evidence: EVIDENCE },
  completed: { route: "r", by: "rollout", reason: "done", from: "5%", to: "100%", evidence: EVIDENCE },
  pause: { route: "r", by: "operator", reason: "wait", from: "baking", to: "paused" },
  resume: { route: "r", by: "operator", reason: "go", from: "paused", to: "baking" },
  pin: { route: "r", fingerprint: "ab", by: "operator", reason: "x", side: "old", expiresAt: null },
  unpin: { route: "r", fingerprint: "ab", by: "operator", reason: "x" },
  shed: { route: "r", shadows: 12 },
  "log-lost": { lines: 12 },
  mismatch: { route: "r", cluster: "0123456789ab", place: "$.name", kind: "value", requestId: "id-1" },
  "store-damaged": { why: "checksum" },
  "thread-replaced": { kind: "data", thread: 1, why: "out of memory" },
  draining: { reason: "SIGTERM" },
  stopped: { reason: "SIGTERM", cutOff: 0 },
};

const lineOf = (msg: string, fields: LoggedLine["fields"], level: LoggedLine["level"] = "info") =>
  ecsLine({ level, time: TIME, msg, fields });

const requestLine = (fields: AccessFields): Record<string, unknown> =>
  JSON.parse(ecsAccessLine(fields, TIME));

function assertTyped(name: string, value: unknown): void {
  const type = ECS_FIELDS[name];
  if (type === undefined) {
    assert.match(name, /^cutover(?:\.[a-z][a-z_-]*)+$/, `${name} is neither of ECS nor of our own`);
    return;
  }
  const values = type.endsWith("s") && Array.isArray(value) ? value : [value];
  for (const each of values) {
    if (type === "long") assert.ok(Number.isSafeInteger(each), `${name}: ${each}`);
    else assert.equal(typeof each, "string", name);
  }
  if (type === "date") assert.equal(new Date(String(value)).toISOString(), value);
}

function assertEcs(line: Readonly<Record<string, unknown>>): void {
  assert.deepEqual(Object.keys(line).slice(0, 4), ["@timestamp", "log.level", "message", "ecs.version"]);
  for (const [name, value] of Object.entries(line)) {
    assert.ok(value !== null && value !== undefined, `${name} is left out where there is nothing`);
    assertTyped(name, value);
    // An object and a value under one name cannot both be indexed.
    assert.ok(
      !Object.keys(line).some((other) => other.startsWith(`${name}.`)),
      `${name} is a value and an object`,
    );
  }
  const [category = ""] = line["event.category"] as string[];
  for (const type of line["event.type"] as string[])
    assert.ok(TYPES_OF[category]?.includes(type), `${category} ${type}`);
  assert.match(String(line["event.outcome"]), /^(success|failure|unknown)$/);
  assert.equal(line["event.kind"], "event");
}

test("a request has the schema's names, and what has none is under cutover.", () => {
  const line = requestLine(REQUEST);
  assertEcs(line);
  assert.equal(line.message, "GET /profiles/7 502 old (fallback)");
  assert.equal(line["event.duration"], 12_345_678, "nanoseconds");
  assert.equal(line["error.type"], "connection_refused");
  assert.deepEqual(line["event.type"], ["access", "error"]);
  assert.equal(line["cutover.upgrade"], "websocket");
});

test("a 5xx and a failure are failures, a client's error is none, and of one that left nobody knows", () => {
  const outcome = (status: number, failure: AccessFields["failure"]) =>
    requestLine({ ...REQUEST, status, failure })["event.outcome"];
  assert.equal(outcome(200, null), "success");
  assert.equal(outcome(404, null), "success");
  assert.equal(outcome(500, null), "failure");
  assert.equal(outcome(200, "http_response_incomplete"), "failure");
  assert.equal(outcome(499, "client_gone"), "unknown");
  for (const failure of FAILURES) assertEcs(requestLine({ ...REQUEST, failure }));
});

for (const [msg, fields] of Object.entries(EVENTS)) {
  test(`the event ${msg} is whole, and says what it is`, () => {
    const line = lineOf(msg, fields, "warn");
    assertEcs(line);
    assert.deepEqual(
      [line["event.action"], line["event.dataset"], line["log.level"]],
      [msg, "cutover.event", "warn"],
    );
    assert.notDeepEqual(
      [line["event.category"], line["event.type"]],
      [["process"], ["info"]],
      "has a category",
    );
    assert.ok(String(line.message).startsWith(msg));
    const said = JSON.stringify(line);
    for (const value of Object.values(fields).filter((each) => typeof each === "string"))
      assert.ok(said.includes(value), value);
  });
}

test("a rollback's evidence becomes names with dots, and its reason the event's", () => {
  const line = lineOf("rollback", EVENTS.rollback ?? {});
  assert.equal(line["event.reason"], "too many");
  assert.equal(line["cutover.cause"], "errors");
  assert.equal(line["cutover.evidence.samples.new"], 100);
  assert.equal(line["cutover.evidence.evidence.client-errors"], 0);
  assert.equal(line["cutover.evidence.rules_version"], "0123456789ab");
  assert.equal(line.message, "rollback profiles: too many");
});

test("an event that nobody has named yet is a line all the same", () => {
  assertEcs(lineOf("something-new", { route: "r", count: 1 }));
});

test("one name never holds a value in one line and an object in another, nor two types of value", () => {
  const types = new Map<string, string>();
  const events = Object.entries(EVENTS).map(([msg, fields]) => [msg, lineOf(msg, fields)] as const);
  for (const [msg, line] of [["request", requestLine(REQUEST)] as const, ...events]) {
    for (const [name, value] of Object.entries(line)) {
      const type = typeof (Array.isArray(value) ? (value[0] ?? "") : value);
      assert.equal(types.get(name) ?? type, type, `${name} in ${msg}`);
      types.set(name, type);
    }
  }
  for (const name of types.keys())
    for (const other of types.keys()) assert.ok(!other.startsWith(`${name}.`), `${name} and ${other}`);
});

test("docs/logs.md names every field of the schema that is written, and every event", () => {
  const document = readFileSync(new URL("../../docs/logs.md", import.meta.url), "utf8");
  for (const name of Object.keys(ECS_FIELDS)) assert.ok(document.includes(`\`${name}\``), name);
  for (const msg of Object.keys(EVENTS)) assert.ok(document.includes(`\`${msg}\``), msg);
});
