import assert from "node:assert/strict";
import { test } from "node:test";

import { compileCompare } from "../../src/compare/compare.ts";
import { examinePair, unexamined } from "../../src/compare/examine.ts";
import { createThrottle } from "../../src/compare/throttle.ts";
import type { Compared, Pair, Place } from "../../src/model/pair.ts";
import { answer, pairOf, placesOf } from "./pairs.ts";

const examined = (pair: Pair, mayShow = true): Compared =>
  examinePair(pair, compileCompare(pair.compare), () => mayShow);

test("old beside its second answer: the places where it differs from itself, each once", () => {
  const again = answer('{"n":2,"list":[{"t":1},{"t":2}]}');
  const old = () => answer('{"n":1,"list":[{"t":7},{"t":8}]}');
  const found = examined(pairOf(old(), answer('{"n":3,"list":[{"t":7},{"t":8}]}'), {}, { again }));
  assert.deepEqual(placesOf(found.comparison), ["$.n value"]);
  assert.deepEqual(found.noise, [
    { template: "$.n", kind: "value" },
    { template: "$.list[*].t", kind: "value" },
  ]);
});

test("new equals old and old differs from itself: a match that teaches noise", () => {
  const found = examined(pairOf(answer('{"n":1}'), answer('{"n": 1}'), {}, { again: answer('{"n":2}') }));
  assert.deepEqual(found.comparison, { kind: "match" });
  assert.deepEqual(found.noise, [{ template: "$.n", kind: "value" }]);
  assert.equal(found.old, null);
});

test("noise is judged by the same rules, status and headers included", () => {
  const again = answer('{"at":2,"a":1}', { status: 503, headers: ["x-v", "2"] });
  const old = answer('{"at":1,"a":1}', { headers: ["x-v", "1"] });
  const compare = { ignore: ["$.at"], headers: ["x-v"] };
  const found = examined(
    pairOf(old, answer('{"at":3,"a":1}', { headers: ["x-v", "1"] }), compare, { again }),
  );
  assert.deepEqual(found.comparison, { kind: "match" });
  assert.deepEqual(found.noise, [
    { template: "status", kind: "status" },
    { template: "header:x-v", kind: "header" },
  ]);
});

test("no sample says null, an equal one says no places, one that cannot be compared says null", () => {
  const noise = (again: Pair["again"]) => examined(pairOf(answer("[1]"), answer("[2]"), {}, { again })).noise;
  assert.equal(noise(null), null);
  assert.deepEqual(noise(answer("[ 1]")), []);
  assert.equal(noise(answer(`${"[".repeat(900)}${"]".repeat(900)}`)), null);
});

test("a pair that cannot be compared may still tell noise", () => {
  const deep = answer(`${"[".repeat(900)}${"]".repeat(900)}`);
  const found = examined(pairOf(answer("[1]"), deep, {}, { again: answer("[2]") }));
  assert.deepEqual(found.comparison, { kind: "uncompared", why: "too_deep" });
  assert.deepEqual(found.noise, [{ template: "$[*]", kind: "value" }]);
});

test("what came with the pair goes with the finding", () => {
  const rest = {
    ticket: { thread: 1, id: 2 },
    confirms: { ticket: { thread: 1, id: 1 }, afterMs: 2000 },
    unit: "u",
    requestHeaders: ["accept", "*/*", "authorization", "hunter2", "referer", "/?token=hunter2"],
    target: "/x?token=hunter2&a=1",
  };
  const redact = { paths: [], headers: [], query: ["token"] };
  const found = examined(pairOf(answer("[1]"), answer("[2]"), { redact }, rest));
  assert.deepEqual(found.ticket, rest.ticket);
  assert.deepEqual(found.confirms, rest.confirms);
  assert.equal(found.unit, "u");
  assert.equal(found.rulesVersion, "0123456789ab");
  assert.equal(found.target, "/x?token=[redacted]&a=1");
  assert.deepEqual(found.requestHeaders, ["accept", "*/*", "referer", "/?token=[redacted]"]);
  assert.equal(found.old?.body, "[1]");
  const match = examined(pairOf(answer("[1]"), answer("[1 ]"), { redact }, rest));
  assert.equal(match.target, "/x?token=[redacted]&a=1");
});

test("samples: false lets nothing of the answers out, mismatch or not", () => {
  const old = answer('{"id":"hunter2"}', { headers: ["x-a", "hunter2"] });
  const fresh = answer('{"id":"usr_hunter2"}', { headers: ["x-a", "hunter3"], status: 500 });
  const rest = { requestHeaders: ["accept", "*/*"] };
  const found = examined(pairOf(old, fresh, { samples: false, headers: ["x-a"] }, rest));
  assert.deepEqual(placesOf(found.comparison), ["status status", "header:x-a header", "$.id value"]);
  assert.ok(!JSON.stringify(found).includes("hunter"), JSON.stringify(found));
  assert.ok(!JSON.stringify(found).includes("usr_"), JSON.stringify(found));
  assert.equal(found.old, null);
});

test("without room for samples the differences are told all the same", () => {
  const found = examined(pairOf(answer("[1]"), answer("[2]")), false);
  assert.deepEqual(placesOf(found.comparison), ["$[0] value"]);
  assert.equal(found.old, null);
  assert.equal(found.new, null);
});

test("a pair under rules that nobody understands shows nothing, for nothing can be redacted", () => {
  const pair = pairOf(
    answer("hunter2"),
    answer("x"),
    {},
    { target: "/?token=hunter2", requestHeaders: ["referer", "hunter2"] },
  );
  assert.ok(!JSON.stringify(unexamined(pair)).includes("hunter2"));
});

test("a throttle admits so many a second of each route", () => {
  const throttle = createThrottle(2);
  const admitted = (name: string, nowMs: number) =>
    throttle.admit(name, [{ template: "$.a", kind: "value" }], nowMs);
  assert.deepEqual(
    [0, 1, 2, 999].map((ms) => admitted("a", ms)),
    [true, true, false, false],
  );
  assert.equal(admitted("b", 2), true);
  assert.deepEqual(
    [1000, 1001, 1002].map((ms) => admitted("a", ms)),
    [true, true, false],
  );
});

test("what is rare still comes with its answers on a route whose noise uses up all there is", () => {
  const throttle = createThrottle(50);
  const noisy = (mask: number): Place[] =>
    Array.from({ length: 10 }, (_, at) => at)
      .filter((at) => mask & (1 << at))
      .map((at) => ({ template: `$.n${at}`, kind: "value" }));
  let admitted = 0;
  for (let pair = 0; pair < 5000; pair++) if (throttle.admit("r", noisy(1 + (pair % 1023)), 1)) admitted++;
  assert.ok(admitted <= 70, `${admitted}`);
  const rare = [...noisy(1023), { template: "$.total", kind: "value" } as const];
  assert.equal(throttle.admit("r", rare, 2), true);
  assert.equal(throttle.admit("r", rare, 3), true);
  assert.equal(throttle.admit("r", rare, 4), false);
  for (let pair = 0; pair < 5000; pair++)
    if (throttle.admit("r", [{ template: `$.d${pair}`, kind: "value" }], 5)) admitted++;
  assert.ok(admitted <= 100, "a flood of ever new places has its bound too");
});
