import assert from "node:assert/strict";
import { test } from "node:test";
import { Bell } from "../../src/board/bell.ts";
import { EventRing, type RingEvent } from "../../src/board/event-ring.ts";
import { SLICE } from "../../src/board/layout.ts";
import { Recorder } from "../../src/board/recorder.ts";
import { type Book, Books, countComparison, learningOf } from "../../src/control/books.ts";
import { Watchman } from "../../src/control/watchman.ts";
import { DEFAULT_COMPARE } from "../../src/model/default-compare.ts";
import { countsOf, type Trip } from "../../src/model/detector.ts";
import type { Route, Side } from "../../src/model/ruleset.ts";
import { canaryOf, routeOf } from "../model/rules.ts";
import { guardOf } from "../model/traffic.ts";
import { differingAt } from "./compared.ts";

const CANARY = canaryOf({ sharePpm: 50_000 });
const GUARDED = routeOf({ name: "a", guard: guardOf(), canary: CANARY });

/** A board of two data threads, and the watchman who looks at it. */
function post(...routes: Route[]) {
  const clock = { nowMs: 1000 };
  const books = new Books(2, clock.nowMs);
  books.follow(routes, clock.nowMs);
  const rings = [new EventRing(), new EventRing()];
  const bell = new Bell();
  const trips: [Book, Trip][] = [];
  const killed: Book[] = [];
  const errors: unknown[] = [];
  const findings = {
    tripped: (book: Book, trip: Trip) => void trips.push([book, trip]),
    killed: (book: Book) => void killed.push(book),
    cannotJudge: (_book: Book, error: unknown) => void errors.push(error),
  };
  const watchman = new Watchman(books, rings, bell, findings, () => clock.nowMs);
  const book = (name: string) => books.named(name) ?? assert.fail(`no book of ${name}`);
  /** What a data thread writes for one answer. */
  const answer = (thread: number, name: string, side: Side, isError: boolean) => {
    const { tile, slot } = book(name);
    new Recorder(tile, thread).leg(side, isError ? "error" : "well", false, 1000);
    const event: RingEvent = { slot, kind: "error", side, rhoPpm: 50_000, unit: null };
    if (!isError) return;
    rings[thread]?.push(event);
    if (side === "new") rings[thread]?.push({ ...event, kind: "error-alone" });
  };
  return { clock, books, rings, bell, trips, killed, errors, watchman, book, answer };
}

test("failures that two threads saw trip the guard together, with all of them in the evidence", () => {
  const { watchman, trips, book, answer } = post(GUARDED);
  for (let i = 0; i < 12; i += 1) answer(i % 2, "a", "new", true);
  for (let i = 0; i < 100; i += 1) answer(0, "a", "old", false);
  watchman.look();
  assert.equal(trips.length, 1);
  const [tripped] = trips;
  assert.equal(tripped?.[0], book("a"));
  assert.equal(tripped?.[1].metric, "errors");
  const { detector } = book("a");
  assert.deepEqual(detector && countsOf(detector), {
    samples: { old: 100, new: 12 },
    errors: { old: 0, new: 12 },
  });
});

test("errors that old has too, when it is asked the same, trip nothing; those of new alone do, when old has answered", () => {
  const { watchman, trips, rings, clock, book } = post(GUARDED);
  const { tile, slot } = book("a");
  const event: RingEvent = { slot, kind: "error", side: "new", rhoPpm: 50_000, unit: null };
  for (let i = 0; i < 30; i += 1) {
    new Recorder(tile, 0).leg("new", "error", false, 1000);
    rings[0]?.push(event);
  }
  watchman.look();
  assert.equal(trips.length, 0);
  clock.nowMs += 100;
  for (let i = 0; i < 30; i += 1) rings[0]?.push({ ...event, kind: "error-alone" });
  watchman.look();
  assert.deepEqual(
    trips.map(([, { metric }]) => metric),
    ["errors"],
  );
  assert.equal(countsOf(book("a").detector ?? assert.fail()).errors.new, 30, "and each is one error");
});

test("good answers and few failures trip nothing, and nothing is looked at twice", () => {
  const { watchman, trips, book, answer } = post(GUARDED);
  for (let i = 0; i < 100; i += 1) answer(0, "a", i % 20 === 0 ? "new" : "old", false);
  answer(0, "a", "new", true);
  for (let i = 0; i < 50; i += 1) watchman.look();
  assert.deepEqual(trips, []);
  const { detector } = book("a");
  assert.equal(detector && countsOf(detector).samples.new, 6);
});

test("a route that a data thread has killed is reported, with the failures that did it as evidence", () => {
  const { watchman, killed, trips, book, answer } = post(GUARDED);
  for (let i = 0; i < 5; i += 1) {
    answer(0, "a", "new", true);
    book("a").tile.addToKillStreak(0);
  }
  watchman.look();
  assert.deepEqual(killed, [book("a")]);
  assert.deepEqual(trips, [], "one rollback, not two");
  const { detector } = book("a");
  assert.deepEqual(detector && countsOf(detector).errors, { old: 0, new: 5 });
});

test("a kill is reported even where nothing else is new, and on a route whose guard only kills", () => {
  const { watchman, killed, book } = post(routeOf({ name: "a", guard: guardOf({ errors: null }) }));
  watchman.look();
  for (let i = 0; i < 5; i += 1) book("a").tile.addToKillStreak(0);
  watchman.look();
  assert.equal(killed.length, 1);
});

test("latched, the evidence stays as it was at the rollback", () => {
  const { watchman, trips, book, answer } = post(GUARDED);
  book("a").tile.latch();
  for (let i = 0; i < 50; i += 1) answer(0, "a", "new", true);
  watchman.look();
  assert.deepEqual(trips, []);
  const { detector } = book("a");
  assert.equal(detector && countsOf(detector).samples.new, 0);
  assert.deepEqual(book("a").events, [], "and does not pile up either");
});

test("failures of one route trip no other", () => {
  const { watchman, trips, answer } = post(GUARDED, { ...GUARDED, name: "b" });
  for (let i = 0; i < 20; i += 1) answer(1, "b", "new", true);
  watchman.look();
  assert.deepEqual(
    trips.map(([book]) => book.route?.name),
    ["b"],
  );
});

test("events of a route that a reload took away are nobody's", () => {
  const { watchman, books, trips, answer } = post(GUARDED);
  for (let i = 0; i < 20; i += 1) answer(0, "a", "new", true);
  books.follow([{ ...GUARDED, name: "b" }], 1000);
  watchman.look();
  assert.deepEqual(trips, []);
});

test("an unguarded route is counted and never tripped", () => {
  const { watchman, trips, book, answer } = post({ ...GUARDED, guard: null });
  for (let i = 0; i < 50; i += 1) answer(0, "a", "new", true);
  watchman.look();
  assert.deepEqual(trips, []);
  assert.equal(book("a").account.total(SLICE.errors + 1), 50);
});

test("mismatches that comparison threads found are judged", () => {
  const { watchman, trips, book } = post({ ...GUARDED, guard: guardOf({ mismatches: { maxRate: 0.01 } }) });
  for (let i = 0; i < 20; i += 1) countComparison(book("a"), differingAt(["$.x"], { unit: `u${i}` }));
  watchman.look();
  assert.equal(trips[0]?.[1].metric, "mismatches");
});

const MEASURED = routeOf({
  name: "a",
  canary: CANARY,
  compare: { ...DEFAULT_COMPARE, noisePpm: 20_000 },
  guard: guardOf({ mismatches: { maxRate: 0.01 } }),
});

/** Shadows that old was asked twice for, with three equal answers. */
function learnQuietly({ book, watchman }: ReturnType<typeof post>, triples: number): void {
  const recorder = new Recorder(book("a").tile, 0);
  for (let i = 0; i < triples; i += 1) recorder.triple();
  watchman.look();
}

test("while noise is being learned a mismatch is not judged alone, and a wrong new still trips by triples", () => {
  const { watchman, trips, book } = post(MEASURED);
  for (let i = 0; i < 30; i += 1) countComparison(book("a"), differingAt(["$.x"]));
  watchman.look();
  assert.equal(trips.length, 0);
  for (let i = 0; i < 40; i += 1) countComparison(book("a"), differingAt(["$.x"], { noise: [] }));
  watchman.look();
  assert.match(trips[0]?.[1].summary ?? "", /^mismatches: new differed alone in \d+ of \d+ shadows/);
});

test("triples that data threads found equal end the learning", () => {
  const room = post(MEASURED);
  learnQuietly(room, 199);
  assert.deepEqual(learningOf(room.book("a")), { done: 199, of: 200 });
  learnQuietly(room, 1);
  assert.equal(learningOf(room.book("a")), null);
});

test("a difference after learning asks for 20 shadows to be asked of old twice, where mismatches are guarded", () => {
  for (const guard of [MEASURED.guard, guardOf(), null]) {
    const room = post({ ...MEASURED, guard });
    const { tile } = room.book("a");
    learnQuietly(room, 200);
    tile.learnNoise(0);
    countComparison(room.book("a"), differingAt(["$.x"]));
    room.watchman.look();
    let lessons = 0;
    while (tile.takeNoiseLesson()) lessons += 1;
    assert.equal(lessons, guard === MEASURED.guard ? 20 : 0);
  }
});

test("slow is set from old's p99 when a minute is complete, where latency is guarded, and nowhere else", () => {
  const { watchman, clock, book } = post(
    { ...GUARDED, guard: guardOf({ latency: { ratio: 2 } }) },
    {
      ...GUARDED,
      name: "b",
    },
  );
  for (const name of ["a", "b"]) {
    const recorder = new Recorder(book(name).tile, 0);
    for (let i = 0; i < 200; i += 1) recorder.leg("old", "well", false, 20_000);
  }
  watchman.look();
  assert.equal(book("a").tile.slowUs, 0, "nothing is known yet");
  clock.nowMs += 60_000;
  watchman.look();
  assert.ok(book("a").tile.slowUs >= 20_000 && book("a").tile.slowUs <= 22_500);
  assert.equal(book("b").tile.slowUs, 0);
});

test("with everything on new old's p99 stays, and without one no answer says anything of speed", () => {
  const { watchman, clock, book } = post({ ...GUARDED, guard: guardOf({ latency: { ratio: 2 } }) });
  const { tile, detector } = book("a");
  const recorder = new Recorder(tile, 0);
  const answers = (side: Side, ttfbUs: number) => {
    for (let i = 0; i < 200; i += 1) recorder.leg(side, "well", false, ttfbUs);
    watchman.look();
  };
  const shown = () => detector?.tests.find(({ spec }) => spec.metric === "latency")?.pass?.answers;
  answers("new", 1000);
  assert.equal(shown(), 0);
  tile.setSlowUs(30_000);
  answers("new", 1000);
  assert.equal(shown(), 200);
  tile.overrideShares({ canaryPpm: 1_000_000, shadowPpm: 0 });
  answers("old", 90_000);
  clock.nowMs += 60_000;
  watchman.look();
  assert.equal(tile.slowUs, 30_000);
});

test("a ring of the bell wakes the watchman at once, and it stops when told", async () => {
  const { watchman, bell, trips, answer } = post(GUARDED);
  const running = watchman.run();
  const begun = performance.now();
  for (let i = 0; i < 20; i += 1) answer(0, "a", "new", true);
  bell.ring();
  while (trips.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(performance.now() - begun < 5000);
  watchman.stop();
  await running;
});

test("a guard that throws is said, and the other routes are still judged", () => {
  const { watchman, errors, trips, book, answer } = post({ ...GUARDED, name: "broken" }, GUARDED);
  const { detector } = book("broken");
  assert.ok(detector);
  Object.defineProperty(detector, "tests", {
    get() {
      throw new Error("a bug");
    },
  });
  for (let i = 0; i < 20; i += 1) {
    answer(0, "broken", "new", true);
    answer(0, "a", "new", true);
  }
  watchman.look();
  assert.match(String(errors), /a bug/);
  assert.deepEqual(
    trips.map(([one]) => one.route?.name),
    ["a"],
  );
});
