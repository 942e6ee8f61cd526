/** Which pairs reach the guard, when, and as what. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  clearDocket,
  createDocket,
  type Docket,
  handOver,
  isDocketEmpty,
  LESSONS,
  learningProgress,
  noiseAt,
  takeEqual,
  takePair,
  takeTransient,
  triplesWanted,
} from "../../src/model/docket.ts";
import type { Place } from "../../src/model/pair.ts";

const SHARE = 20_000;
const value = (template: string): Place => ({ template, kind: "value" });

/** A pair that differs at these paths; `again`: where old differed from itself, null: not asked. */
function pair(
  docket: Docket,
  templates: string[],
  again: string[] | null = null,
  unit: string | null = null,
) {
  return takePair(docket, { differences: templates.map(value), again: again?.map(value) ?? null, unit });
}

/** A docket that has seen 200 quiet triples. */
function taught(): Docket {
  const docket = createDocket(SHARE);
  takeEqual(docket, LESSONS, LESSONS);
  handOver(docket);
  return docket;
}

test("where noise is not measured every pair that differs counts at once", () => {
  const docket = createDocket(0);
  assert.equal(pair(docket, ["$.x"], null, "u"), "mismatch");
  assert.equal(pair(docket, []), "match");
  takeEqual(docket, 5, 0);
  assert.deepEqual(handOver(docket), { match: 6, mismatchUnits: ["u"] });
  assert.ok(isDocketEmpty(docket));
  assert.equal(learningProgress(docket), null);
  assert.equal(noiseAt(docket, value("$.x")), null);
});

test("a reverse triple teaches noise and quiet places, and is no evidence by itself", () => {
  const docket = createDocket(SHARE);
  const take = (templates: string[], again: string[]) =>
    takePair(docket, {
      differences: templates.map(value),
      again: again.map(value),
      unit: null,
      isReverse: true,
    });
  assert.equal(take(["$.x"], ["$.ts"]), "mismatch");
  assert.equal(take(["$.ts"], []), "noise");
  takeTransient(docket, { differences: [value("$.y")], again: [value("$.ts")], unit: null, isReverse: true });
  takeEqual(docket, LESSONS, 0, LESSONS);
  const { match, mismatchUnits, noise } = handOver(docket);
  assert.equal(learningProgress(docket), null, "learning is over by them alone");
  assert.deepEqual([noise?.equalTriples, noise?.triples], [0, []]);
  assert.deepEqual([match, mismatchUnits], [LESSONS + 2, [null]], "shown to be quiet, it counts");
  assert.equal(noise?.isBlind, false);
});

test("while noise is being learned nothing is judged by rates, neither what differs nor what is equal", () => {
  const docket = createDocket(SHARE);
  for (let i = 0; i < 50; i += 1) pair(docket, ["$.x"], []);
  takeEqual(docket, 100, 100);
  const { match, mismatchUnits, noise } = handOver(docket);
  assert.deepEqual([match, mismatchUnits, noise?.freshUnits], [0, [], []]);
  assert.deepEqual(learningProgress(docket), { done: 150, of: 200 });
});

test("triples speak from the first one on", () => {
  const docket = createDocket(SHARE);
  pair(docket, ["$.x"], [], "u");
  takeEqual(docket, 3, 3);
  const { noise } = handOver(docket);
  assert.deepEqual(noise?.triples, [{ unit: "u", signs: [], elsewhere: 1 }]);
  assert.equal(noise?.equalTriples, 3);
});

test("after 200 triples what was held back is handed over, without what is noise by then", () => {
  const docket = createDocket(SHARE);
  for (let i = 0; i < 10; i += 1) pair(docket, ["$.x"], [], `x${i}`);
  for (let i = 0; i < 10; i += 1) assert.equal(pair(docket, ["$.ts"], [], null), "mismatch");
  takeEqual(docket, 179, 179);
  assert.deepEqual(handOver(docket).mismatchUnits, []);
  assert.equal(pair(docket, ["$.ts"], ["$.ts"]), "noise");
  const { match, mismatchUnits } = handOver(docket);
  assert.equal(mismatchUnits.length, 10);
  assert.ok(mismatchUnits.every((unit) => unit?.startsWith("x")));
  assert.equal(match, 179 + 10 + 1, "pairs of noise are no evidence against new");
  assert.equal(learningProgress(docket), null);
});

test("learning ends after 400 pairs, however many second answers of old were lost", () => {
  const docket = createDocket(SHARE);
  takeEqual(docket, 399, 0);
  assert.notEqual(learningProgress(docket), null);
  assert.equal(handOver(docket).match, 0);
  takeEqual(docket, 1, 0);
  assert.equal(learningProgress(docket), null);
  assert.equal(handOver(docket).match, 400);
});

test("a place that begins to differ after learning is fresh until 200 triples have shown it to be quiet", () => {
  const docket = taught();
  pair(docket, ["$.x"], null, "early");
  let comparisons = handOver(docket);
  assert.deepEqual([comparisons.mismatchUnits, comparisons.noise?.freshUnits], [[], ["early"]]);
  takeEqual(docket, 199, 199);
  pair(docket, ["$.x"], null, "still");
  assert.deepEqual(handOver(docket).mismatchUnits, []);
  takeEqual(docket, 1, 1);
  pair(docket, ["$.x"], null, "known");
  comparisons = handOver(docket);
  assert.deepEqual([comparisons.mismatchUnits, comparisons.noise?.freshUnits], [["known"], []]);
});

test("a pair counts by the place that is known best", () => {
  const docket = taught();
  pair(docket, ["$.x"]);
  takeEqual(docket, 200, 200);
  pair(docket, ["$.x", "$.y"], null, "both");
  assert.deepEqual(handOver(docket).mismatchUnits, ["both"]);
});

test("after a long silence a place is fresh again: old may have changed", () => {
  const docket = taught();
  pair(docket, ["$.x"]);
  takeEqual(docket, 199, 199);
  pair(docket, ["$.x"]);
  takeEqual(docket, 201, 201);
  handOver(docket);
  pair(docket, ["$.x"], null, "late");
  assert.deepEqual(handOver(docket).noise?.freshUnits, ["late"]);
});

test("a place that turns out to be noise takes back what it has said", () => {
  const docket = taught();
  pair(docket, ["$.x"]);
  takeEqual(docket, 200, 200);
  pair(docket, ["$.x"]);
  assert.equal(handOver(docket).noise?.wasWrong, false);
  pair(docket, ["$.x"], ["$.x"]);
  assert.equal(handOver(docket).noise?.wasWrong, true);
  pair(docket, ["$.x"], ["$.x"]);
  assert.equal(handOver(docket).noise?.wasWrong, false);
});

test("the more noise was seen only once, the more may not have been seen at all", () => {
  const docket = taught();
  const quiet = handOver(docket).noise?.bound ?? Number.NaN;
  assert.ok(Math.abs(quiet - (1 - 0.001 ** (1 / 200))) < 1e-12, `${quiet}`);
  for (const template of ["$.a", "$.b", "$.c"]) pair(docket, [], [template]);
  const lively = handOver(docket).noise?.bound ?? Number.NaN;
  assert.ok(lively > 1.5 * quiet, `${lively}`);
  takeEqual(docket, 5000, 5000);
  const later = handOver(docket).noise?.bound ?? Number.NaN;
  assert.ok(later < 0.003, `${later}`);
});

test("signs are taken with what was known before the triple", () => {
  const docket = createDocket(SHARE);
  pair(docket, ["$.ts"], ["$.ts", "$.id"]);
  pair(docket, ["$.id"], ["$.ts"]);
  pair(docket, ["$.ts", "$.x"], ["$.ts"]);
  const { noise } = handOver(docket);
  assert.equal(noise?.equalTriples, 1, "both differed elsewhere: the first triple says nothing");
  assert.deepEqual(noise?.triples, [
    {
      unit: null,
      signs: [
        { place: "value $.id", sign: 1 },
        { place: "value $.ts", sign: -1 },
      ],
      elsewhere: 0,
    },
    { unit: null, signs: [], elsewhere: 1 },
  ]);
});

test("a transient pair is clean, teaches noise, and never says more against new than old's second answer", () => {
  const docket = taught();
  takeTransient(docket, { differences: [value("$.x")], again: [value("$.ts")], unit: null });
  const { match, mismatchUnits, noise } = handOver(docket);
  assert.deepEqual([match, mismatchUnits, noise?.freshUnits], [1, [], []]);
  assert.deepEqual(noise?.triples, [{ unit: null, signs: [], elsewhere: -1 }]);
  assert.notEqual(noiseAt(docket, value("$.ts")), null);
});

test("differences ask for twenty more triples at a time, once those have come, and not without end", () => {
  const docket = taught();
  assert.equal(triplesWanted(docket), 0);
  let granted = 0;
  for (let i = 0; i < 5000; i += 1) {
    pair(docket, ["$.x"]);
    const wanted = triplesWanted(docket);
    assert.ok(wanted === 0 || wanted === 20);
    granted += wanted;
  }
  assert.ok(granted >= 1000 && granted <= 1000 + 5000 * 0.02 + 20, `${granted}`);
});

test("where triples stop coming, what was learned has to do; where nothing was learned, the judge is blind", () => {
  const docket = taught();
  takeEqual(docket, 500, 0);
  pair(docket, ["$.x"], null, "u");
  const known = handOver(docket);
  assert.deepEqual([known.mismatchUnits, known.noise?.isBlind], [["u"], true]);
  const ignorant = createDocket(SHARE);
  takeEqual(ignorant, 400, 0);
  handOver(ignorant);
  pair(ignorant, ["$.x"], null, "u");
  const blind = handOver(ignorant);
  assert.deepEqual([blind.mismatchUnits, blind.noise?.freshUnits, blind.noise?.isBlind], [[], ["u"], true]);
});

test("clearing drops what waits and keeps what is known", () => {
  const docket = createDocket(SHARE);
  pair(docket, ["$.ts"], ["$.ts"]);
  pair(docket, ["$.x"], []);
  clearDocket(docket);
  takeEqual(docket, 400, 200);
  assert.deepEqual(handOver(docket).mismatchUnits, []);
  assert.notEqual(noiseAt(docket, value("$.ts")), null);
});

test("no pair is counted twice, and once learning is over none waits", () => {
  const template = fc.constantFrom("$.a", "$.b", "$.c");
  const act = fc.record({
    differences: fc.uniqueArray(template, { maxLength: 3 }),
    again: fc.option(fc.uniqueArray(template, { maxLength: 3 })),
    looks: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 450 }), (acts) => {
      const docket = createDocket(SHARE);
      let seen = 0;
      let triples = 0;
      const look = () => {
        const { match, mismatchUnits, noise } = handOver(docket);
        seen += match + mismatchUnits.length + (noise?.freshUnits.length ?? 0);
        triples += (noise?.equalTriples ?? 0) + (noise?.triples.length ?? 0);
      };
      for (const { differences, again, looks } of acts) {
        pair(docket, differences, again);
        if (looks) look();
      }
      look();
      assert.equal(triples, acts.filter(({ again }) => again !== null).length);
      if (learningProgress(docket) === null) assert.equal(seen, acts.length);
      else assert.equal(seen, 0);
    }),
    { numRuns: 60 },
  );
});
