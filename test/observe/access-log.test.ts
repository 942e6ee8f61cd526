import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type AccessLogPolicy, createAccessLog } from "../../src/observe/access-log.ts";

const WRITER = fileURLToPath(new URL("./access-log-writer.ts", import.meta.url));

/**
 * The lines that reach stdout: of a process of its own, as they go to the file descriptor of a pipe. Its reader has
 * nothing else to do: one that stands still for a second at the end is given up.
 */
async function written(
  policy: AccessLogPolicy,
  count: number,
  path = "/profiles/7",
  format = "json",
): Promise<Record<string, unknown>[]> {
  const folder = await mkdtemp(join(tmpdir(), "cutover-log-"));
  try {
    const file = join(folder, "lines");
    const writer = [process.execPath, WRITER, JSON.stringify(policy), String(count), path, format];
    await promisify(execFile)("sh", ["-c", '"$@" | cat > "$0"', file, ...writer]);
    return (await readFile(file, "utf8"))
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const ALL: AccessLogPolicy = { kind: "all" };
const ERRORS: AccessLogPolicy = { kind: "errors" };
const OFF: AccessLogPolicy = { kind: "off" };
const share = (ppm: number): AccessLogPolicy => ({ kind: "share", ppm });

const WANTS: [policy: AccessLogPolicy, good: boolean, errors: boolean][] = [
  [ALL, true, true],
  [ERRORS, false, true],
  [share(0), false, true],
  [share(1_000_000), true, true],
  [OFF, false, false],
];

for (const [policy, good, errors] of WANTS) {
  test(`${JSON.stringify(policy)} logs ${good ? "every answer" : errors ? "errors alone" : "nothing"}`, () => {
    const { wants } = createAccessLog(policy, "salt", "json", () => {});
    for (const status of [200, 304, 404]) assert.equal(wants(status, null), good, `${status}`);
    assert.equal(wants(500, null), errors);
    assert.equal(wants(503, null), errors);
    assert.equal(wants(499, "client_gone"), errors);
    assert.equal(wants(200, "http_response_incomplete"), errors, "an answer that broke off");
  });
}

test("a share of the lines is drawn, errors always", () => {
  const { wants } = createAccessLog(share(300_000), "salt", "json", () => {});
  let logged = 0;
  for (let i = 0; i < 100_000; i += 1) if (wants(200, null)) logged += 1;
  // 5 standard deviations of 145.
  assert.ok(Math.abs(logged - 30_000) < 5 * 145, `${logged}`);
  for (let i = 0; i < 100; i += 1) assert.ok(wants(502, "connection_refused"));
});

test("a line has the fields of the interface, time and level first, the key only as a salted hash", async () => {
  const lines = await written(ALL, 2);
  const { time, ...line } = lines[1] ?? {};
  assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(line, {
    level: "info",
    route: "profiles",
    side: "new",
    reason: "canary-share",
    rules: "0123456789ab",
    method: "GET",
    path: "/profiles/7",
    status: 200,
    failure: null,
    durationMs: 1.235,
    backendMs: 0.988,
    fallback: false,
    shadow: true,
    key: createHash("sha256").update("a salt\0anna@example.com").digest("hex").slice(0, 16),
    requestId: "id-1",
    traceId: "0af7651916cd43dd8448eb211c80319c",
    bytesIn: 0,
    bytesOut: 890,
    msg: "request",
  });
  assert.deepEqual([lines[0]?.key, lines[0]?.backendMs], [null, null]);
  assert.deepEqual(
    Object.keys(lines[0] ?? {})
      .slice(0, 2)
      .sort(),
    ["level", "time"],
  );
});

test("in ECS the same line has the schema's names, time, level and message first", async () => {
  const lines = await written(ALL, 2, "/profiles/7", "ecs");
  const { "@timestamp": time, ...line } = lines[1] ?? {};
  assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(line, {
    "log.level": "info",
    message: "GET /profiles/7 200 new (canary-share)",
    "ecs.version": "8.11.0",
    "service.name": "cutover",
    "event.kind": "event",
    "event.module": "cutover",
    "event.dataset": "cutover.access",
    "event.action": "request",
    "event.category": ["web"],
    "event.type": ["access"],
    "event.outcome": "success",
    "http.request.method": "GET",
    "url.path": "/profiles/7",
    "http.response.status_code": 200,
    "event.duration": 1_235_000,
    "cutover.backend.duration": 988_000,
    "http.request.id": "id-1",
    "trace.id": "0af7651916cd43dd8448eb211c80319c",
    "http.request.body.bytes": 0,
    "http.response.body.bytes": 890,
    "cutover.route": "profiles",
    "cutover.side": "new",
    "cutover.reason": "canary-share",
    "cutover.rules": "0123456789ab",
    "cutover.fallback": false,
    "cutover.shadow": true,
    "cutover.key": createHash("sha256").update("a salt\0anna@example.com").digest("hex").slice(0, 16),
  });
  const first = lines[0] ?? {};
  assert.deepEqual(Object.keys(first).slice(0, 4), ["@timestamp", "log.level", "message", "ecs.version"]);
  assert.ok(!("cutover.key" in first) && !("cutover.backend.duration" in first), "what is null is left out");
});

test("in ECS a path cannot begin a line of its own, and a reader that cannot keep up loses whole lines, counted", async () => {
  const [forged] = await written(ALL, 1, '/x"}\n{"message":"reset"}\u2028\u0007', "ecs");
  assert.equal(forged?.["url.path"], '/x"}\n{"message":"reset"}\u2028\u0007');
  const lines = await written(ALL, 30_000, "/x", "ecs");
  assert.ok(lines.length >= 1_000 && lines.length < 30_000, `${lines.length}`);
  const lost = lines.find((line) => line["event.action"] === "log-lost")?.["cutover.lines"];
  assert.equal(lines.filter((line) => line["event.action"] === "request").length + Number(lost), 30_000);
});

test("a path cannot begin a line of its own, and a long one is cut", async () => {
  const [forged] = await written(ALL, 1, '/x"}\n{"msg":"reset"}\u2028\u0007');
  assert.equal(forged?.path, '/x"}\n{"msg":"reset"}\u2028\u0007');
  const [long] = await written(ALL, 1, `/${"a".repeat(5000)}`);
  assert.equal(String(long?.path).length, 513);
});

test("thousands of lines at once all arrive, each whole", async () => {
  const lines = await written(ALL, 5000);
  assert.equal(lines.length, 5000);
  assert.ok(lines.every(({ requestId }, i) => requestId === `id-${i}`));
});

test("a reader that cannot keep up loses lines, never parts of one, and is told how many", async () => {
  const lines = await written(ALL, 30_000); // at once: some 12 MB, of which 4 MiB may wait
  assert.ok(lines.length >= 5000 && lines.length < 30_000, `${lines.length}`);
  const lost = lines.find(({ msg }) => msg === "log-lost")?.lines;
  assert.equal(lines.filter(({ msg }) => msg === "request").length + Number(lost), 30_000);
});
