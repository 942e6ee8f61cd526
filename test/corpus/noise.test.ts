/** Noise put into known places is recognised as noise, hides nothing, and makes no cluster of its own. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { compileCompare } from "../../src/compare/compare.ts";
import { examinePair } from "../../src/compare/examine.ts";
import { addDifferences, createClusters, topClusters } from "../../src/model/clusters.ts";
import { createDocket, noiseAt, takePair } from "../../src/model/docket.ts";
import type { Compared, Comparison } from "../../src/model/pair.ts";
import type { Difference, MismatchCluster } from "../../src/model/reports.ts";
import type { Compare } from "../../src/model/ruleset.ts";
import { answer, pairOf } from "../compare/pairs.ts";
import { createDraw, type Draw } from "./draw.ts";
import { at, type Json, type JsonObject, pathsOf, put, spell, templateOf, WILD } from "./json.ts";
import { inject, patternText, renew } from "./mutate.ts";
import type { Shape } from "./shape.ts";
import { SHAPES } from "./shapes.ts";

const NOISY_SHAPES = SHAPES.filter(({ noisy }) => noisy.length > 0);
const PAIRS = 40;

function examine(
  old: Json,
  again: Json | null,
  fresh: Json,
  draw: Draw,
  compare: Partial<Compare>,
): Compared {
  const answered = (value: Json) => answer(spell(value, WILD, draw));
  const pair = pairOf(answered(old), answered(fresh), compare, {
    again: again === null ? null : answered(again),
  });
  return examinePair(pair, compileCompare(pair.compare), () => false);
}

const rulesOf = ({ unordered }: Shape): Partial<Compare> => ({ unordered: unordered.map(patternText) });
const differencesOf = (comparison: Comparison): readonly Difference[] =>
  comparison.kind === "mismatch" ? comparison.differences : [];
const lines = (places: Iterable<{ readonly template: string; readonly kind: string }>): readonly string[] =>
  [...new Set([...places].map(({ template, kind }) => `${kind} ${template}`))].toSorted();

/** The same document as it is answered another time. */
function repeated(document: Json, shape: Shape, draw: Draw): Json {
  const copy = structuredClone(document);
  renew(copy, shape, draw);
  return copy;
}

for (const shape of NOISY_SHAPES) {
  test(`${shape.name}: what old answers anew each time is noise, and a pair that differs only there too`, () => {
    const draw = createDraw(17);
    const document = shape.make(draw);
    const docket = createDocket(20_000);
    const noisy = renew(structuredClone(document), shape, draw).map((path) => ({
      template: templateOf(path, shape.isDataKey),
      kind: "value" as const,
    }));
    for (let pair = 0; pair < PAIRS; pair++) {
      const [old, again, fresh] = [1, 2, 3].map(() => repeated(document, shape, draw)) as [Json, Json, Json];
      const { comparison, noise } = examine(old, again, fresh, draw, rulesOf(shape));
      assert.deepEqual(lines(noise ?? []), lines(noisy));
      assert.deepEqual(lines(differencesOf(comparison)), lines(noisy));
      const kind = takePair(docket, { differences: differencesOf(comparison), again: noise, unit: null });
      assert.equal(kind, "noise");
    }
    for (const place of noisy) assert.equal(noiseAt(docket, place)?.rate, 1, place.template);
  });

  test(`${shape.name}: known differences beside noise make one cluster each, and noise is told apart`, () => {
    const draw = createDraw(23);
    const document = shape.make(draw);
    const wrong = structuredClone(document);
    const injected = inject(wrong, { ...shape, unordered: [] }, 3, draw, [
      "value",
      "missing",
      "type",
      "case",
    ]);
    assert.ok(injected.length > 0 || shape.name.startsWith("OAuth"));
    const docket = createDocket(20_000);
    const clusters = createClusters("corpus", 1000);
    for (let pair = 1; pair <= PAIRS; pair++) {
      const [old, again] = [repeated(document, shape, draw), repeated(document, shape, draw)];
      const isWrong = pair % 2 === 0;
      const fresh = repeated(isWrong ? wrong : document, shape, draw);
      const { comparison, noise } = examine(old, again, fresh, draw, rulesOf(shape));
      const differences = differencesOf(comparison);
      const kind = takePair(docket, { differences, again: noise, unit: null });
      assert.equal(kind, isWrong && injected.length > 0 ? "mismatch" : "noise");
      addDifferences(clusters, {
        differences,
        at: "2026-01-01T00:00:00Z",
        compared: pair,
        withExamples: true,
        transientMs: null,
      });
    }
    const all = topClusters(clusters, {
      limit: 100,
      compared: PAIRS,
      noiseOf: (place) => noiseAt(docket, place),
    });
    const real = all.filter(({ noise }) => noise === null);
    const places = (of: readonly MismatchCluster[]) =>
      lines(of.map(({ place, kind }) => ({ template: place, kind })));
    assert.deepEqual(places(real), lines(injected));
    for (const { count, overcount, share } of real) {
      assert.equal(count, PAIRS / 2);
      assert.equal(overcount, 0);
      assert.ok(Math.abs(share - 0.5) <= 0.05, `share ${share}`);
    }
    for (const { template, kind, relation } of injected) {
      const cluster = real.find(({ place, kind: of }) => place === template && of === kind);
      if (relation !== undefined) assert.equal(cluster?.relation?.name ?? null, relation, template);
    }
  });
}

test("differences under other keys of data each time are one cluster", () => {
  const users = SHAPES.find(({ name }) => name.startsWith("Firebase")) as Shape;
  const clusters = createClusters("corpus", 1000);
  for (let seed = 1; seed <= 60; seed++) {
    const draw = createDraw(seed);
    const document = users.make(draw);
    const fresh = structuredClone(document);
    const nick = draw.pick(pathsOf(fresh).filter((path) => path.at(-1) === "nick"));
    put(fresh, nick, `${at(fresh, nick)}!`);
    const { comparison } = examine(document, null, fresh, draw, rulesOf(users));
    const pair = { at: "2026-01-01T00:00:00Z", compared: seed, withExamples: true, transientMs: null };
    addDifferences(clusters, { differences: differencesOf(comparison), ...pair });
  }
  const found = topClusters(clusters, { limit: 10, compared: 60, noiseOf: () => null });
  assert.deepEqual(
    found.map(({ place, kind, count }) => ({ place, kind, count })),
    [{ place: "$.users[*].nick", kind: "value", count: 60 }],
  );
});

test("noise in hundreds of places of a list hides no difference that comes after them", () => {
  const draw = createDraw(31);
  const list = (total: number): JsonObject => ({
    items: Array.from({ length: 300 }, (_, id) => ({ id, seenAt: draw.instant(), name: `n${id}` })),
    total,
  });
  const { comparison, noise } = examine(list(7), list(7), list(8), draw, {});
  assert.deepEqual(lines(noise ?? []), ["value $.items[*].seenAt"]);
  assert.deepEqual(lines(differencesOf(comparison)), ["value $.items[*].seenAt", "value $.total"]);
});

/** What a server says of itself as a text, with lines that are another each time. */
function report(draw: Draw, isWrong: boolean): string {
  const words = ["amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "islet", "jetty"];
  return [
    "status: ready",
    `generated ${draw.instant()} by ${draw.hex(12)}`,
    `colour of the day: ${draw.pick(words)}`,
    `uptime ${draw.int(1e6)} s, ${draw.int(100)}% idle`,
    `queue: ${isWrong ? "full" : "empty"}`,
    "workers: 4",
    ...(isWrong ? [] : ["licence: valid"]),
  ].join("\n");
}

test("a noisy line of a text is noise, and hides no change in another one", () => {
  const draw = createDraw(41);
  const docket = createDocket(20_000);
  const clusters = createClusters("corpus", 1000);
  for (let pair = 1; pair <= 300; pair++) {
    const isWrong = pair > 250 && pair % 2 === 0;
    const answered = (wrong: boolean) => answer(report(draw, wrong), { type: "text/plain" });
    const given = pairOf(answered(false), answered(isWrong), {}, { again: answered(false) });
    const { comparison, noise } = examinePair(given, compileCompare(given.compare), () => false);
    const differences = differencesOf(comparison);
    const kind = takePair(docket, { differences, again: noise, unit: null });
    if (pair > 100) assert.equal(kind, isWrong ? "mismatch" : "noise");
    const seen = { at: "2026-01-01T00:00:00Z", compared: pair, withExamples: true, transientMs: null };
    addDifferences(clusters, { differences, ...seen });
  }
  const all = topClusters(clusters, {
    limit: 100,
    compared: 300,
    noiseOf: (place) => noiseAt(docket, place),
  });
  const real = all.filter(({ noise }) => noise === null);
  assert.deepEqual(
    real.map(({ kind, count, example }) => [kind, count, example.old, example.new]).toSorted(),
    [
      ["missing", 25, "licence: valid", null],
      ["value", 25, "queue: empty", "queue: full"],
    ],
  );
});

test("where every line is other words each time, lines as a whole are noise, and one cluster", () => {
  const draw = createDraw(43);
  const docket = createDocket(20_000);
  const clusters = createClusters("corpus", 1000);
  const prose = () => Array.from({ length: 5 }, () => `${draw.words(4)} said`).join("\n");
  for (let pair = 1; pair <= 100; pair++) {
    const [old, again, fresh] = [1, 2, 3].map(() => answer(prose(), { type: "text/plain" }));
    const given = pairOf(old ?? assert.fail(), fresh ?? assert.fail(), {}, { again: again ?? null });
    const { comparison, noise } = examinePair(given, compileCompare(given.compare), () => false);
    const differences = differencesOf(comparison);
    const kind = takePair(docket, { differences, again: noise, unit: null });
    if (pair > 10) assert.equal(kind, "noise");
    addDifferences(clusters, {
      differences,
      at: "2026-01-01T00:00:00Z",
      compared: pair,
      withExamples: true,
      transientMs: null,
    });
  }
  const all = topClusters(clusters, {
    limit: 100,
    compared: 100,
    noiseOf: (place) => noiseAt(docket, place),
  });
  assert.deepEqual(
    all.map(({ place, count, overcount, noise }) => [place, count - overcount, noise?.rate]),
    [["line[*]", 100, 1]],
  );
});
