import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { Alarm, LineRing, MAX_LINE_BYTES } from "../../src/observe/line-ring.ts";

const STAGING_BYTES = 256 * 1024;

/** Everything that waits, in pieces of at most `pieceBytes`. */
function takeAll(ring: LineRing, pieceBytes = STAGING_BYTES): string {
  const into = Buffer.alloc(pieceBytes);
  const pieces: string[] = [];
  for (let length = ring.take(into, 0); length > 0; length = ring.take(into, 0)) {
    const piece = into.toString("utf8", 0, length);
    assert.ok(piece.endsWith("\n"), "lines are taken whole");
    pieces.push(piece);
  }
  return pieces.join("");
}

test("lines come out as they went in, whole and in order, however they are taken", () => {
  const ring = new LineRing(new Alarm());
  const line = fc
    .string({ unit: "grapheme", maxLength: 200 })
    .map((text) => `${text.replaceAll("\n", "")}\n`);
  const step = fc.tuple(fc.array(line, { maxLength: 20 }), fc.integer({ min: 4_000, max: 20_000 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 10 }), (steps) => {
      for (const [lines, pieceBytes] of steps) {
        for (const each of lines) ring.push(each);
        // Well-formed: a lone surrogate has no UTF-8, and JSON escapes it.
        assert.equal(takeAll(ring, pieceBytes), lines.join("").toWellFormed());
      }
    }),
  );
  assert.equal(ring.lost, 0);
});

test("a ring that is never quite empty goes round and round, and loses nothing", () => {
  const ring = new LineRing(new Alarm());
  const into = Buffer.alloc(STAGING_BYTES);
  let pushed = 0;
  let next = 0;
  const push = (): void => ring.push(`${pushed++} ${"ü".repeat(2_000 + (pushed % 1_000))}\n`);
  push();
  for (let round = 0; round < 100; round++) {
    for (let i = 0; i < 40; i++) push();
    const length = ring.take(into.subarray(0, 170_000), 0); // a few less than went in
    for (const line of into.toString("utf8", 0, length).split("\n").slice(0, -1))
      assert.equal(Number.parseInt(line, 10), next++);
  }
  assert.equal(takeAll(ring).split("\n").length - 1, pushed - next);
  assert.equal(ring.lost, 0);
  assert.ok(next * 4_000 > 3 * 4 * 1024 * 1024);
});

test("what is full drops whole lines and counts them, and goes on when it is read", () => {
  const ring = new LineRing(new Alarm());
  const line = `${"x".repeat(999)}\n`;
  for (let i = 0; i < 10_000; i++) ring.push(line);
  const kept = takeAll(ring).length / line.length;
  assert.ok(kept > 4_000 && kept * 1_000 <= 4 * 1024 * 1024, `${kept}`);
  assert.equal(kept + ring.lost, 10_000);
  ring.push("again\n");
  assert.equal(takeAll(ring), "again\n");
});

test("a line that is longer than any should be is lost, not cut", () => {
  const ring = new LineRing(new Alarm());
  ring.push(`${"x".repeat(MAX_LINE_BYTES)}\n`);
  assert.deepEqual([takeAll(ring), ring.lost], ["", 1]);
});

test("lines of a thread that is no more are still there, and its successor's follow", async () => {
  const alarm = new Alarm();
  const ring = new LineRing(alarm);
  const module = JSON.stringify(new URL("../../src/observe/line-ring.ts", import.meta.url).href);
  const code = `
    const { workerData } = require("node:worker_threads");
    import(${module}).then(({ Alarm, LineRing }) => {
      const ring = new LineRing(new Alarm(workerData.alarm), workerData.ring);
      for (let i = 0; i < 20_000; i++) ring.push(i + " of " + workerData.name + "\\n");
      process.exit(1);
    });`;
  let text = "";
  for (const name of ["first", "second"]) {
    const worker = new Worker(code, {
      eval: true,
      workerData: { alarm: alarm.buffer, ring: ring.buffer, name },
    });
    const ended = new Promise((resolve) => worker.on("exit", resolve));
    await alarm.rung(() => ring.isEmpty);
    text += takeAll(ring); // beside it, while it goes on
    await ended;
  }
  text += takeAll(ring);
  const expected = ["first", "second"].flatMap((name) =>
    Array.from({ length: 20_000 }, (_, i) => `${i} of ${name}\n`),
  );
  assert.equal(text, expected.join(""));
});
