import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RetryBudget } from "../../src/model/retry-budget.ts";

const takeAll = (budget: RetryBudget, nowMs: number): number => {
  let taken = 0;
  while (taken < 1000 && budget.take(nowMs)) taken++;
  return taken;
};

test("a fifth of the last ten seconds' requests may be sent again", () => {
  const budget = new RetryBudget();
  for (let i = 0; i < 500; i++) budget.request(i * 10);
  assert.equal(takeAll(budget, 5_000), 100);
  assert.equal(budget.take(5_900), false);
});

test("a few may always, so that a race at little traffic costs nobody an answer", () => {
  const budget = new RetryBudget();
  budget.request(0);
  assert.equal(takeAll(budget, 0), 10);
  assert.equal(budget.take(9_999), false);
  assert.equal(takeAll(budget, 10_000), 10);
});

test("in no ten seconds there are more repeats than a fifth of the requests, or ten", () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 3_000 }), fc.boolean()), { maxLength: 300 });
  fc.assert(
    fc.property(steps, (events) => {
      const budget = new RetryBudget();
      const requests: number[] = [];
      const retries: number[] = [];
      let nowMs = 0;
      for (const [passedMs, retry] of events) {
        nowMs += passedMs;
        if (!retry) {
          budget.request(nowMs);
          requests.push(nowMs);
        } else if (budget.take(nowMs)) retries.push(nowMs);
        const since = (times: number[], ms: number) => times.filter((time) => time > nowMs - ms).length;
        assert.ok(since(retries, 9_000) <= Math.max(10, since(requests, 20_000) * 0.2 + 1));
      }
    }),
  );
});
