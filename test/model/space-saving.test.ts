import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { countKey, createSpaceSaving, insertSlot, removeSlot } from "../../src/model/space-saving.ts";
import { seeded } from "./traffic.ts";

test("a count is never too low, too high by at most its overcount, and none exceeds its share", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { maxLength: 500 }), fc.integer({ min: 1, max: 12 }), (keys, max) => {
      const counter = createSpaceSaving<null>(max);
      const exact = new Map<string, number>();
      for (const key of keys) {
        countKey(counter, `${key}`, () => null);
        exact.set(`${key}`, (exact.get(`${key}`) ?? 0) + 1);
      }
      assert.ok(counter.slots.size <= max);
      let sum = 0;
      for (const { key, count, overcount } of counter.slots.values()) {
        const truth = exact.get(key) ?? 0;
        assert.ok(count >= truth && count - overcount <= truth, `${key}: ${truth} in ${count}-${overcount}`);
        sum += count;
      }
      assert.equal(sum, keys.length);
      for (const [key, truth] of exact) if (truth > keys.length / max) assert.ok(counter.slots.has(key));
    }),
  );
});

test("the least frequent stands first, over any counting, removing and putting in", () => {
  const act = fc.tuple(fc.constantFrom("count", "remove", "insert"), fc.nat(20), fc.nat(9));
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
      const counter = createSpaceSaving<null>(15);
      for (const [what, key, count] of acts) {
        const known = counter.slots.get(`${key}`);
        if (what === "count") countKey(counter, `${key}`, () => null);
        else if (what === "remove" && known !== undefined) removeSlot(counter, known);
        else if (what === "insert" && known === undefined && counter.heap.length < 15)
          insertSlot(counter, { key: `${key}`, count, overcount: 0, value: null });
        assert.equal(counter.heap.length, counter.slots.size);
        for (const [index, slot] of counter.heap.entries()) {
          assert.equal(slot.index, index);
          const above = counter.heap[(index - 1) >> 1];
          if (index > 0) assert.ok((above?.count ?? 0) <= slot.count);
        }
      }
    }),
  );
});

test("on a skewed stream the head is exact: the top 20 of 100,000 keys", () => {
  const random = seeded(1);
  const counter = createSpaceSaving<null>(1000);
  const exact = new Map<string, number>();
  for (let i = 0; i < 300_000; i += 1) {
    // Zipf-like: the key's rank is 1/u.
    const key = `${Math.min(100_000, Math.floor(1 / random()))}`;
    countKey(counter, key, () => null);
    exact.set(key, (exact.get(key) ?? 0) + 1);
  }
  const top = [...exact].sort((a, b) => b[1] - a[1]).slice(0, 20);
  for (const [key, truth] of top) {
    const slot = counter.slots.get(key);
    assert.deepEqual([slot?.count, slot?.overcount], [truth, 0]);
  }
});
