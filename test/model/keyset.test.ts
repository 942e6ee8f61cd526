import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { createKeySetBuilder, createKeySetLookup, keyFingerprint } from "../../src/model/keyset.ts";

function lookupOf(keys: readonly string[], secret: string) {
  const builder = createKeySetBuilder(secret);
  for (const key of keys) builder.add(key);
  const set = builder.finish();
  return { set, has: createKeySetLookup({ path: "keys.txt", secret, ...set }) };
}

test("a key set answers as a Set would, whatever the keys", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.array(fc.string()), fc.string(), (inside, asked, secret) => {
      const { set, has } = lookupOf(inside, secret);
      const truth = new Set(inside);
      assert.equal(set.count, truth.size);
      for (const key of [...inside, ...asked]) assert.equal(has(key), truth.has(key), key);
    }),
  );
});

test("fingerprints are sorted, each once, 8 bytes a key", () => {
  const keys = Array.from({ length: 5000 }, (_, i) => `tenant-${i % 3000}`);
  const { set, has } = lookupOf(keys, "s");
  const numbers = new BigUint64Array(set.fingerprints);
  assert.equal(set.count, 3000);
  assert.equal(set.fingerprints.byteLength, 3000 * 8);
  for (let i = 1; i < numbers.length; i++) assert.ok((numbers[i - 1] ?? 0n) < (numbers[i] ?? 0n));
  assert.ok(keys.every(has));
  assert.ok(!has("tenant-3000"));
});

test("an empty set has nothing", () => {
  assert.equal(lookupOf([], "s").has(""), false);
});

test("a fingerprint is the head of SHA-256 of secret and key", () => {
  const digest = createHash("sha256").update("s\0wäre").digest();
  assert.deepEqual(keyFingerprint("s", "wäre"), { hi: digest.readUInt32BE(0), lo: digest.readUInt32BE(4) });
});

test("another secret gives other fingerprints", () => {
  assert.notDeepEqual(keyFingerprint("a", "key"), keyFingerprint("b", "key"));
});
