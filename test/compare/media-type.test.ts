import assert from "node:assert/strict";
import { test } from "node:test";

import { answer, compared, pairOf } from "./pairs.ts";

const JSON_TEXT = '{"a":1}';

function kindOf(oldType: string, newType: string): string {
  return compared(pairOf(answer(JSON_TEXT, { type: oldType }), answer(JSON_TEXT, { type: newType }))).kind;
}

test("JSON is UTF-8 whether or not its type says so", () => {
  assert.equal(kindOf("application/json", "application/json; charset=utf-8"), "match");
  assert.equal(kindOf("application/problem+json;charset=UTF-8", "application/problem+json"), "match");
  assert.equal(kindOf("application/json; charset=latin1", "application/json"), "mismatch");
  assert.equal(kindOf("application/json; v=1", "application/json"), "mismatch");
});

test("of other types the charset counts", () => {
  assert.equal(kindOf("text/html", "text/html; charset=utf-8"), "mismatch");
});
