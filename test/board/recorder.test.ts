import assert from "node:assert/strict";
import { test } from "node:test";
import { DURATION_BOUNDS_US, SLICE } from "../../src/board/layout.ts";
import { Recorder } from "../../src/board/recorder.ts";
import { Tile } from "../../src/board/tile.ts";
import { UNCOMPARED_REASONS } from "../../src/model/uncompared.ts";
import { onThreads } from "./threads.ts";

function fresh() {
  const tile = Tile.create(2);
  return { tile, slice: tile.slice(0), recorder: new Recorder(tile, 0) };
}

test("each count goes to its own side and changes what control looks at", () => {
  const { slice, recorder } = fresh();
  const by = (word: number) => [slice[word], slice[word + 1]];
  recorder.leg("old", "well", false, 1000);
  recorder.leg("new", "error", true, null);
  recorder.leg("new", "client-error", false, 1000);
  assert.deepEqual(by(SLICE.answers), [1, 2]);
  assert.deepEqual(by(SLICE.errors), [0, 1]);
  assert.deepEqual(by(SLICE.clientErrors), [0, 1]);
  assert.deepEqual(by(SLICE.slow), [0, 1]);
  assert.equal(slice[SLICE.touched], 3);
  recorder.fallback();
  recorder.shadow("shed");
  recorder.comparison("uncompared");
  assert.equal(slice[SLICE.fallbacks], 1);
  assert.equal(slice[SLICE.shadows + 1], 1);
  assert.equal(slice[SLICE.comparisons + 1], 1);
  assert.equal(slice[SLICE.touched], 6);
});

test("an uncompared pair is counted by its reason and in their total", () => {
  const { slice, recorder } = fresh();
  recorder.uncompared("shed");
  recorder.uncompared("too_large");
  recorder.uncompared("shed");
  assert.equal(slice[SLICE.comparisons + 1], 3);
  for (const [index, reason] of UNCOMPARED_REASONS.entries())
    assert.equal(slice[SLICE.uncompared + index], { shed: 2, too_large: 1 }[reason as string] ?? 0, reason);
});

test("old, new and old again all the same are one match, and one triple", () => {
  const { slice, recorder } = fresh();
  recorder.comparison("match");
  recorder.triple();
  assert.deepEqual([slice[SLICE.comparisons], slice[SLICE.triples]], [2, 1]);
});

test("a duration is counted in the first bound that holds it, one beyond all in the last", () => {
  const { slice, recorder } = fresh();
  const BUCKETS = DURATION_BOUNDS_US.length + 1;
  const bucketsOf = (durationUs: number) => {
    slice.fill(0);
    recorder.request("new", 0, 1, durationUs);
    return [...slice.subarray(SLICE.durations + BUCKETS, SLICE.durations + 2 * BUCKETS)].indexOf(1);
  };
  for (const [index, bound] of DURATION_BOUNDS_US.entries()) {
    assert.equal(bucketsOf(bound), index, "le is less or equal");
    assert.equal(bucketsOf(bound + 0.5), index + 1);
  }
  assert.equal(bucketsOf(0), 0);
  assert.equal(bucketsOf(1e12), BUCKETS - 1);
});

test("the sum of durations loses nothing: not the parts of milliseconds, not an answer that took hours", () => {
  const { slice, recorder } = fresh();
  for (let i = 0; i < 10_000; i += 1) recorder.request("new", 0, 1, 250.5);
  assert.equal(slice[SLICE.durationSumMs + 1], 2505);
  recorder.request("new", 0, 1, 24 * 3600 * 1e6);
  assert.equal(slice[SLICE.durationSumMs + 1], 2505 + 24 * 3600 * 1000);
  assert.equal(slice[SLICE.durationSumMs], 0);
});

test("requests in flight go up and down, and a thread that takes over starts with none", () => {
  const { tile, slice, recorder } = fresh();
  recorder.began("new");
  recorder.began("new");
  recorder.began("old");
  recorder.ended("new");
  assert.deepEqual([slice[SLICE.inFlight], slice[SLICE.inFlight + 1]], [1, 1]);
  new Recorder(tile, 0).clearInFlight();
  assert.deepEqual([slice[SLICE.inFlight], slice[SLICE.inFlight + 1]], [0, 0]);
});

test("a counter wraps around at 2^32", () => {
  const { slice, recorder } = fresh();
  slice[SLICE.answers + 1] = 2 ** 32 - 1;
  slice[SLICE.touched] = 2 ** 32 - 1;
  recorder.leg("new", "well", false, null);
  assert.equal(slice[SLICE.answers + 1], 0);
  assert.equal(slice[SLICE.touched], 0);
});

test("threads count in slices of their own: none overwrites another's", async () => {
  const tile = Tile.create(3);
  await onThreads<number>(3, "record", tile.buffer, 20_000);
  for (const thread of [0, 1, 2]) {
    const slice = tile.slice(thread);
    assert.equal(slice[SLICE.answers], 10_000);
    assert.equal(slice[SLICE.answers + 1], 10_000);
    assert.equal(slice[SLICE.errors + 1], 5000);
    assert.equal(slice[SLICE.touched], 40_000);
  }
});
