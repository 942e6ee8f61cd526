/** Where old differs from itself, and for how long that is remembered. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createNoise,
  isNoisy,
  learnNoise,
  learnQuiet,
  MANY_LINES,
  MAX_NOISY_PLACES,
  type Noise,
  noiseKey,
  noiseRate,
  singularTriples,
  WINDOW_TRIPLES,
} from "../../src/model/noise.ts";
import type { Place } from "../../src/model/pair.ts";

const value = (template: string): Place => ({ template, kind: "value" });
const learn = (noise: Noise, ...templates: string[]): string[] => {
  const discovered: string[] = [];
  learnNoise(noise, templates.map(value), (key) => discovered.push(key));
  return discovered;
};
const knows = (noise: Noise, template: string) => isNoisy(noise, noiseKey(noise, value(template)));

test("a place where old differs from itself is noise, with the share of triples it did in", () => {
  const noise = createNoise();
  assert.deepEqual(learn(noise, "$.ts", "$.ts"), ["value $.ts"]);
  assert.deepEqual(learn(noise, "$.ts"), []);
  learnQuiet(noise, 2);
  assert.deepEqual(noiseRate(noise, value("$.ts")), { rate: 0.5, triples: 4 });
  assert.equal(noiseRate(noise, value("$.name")), null);
});

test("noise is of a place and a kind: a noisy value that new leaves out is no noise", () => {
  const noise = createNoise();
  learn(noise, "$.ts");
  assert.equal(noiseRate(noise, { template: "$.ts", kind: "missing" }), null);
});

test("a value that old sometimes leaves out is missing and added by the same noise", () => {
  const noise = createNoise();
  learnNoise(noise, [{ template: "$.ad", kind: "missing" }], () => {});
  assert.notEqual(noiseRate(noise, { template: "$.ad", kind: "added" }), null);
});

test("what was noisy once is forgotten after 10,000 to 20,000 triples", () => {
  const noise = createNoise();
  learn(noise, "$.once");
  learnQuiet(noise, WINDOW_TRIPLES - 1);
  assert.ok(knows(noise, "$.once"));
  learnQuiet(noise, WINDOW_TRIPLES);
  assert.ok(!knows(noise, "$.once"));
});

test("noise of one in 500 is never forgotten", () => {
  const noise = createNoise();
  for (let i = 0; i < 200; i += 1) {
    learn(noise, "$.rare");
    learnQuiet(noise, 499);
    assert.ok(knows(noise, "$.rare"));
  }
  const { rate } = noiseRate(noise, value("$.rare")) ?? assert.fail("forgotten");
  assert.ok(Math.abs(rate - 0.002) < 1e-4, `${rate}`);
});

test("places beyond the bound are not noise: they count against new", () => {
  const noise = createNoise();
  for (let i = 0; i < MAX_NOISY_PLACES + 500; i += 1) {
    // Places that do not fold: each has a parent of its own, and those are of few names.
    learn(noise, `header:h${i}`);
  }
  assert.equal(noise.places.size, MAX_NOISY_PLACES);
  assert.ok(knows(noise, "header:h0"));
  assert.ok(!knows(noise, `header:h${MAX_NOISY_PLACES}`));
});

test("names that are data fold: noise of fifty members is noise of all", () => {
  const noise = createNoise();
  for (let i = 0; i < 50; i += 1) learn(noise, `$.users.user${i}x.seen`);
  assert.ok(!knows(noise, "$.users.nobody.seen"));
  learn(noise, "$.users.another.seen");
  assert.ok(knows(noise, "$.users.nobody.seen"));
  assert.ok(!knows(noise, "$.users.nobody.name"));
  assert.equal(noise.places.size, 1);
  assert.deepEqual(noiseRate(noise, value("$.users.nobody.seen")), { rate: 1, triples: 51 });
});

test("noise that a single triple has shown counts until it is seen again, and as one where it came together", () => {
  const noise = createNoise();
  learn(noise, "$.a", "$.b", "$.c");
  assert.equal(singularTriples(noise), 1);
  learn(noise, "$.d");
  assert.equal(singularTriples(noise), 2);
  learn(noise, "$.b");
  assert.equal(singularTriples(noise), 1);
  learnQuiet(noise, WINDOW_TRIPLES);
  assert.equal(singularTriples(noise), 1, "of the window before");
  learnQuiet(noise, WINDOW_TRIPLES);
  assert.equal(singularTriples(noise), 0);
});

test("a noisy line is noise by itself; many sorts of them are noise of all lines, while they are remembered", () => {
  const noise = createNoise();
  const line = (at: number) => `line[~${at.toString(16).padStart(6, "0")}]`;
  for (let i = 0; i < MANY_LINES - 1; i += 1) learn(noise, line(i), line(0));
  assert.ok(knows(noise, line(3)));
  assert.ok(!knows(noise, line(1000)));
  assert.equal(noiseRate(noise, value(line(0)))?.rate, 1);
  learn(noise, line(500));
  assert.ok(knows(noise, line(1000)));
  assert.ok(!isNoisy(noise, noiseKey(noise, { template: line(1000), kind: "missing" })), "another kind");
  assert.equal(noiseRate(noise, value(line(1000)))?.rate, 1);
  assert.equal(singularTriples(noise), 0, "it is one place, seen often");
  for (let i = 0; i < 1000; i += 1) assert.deepEqual(learn(noise, line(2000 + i)), []);
  assert.equal(singularTriples(noise), 0);
  assert.ok(noise.places.size < 100);
  learnQuiet(noise, WINDOW_TRIPLES);
  learnQuiet(noise, WINDOW_TRIPLES);
  assert.ok(!knows(noise, line(1000)));
});
