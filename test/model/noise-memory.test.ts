/** What was noise before a restart. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { createDocket, handOver, noiseAt, takePair } from "../../src/model/docket.ts";
import { MANY_LINES } from "../../src/model/noise.ts";
import { recallRecord, recordOfNoise } from "../../src/model/noise-memory.ts";
import type { Place } from "../../src/model/pair.ts";

const value = (template: string): Place => ({ template, kind: "value" });

/** A docket that has seen 1,000 triples: noise of 50% at one place, of 1% at another. */
function taught() {
  const docket = createDocket(20_000);
  for (let i = 0; i < 1000; i++) {
    const again = [...(i % 2 === 0 ? [value("$.often")] : []), ...(i % 100 === 0 ? [value("$.rare")] : [])];
    takePair(docket, { differences: [], again, unit: null });
  }
  return docket;
}

function restarted(docket = taught()) {
  const next = createDocket(20_000);
  recallRecord(next, JSON.parse(JSON.stringify(recordOfNoise(docket))));
  return next;
}

test("noise is shown as noise after a restart, until as many triples without it say that it is none", () => {
  const docket = restarted();
  assert.deepEqual(noiseAt(docket, value("$.often")), { rate: 0.5, triples: 1000 });
  assert.deepEqual(noiseAt(docket, value("$.rare")), { rate: 0.01, triples: 1000 });
  assert.equal(noiseAt(docket, value("$.other")), null);
  for (let i = 0; i < 10; i++) takePair(docket, { differences: [], again: [], unit: null });
  assert.equal(noiseAt(docket, value("$.often")), null);
  assert.notEqual(noiseAt(docket, value("$.rare")), null);
  for (let i = 0; i < 490; i++) takePair(docket, { differences: [], again: [value("$.rare")], unit: null });
  assert.equal(noiseAt(docket, value("$.rare"))?.triples, 500, "by what is seen now");
});

test("what is remembered is never judged by", () => {
  const [docket, fresh] = [restarted(), createDocket(20_000)];
  for (const each of [docket, fresh]) {
    for (let i = 0; i < 300; i++) takePair(each, { differences: [value("$.rare")], again: [], unit: null });
  }
  assert.deepEqual(handOver(docket), handOver(fresh));
});

test("a second restart before anything was learned forgets nothing", () => {
  assert.deepEqual(recordOfNoise(restarted(restarted())), recordOfNoise(taught()));
});

test("names that are data, and lines that are noise as a whole, are remembered as such", () => {
  const docket = createDocket(20_000);
  for (let i = 0; i < 60; i++) {
    const line = value(`line[~${(i % (MANY_LINES + 4)).toString(16).padStart(6, "0")}]`);
    takePair(docket, { differences: [], again: [value(`$.users.u${i}.seen`), line], unit: null });
  }
  const next = restarted(docket);
  assert.notEqual(noiseAt(next, value("$.users.nobody.seen")), null);
  assert.notEqual(noiseAt(next, value("line[~abcdef]")), null);
  assert.equal(noiseAt(next, { template: "line[~abcdef]", kind: "missing" }), null);
});

test("bounded, and nothing where noise is not measured or the record is none", () => {
  const many = createDocket(20_000);
  const again = Array.from({ length: 1500 }, (_, i) => value(`header:h${i}`));
  takePair(many, { differences: [], again, unit: null });
  assert.equal(recordOfNoise(many)?.places.length, 500);
  assert.equal(recordOfNoise(createDocket(0)), null);
  for (const record of [null, undefined, 1, {}, { places: [[1, 2]], folded: [], areLinesOne: false }]) {
    const docket = createDocket(20_000);
    recallRecord(docket, record);
    assert.equal(noiseAt(docket, value("$.often")), null);
  }
  const unmeasured = createDocket(0);
  recallRecord(unmeasured, recordOfNoise(taught()));
  assert.equal(noiseAt(unmeasured, value("$.often")), null);
});
