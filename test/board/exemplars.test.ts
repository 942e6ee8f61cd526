import assert from "node:assert/strict";
import { test } from "node:test";
import { readExemplars } from "../../src/board/exemplars.ts";
import { DURATION_BOUNDS_US, EXEMPLAR_WORDS } from "../../src/board/layout.ts";
import { Recorder } from "../../src/board/recorder.ts";
import { Tile } from "../../src/board/tile.ts";
import type { Side } from "../../src/model/ruleset.ts";
import { onThreads } from "./threads.ts";

const BUCKETS = DURATION_BOUNDS_US.length + 1;
const trace = (digit: string): string => digit.repeat(32);

function room(threads = 1) {
  const tile = Tile.create(threads);
  const pens = Array.from({ length: threads }, (_, thread) => new Recorder(tile, thread));
  const note = (thread: number, side: Side, durationUs: number, traceId: string, nowMs: number): void => {
    const recorder = pens[thread] ?? assert.fail();
    recorder.exemplars.note(recorder.request(side, 0, 1, durationUs), durationUs, traceId, nowMs);
  };
  return { tile, note };
}

test("nothing was sampled: no bucket has a trace", () => {
  assert.deepEqual(readExemplars(room().tile, "old"), new Array(BUCKETS).fill(null));
});

test("each side and bucket keeps its own trace, with a duration within its bounds", () => {
  const { tile, note } = room();
  const durations = [4_999.7, 5_000, 5_000.2, 60_000, 10_000_000.5, 30 * 86_400e6];
  for (const [index, durationUs] of durations.entries()) {
    note(0, "old", durationUs, trace(index.toString(16)), 1_000 + index * 2_000);
    note(0, "new", durationUs, trace("f"), 1_000 + index * 2_000);
  }
  const shown = readExemplars(tile, "old").map((found) => found && [found.traceId[0], found.durationUs]);
  assert.deepEqual(
    shown.filter((each) => each !== null),
    [
      ["1", 5_000],
      ["2", 5_001],
      ["3", 60_000],
      ["5", 30 * 86_400e6],
    ],
  );
  for (const [index, found] of readExemplars(tile, "old").entries()) {
    if (found === null) continue;
    assert.ok(found.durationUs > (DURATION_BOUNDS_US[index - 1] ?? 0), `${index}`);
    assert.ok(found.durationUs <= (DURATION_BOUNDS_US[index] ?? Number.POSITIVE_INFINITY), `${index}`);
    assert.ok(Math.abs(found.atMs - Date.now()) < 60_000);
  }
  assert.ok(readExemplars(tile, "new").every((found) => found === null || found.traceId === trace("f")));
});

test("at most one is written a second and bucket, so that much traffic pays for none", () => {
  const { tile, note } = room();
  const now = 5_000;
  note(0, "new", 1_000, trace("a"), now);
  for (let i = 0; i < 1_000; i += 1) note(0, "new", 1_000, trace("b"), now + i * 0.999);
  assert.equal(readExemplars(tile, "new")[0]?.traceId, trace("a"));
  note(0, "new", 1_000, trace("c"), now + 1_000);
  assert.equal(readExemplars(tile, "new")[0]?.traceId, trace("c"));
});

test("of several threads the newest is shown", async () => {
  const { tile, note } = room(3);
  note(2, "old", 1_000, trace("a"), 1_000);
  const first = readExemplars(tile, "old")[0]?.atMs ?? 0;
  while (Date.now() <= first); // the wall clock has to go on by a millisecond
  note(0, "old", 1_000, trace("b"), 1_000);
  note(1, "old", 9_000, trace("c"), 1_000);
  assert.deepEqual(
    readExemplars(tile, "old")
      .slice(0, 2)
      .map((found) => found?.traceId),
    [trace("b"), trace("c")],
  );
});

test("what a thread left half written is not shown, and its successor writes over it", () => {
  const { tile, note } = room();
  note(0, "old", 1_000, trace("a"), 1_000);
  const version = tile.exemplars(0);
  version[0] = (version[0] ?? 0) + 1;
  assert.equal(readExemplars(tile, "old")[0], null);
  new Recorder(tile, 0).exemplars.note(0, 1_000, trace("b"), 2_000);
  assert.equal(readExemplars(tile, "old")[0]?.traceId, trace("b"));
});

test("no reader ever sees the half of two traces, while a thread writes as fast as it can", async () => {
  const tile = Tile.create(1);
  const writing = onThreads<number>(1, "exemplars", tile.buffer, 300_000);
  let seen = 0;
  let done = false;
  void writing.then(() => {
    done = true;
  });
  while (!done) {
    for (let i = 0; i < 2_000; i += 1) {
      const found = readExemplars(tile, "old")[0];
      if (found == null) continue;
      seen += 1;
      const digit = found.traceId[0] ?? "";
      assert.equal(found.traceId, trace(digit));
      assert.equal(found.durationUs, Number.parseInt(digit, 16) + 1);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(await writing, [300_000]);
  assert.ok(seen > 0);
});

test("counters and exemplars share no word, in whichever thread", () => {
  const tile = Tile.create(4);
  assert.equal(tile.threads, 4);
  for (let thread = 0; thread < 4; thread += 1) {
    assert.ok(tile.exemplars(thread).length >= 2 * BUCKETS * EXEMPLAR_WORDS);
    tile.slice(thread).fill(1);
    tile.exemplars(thread).fill(2);
  }
  for (let thread = 0; thread < 4; thread += 1) {
    assert.ok(tile.slice(thread).every((word) => word === 1));
    assert.ok(tile.exemplars(thread).every((word) => word === 2));
  }
  assert.equal(tile.latched, false);
});
