import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { WHOLE_PPM } from "../../src/model/ruleset.ts";
import { taken } from "../../src/model/sampling.ts";

const LAST = 2 ** 32 - 1;

function countTaken(from: number, requests: number, sharePpm: number): number {
  let count = 0;
  for (let i = 0; i < requests; i += 1) if (taken(from + i, sharePpm)) count += 1;
  return count;
}

test("of 100 requests at 10% exactly 10 are taken, wherever the counting stands", () => {
  for (const from of [0, 1, 7, 99, 12_345, LAST - 100]) assert.equal(countTaken(from, 100, 100_000), 10);
});

test("of any number of requests at any share, the share of them is taken, rounded down or up", () => {
  const from = fc.oneof(fc.nat(1_000_000), fc.integer({ min: LAST - 10_000, max: LAST - 5_000 }));
  const share = fc.oneof(fc.nat(WHOLE_PPM), fc.nat(1000));
  fc.assert(
    fc.property(from, fc.nat(3000), share, (start, requests, sharePpm) => {
      const exact = (requests * sharePpm) / WHOLE_PPM;
      const count = countTaken(start, requests, sharePpm);
      assert.ok(count === Math.floor(exact) || count === Math.ceil(exact), `${count} for ${exact}`);
    }),
    { numRuns: 300 },
  );
});

test("the finest share takes one in a million, no more and no less", () => {
  assert.equal(countTaken(0, WHOLE_PPM, 1), 1);
  assert.equal(countTaken(LAST - WHOLE_PPM, WHOLE_PPM, 1), 1);
});

test("0% takes none and 100% takes all", () => {
  fc.assert(
    fc.property(fc.nat(LAST), (sequence) => {
      assert.equal(taken(sequence, 0), false);
      assert.equal(taken(sequence, WHOLE_PPM), true);
    }),
  );
});
