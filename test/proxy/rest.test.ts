import assert from "node:assert/strict";
import { test } from "node:test";
import { Rest } from "../../src/proxy/rest.ts";

/** Loses shadows at this moment until the next would not start. */
function exhaust(rest: Rest, nowMs: number): number {
  let started = 0;
  for (; started < 1_000 && rest.allows(nowMs); started++) rest.note("lost");
  return started;
}

test("a few lost shadows are each tried: only a long run of losses brings a rest", () => {
  const started = exhaust(new Rest(), 0);
  assert.ok(started >= 50 && started < 200, `${started} shadows were lost before the rest`);
});

test("while shadows rest, one is tried now and then, and its loss prolongs the rest", () => {
  const rest = new Rest();
  exhaust(rest, 0);
  let tried = 0;
  for (let nowMs = 1; nowMs <= 1_000; nowMs++) tried += exhaust(rest, nowMs);
  assert.ok(tried >= 5 && tried <= 20, `${tried} shadows were tried in a second`);
});

test("the first shadow that comes back ends the rest", () => {
  const rest = new Rest();
  exhaust(rest, 0);
  assert.equal(rest.allows(50), false);
  rest.note("answered");
  assert.equal(rest.allows(51), true);
  assert.equal(rest.allows(51), true);
});

test("a shadow that is answered now and then keeps the others going", () => {
  const rest = new Rest();
  for (let sent = 0; sent < 1_000; sent++) {
    assert.equal(rest.allows(0), true);
    rest.note(sent % 20 === 0 ? "answered" : "lost");
  }
});
