import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FAILURES } from "../../src/model/failures.ts";
import { REASONS } from "../../src/model/reasons.ts";
import { type AccessFields, accessLine } from "../../src/observe/access-line.ts";
import { ecsAccessLine } from "../../src/observe/ecs-access.ts";

const TIME = "2026-05-01T10:00:00.000Z";

/** Whatever a client may send or an operator may name. */
const hostile = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
  fc.constantFrom('"', "\\", "\n", "\u2028", "\u007f", "\u0000", "…", '"}\n{"msg":"reset"}', "\ud800"),
);
const ms = fc.double({ min: 0, max: 1e6, noNaN: true }).map((each) => Math.round(each * 1000) / 1000);

const fields: fc.Arbitrary<AccessFields> = fc
  .record({
    route: hostile,
    side: fc.constantFrom("old" as const, "new" as const),
    reason: fc.constantFrom(...REASONS),
    rules: fc.constant("0123456789ab"),
    method: hostile,
    path: hostile,
    status: fc.integer({ min: 100, max: 599 }),
    failure: fc.option(fc.constantFrom(...FAILURES)),
    durationMs: ms,
    backendMs: fc.option(ms),
    fallback: fc.boolean(),
    shadow: fc.boolean(),
    key: fc.option(fc.constant("0123456789abcdef")),
    requestId: hostile,
    traceId: fc.constantFrom("", "0af7651916cd43dd8448eb211c80319c"),
    bytesIn: fc.maxSafeNat(),
    bytesOut: fc.maxSafeNat(),
  })
  .chain((plain) =>
    fc.oneof(
      fc.constant(plain),
      fc
        .record({ upgrade: hostile, endedBy: fc.option(hostile) })
        .map((upgraded) => ({ ...plain, ...upgraded })),
    ),
  );

test("a line is what JSON.stringify makes of its fields, in the interface's order, and one line", () => {
  fc.assert(
    fc.property(fields, (each) => {
      const expected = JSON.stringify({ level: "info", time: TIME, ...each, msg: "request" });
      assert.equal(accessLine(each, TIME), `${expected}\n`);
    }),
    { numRuns: 1000 },
  );
});

test("in ECS every field has its value under its name, null has none, and it is one line", () => {
  fc.assert(
    fc.property(fields, (each) => {
      const line = ecsAccessLine(each, TIME);
      assert.equal(line.indexOf("\n"), line.length - 1);
      const parsed = JSON.parse(line);
      assert.equal(JSON.stringify(parsed), line.slice(0, -1), "in the form of JSON.stringify, no name twice");
      const expected: Record<string, unknown> = {
        "cutover.route": each.route,
        "cutover.side": each.side,
        "cutover.reason": each.reason,
        "cutover.rules": each.rules,
        "http.request.method": each.method,
        "url.path": each.path,
        "http.response.status_code": each.status,
        "error.type": each.failure ?? undefined,
        "event.duration": Math.round(each.durationMs * 1e6),
        "cutover.backend.duration": each.backendMs === null ? undefined : Math.round(each.backendMs * 1e6),
        "cutover.fallback": each.fallback,
        "cutover.shadow": each.shadow,
        "cutover.key": each.key ?? undefined,
        "http.request.id": each.requestId,
        "trace.id": each.traceId,
        "http.request.body.bytes": each.bytesIn,
        "http.response.body.bytes": each.bytesOut,
        "cutover.upgrade": each.upgrade,
        "cutover.ended_by": each.endedBy ?? undefined,
      };
      for (const [name, value] of Object.entries(expected)) assert.deepEqual(parsed[name], value, name);
    }),
    { numRuns: 1000 },
  );
});
