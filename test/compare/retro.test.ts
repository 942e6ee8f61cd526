import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

import { compileCompare } from "../../src/compare/compare.ts";
import { examinePair } from "../../src/compare/examine.ts";
import { judgeAgain } from "../../src/compare/retro.ts";
import { DEFAULT_COMPARE } from "../../src/model/default-compare.ts";
import type { Pair, Place } from "../../src/model/pair.ts";
import type { MismatchSample, RetroReport } from "../../src/model/reports.ts";
import type { Compare } from "../../src/model/ruleset.ts";
import { answer, pairOf } from "./pairs.ts";

const clusterIdOf = (route: string, { template, kind }: Place): string => `${route}/${kind}/${template}`;

/** What control would store of the pair. */
function stored(pair: Pair): MismatchSample {
  const found = examinePair(pair, compileCompare(pair.compare), () => true);
  assert.ok(found.comparison.kind === "mismatch" && found.old !== null && found.new !== null);
  return {
    id: 1,
    at: "2026-01-01T00:00:00.000Z",
    route: found.route,
    rulesVersion: found.rulesVersion,
    clusters: [],
    requestId: found.requestId,
    method: found.method,
    target: found.target,
    requestHeaders: {},
    differences: [...found.comparison.differences],
    old: found.old,
    new: found.new,
  };
}

function judged(
  samples: readonly MismatchSample[],
  compare: Partial<Compare> | null = {},
  path: string | null = null,
): RetroReport {
  const compareOf = () => (compare === null ? null : { ...DEFAULT_COMPARE, ...compare });
  const ignoring = path === null ? null : { route: "profiles", path };
  return judgeAgain(samples, compareOf, clusterIdOf, ignoring, "abcdefabcdef");
}

const sums = ({ samples, stillMismatch, nowMatch, cannotTell }: RetroReport) => [
  samples,
  stillMismatch,
  nowMatch,
  cannotTell,
];

const TWO = stored(pairOf(answer('{"at":1,"a":1}'), answer('{"at":2,"a":2}')));
const ONE = stored(pairOf(answer('{"at":1,"a":1}'), answer('{"at":2,"a":1}')));

test("the same rules say the same, a path more hides what it names and nothing else", () => {
  assert.deepEqual(sums(judged([TWO, ONE])), [2, 2, 0, 0]);
  const report = judged([TWO, ONE], {}, "$.at");
  assert.deepEqual(report, {
    rules: "abcdefabcdef",
    ignoring: "$.at",
    samples: 2,
    stillMismatch: 1,
    nowMatch: 1,
    cannotTell: 0,
    clusters: [
      { id: "profiles/value/$.at", route: "profiles", place: "$.at", kind: "value", before: 2, after: 0 },
      { id: "profiles/value/$.a", route: "profiles", place: "$.a", kind: "value", before: 1, after: 1 },
    ],
  });
  assert.deepEqual(sums(judged([TWO, ONE], { ignore: ["$.at", "$.a"] })), [2, 0, 2, 0]);
});

test("the path counts on its own route alone", () => {
  const other = { ...ONE, route: "other" };
  assert.deepEqual(sums(judged([ONE, other], {}, "$.at")), [2, 1, 1, 0]);
});

test("headers, status and the body can be ignored by their places", () => {
  const compare = { headers: ["x-a"] };
  const head = stored(
    pairOf(answer("[1]", { headers: ["x-a", "1"] }), answer("[1]", { headers: ["x-a", "2"] }), compare),
  );
  assert.deepEqual(sums(judged([head], compare)), [1, 1, 0, 0]);
  assert.deepEqual(sums(judged([head], compare, "header:X-A")), [1, 0, 1, 0]);
  const status = stored(pairOf(answer("[1]"), answer("[1]", { status: 500 })));
  assert.deepEqual(sums(judged([status], {}, "status")), [1, 0, 1, 0]);
  assert.deepEqual(sums(judged([ONE], {}, "body")), [1, 0, 1, 0]);
});

test("a difference that other rules find now is counted as new", () => {
  const pair = pairOf(answer('{"at":1,"a":1}'), answer('{"at":2,"a":2}'), { ignore: ["$.at"] });
  const { clusters } = judged([stored(pair)]);
  assert.deepEqual(
    clusters.map(({ place, before, after }) => [place, before, after]),
    [
      ["$.a", 1, 1],
      ["$.at", 0, 1],
    ],
  );
});

test("charsets and codings were undone when the pair was stored", () => {
  const latin = answer(Buffer.from('{"a":"é"}', "latin1"), { type: "application/json; charset=latin1" });
  const pair = pairOf(latin, answer('{"a":"è"}', { type: "application/json; charset=latin1" }), {
    headers: [],
  });
  assert.equal(judged([stored(pair)], { ignore: ["$.a"], headers: [] }).nowMatch, 1);
});

test("what is cut, could not be redacted or is not text says nothing, unless status or headers tell", () => {
  const redact = { paths: ["$.email"], headers: [], query: [] };
  const hidden = pairOf(answer('{"email":1,'), answer('{"email":2,'), { redact });
  const long = "x".repeat(70_000);
  const cut = pairOf(answer(`{"a":"${long}"}`), answer(`{"a":"${long}y"}`));
  const bytes = pairOf(answer("a", { type: "image/png" }), answer("b", { type: "image/png" }));
  const samples = [hidden, cut, bytes].map(stored);
  assert.deepEqual(sums(judged(samples)), [3, 0, 0, 3]);
  assert.deepEqual(judged(samples).clusters, []);
  assert.deepEqual(sums(judged(samples, { body: "off" })), [3, 0, 3, 0]);
  const failed = stored(
    pairOf(answer("a", { type: "image/png" }), answer("b", { type: "image/png", status: 500 })),
  );
  assert.deepEqual(sums(judged([failed])), [1, 1, 0, 0]);
  assert.deepEqual(sums(judged([failed], { status: null })), [1, 0, 0, 1]);
});

test("a header that was never stored goes on differing while it is compared", () => {
  const headers = ["set-cookie", "x-user"];
  const redact = { paths: [], headers: ["x-user"], query: [] };
  const pair = pairOf(
    answer("[1]", { headers: ["set-cookie", "a=1", "x-user", "ann"] }),
    answer("[1]", { headers: ["set-cookie", "a=2", "x-user", "bob"] }),
    { headers, redact },
  );
  const sample = stored(pair);
  assert.deepEqual(sums(judged([sample], { headers, redact })), [1, 1, 0, 0]);
  assert.deepEqual(
    judged([sample], { headers, redact }).clusters.map(({ after }) => after),
    [1, 1],
  );
  assert.deepEqual(sums(judged([sample], { headers: ["x-user"], redact })), [1, 1, 0, 0]);
  assert.deepEqual(sums(judged([sample], { headers: [], redact })), [1, 0, 1, 0]);
});

test("a route that is not compared any more says nothing, and a wrong path says what is wrong", () => {
  assert.deepEqual(sums(judged([ONE], null)), [1, 0, 0, 1]);
  assert.throws(() => judged([ONE], {}, "at"), /"at" is not a JSONPath/);
});

test("the thread judges, posts one report and ends", async () => {
  const worker = new Worker(new URL("../../src/compare/retro-thread.ts", import.meta.url), {
    workerData: {
      samples: [TWO, ONE],
      compares: { profiles: DEFAULT_COMPARE },
      ignoring: { route: "profiles", path: "$.at" },
      rulesVersion: "abcdefabcdef",
    },
  });
  const exit = once(worker, "exit");
  const [report] = (await once(worker, "message")) as [RetroReport];
  assert.deepEqual(sums(report), [2, 1, 1, 0]);
  assert.match(report.clusters[0]?.id ?? "", /^[0-9a-f]{12}$/);
  assert.deepEqual(await exit, [0]);
});

test("the thread ends with an error that names a path that is not one", async () => {
  const worker = new Worker(new URL("../../src/compare/retro-thread.ts", import.meta.url), {
    workerData: {
      samples: [ONE],
      compares: { profiles: DEFAULT_COMPARE },
      ignoring: { route: "profiles", path: "at" },
      rulesVersion: "x",
    },
  });
  const [error] = (await once(worker, "error")) as [Error];
  assert.match(error.message, /"at" is not a JSONPath/);
});
