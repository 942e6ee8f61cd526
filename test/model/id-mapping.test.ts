import assert from "node:assert/strict";
import { test } from "node:test";
import { createIdMapping, isIdMapping, joinIdMappings, learnIds } from "../../src/model/id-mapping.ts";
import { seeded } from "./traffic.ts";

/** The mapping of so many records, each seen a few times. */
function mapped(records: number, times: number, to: (i: number) => string, from = (i: number) => `"o${i}"`) {
  const mapping = createIdMapping();
  for (let time = 0; time < times; time += 1)
    for (let i = 0; i < records; i += 1) learnIds(mapping, from(i), to(i));
  return mapping;
}

test("the same old id beside the same new one, again and again, is a mapping", () => {
  assert.ok(isIdMapping(mapped(5, 3, (i) => `"usr_${(i * 7919) % 1000}"`)));
  assert.ok(
    isIdMapping(
      mapped(
        3,
        4,
        (i) => `${900_000 - i * 31_337}`,
        (i) => `${i * 100 + 7}`,
      ),
    ),
  );
});

test("what was seen once, or in two records only, is no mapping yet", () => {
  assert.ok(!isIdMapping(mapped(100, 1, (i) => `"n${i}"`)));
  assert.ok(!isIdMapping(mapped(2, 50, (i) => `"n${i}"`)));
});

test("two values for one, one for two, and chance are no mapping", () => {
  assert.ok(!isIdMapping(mapped(10, 3, () => '"same"')));
  let calls = 0;
  assert.ok(!isIdMapping(mapped(10, 3, () => `"n${calls++}"`)));
  const random = seeded(5);
  assert.ok(!isIdMapping(mapped(10, 20, () => `"n${Math.floor(random() * 20)}"`)));
});

test("one other fault in a hundred does not hide a mapping", () => {
  const mapping = mapped(20, 20, (i) => `"n${i}"`);
  for (let i = 0; i < 4; i += 1) learnIds(mapping, `"o${i}"`, '"wrong"');
  assert.ok(isIdMapping(mapping));
});

test("amounts, counts that are off by a little, flags and sentences are no ids", () => {
  assert.ok(
    !isIdMapping(
      mapped(
        10,
        5,
        (i) => `${i}.50`,
        (i) => `${i}.75`,
      ),
    ),
  );
  assert.ok(
    !isIdMapping(
      mapped(
        10,
        5,
        (i) => `${i * 100 + 1}`,
        (i) => `${i * 100}`,
      ),
    ),
  );
  assert.ok(!isIdMapping(mapped(10, 5, (i) => `"text ${i} of new"`)));
  assert.ok(
    !isIdMapping(
      mapped(
        10,
        5,
        () => "true",
        () => "false",
      ),
    ),
  );
});

test("memory stays bounded, and a mapping is still seen among very many records", () => {
  const mapping = mapped(5000, 2, (i) => `"n${i}"`);
  assert.equal(mapping.toNew.size, 128);
  assert.ok(isIdMapping(mapping));
});

test("two places' mappings become one, or none where they contradict each other", () => {
  const one = mapped(5, 3, (i) => `"n${i}"`);
  joinIdMappings(
    one,
    mapped(8, 3, (i) => `"n${i}"`),
  );
  assert.ok(isIdMapping(one));
  const other = mapped(5, 3, (i) => `"n${i}"`);
  joinIdMappings(
    other,
    mapped(5, 3, (i) => `"n${i + 1}"`),
  );
  assert.ok(!isIdMapping(other));
});
