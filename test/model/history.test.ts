import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  closeAll,
  createHistory,
  finishRestore,
  forgetGone,
  type History,
  MAX_ROUTES,
  memoryFor,
  nextLook,
  planFor,
  type Row,
  record,
  restore,
} from "../../src/model/history.ts";
import {
  addMoment,
  COLUMN,
  COLUMNS,
  COUNT_COLUMNS,
  createMoment,
  decodeMoment,
  encodeMoment,
  type Moment,
} from "../../src/model/history-moment.ts";
import type { Stretch } from "../../src/model/history-ring.ts";
import { type SeriesPoint, seriesOf } from "../../src/model/history-series.ts";

const NOON = Date.parse("2026-05-01T12:00:00Z");
const HOUR_MS = 3_600_000;

type Numbers = Partial<Record<keyof typeof COLUMN, number>>;

function momentOf(numbers: Numbers): Moment {
  const moment = createMoment();
  moment[COLUMN.canary] = 0;
  for (const [name, value] of Object.entries(numbers)) moment[COLUMN[name as keyof typeof COLUMN]] = value;
  return moment;
}

/** A history with a clock of its own, and a look at a time. */
function watch(names: readonly string[] = ["a"], history: History = createHistory(names)) {
  const room = {
    history,
    nowMs: NOON,
    next: nextLook(history),
    rows: [] as Row[],
    look(routes: Readonly<Record<string, Numbers>>, seconds = 5) {
      room.nowMs += seconds * 1000;
      const stretch: Stretch = {
        from: room.next,
        to: room.next + 1,
        atMs: room.nowMs - seconds * 1000,
        seconds,
      };
      room.next++;
      const moments = new Map(Object.entries(routes).map(([name, numbers]) => [name, momentOf(numbers)]));
      room.rows.push(...record(history, stretch, moments));
    },
    looks(count: number, numbers: Numbers = {}) {
      for (let i = 0; i < count; i++) room.look({ a: numbers });
    },
    series: (route = "a", hours = 48) => seriesOf(history, route, room.nowMs - hours * HOUR_MS, room.nowMs),
  };
  return room;
}

function sum(points: readonly SeriesPoint[], column: keyof typeof COLUMN): number {
  return points.reduce((all, { moment }) => all + (moment?.[COLUMN[column]] ?? 0), 0);
}

function most(points: readonly SeriesPoint[], column: keyof typeof COLUMN): number {
  const values = points.map(({ moment }) => moment?.[COLUMN[column]] ?? 0);
  return Math.max(...values.filter((value) => !Number.isNaN(value)), 0);
}

function assertInOrder(points: readonly SeriesPoint[]): void {
  for (const [index, { atMs, seconds }] of points.entries()) {
    const next = points[index + 1];
    assert.ok(seconds > 0);
    assert.ok(next === undefined || next.atMs >= atMs + seconds * 1000 - 1e-3, `point ${index} overlaps`);
  }
}

const lookArbitrary = fc.record({
  seconds: fc.oneof(
    { weight: 20, arbitrary: fc.double({ min: 4.9, max: 5.3, noNaN: true }) },
    { weight: 1, arbitrary: fc.integer({ min: 6, max: 900 }) },
  ),
  requests: fc.nat(1000),
  mismatch: fc.nat(20),
  evidence: fc.float({ min: 0, max: 2, noNaN: true }),
  jumpMs: fc.oneof(
    { weight: 60, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: -2 * HOUR_MS, max: 2 * HOUR_MS }) },
  ),
});

test("however the time goes, every answer is in the series once, and the greatest evidence is in it", () => {
  fc.assert(
    fc.property(fc.array(lookArbitrary, { minLength: 1, maxLength: 900 }), (looks) => {
      const room = watch();
      for (const { seconds, requests, mismatch, evidence, jumpMs } of looks) {
        room.nowMs += jumpMs;
        room.look({ a: { requestsNew: requests, mismatch, errors: evidence } }, seconds);
      }
      const points = seriesOf(room.history, "a", Number.NEGATIVE_INFINITY, room.nowMs);
      const total = (read: (look: (typeof looks)[number]) => number) =>
        looks.reduce((all, look) => all + read(look), 0);
      assert.equal(
        sum(points, "requestsNew"),
        total(({ requests }) => requests),
      );
      assert.equal(
        sum(points, "mismatch"),
        total(({ mismatch }) => mismatch),
      );
      assert.ok(Math.abs(most(points, "errors") - Math.max(...looks.map(({ evidence }) => evidence))) < 1e-5);
      const seconds = points.reduce((all, { moment, seconds }) => all + (moment === null ? 0 : seconds), 0);
      assert.ok(Math.abs(seconds - total((look) => look.seconds)) < 1e-6);
      assertInOrder(points);
      assert.ok(points.length <= 2 * (180 + 360 + 576));
    }),
    { numRuns: 60 },
  );
});

test("two stretches made one keep sums and maxima, in whatever order they are put together", () => {
  const count = fc.nat(1000);
  const value = fc.oneof(fc.constant(Number.NaN), fc.double({ min: 0, max: 100, noNaN: true }));
  const moment = fc
    .tuple(
      fc.array(count, { minLength: COUNT_COLUMNS, maxLength: COUNT_COLUMNS }),
      fc.array(value, { minLength: COLUMNS - COUNT_COLUMNS, maxLength: COLUMNS - COUNT_COLUMNS }),
    )
    .map(([counts, values]) => [...counts, ...values]);
  const added = (a: Moment, b: Moment) => {
    const both = a.slice();
    addMoment(both, b, false);
    return both;
  };
  fc.assert(
    fc.property(moment, moment, moment, (a, b, c) => {
      const left = added(added(a, b), c);
      const right = added(a, added(b, c));
      for (let column = 0; column < COLUMNS; column++) {
        if (column === COLUMN.p50Old || column === COLUMN.p50New) {
          const values = [a, b, c]
            .map((each) => each[column] as number)
            .filter((each) => !Number.isNaN(each));
          const mean = left[column] as number;
          if (values.length === 0) assert.ok(Number.isNaN(mean));
          else assert.ok(mean >= Math.min(...values) - 1e-9 && mean <= Math.max(...values) + 1e-9);
        } else assert.deepEqual(left[column], right[column], `column ${column}`);
      }
      for (let column = 0; column < COUNT_COLUMNS; column++)
        assert.equal(left[column], (a[column] as number) + (b[column] as number) + (c[column] as number));
    }),
  );
});

test("the older the coarser: five seconds, minutes, five minutes, over two days", () => {
  const room = watch();
  const looks = (48 * 3600) / 5 + 500;
  room.looks(looks, { requestsOld: 5, latched: 0 });
  const points = room.series();
  const widths = points.map(({ seconds }) => seconds);
  assert.deepEqual([...new Set(widths)], [300, 60, 5]);
  const of = (seconds: number) => widths.filter((each) => each === seconds).length;
  assert.ok(of(5) >= 168 && of(5) <= 180, `${of(5)} of five seconds`);
  assert.ok(of(60) >= 340 && of(60) <= 360, `${of(60)} of a minute`);
  assert.ok(of(300) >= 500, `${of(300)} of five minutes`);
  const first = points[0] as SeriesPoint;
  const hours = (room.nowMs - first.atMs) / HOUR_MS;
  assert.ok(hours >= 47.9 && hours < 48.1, `${hours} h`);
  assert.equal(
    sum(points, "requestsOld"),
    (room.nowMs - first.atMs) / 1000,
    "one a second, none twice or lost",
  );
  assert.ok(points.every(({ moment }) => moment !== null));
  assert.ok(room.series("a", 1).length < 250);
});

test("for many routes it goes back a day, and memory has an end however many there are", () => {
  assert.deepEqual(planFor(256).depths, [180, 360, 576]);
  assert.equal(((planFor(257).depths[2] as number) * 300) / 3600, 24);
  for (const routes of [1, 256, 257, 1024, 100_000])
    assert.ok(memoryFor(routes) <= 34 * 1024 * 1024, `${routes}: ${memoryFor(routes)}`);
  const names = Array.from({ length: MAX_ROUTES + 50 }, (_, index) => `r${index}`);
  const room = watch([]);
  room.look(Object.fromEntries(names.map((name) => [name, { requestsOld: 1 }])));
  assert.equal(sum(room.series(`r${MAX_ROUTES - 1}`), "requestsOld"), 1);
  assert.deepEqual(room.series(`r${MAX_ROUTES}`), []);
});

test("routes that come take the room of those that went, and what stays keeps what it has", () => {
  const room = watch(["a", "b"]);
  for (let i = 0; i < 30; i++) room.look({ a: { requestsOld: 2 }, b: { requestsOld: 3 } });
  const many = Object.fromEntries(Array.from({ length: 256 }, (_, index) => [`r${index}`, {}]));
  room.look(many);
  assert.deepEqual(room.series("b"), [], "no room is left for it");
  const back = watch(["a", "b"]);
  for (let i = 0; i < 30; i++) back.look({ a: { requestsOld: 2 }, b: { requestsOld: 3 } });
  const more = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`r${index}`, {}]));
  back.look({ a: { requestsOld: 2 }, ...more });
  assert.equal(sum(back.series("a"), "requestsOld"), 62);
  assert.equal(sum(back.series("b"), "requestsOld"), 90, "of many routes there is room for more");
  for (let i = 0; i < 170; i++) back.look({ a: { requestsOld: 2 } });
  const points = back.series("a");
  assert.equal(sum(points, "requestsOld"), 62 + 340);
  assert.ok(points.filter(({ seconds }) => seconds === 5).length > 160, "and of few it goes back further");
});

test("a route that was out of the rules has a gap there, not zeros", () => {
  const room = watch(["a", "b"]);
  for (let i = 0; i < 3; i++) room.look({ a: {}, b: {} });
  for (let i = 0; i < 4; i++) room.look({ b: {} });
  for (let i = 0; i < 2; i++) room.look({ a: {}, b: {} });
  assert.deepEqual(
    room.series("a").map(({ seconds, moment }) => [seconds, moment !== null]),
    [
      [5, true],
      [5, true],
      [5, true],
      [20, false],
      [5, true],
      [5, true],
    ],
  );
  assert.equal(room.series("b").length, 9);
  assert.deepEqual(room.series("c"), []);
});

test("a route of which nothing is left is forgotten, one that the rules name is not", () => {
  const room = watch(["a", "b"]);
  room.look({ a: {}, b: {} });
  forgetGone(room.history, (route) => route === "a");
  assert.equal(room.series("b").length, 1);
  for (let i = 0; i < 48 * 720 + 1000; i++) room.look({ a: {} });
  forgetGone(room.history, (route) => route === "a");
  assert.deepEqual([...(room.history.tiers[0]?.ring.routes.keys() ?? [])], ["a"]);
});

test("a clock that is set back moves the labels before it, one that is set ahead or a sleep leaves a gap", () => {
  const room = watch();
  room.looks(10, { requestsOld: 1 });
  room.nowMs -= HOUR_MS;
  room.looks(10, { requestsOld: 1 });
  const back = room.series();
  assertInOrder(back);
  assert.equal(back.length, 20);
  assert.equal(back[0]?.atMs, room.nowMs - 100_000);
  room.nowMs += HOUR_MS;
  room.looks(1, { requestsOld: 1 });
  const ahead = room.series();
  assertInOrder(ahead);
  assert.deepEqual(
    ahead.slice(-3).map(({ seconds, moment }) => [seconds, moment === null]),
    [
      [5, false],
      [3600, true],
      [5, false],
    ],
  );
  assert.ok(
    room.rows.every(({ stretch }) => stretch.seconds <= 60),
    "no stretch goes over a jump",
  );
});

test("stored rows come back as the same series, and what a crash left over becomes one stretch", () => {
  for (const isCrash of [false, true]) {
    const first = watch();
    first.looks(200, { requestsOld: 5, mismatches: 0.25, canary: 0.05, p99Old: 7 }); // 16 minutes and a third of one
    if (!isCrash) first.rows.push(...closeAll(first.history));
    const restored = createHistory(["a"]);
    for (const row of first.rows) restore(restored, row);
    const last = first.rows.findLastIndex(({ resolution }) => resolution === 300);
    const written = finishRestore(restored, isCrash ? first.rows.slice(last + 1) : []);
    assert.deepEqual(
      written.map(({ resolution, stretch }) => [resolution, stretch.seconds]),
      isCrash ? [[300, 60]] : [],
    );
    const second = watch([], restored);
    second.nowMs = first.nowMs + 60_000;
    second.looks(1);
    const points = second.series();
    assertInOrder(points);
    const kept = isCrash ? 192 : 200;
    assert.equal(sum(points, "requestsOld"), kept * 5);
    assert.equal(most(points, "mismatches"), 0.25);
    assert.deepEqual(
      points.slice(-2).map(({ moment, seconds }) => [moment === null, seconds]),
      [
        [true, 60 + (200 - kept) * 5],
        [false, 5],
      ],
    );
    const coarse = restored.tiers[2]?.ring.stretches.reduce((all, { seconds }) => all + seconds, 0);
    assert.equal(coarse, kept * 5, "nothing is missing where minutes are forgotten");
  }
});

test("rows that go back in their looks are left out, so that nothing can be there twice", () => {
  const room = watch();
  room.looks(24, { requestsOld: 1 });
  const restored = createHistory([]);
  for (const row of [...room.rows, ...room.rows]) restore(restored, row);
  assert.equal(sum(seriesOf(restored, "a", 0, room.nowMs), "requestsOld"), 24);
});

test("a moment reads back from JSON, and what is no moment does not", () => {
  const moment = momentOf({ requestsOld: 7, p50Old: 1.25, canary: 0.05, latched: 1, latency: 0.5 });
  assert.deepEqual(decodeMoment(JSON.parse(JSON.stringify(encodeMoment(moment)))), moment);
  const good = encodeMoment(moment);
  const bad: unknown[] = [
    null,
    {},
    [],
    good.slice(1),
    [...good, 0],
    good.with(0, null),
    good.with(0, -1),
    good.with(COLUMN.canary, null),
    (good as unknown[]).with(3, "1"),
    (good as unknown[]).with(3, Number.NaN),
  ];
  for (const each of bad) assert.equal(decodeMoment(each), undefined, JSON.stringify(each));
});

test("a minute has the latencies of that minute; five minutes have the worst p99 and a p50 between theirs", () => {
  const room = watch();
  for (let minute = 0; minute < 5; minute++)
    for (let i = 0; i < 12; i++)
      room.look({
        a: {
          requestsOld: minute === 4 ? 0 : 1,
          p50Old: i < 11 ? 900 : minute,
          p99Old: i < 11 ? 999 : 10 * minute,
        },
      });
  const minutes = room.rows
    .filter(({ resolution }) => resolution === 60)
    .map(({ moments }) => moments.get("a"));
  assert.deepEqual(
    minutes.map((moment) => [moment?.[COLUMN.p50Old], moment?.[COLUMN.p99Old]]),
    [0, 1, 2, 3, 4].map((minute) => [minute, 10 * minute]),
  );
  const [five] = room.rows
    .filter(({ resolution }) => resolution === 300)
    .map(({ moments }) => moments.get("a"));
  assert.deepEqual([five?.[COLUMN.p50Old], five?.[COLUMN.p99Old]], [1.5, 40]);
});
