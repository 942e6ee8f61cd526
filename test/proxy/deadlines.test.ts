import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Deadlines } from "../../src/proxy/deadlines.ts";
import { pressureOf } from "../../src/proxy/pressure.ts";

const TICK_MS = 25;

/** A thread whose ticks come as late as it is told. */
function lateThread(t: TestContext) {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let nowMs = 0;
  const deadlines = new Deadlines(() => nowMs);
  t.after(() => deadlines.close());
  return {
    /** One tick, so many milliseconds late; what the thread leaves out then. */
    tick: (lateMs: number) => {
      nowMs += TICK_MS + lateMs;
      t.mock.timers.tick(TICK_MS);
      return pressureOf(0, 100, deadlines.lateMs);
    },
  };
}

test("one pause is no overload, however long it was: of a machine that slept, or of a process that was stopped", (t) => {
  const { tick } = lateThread(t);
  for (const pauseMs of [1_000, 5_000, 3_600_000]) {
    assert.equal(tick(pauseMs), "none", `${pauseMs} ms`);
    for (let ticks = 0; ticks < 40; ticks++) assert.equal(tick(0), "none");
  }
});

test("a thread that is late all the time leaves out shadows, and takes them up again when it is not", (t) => {
  const { tick } = lateThread(t);
  for (const lateMs of [300, 5_000]) {
    let ticks = 1;
    while (tick(lateMs) === "none") ticks++;
    assert.ok(ticks <= 20, `after ${ticks} ticks of ${lateMs} ms`);
    for (ticks = 1; tick(0) !== "none"; ) ticks++;
    assert.ok(ticks <= 20, `again after ${ticks} ticks`);
  }
});
