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

/** When one was tried, and lost, within this time. */
function tries(rest: Rest, fromMs: number, toMs: number): number[] {
  const times = [];
  for (let nowMs = fromMs; nowMs < toMs; nowMs++) if (exhaust(rest, nowMs) > 0) times.push(nowMs);
  return times;
}

test("while shadows rest, one is tried now and then, ever more seldom", () => {
  const rest = new Rest();
  exhaust(rest, 0);
  assert.deepEqual(tries(rest, 1, 6_000), [100, 300, 700, 1_500, 2_500, 3_500, 4_500, 5_500]);
});

test("a rest that has ended begins like the first when the trouble comes back", () => {
  const rest = new Rest();
  exhaust(rest, 0);
  tries(rest, 1, 60_000);
  rest.note("answered");
  exhaust(rest, 60_000);
  assert.deepEqual(tries(rest, 60_001, 61_000), [60_100, 60_300, 60_700]);
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
