import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { SpanRecord } from "../../src/model/span.ts";
import { Spans } from "../../src/proxy/spans.ts";
import { TRACE, writeLegs } from "./span-writer.ts";

/** A writer of spans with a clock set by hand, and the other end of its channel. */
function openSpans() {
  const clock = { now: 1_000, wall: 1_777_000_000_000 };
  const counts = new SharedArrayBuffer(24);
  const spans = new Spans({ sharePpm: 10_000, counts }, { nowMs: () => clock.now, wallMs: () => clock.wall });
  const waiting = new Int32Array(new SharedArrayBuffer(4));
  const dropped = () => Number(new BigUint64Array(counts)[1]);
  const connect = (): MessagePort => {
    const { port1, port2 } = new MessageChannel();
    spans.connect(port1, waiting.buffer);
    return port2;
  };
  const write = (count: number): void => writeLegs(spans, count);
  return { spans, clock, waiting, dropped, connect, write };
}

/** All that was posted, batch by batch. */
function posted(port: MessagePort): SpanRecord[][] {
  const batches: SpanRecord[][] = [];
  for (let got = receiveMessageOnPort(port); got !== undefined; got = receiveMessageOnPort(port))
    batches.push(got.message as SpanRecord[]);
  return batches;
}

test("of a trace that is not sampled nothing is written", () => {
  const { spans } = openSpans();
  assert.equal(spans.open({ ...TRACE, flags: "00" }, "/x", null, null), null);
});

test("spans are posted in batches, and the rest when it is asked for", () => {
  const { spans, connect, write, waiting } = openSpans();
  const port = connect();
  write(130);
  assert.deepEqual(
    posted(port).map(({ length }) => length),
    [64, 64],
  );
  spans.flush();
  assert.deepEqual(
    posted(port).map(({ length }) => length),
    [2],
  );
  spans.flush();
  assert.deepEqual(posted(port), []);
  assert.equal(waiting[0], 130);
  port.close();
});

test("spans that nobody exports are dropped at the limit, counted, and taken again when there is room", () => {
  const { connect, write, waiting, dropped } = openSpans();
  const port = connect();
  write(10_000 * 64);
  assert.equal(posted(port).length, 64, "4,096 spans wait, and not one more");
  assert.equal(waiting[0], 4_096);
  assert.equal(dropped(), 10_000 * 64 - 4_096);
  waiting[0] = 0;
  write(64);
  assert.equal(posted(port).length, 1);
  port.close();
});

test("before there is a thread that exports, and between two of them, spans are dropped and counted", () => {
  const { connect, write, dropped } = openSpans();
  write(64);
  assert.equal(dropped(), 64);
  const first = connect();
  const second = connect();
  write(64);
  assert.equal(posted(first).length, 0);
  assert.equal(posted(second).length, 1);
  for (const port of [first, second]) port.close();
});

test("a span begins where its leg began, by the clock on the wall", () => {
  const { spans, clock, connect, write } = openSpans();
  const port = connect();
  clock.now += 70;
  clock.wall += 70;
  write(1);
  spans.flush();
  const [[span] = []] = posted(port);
  assert.equal(span?.startMs, 1_777_000_000_065);
  assert.equal(span?.durationMs, 5);
  port.close();
});

test("a clock that was set is followed, a millisecond of jitter is not", () => {
  const { spans, clock, connect, write } = openSpans();
  const port = connect();
  const begun = (): number => {
    write(1);
    spans.flush();
    return posted(port)[0]?.[0]?.startMs ?? 0;
  };
  const first = begun();
  for (const [setByMs, seenMs] of [
    [1, 0],
    [3_600_000, 3_600_001],
  ] as const) {
    clock.wall += setByMs;
    begun(); // the clock is looked at after a batch
    assert.equal(begun(), first + seenMs);
  }
  port.close();
});
