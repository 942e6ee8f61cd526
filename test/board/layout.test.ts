import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  bucketEndUs,
  DURATION_BOUNDS_US,
  LATENCY_BUCKETS,
  LOCAL_COMPARISONS,
  latencyBucket,
  requestsWord,
  SHADOW_RESULTS,
  SIDES,
  SLICE,
  SLICE_WORDS,
  THREAD_WORDS,
  tileBytes,
} from "../../src/board/layout.ts";
import { CODES } from "../../src/model/failures.ts";
import { REASONS } from "../../src/model/reasons.ts";
import { UNCOMPARED_REASONS } from "../../src/model/uncompared.ts";

test("a longer latency never falls into an earlier bucket", () => {
  const us = fc.oneof(fc.nat(2 ** 31 - 1), fc.nat(10_000), fc.double({ min: 0, max: 1e9, noNaN: true }));
  fc.assert(
    fc.property(us, us, (a, b) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      assert.ok(latencyBucket(low) <= latencyBucket(high));
    }),
  );
});

test("a latency lies below the end of its bucket and not below the one before", () => {
  fc.assert(
    fc.property(fc.oneof(fc.nat(2 ** 31 - 1), fc.nat(300)), (us) => {
      const bucket = latencyBucket(us);
      assert.ok(us < bucketEndUs(bucket));
      if (bucket > 0) assert.ok(us >= bucketEndUs(bucket - 1));
    }),
  );
});

test("the ends of the buckets rise, each at most an eighth above the one before", () => {
  for (let bucket = 1; bucket < LATENCY_BUCKETS; bucket += 1) {
    const [before, end] = [bucketEndUs(bucket - 1), bucketEndUs(bucket)];
    assert.ok(end > before);
    if (bucket >= 8) assert.ok(end <= before * 1.125);
  }
});

test("a latency out of all bounds is counted in the first or the last bucket", () => {
  for (const us of [-1, -1e12, 0]) assert.equal(latencyBucket(us), 0);
  for (const us of [2 ** 31 - 1, 2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY])
    assert.equal(latencyBucket(us), LATENCY_BUCKETS - 1);
});

test("no two counters share a word, and none lies outside the slice", () => {
  const sizes: Record<keyof typeof SLICE, number> = {
    touched: 1,
    inFlight: 2,
    tunnels: 2,
    requests: 2 * REASONS.length * CODES.length,
    durations: 2 * (DURATION_BOUNDS_US.length + 1),
    durationRestNs: 2,
    durationSumMs: 2,
    answers: 2,
    errors: 2,
    clientErrors: 2,
    slow: 2,
    latencies: 2 * LATENCY_BUCKETS,
    fallbacks: 1,
    shadows: SHADOW_RESULTS.length,
    shadowAnswers: 1,
    shadowFailures: 1,
    comparisons: LOCAL_COMPARISONS.length,
    uncompared: UNCOMPARED_REASONS.length,
    triples: 1,
    reverseTriples: 1,
  };
  const taken = new Set<number>();
  for (const [name, size] of Object.entries(sizes)) {
    const first = SLICE[name as keyof typeof SLICE];
    for (let word = first; word < first + size; word += 1) {
      assert.ok(!taken.has(word) && word < SLICE_WORDS, `${name} at ${word}`);
      taken.add(word);
    }
  }
});

test("each side, reason and code has a word of its own", () => {
  const words = new Set<number>();
  for (const side of SIDES.keys())
    for (const reason of REASONS.keys())
      for (const code of CODES.keys()) words.add(requestsWord(side, reason, code));
  assert.equal(words.size, 2 * REASONS.length * CODES.length);
  assert.equal(Math.min(...words), SLICE.requests);
  assert.ok(Math.max(...words) < SLICE_WORDS);
});

test("slices begin on cache lines of their own, so that threads do not slow each other down", () => {
  assert.equal((SLICE_WORDS * 4) % 64, 0);
  assert.equal((THREAD_WORDS * 4) % 64, 0);
  assert.equal(tileBytes(0) % 64, 0);
  assert.equal(tileBytes(3) - tileBytes(2), THREAD_WORDS * 4);
});
