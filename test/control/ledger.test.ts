import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { requestsWord, SLICE } from "../../src/board/layout.ts";
import { Recorder } from "../../src/board/recorder.ts";
import { Tile } from "../../src/board/tile.ts";
import { Account } from "../../src/control/ledger.ts";
import type { Side } from "../../src/model/ruleset.ts";

function open(threads = 1) {
  const tile = Tile.create(threads);
  const recorders = Array.from({ length: threads }, (_, thread) => new Recorder(tile, thread));
  const [recorder] = recorders;
  assert.ok(recorder);
  return { tile, recorder, recorders, account: new Account(tile, threads, 0) };
}

test("nothing new is null, and something new is reported once", () => {
  const { recorder, account } = open();
  assert.equal(account.read(0), null);
  recorder.leg("new", "error", true, 500);
  recorder.leg("old", "well", false, 500);
  recorder.comparison("match");
  recorder.triple();
  recorder.shadowAnswer(false);
  recorder.shadowAnswer(true);
  assert.deepEqual(account.read(0), {
    answers: { old: 1, new: 1 },
    errors: { old: 0, new: 1 },
    clientErrors: { old: 0, new: 0 },
    slow: { old: 0, new: 1 },
    matches: 2,
    triples: 1,
    reverseTriples: 0,
    shadows: { answers: 2, failed: 1 },
  });
  assert.equal(account.read(0), null);
});

test("increments of all threads add up to what they counted, over any looks in between", () => {
  const act = fc.record({
    thread: fc.nat(2),
    side: fc.constantFrom<Side>("old", "new"),
    evidence: fc.constantFrom("well" as const, "error" as const, "client-error" as const),
    look: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 100 }), (acts) => {
      const { recorders, account } = open(3);
      const none = () => ({ old: 0, new: 0 });
      const sums = { answers: none(), errors: none(), clientErrors: none() };
      const look = () => {
        const increment = account.read(0);
        for (const side of ["old", "new"] as const) {
          sums.answers[side] += increment?.answers[side] ?? 0;
          sums.errors[side] += increment?.errors[side] ?? 0;
          sums.clientErrors[side] += increment?.clientErrors[side] ?? 0;
        }
      };
      for (const { thread, side, evidence, look: looksNow } of acts) {
        recorders[thread]?.leg(side, evidence, false, 100);
        if (looksNow) look();
      }
      look();
      for (const side of ["old", "new"] as const) {
        const own = acts.filter((one) => one.side === side);
        assert.equal(sums.answers[side], own.length);
        const countOf = (kind: string) => own.filter(({ evidence }) => evidence === kind).length;
        assert.equal(sums.errors[side], countOf("error"));
        assert.equal(sums.clientErrors[side], countOf("client-error"));
      }
      assert.deepEqual(account.bySide(SLICE.answers), sums.answers);
    }),
  );
});

test("totals go on rising where a counter wraps around at 2^32", () => {
  const { tile, recorder, account } = open();
  const slice = tile.slice(0);
  slice[SLICE.answers + 1] = 2 ** 32 - 2;
  slice[SLICE.touched] = 2 ** 32 - 2;
  account.read(0);
  for (let i = 0; i < 5; i += 1) recorder.leg("new", "well", false, null);
  assert.equal(account.read(0)?.answers.new, 5);
  assert.equal(account.total(SLICE.answers + 1), 2 ** 32 + 3);
});

test("requests in flight are those of all threads, and never fewer than none", () => {
  const { recorders, account } = open(2);
  for (const recorder of recorders) recorder.began("new");
  assert.equal(account.inFlight("new"), 2);
  assert.equal(account.inFlight("old"), 0);
  recorders[0]?.ended("new");
  recorders[1]?.ended("new");
  recorders[1]?.ended("new"); // of a thread that died and was replaced
  assert.equal(account.inFlight("new"), 0);
});

test("quantiles of latency are right within 7%, for any latencies", () => {
  const us = fc.oneof(fc.integer({ min: 8, max: 2000 }), fc.integer({ min: 8, max: 60_000_000 }));
  fc.assert(
    fc.property(fc.array(us, { minLength: 1, maxLength: 300 }), (latencies) => {
      const { recorder, account } = open();
      for (const latency of latencies) recorder.leg("new", "well", false, latency);
      account.read(0);
      const measured = account.latencyMs("new", 0);
      const sorted = latencies.toSorted((a, b) => a - b);
      for (const [name, quantile] of [
        ["p50", 0.5],
        ["p99", 0.99],
      ] as const) {
        const truth = (sorted[Math.ceil(sorted.length * quantile) - 1] ?? 0) / 1000;
        const off = Math.abs((measured?.[name] ?? 0) - truth) / truth;
        assert.ok(off <= 0.07, `${name} ${measured?.[name]} for ${truth}`);
      }
    }),
  );
});

test("latencies are those of the last minute, by side", () => {
  const { recorder, account } = open();
  recorder.leg("old", "well", false, 100_000);
  account.read(0);
  assert.equal(account.latencyMs("new", 0), null);
  recorder.leg("old", "well", false, 1000);
  account.read(30_000);
  assert.ok((account.latencyMs("old", 60_000)?.p99 ?? 0) > 90);
  assert.ok((account.latencyMs("old", 75_000)?.p99 ?? 99) < 1.1, "the slow one is too long ago");
  assert.equal(account.latencyMs("old", 200_000), null);
});

test("an answer without a head has no latency", () => {
  const { recorder, account } = open();
  recorder.leg("new", "error", false, null);
  account.read(0);
  assert.equal(account.latencyMs("new", 0), null);
});

test("old's p99 is given once a minute, never too low, and not of new's answers", () => {
  const { recorder, account } = open();
  for (let i = 1; i <= 200; i += 1) {
    recorder.leg("old", "well", false, i * 1000);
    recorder.leg("new", "well", false, 50_000_000);
  }
  account.read(10_000);
  assert.equal(account.completedBaselineUs(59_999), null, "the minute is not over");
  const p99 = account.completedBaselineUs(60_000) ?? 0;
  assert.ok(p99 >= 198_000 && p99 <= 198_000 * 1.125, `${p99}`);
  assert.equal(account.completedBaselineUs(60_001), null, "once");
});

test("a minute with too few answers of old is no baseline: it is taken of a longer time", () => {
  const { recorder, account } = open();
  const record = (count: number, nowMs: number) => {
    for (let i = 0; i < count; i += 1) recorder.leg("old", "well", false, 1000);
    account.read(nowMs);
  };
  record(60, 1000);
  assert.equal(account.completedBaselineUs(60_000), null);
  record(39, 90_000);
  assert.equal(account.completedBaselineUs(120_000), null);
  record(1, 150_000);
  assert.ok((account.completedBaselineUs(150_000) ?? 0) > 1000);
});

test("whatever is asked and whenever, each total is what the threads have counted", () => {
  const ask = fc.record({
    thread: fc.nat(1),
    us: fc.nat(2_000_000),
    does: fc.constantFrom("look", "ask", ""),
  });
  fc.assert(
    fc.property(fc.array(ask, { maxLength: 60 }), fc.boolean(), (asks, isJudged) => {
      const { recorders, account } = open(2);
      account.isJudged = isJudged;
      let nowMs = 0;
      for (const { thread, us, does } of asks) {
        nowMs += us / 1000;
        recorders[thread]?.request("old", 0, 0, us);
        recorders[thread]?.leg("old", "well", false, us);
        if (does === "look") account.read(nowMs);
        if (does === "ask") account.total(SLICE.requests);
      }
      account.read(nowMs);
      assert.equal(account.total(SLICE.requests), asks.length);
      assert.equal(account.sum(SLICE.durations, SLICE.latencies - SLICE.durations), asks.length);
      assert.equal(account.total(SLICE.answers), asks.length);
      account.read(nowMs + 10_000);
      assert.equal(account.total(SLICE.requests), asks.length);
    }),
  );
});

test("a route that nobody judges is read now and then, and its totals are those of the moment all the same", () => {
  const { recorder, account } = open();
  account.isJudged = false;
  account.read(1_000);
  assert.equal(account.isDue(2_000), false);
  assert.equal(account.isDue(3_000), true);
  recorder.request("new", 0, 0, 5);
  recorder.leg("new", "error", false, 500);
  assert.deepEqual(account.bySide(SLICE.errors), { old: 0, new: 1 });
  assert.equal(account.total(requestsWord(1, 0, 0)), 1);
  assert.ok(account.latencyMs("new", 2_000) !== null);
});

test("a latency belongs to the time in which it was seen, however late it is asked for", () => {
  const { recorder, account } = open();
  recorder.leg("old", "well", false, 1000);
  for (let nowMs = 0; nowMs <= 100_000; nowMs += 100) account.read(nowMs);
  assert.equal(account.latencyMs("old", 100_000), null);
});
