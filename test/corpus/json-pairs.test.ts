/** Every difference put into documents of well-known shapes is found at its place, and nothing else is. */

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Comparison } from "../../src/model/pair.ts";
import { comparedBodies } from "../compare/pairs.ts";
import { createDraw } from "./draw.ts";
import { type Json, PLAIN, spell, WILD } from "./json.ts";
import { type Injected, inject, patternText, SORTS } from "./mutate.ts";
import type { Shape } from "./shape.ts";
import { SHAPES } from "./shapes.ts";

const ROUNDS = 12;

function rulesOf(shape: Shape): { readonly unordered: readonly string[] } {
  return { unordered: shape.unordered.map(patternText) };
}

function compareTexts(shape: Shape, oldText: string, newText: string): Comparison {
  return comparedBodies(oldText, newText, { type: shape.contentType, compare: rulesOf(shape) });
}

/** Checks places, templates and kinds exactly, and relations where the injection knows them. */
function assertFound(comparison: Comparison, injected: readonly Injected[], what: string): void {
  const found = comparison.kind === "mismatch" ? comparison.differences : [];
  const line = (given: { place: string; template: string; kind: string }): string =>
    `${given.place}  ${given.kind}  ${given.template}`;
  assert.deepEqual(found.map(line).toSorted(), injected.map(line).toSorted(), what);
  for (const { place, relation } of injected) {
    if (relation === undefined) continue;
    assert.equal(
      found.find((difference) => difference.place === place)?.relation,
      relation,
      `${what}: ${place}`,
    );
  }
}

for (const shape of SHAPES) {
  test(`${shape.name}: however it is spelled, the same document is a match`, () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const draw = createDraw(seed);
      const document = shape.make(draw);
      const copy: Json = structuredClone(document);
      inject(copy, shape, 0, draw);
      const comparison = compareTexts(shape, spell(document, PLAIN, draw), spell(copy, WILD, draw));
      assert.deepEqual(comparison, { kind: "match" }, `seed ${seed}`);
    }
  });

  test(`${shape.name}: every injected difference is found at its place, and nothing else`, () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const draw = createDraw(seed * 7919);
      const document = shape.make(draw);
      const copy: Json = structuredClone(document);
      const injected = inject(copy, shape, 1 + (seed % 6), draw);
      const comparison = compareTexts(shape, spell(document, PLAIN, draw), spell(copy, WILD, draw));
      assertFound(comparison, injected, `${shape.name}, seed ${seed}`);
    }
  });
}

for (const sort of SORTS) {
  test(`over all shapes: "${sort}" alone is found wherever it is put`, () => {
    let count = 0;
    for (const [at, shape] of SHAPES.entries()) {
      for (let seed = 1; seed <= 4; seed++) {
        const draw = createDraw(seed * 104_729 + at);
        const document = shape.make(draw);
        const copy: Json = structuredClone(document);
        const injected = inject(copy, shape, 1, draw, [sort]);
        count += injected.length;
        const comparison = compareTexts(shape, spell(document, PLAIN, draw), spell(copy, PLAIN, draw));
        assertFound(comparison, injected, `${shape.name}, seed ${seed}`);
      }
    }
    assert.ok(count > 40, `${sort} was injected ${count} times`);
  });
}
