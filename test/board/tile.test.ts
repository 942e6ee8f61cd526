import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SWITCH } from "../../src/board/layout.ts";
import { Tile } from "../../src/board/tile.ts";
import { FAILURES } from "../../src/model/failures.ts";
import { seeded } from "../model/traffic.ts";
import { onThreads } from "./threads.ts";

test("a new tile is open, obeys the rules' shares, and kills nothing", () => {
  const tile = Tile.create(2);
  assert.deepEqual(
    [tile.latched, tile.killed, tile.closed, tile.killStreak, tile.slowUs],
    Array(5).fill(false).fill(0, 3),
  );
  assert.equal(tile.canaryPpm(50_000), 50_000);
  assert.equal(tile.shadowPpm(7), 7);
  for (let i = 0; i < 100; i += 1) assert.equal(tile.addToKillStreak(0), false);
  assert.equal(tile.latched, false);
});

test("what one holder of a tile switches, every other sees at once", () => {
  const tile = Tile.create(1);
  const other = new Tile(tile.buffer);
  tile.latch();
  assert.equal(other.latched, true);
  tile.overrideShares({ canaryPpm: 10_000, shadowPpm: 0 });
  assert.deepEqual([other.canaryPpm(1), other.shadowPpm(1)], [10_000, 0]);
  tile.overrideShares(null);
  assert.deepEqual([other.canaryPpm(1), other.shadowPpm(2)], [1, 2]);
  tile.setSlowUs(1234);
  assert.equal(other.slowUs, 1234);
});

test("how the last failed shadow did is known for every failure and side", () => {
  const tile = Tile.create(1);
  const other = new Tile(tile.buffer);
  assert.equal(other.shadowFailure, null);
  for (const failure of FAILURES) {
    for (const side of ["old", "new"] as const) {
      tile.noteShadowFailure(side, failure);
      assert.deepEqual(other.shadowFailure, { side, failure });
    }
  }
});

test("latched, killed and closed are all rolled back, and only a reset opens again", () => {
  const tile = Tile.create(1);
  const state = () => [tile.latched, tile.killed, tile.closed];
  tile.setKillLimit(1);
  assert.equal(tile.addToKillStreak(0), true);
  assert.deepEqual(state(), [true, true, false]);
  tile.latch();
  assert.deepEqual(state(), [true, false, false]);
  tile.close();
  assert.deepEqual(state(), [true, false, true]);
  tile.unlatch();
  assert.deepEqual(state(), [false, false, false]);
});

test("the streak latches at its limit, not before, and only once", () => {
  const tile = Tile.create(1);
  tile.setKillLimit(5);
  const answers = Array.from({ length: 8 }, () => tile.addToKillStreak(0));
  assert.deepEqual(answers, [false, false, false, false, true, false, false, false]);
});

test("one good answer of new begins the streak again", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (goods, limit) => {
      const tile = Tile.create(1);
      tile.setKillLimit(limit);
      let running = 0;
      let expected = false;
      for (const good of goods) {
        running = good ? 0 : running + 1;
        if (good) tile.breakKillStreak(() => 0);
        const latchedNow = !good && tile.addToKillStreak(0);
        assert.equal(latchedNow, !expected && running >= limit);
        expected ||= latchedNow;
        assert.equal(tile.latched, expected);
      }
    }),
  );
});

test("a reset forgets the streak: one more failure does not roll back again", () => {
  const tile = Tile.create(1);
  tile.setKillLimit(2);
  tile.addToKillStreak(0);
  tile.addToKillStreak(0);
  tile.unlatch();
  assert.equal(tile.addToKillStreak(0), false);
  assert.equal(tile.addToKillStreak(0), true);
});

/** Each answer of new, and old's where new failed, fails by chance alike; the answers until it trips, or null. */
function answersToTrip(tile: Tile, rate: number, most: number, chance: () => number): number | null {
  for (let n = 0; n < most; n += 1) {
    const wallMs = n * 20; // 50 a second
    if (chance() >= rate) tile.breakKillStreak(() => wallMs);
    else if (chance() < rate) tile.noteSharedFailure();
    else if (tile.addToKillStreak(wallMs)) return n;
  }
  return null;
}

for (const [rate, allowed] of [
  [0.1, 0],
  [0.3, 4],
  [0.5, 6],
  [0.9, 12],
] as const) {
  test(`a fault of ${rate * 100}% that both sides share does not kill new, once it is known`, () => {
    const chance = seeded(1);
    // Ten minutes each. Those few come before three shared failures have been seen.
    const runs = Array.from({ length: 100 }, () => {
      const tile = Tile.create(1);
      tile.setKillLimit(5);
      return answersToTrip(tile, rate, 30_000, chance);
    });
    const trips = runs.filter((answers) => answers !== null);
    assert.ok(trips.length <= allowed, `${trips.length} of 100: after ${trips.join(", ")}`);
    assert.ok(
      trips.every((answers) => answers < 400),
      `all of them early: ${trips.join(", ")}`,
    );
  });
}

test("in a fault that both share a new that dies is rolled back at five times the limit, and a minute later at the limit", () => {
  for (const [wallMs, expected] of [
    [0, 25],
    [29_999, 25],
    [60_000, 5],
  ] as const) {
    const tile = Tile.create(1);
    tile.setKillLimit(5);
    for (let n = 0; n < 6; n += 1) {
      tile.noteSharedFailure();
      tile.addToKillStreak(0);
      tile.breakKillStreak(() => 0);
    }
    let failures = 1;
    while (!tile.addToKillStreak(wallMs)) failures += 1;
    assert.equal(failures, expected, `${wallMs} ms later`);
  }
});

test("requests that fail everywhere do not raise the limit, nor does a new that fails now and then by itself", () => {
  for (const fault of ["shared", "alone"] as const) {
    const tile = Tile.create(1);
    tile.setKillLimit(5);
    for (let n = 0; n < 100; n += 1) {
      if (fault === "shared") tile.noteSharedFailure();
      else tile.addToKillStreak(0);
      tile.breakKillStreak(() => 0);
    }
    const answers = Array.from({ length: 5 }, () => tile.addToKillStreak(0));
    assert.deepEqual(answers, [false, false, false, false, true], fault);
  }
});

test("requests that fail everywhere do not hold up the switch where new is dead, however many there are", () => {
  const tile = Tile.create(1);
  tile.setKillLimit(5);
  tile.breakKillStreak(() => 0);
  const answers = Array.from({ length: 5 }, () => {
    for (let n = 0; n < 100; n += 1) tile.noteSharedFailure();
    return tile.addToKillStreak(0);
  });
  assert.deepEqual(answers, [false, false, false, false, true]);
});

test("a kill switch never takes the place of a latch, nor opens what a damaged store has closed", () => {
  for (const hold of ["latch", "close"] as const) {
    const tile = Tile.create(1);
    tile.setKillLimit(1);
    tile[hold]();
    assert.equal(tile.addToKillStreak(0), false);
    assert.equal(tile.killed, false);
    assert.equal(tile.closed, hold === "close");
  }
});

test("noise is learned of so many shadows, and of none before or after", () => {
  const tile = Tile.create(1);
  assert.equal(tile.takeNoiseLesson(), false);
  tile.learnNoise(3);
  const other = new Tile(tile.buffer);
  const taken = () => Array.from({ length: 10 }, () => other.takeNoiseLesson()).filter(Boolean).length;
  assert.equal(taken(), 3);
  tile.learnNoise(2);
  assert.equal(taken(), 2);
  tile.learnNoise(5);
  tile.learnNoise(0);
  assert.equal(taken(), 0);
});

test("lessons are given once each, over all threads", async () => {
  const tile = Tile.create(1);
  tile.learnNoise(200);
  const taken = await onThreads<number>(3, "lesson", tile.buffer, 1000);
  assert.equal(
    taken.reduce((sum, count) => sum + count),
    200,
  );
});

test("from several threads at once, exactly one call latches", async () => {
  const tile = Tile.create(1);
  tile.setKillLimit(5000);
  const latched = await onThreads<number>(3, "kill", tile.buffer, 4000);
  assert.equal(
    latched.reduce((sum, count) => sum + count),
    1,
  );
  assert.equal(tile.killed, true);
  assert.equal(tile.killStreak, 12_000);
});

test("running numbers of shadows are given once each, over all threads", async () => {
  const tile = Tile.create(1);
  const numbers = (await onThreads<number[]>(3, "sequence", tile.buffer, 3000)).flat();
  assert.equal(new Set(numbers).size, 9000);
  assert.equal(Math.max(...numbers), 8999);
});

test("the running number goes on through 2^31 and begins again after 2^32", () => {
  const tile = Tile.create(1);
  const switches = new Int32Array(tile.buffer);
  switches[SWITCH.shadowSequence] = 2 ** 31 - 1;
  assert.deepEqual([tile.nextShadowSequence(), tile.nextShadowSequence()], [2 ** 31 - 1, 2 ** 31]);
  switches[SWITCH.shadowSequence] = -1;
  assert.deepEqual([tile.nextShadowSequence(), tile.nextShadowSequence()], [2 ** 32 - 1, 0]);
});

test("no more than the rate is got in one second, and all of it again in the next", () => {
  const tile = Tile.create(1);
  for (const second of [1_800_000_000, 1_800_000_001, 2_200_000_000]) {
    const got = Array.from({ length: 25 }, () => tile.takeRate(10, second)).filter(Boolean);
    assert.equal(got.length, 10, `second ${second}`);
  }
  assert.equal(tile.takeRate(0, 1), false);
});

test("a thread that is late into the next second does not begin the last one again", () => {
  const tile = Tile.create(1);
  const got = (second: number) => Array.from({ length: 25 }, () => tile.takeRate(10, second)).filter(Boolean);
  assert.equal(got(1_800_000_000).length, 10);
  assert.equal(got(1_800_000_001).length, 10);
  assert.equal(got(1_800_000_000).length, 0);
  assert.equal(got(1_800_000_001).length, 0);
});

test("a clock that is set back does not stop shadows until it has caught up", () => {
  const tile = Tile.create(1);
  assert.equal(tile.takeRate(1, 1_800_000_000), true);
  assert.equal(tile.takeRate(1, 1_799_996_400), true);
});

test("the rate is one for all threads", async () => {
  const tile = Tile.create(1);
  tile.takeRate(100, 1_800_000_000); // the second has begun
  const got = await onThreads<number>(3, "rate", tile.buffer, 1000);
  assert.equal(
    got.reduce((sum, count) => sum + count),
    99,
  );
});

test("pairs that were sent and not received are lost once, and one that was never sent is no gain", () => {
  const tile = Tile.create(1);
  tile.receivePair();
  for (let sent = 0; sent < 3; sent++) new Tile(tile.buffer).sendPair();
  tile.receivePair();
  assert.deepEqual([tile.takeLostPairs(), tile.takeLostPairs()], [2, 0]);
});
