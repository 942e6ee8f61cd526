import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel } from "node:worker_threads";

import type { Compared, Pair } from "../../src/model/pair.ts";
import { CompareThread } from "../../src/workers/compare-threads.ts";
import { answer, pairOf } from "../compare/pairs.ts";
import { until } from "../support/until.ts";

test("a comparison that never ends is given up, by the name of its route, and later pairs are compared", async () => {
  const queue = new SharedArrayBuffer(8);
  const replaced: string[] = [];
  const found: Compared[] = [];
  const thread = new CompareThread({
    queue,
    onCompared: (compared) => found.push(compared),
    onReplaced: (why) => replaced.push(why),
    stuckAfterMs: 1_000,
  });
  const post = (pair: Pair) => {
    announce(queue);
    const { port1, port2 } = new MessageChannel();
    thread.connect(port2);
    port1.postMessage({ kind: "pair", pair });
    return () => port1.close();
  };
  const text = (end: string) => answer(JSON.stringify({ list: [{ a: `${"a".repeat(50)}!` }], end }));
  try {
    const endless = { ignore: ["$.list[?search(@.a, '(a|[ab])+$')]"] };
    const close = post(pairOf(text("old"), text("new"), endless, { route: "slow-route" }));
    await until("it is given up", () => replaced.length === 1);
    close();
    assert.deepEqual(replaced, ["a comparison of route slow-route took longer than 1 s"]);
    assert.equal(Atomics.load(new Int32Array(queue), 0), 0);
    const closeNext = post(pairOf(text("old"), text("new")));
    await until("the next pair is compared", () => found.length === 1);
    closeNext();
    assert.equal(found[0]?.comparison.kind, "mismatch");
  } finally {
    await thread.terminate();
  }
});

test("the thread is not there before the first pair, and hears of every data thread then", async () => {
  const queue = new SharedArrayBuffer(8);
  const found: Compared[] = [];
  const thread = new CompareThread({
    queue,
    onCompared: (compared) => found.push(compared),
    onReplaced: (why) => assert.fail(why),
  });
  const channels = [new MessageChannel(), new MessageChannel()];
  const gone = new MessageChannel();
  try {
    thread.connect(gone.port2);
    gone.port1.close(); // its data thread ended before anything was compared
    for (const { port1, port2 } of channels) {
      thread.connect(port2);
      port1.postMessage({ kind: "pair", pair: pairOf(answer('{"a":1}'), answer('{"a":2}')) });
    }
    await new Promise((resolve) => gone.port2.once("close", resolve));
    assert.equal(thread.isStarted, false);
    for (const _ of channels) announce(queue);
    await until("both pairs are compared", () => found.length === 2);
    assert.equal(thread.isStarted, true);
    assert.equal(Atomics.load(new Int32Array(queue), 0), 0);
  } finally {
    await thread.terminate();
    for (const { port1 } of channels) port1.close();
  }
});

/** As a data thread does before it posts a pair. */
function announce(queue: SharedArrayBuffer): void {
  const words = new Int32Array(queue);
  Atomics.add(words, 0, 1);
  Atomics.notify(words, 0);
}
