import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EVENT_KINDS, EventRing, type RingEvent } from "../../src/board/event-ring.ts";
import type { Side } from "../../src/model/ruleset.ts";
import { onThreads } from "./threads.ts";

const CAPACITY = 8192;

function drained(ring: EventRing): RingEvent[] {
  const events: RingEvent[] = [];
  ring.drain((event) => events.push(event));
  return events;
}

const event = (slot: number, side: Side = "new"): RingEvent => ({
  slot,
  kind: "error",
  side,
  rhoPpm: 50_000,
  unit: null,
});

const anyEvent: fc.Arbitrary<RingEvent> = fc.record(
  {
    slot: fc.nat(100_000),
    kind: fc.constantFrom(...EVENT_KINDS),
    side: fc.constantFrom<Side>("old", "new"),
    rhoPpm: fc.nat(1_000_000),
    unit: fc.option(fc.stringMatching(/^[0-9a-f]{15}[1-9a-f]$/)),
  },
  { noNullPrototype: true },
);

test("events come out as they went in, oldest first, each once, over any mix of pushes and looks", () => {
  fc.assert(
    fc.property(fc.array(fc.array(anyEvent, { maxLength: 20 }), { maxLength: 10 }), (groups) => {
      const writer = new EventRing();
      const reader = new EventRing(writer.buffer);
      for (const group of groups) {
        for (const one of group) writer.push(one);
        assert.deepEqual(drained(reader), group);
      }
      assert.deepEqual(drained(reader), []);
    }),
  );
});

test("order and content last over many turns of the ring", () => {
  const ring = new EventRing();
  let next = 0;
  for (let turn = 0; turn < 5; turn += 1) {
    for (let i = 0; i < CAPACITY - 3; i += 1) ring.push(event(turn * 10_000 + i));
    const slots = drained(ring).map(({ slot }) => slot);
    assert.equal(slots.length, CAPACITY - 3);
    assert.ok(slots.every((slot, i) => slot === turn * 10_000 + i));
    next += slots.length;
  }
  assert.equal(next, 5 * (CAPACITY - 3));
  assert.equal(ring.dropped, 0);
});

test("a full ring drops both sides alike, keeps what it has, and counts what it dropped", () => {
  const ring = new EventRing();
  for (let i = 0; i < CAPACITY; i += 1) ring.push(event(i, i % 2 === 0 ? "old" : "new"));
  ring.push(event(-1, "old"));
  ring.push(event(-1, "new"));
  ring.push(event(-1, "new"));
  assert.equal(ring.dropped, 3);
  const kept = drained(ring);
  assert.equal(kept.length, CAPACITY);
  assert.ok(kept.every(({ slot }, i) => slot === i));
  ring.push(event(7));
  assert.deepEqual(drained(ring), [event(7)]);
});

test("the counts of the ring wrap around without losing or repeating an event", () => {
  const ring = new EventRing();
  const words = new Int32Array(ring.buffer);
  words[0] = 2 ** 31 - 3; // head
  words[1] = 2 ** 31 - 3; // tail
  for (let round = 0; round < 3; round += 1) {
    for (let i = 0; i < 5; i += 1) ring.push(event(round * 5 + i));
    assert.deepEqual(
      drained(ring).map(({ slot }) => slot),
      [0, 1, 2, 3, 4].map((i) => round * 5 + i),
    );
  }
});

test("another thread's events arrive in order while both are busy; what is missing was counted", async () => {
  const ring = new EventRing();
  const TIMES = 60_000;
  const seen: RingEvent[] = [];
  const pushing = onThreads<number>(1, "push", ring.buffer, TIMES);
  let isDone = false;
  void pushing.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    ring.drain((one) => seen.push(one));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await pushing;
  ring.drain((one) => seen.push(one));
  assert.equal(seen.length + ring.dropped, TIMES);
  for (const [i, one] of seen.entries()) {
    assert.equal(one.rhoPpm, one.slot, "an event is whole");
    assert.ok(i === 0 || one.slot > (seen[i - 1]?.slot ?? 0), "events are in order");
  }
});
