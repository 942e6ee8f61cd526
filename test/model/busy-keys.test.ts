import assert from "node:assert/strict";
import { test } from "node:test";
import { busyKeysWords, createBusyKeys, forgetBusyKeys, noteBusyKey } from "../../src/model/busy-keys.ts";

function keysOf(counts: Readonly<Record<string, number>>) {
  const keys = createBusyKeys();
  for (const [unit, count] of Object.entries(counts))
    for (let i = 0; i < count; i += 1) noteBusyKey(keys, unit);
  return keys;
}

test("few keys that make most failures are named, the busiest first, and as few as make half", () => {
  const keys = keysOf({ "77c1ab0000000000": 3, "3f9a120000000000": 4, "00000a0000000000": 1 });
  assert.equal(busyKeysWords(keys, 10, "errors"), "70% of new's errors come from 2 keys (3f9a12…, 77c1ab…)");
  assert.equal(
    busyKeysWords(keysOf({ aaaaaaaaaaaaaaaa: 9 }), 10, "4xx"),
    "90% of new's 4xx come from 1 key (aaaaaa…)",
  );
});

test("failures of many keys, of keyless requests, and very few failures name nobody", () => {
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}`.padEnd(16, "x"), 2]));
  assert.equal(busyKeysWords(keysOf(many), 80, "errors"), null);
  assert.equal(busyKeysWords(keysOf({ aaaaaaaaaaaaaaaa: 4 }), 10, "errors"), null);
  assert.equal(busyKeysWords(keysOf({ aaaaaaaaaaaaaaaa: 4 }), 4, "errors"), null);
});

test("keys that come late are not blamed for those before them", () => {
  const keys = createBusyKeys();
  for (let i = 0; i < 1_000; i += 1) noteBusyKey(keys, `${i}`.padEnd(16, "x"));
  assert.equal(busyKeysWords(keys, 40, "errors"), null);
  assert.equal(keys.counter.slots.size, 32);
});

test("a new step knows of none", () => {
  const keys = keysOf({ aaaaaaaaaaaaaaaa: 9 });
  forgetBusyKeys(keys);
  assert.equal(busyKeysWords(keys, 9, "errors"), null);
});
