import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bucketOf, unitOf } from "../../src/model/bucket.ts";
import { WHOLE_PPM } from "../../src/model/ruleset.ts";

const KEYS = 1_000_000;
/** Buckets of a million keys on one route: hashed once for all tests that look at them. */
const million = Uint32Array.from({ length: KEYS }, (_, i) => bucketOf("profiles", `user-${i}`));

test("a bucket is a whole number from 0 to 999,999, the same each time", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (route, key) => {
      const bucket = bucketOf(route, key);
      assert.ok(Number.isInteger(bucket) && bucket >= 0 && bucket < WHOLE_PPM);
      assert.equal(bucketOf(route, key), bucket);
    }),
  );
});

test("buckets are lasting: a new version of the gateway moves nobody", () => {
  // floor(first 48 bits of SHA-256(route, NUL, key) / 2^48 × 1,000,000), computed independently.
  const KNOWN: [route: string, key: string, bucket: number][] = [
    ["profiles", "acme", 760_435],
    ["profiles", "user-42", 212_188],
    ["orders", "acme", 390_969],
    ["profiles", "Jürgen 😀", 53_930],
    ["profiles", "", 606_082],
  ];
  for (const [route, key, bucket] of KNOWN) assert.equal(bucketOf(route, key), bucket, `${route} ${key}`);
});

test("of a million keys, each share takes its part within 4 standard deviations", () => {
  for (const sharePpm of [1, 10, 100, 1_000, 10_000, 50_000, 250_000, 500_000, 999_000, 999_999]) {
    const share = sharePpm / WHOLE_PPM;
    let toNew = 0;
    for (const bucket of million) if (bucket < sharePpm) toNew += 1;
    const deviation = Math.sqrt(KEYS * share * (1 - share));
    assert.ok(Math.abs(toNew - KEYS * share) <= 4 * deviation, `${sharePpm} ppm took ${toNew}`);
  }
});

test("keys spread evenly over all of the line", () => {
  const cells = new Float64Array(1000);
  for (const bucket of million) {
    const cell = Math.floor(bucket / 1000);
    cells[cell] = (cells[cell] ?? 0) + 1;
  }
  // 999 degrees of freedom: mean 999, standard deviation 44.7.
  assert.ok(Math.abs(chiSquare(cells, KEYS / 1000) - 999) < 4 * 44.7);
});

test("two routes do not move the same people first: their buckets are independent", () => {
  const CELLS = 10;
  const joint = new Float64Array(CELLS * CELLS);
  const sample = 200_000;
  for (let i = 0; i < sample; i += 1) {
    const a = Math.floor(((million[i] ?? 0) * CELLS) / WHOLE_PPM);
    const b = Math.floor((bucketOf("orders", `user-${i}`) * CELLS) / WHOLE_PPM);
    joint[a * CELLS + b] = (joint[a * CELLS + b] ?? 0) + 1;
  }
  // 99 degrees of freedom: mean 99, standard deviation 14.1.
  const statistic = chiSquare(joint, sample / (CELLS * CELLS));
  assert.ok(statistic < 99 + 4 * 14.1, `chi-square ${statistic}`);
});

test("routes whose names and keys run together are still told apart", () => {
  assert.notEqual(bucketOf("a", "bc"), bucketOf("ab", "c"));
  assert.notEqual(unitOf("a", "bc"), unitOf("ab", "c"));
});

test("a unit is 16 hex digits, the same each time, another on another route", () => {
  fc.assert(
    fc.property(fc.string(), (key) => {
      assert.match(unitOf("profiles", key), /^[0-9a-f]{16}$/);
      assert.equal(unitOf("profiles", key), unitOf("profiles", key));
      assert.notEqual(unitOf("profiles", key), unitOf("orders", key));
    }),
  );
});

function chiSquare(cells: Float64Array, expected: number): number {
  let sum = 0;
  for (const count of cells) sum += (count - expected) ** 2 / expected;
  return sum;
}
