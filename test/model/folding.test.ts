import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createFolds, foldTemplate, learnTemplate, segmentsOf } from "../../src/model/folding.ts";

test("a path is its segments again, whatever names hold", () => {
  assert.deepEqual(segmentsOf("$.a['b.c'][*][3].d"), [".a", "['b.c']", "[*]", "[3]", ".d"]);
  assert.deepEqual(segmentsOf("$['it\\'s]'].x"), ["['it\\'s]']", ".x"]);
  fc.assert(
    fc.property(fc.string(), (rest) => {
      assert.equal(segmentsOf(`$${rest}`).join(""), rest);
    }),
  );
});

test("a parent of few names keeps them apart; one name more and they are data", () => {
  const folds = createFolds(100, 3);
  const folded: string[] = [];
  const learn = (template: string) => learnTemplate(folds, template, (parent) => folded.push(parent));
  for (const name of ["a", "b", "c", "a", "b"]) assert.equal(learn(`$.m.${name}.x`), `$.m.${name}.x`);
  assert.deepEqual(folded, []);
  assert.equal(learn("$.m['d d'].x"), "$.m[*].x");
  assert.deepEqual(folded, ["$.m"]);
  assert.equal(foldTemplate(folds, "$.m.a.x"), "$.m[*].x");
  assert.equal(foldTemplate(folds, "$.m[*].x"), "$.m[*].x");
  assert.equal(foldTemplate(folds, "$.n.a.x"), "$.n.a.x");
});

test("names below a folded parent are counted together, and fold in their turn", () => {
  const folds = createFolds(100, 3);
  for (let i = 0; i < 20; i += 1) learnTemplate(folds, `$.m.k${i}.v${i}`, () => {});
  assert.equal(foldTemplate(folds, "$.m.any.thing"), "$.m[*][*]");
});

test("array indexes, headers and the status are no names", () => {
  const folds = createFolds(100, 1);
  for (const place of ["$[*].a", "header:a", "header:b", "header:c", "status", "body"])
    assert.equal(
      learnTemplate(folds, place, () => assert.fail()),
      place,
    );
});

test("however many parents there are, a bounded number is watched", () => {
  const folds = createFolds(50);
  for (let i = 0; i < 5000; i += 1) learnTemplate(folds, `$.a.p${i % 40}.q${i % 45}.r${i}`, () => {});
  assert.ok(folds.names.size <= 50);
  assert.ok(folds.known.size <= 4096);
});

test("the lines of a text are names, which fold when there are many", () => {
  const folds = createFolds(100, 3);
  assert.deepEqual(segmentsOf("line[~3fa9c1]"), ["[~3fa9c1]"]);
  for (let i = 0; i < 3; i += 1)
    assert.equal(
      learnTemplate(folds, `line[~00000${i}]`, () => {}),
      `line[~00000${i}]`,
    );
  assert.equal(
    learnTemplate(folds, "line[~00000a]", () => {}),
    "line[*]",
  );
  assert.equal(foldTemplate(folds, "line[~000001]"), "line[*]");
  assert.equal(foldTemplate(folds, "line[*]"), "line[*]");
});
