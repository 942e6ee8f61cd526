import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { rawTexts } from "../../src/proxy/raw-texts.ts";

const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((each) => Buffer.from(each));

/** As a parser would see them: views of one block, with something between them. */
function inOneBlock(fields: readonly Buffer[], before: Buffer): Buffer[] {
  const block = Buffer.concat([before, ...fields.flatMap((field) => [field, Buffer.from(": ")])]);
  let at = before.length;
  return fields.map((field) => {
    const view = block.subarray(at, at + field.length);
    at += field.length + 2;
    return view;
  });
}

test("fields are the texts of their bytes, wherever those lie", () => {
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 12 }), bytes, fc.nat(), (fields, before, cut) => {
      const expected = fields.map((field) => field.toString("latin1"));
      const together = inOneBlock(fields, before);
      assert.deepEqual(rawTexts(together), expected);
      if (fields.length === 0) return;
      const elsewhere = cut % fields.length;
      const apart = together.with(elsewhere, Buffer.from(fields[elsewhere] ?? ""));
      assert.deepEqual(rawTexts(apart), expected);
      assert.deepEqual(rawTexts(together.toReversed()), expected.toReversed());
      assert.deepEqual(rawTexts(expected), expected);
    }),
  );
});

test("what is no list of fields has none", () => {
  assert.deepEqual(rawTexts(null), []);
  assert.deepEqual(rawTexts([]), []);
});
