import assert from "node:assert/strict";
import { test } from "node:test";
import { SLICE } from "../../src/board/layout.ts";
import { Recorder } from "../../src/board/recorder.ts";
import { Books, countComparison, forgetEvidence } from "../../src/control/books.ts";
import { countsOf, evidenceOf, observe } from "../../src/model/detector.ts";
import type { Route } from "../../src/model/ruleset.ts";
import { canaryOf, routeOf } from "../model/rules.ts";
import { batchOf, failure, guardOf } from "../model/traffic.ts";

const named = (name: string, changes: Partial<Route> = {}) => routeOf({ name, guard: guardOf(), ...changes });

function open(...routes: Route[]) {
  const books = new Books(2, 0);
  books.follow(routes, 0);
  const book = (name: string) => {
    const found = books.named(name);
    assert.ok(found, `no book of ${name}`);
    return found;
  };
  return { books, book };
}

test("books stand in the rules' order, after every reload", () => {
  const { books } = open(named("a"), named("b"), named("c"));
  books.follow([named("c"), named("x"), named("a")], 0);
  assert.deepEqual(
    [...books.all].map(({ route }) => route?.name),
    ["c", "x", "a"],
  );
});

test("a route that stays keeps its tile, its counts and its place on the board", () => {
  const { books, book } = open(named("a"), named("b"));
  const before = book("b");
  new Recorder(before.tile, 1).leg("new", "well", false, 100);
  before.account.read(0);
  books.follow([named("b", { canary: canaryOf({ sharePpm: 7 }) })], 0);
  assert.equal(book("b"), before);
  assert.equal(before.account.total(SLICE.answers + 1), 1);
  assert.equal(before.route?.canary.sharePpm, 7);
  assert.equal(books.at(before.slot), before);
});

test("a route that is gone has no book, and its slot is never given to another", () => {
  const { books, book } = open(named("a"));
  const { slot } = book("a");
  books.follow([named("b")], 0);
  assert.equal(books.named("a"), undefined);
  assert.equal(books.at(slot), undefined);
  books.follow([named("a"), named("b")], 0);
  assert.notEqual(book("a").slot, slot);
  assert.equal(new Set([book("a").slot, book("b").slot, books.unmatched.slot]).size, 3);
});

test("the guard's settings reach the board with the rules", () => {
  const { books, book } = open(named("a", { guard: guardOf({ killSwitch: 2, latency: { ratio: 2 } }) }));
  const { tile } = book("a");
  assert.equal(tile.addToKillStreak() || tile.addToKillStreak(), true);
  tile.unlatch();
  tile.setSlowUs(900);
  books.follow([named("a", { guard: guardOf({ killSwitch: null }) })], 0);
  assert.equal(tile.slowUs, 0, "latency is guarded no more");
  for (let i = 0; i < 10; i += 1) assert.equal(tile.addToKillStreak(), false);
});

test("a guard that is switched off forgets; one that changes keeps its evidence", () => {
  const { books, book } = open(named("a"));
  const detector = () => book("a").detector ?? assert.fail("not guarded");
  observe(detector(), batchOf({ events: [failure("new")] }), 0);
  const before = evidenceOf(detector()).errors ?? 0;
  assert.ok(before > 0);
  books.follow([named("a", { guard: guardOf({ minSamples: 9 }) })], 0);
  assert.equal(evidenceOf(detector()).errors, before);
  books.follow([named("a", { guard: null })], 0);
  assert.equal(book("a").detector, null);
  books.follow([named("a")], 0);
  assert.equal(evidenceOf(detector()).errors, 0);
});

test("a changed share begins a step: its counts are fresh, the evidence stays", () => {
  const { books, book } = open(named("a"));
  const detector = book("a").detector ?? assert.fail("not guarded");
  observe(detector, batchOf({ cleanNew: 9, events: [failure("new")] }), 0);
  const evidence = evidenceOf(detector);
  books.follow([named("a")], 0);
  assert.equal(countsOf(detector).samples.new, 10, "nothing changed: the step goes on");
  books.follow([named("a", { canary: canaryOf({ sharePpm: 100_000 }) })], 0);
  assert.equal(countsOf(detector).samples.new, 0);
  assert.deepEqual(evidenceOf(detector), evidence);
});

test("findings of comparison threads are counted by kind, mismatches with their unit", () => {
  const { book } = open(named("a"));
  countComparison(book("a"), { kind: "match" }, "u1");
  countComparison(book("a"), { kind: "mismatch", differences: [] }, "u2");
  countComparison(book("a"), { kind: "mismatch", differences: [] }, null);
  countComparison(book("a"), { kind: "uncompared", why: "decode_failed" }, "u3");
  const { compared, mismatchUnits, comparedMatches } = book("a");
  assert.deepEqual(compared, { match: 1, mismatch: 2, noise: 0, transient: 0, uncompared: 1 });
  assert.deepEqual([mismatchUnits, comparedMatches], [["u2", null], 1]);
});

test("forgetting evidence keeps the counts that people read", () => {
  const { book } = open(named("a"));
  countComparison(book("a"), { kind: "mismatch", differences: [] }, null);
  forgetEvidence(book("a"), 0);
  assert.deepEqual([book("a").mismatchUnits, book("a").compared.mismatch], [[], 1]);
});
