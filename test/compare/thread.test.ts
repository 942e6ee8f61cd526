import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { type CompareSetup, PROGRESS_BYTES } from "../../src/board/progress.ts";
import type { Compared, Pair } from "../../src/model/pair.ts";
import { until } from "../support/until.ts";
import { answer, pairOf, placesOf } from "./pairs.ts";

interface Rig {
  readonly worker: Worker;
  readonly queue: Int32Array;
  readonly results: Compared[];
  /** What the thread has written to stderr. */
  readonly stderr: () => string;
  /** A port of one more data-plane thread. */
  readonly connect: () => MessagePort;
  readonly post: (port: MessagePort, pair: Pair) => void;
  /** Resolves when so many results are there. */
  readonly arrived: (count: number) => Promise<void>;
}

async function withThread(use: (rig: Rig) => Promise<void>): Promise<void> {
  const shared = new SharedArrayBuffer(8);
  const queue = new Int32Array(shared);
  const worker = new Worker(new URL("../../src/compare/thread.ts", import.meta.url), {
    workerData: { queue: shared, progress: new SharedArrayBuffer(PROGRESS_BYTES) } satisfies CompareSetup,
    stderr: true,
  });
  const results: Compared[] = [];
  const ports: MessagePort[] = [];
  let stderr = "";
  worker.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  worker.on("message", (message: Compared) => results.push(message));
  const connect = (): MessagePort => {
    const { port1, port2 } = new MessageChannel();
    worker.postMessage({ kind: "port", port: port2 }, [port2]);
    ports.push(port1);
    return port1;
  };
  const post = (port: MessagePort, pair: Pair): void => {
    Atomics.add(queue, 0, 1);
    const bodies = [pair.old, pair.new, pair.again].flatMap((given) => (given === null ? [] : [given.body]));
    for (const body of bodies) Atomics.add(queue, 1, body.byteLength);
    const transfer = bodies.map((body) => body.buffer as ArrayBuffer);
    port.postMessage({ kind: "pair", pair }, transfer);
  };
  const arrived = async (count: number): Promise<void> => {
    while (results.length < count) await once(worker, "message", { signal: AbortSignal.timeout(20_000) });
  };
  try {
    await use({ worker, queue, results, stderr: () => stderr, connect, post, arrived });
  } finally {
    for (const port of ports) port.close();
    await worker.terminate();
  }
}

/** The thread subtracts after it posts: the counters follow the last result within a moment. */
async function emptied(queue: Int32Array): Promise<void> {
  await until("the queue is empty", () => queue[0] === 0 && queue[1] === 0);
}

test("pairs of every port are compared, with samples for mismatches alone, and leave the queue", async () => {
  await withThread(async ({ queue, results, connect, post, arrived }) => {
    const [one, two] = [connect(), connect()];
    post(one, pairOf(answer('{"a":1,"b":2}'), answer('{"b":2,"a":1}'), {}, { requestId: "same", unit: "u" }));
    post(two, pairOf(answer('{"a":1}'), answer('{"a":2}'), {}, { requestId: "other", target: "/x?y=1" }));
    post(
      two,
      pairOf(
        answer("x", { encoding: "gzip" }),
        answer("y", { encoding: "gzip" }),
        {},
        { requestId: "broken" },
      ),
    );
    await arrived(3);
    const byId = new Map(results.map((result) => [result.requestId, result]));
    assert.deepEqual(byId.get("same"), {
      kind: "compared",
      route: "profiles",
      rulesVersion: "0123456789ab",
      requestId: "same",
      method: "GET",
      target: "/profiles/1",
      unit: "u",
      comparison: { kind: "match" },
      requestHeaders: [],
      noise: null,
      ticket: null,
      confirms: null,
      isReverse: false,
      old: null,
      new: null,
    });
    assert.deepEqual(placesOf(byId.get("other")?.comparison ?? { kind: "match" }), ["$.a value"]);
    assert.equal(byId.get("other")?.target, "/x?y=1");
    assert.equal(byId.get("other")?.old?.body, '{"a":1}');
    assert.equal(byId.get("other")?.new?.body, '{"a":2}');
    assert.deepEqual(byId.get("broken")?.comparison, { kind: "uncompared", why: "decode_failed" });
    assert.equal(byId.get("broken")?.old, null);
    await emptied(queue);
  });
});

test("a pair that cannot be handled at all is uncompared, is warned of, and the next is compared", async () => {
  await withThread(async ({ queue, results, stderr, connect, post, arrived }) => {
    const port = connect();
    post(port, pairOf(answer("{}"), answer("[]"), { ignore: ["not a path"] }));
    post(port, pairOf(answer("[1]"), answer("[ 1]"), {}, { rulesVersion: "another12345" }));
    await arrived(2);
    assert.deepEqual(results[0]?.comparison, { kind: "uncompared", why: "decode_failed" });
    assert.deepEqual(results[1]?.comparison, { kind: "match" });
    await emptied(queue);
    await until("it is warned of", () => /route "profiles".*"not a path" is not a JSONPath/s.test(stderr()));
  });
});

test("a busy port does not keep another waiting", async () => {
  await withThread(async ({ results, connect, post, arrived }) => {
    const busy = connect();
    const quiet = connect();
    const big = JSON.stringify(Array.from({ length: 2000 }, (_, at) => ({ at, name: `item ${at}` })));
    for (let at = 0; at < 60; at++)
      post(busy, pairOf(answer(big), answer(` ${big}`), {}, { requestId: "busy" }));
    post(quiet, pairOf(answer("[1]"), answer("[ 1]"), {}, { requestId: "quiet" }));
    await arrived(61);
    const place = results.findIndex(({ requestId }) => requestId === "quiet");
    assert.ok(place < 55, `was number ${place}`);
  });
});

test("pairs that a data-plane thread sent before it closed its port are compared", async () => {
  await withThread(async ({ queue, connect, post, arrived }) => {
    const port = connect();
    for (let at = 0; at < 20; at++) post(port, pairOf(answer("[1]"), answer("[ 1]")));
    port.close();
    await arrived(20);
    await emptied(queue);
    const other = connect();
    post(other, pairOf(answer("[1]"), answer("[2]")));
    await arrived(21);
  });
});

test("stop ends the thread by itself, and what waited leaves the queue", async () => {
  await withThread(async ({ worker, queue, connect, post, arrived }) => {
    const port = connect();
    const big = JSON.stringify(Array.from({ length: 2000 }, (_, at) => ({ at, name: `item ${at}` })));
    for (let at = 0; at < 40; at++) post(port, pairOf(answer(big), answer(` ${big}`)));
    await arrived(1);
    const exit = once(worker, "exit");
    worker.postMessage({ kind: "stop" });
    assert.deepEqual(await exit, [0]);
    assert.deepEqual([...queue], [0, 0]);
  });
});

test("old is compared with itself too, and all three bodies leave the queue", async () => {
  await withThread(async ({ queue, results, connect, post, arrived }) => {
    const port = connect();
    const again = answer('{"a":9,"b":1}');
    post(port, pairOf(answer('{"a":1,"b":1}'), answer('{"a":2,"b":2}'), {}, { again }));
    await arrived(1);
    assert.deepEqual(placesOf(results[0]?.comparison ?? { kind: "match" }), ["$.a value", "$.b value"]);
    assert.deepEqual(results[0]?.noise, [{ template: "$.a", kind: "value" }]);
    await emptied(queue);
  });
});

test("a route that differs all the time sends fifty samples a second, and every finding", async () => {
  await withThread(async ({ results, connect, post, arrived }) => {
    const port = connect();
    const begunMs = performance.now();
    for (let at = 0; at < 400; at++) post(port, pairOf(answer("[1]"), answer("[2]")));
    post(port, pairOf(answer("[1]"), answer("[2]"), {}, { route: "other" }));
    await arrived(401);
    const seconds = (performance.now() - begunMs) / 1_000;
    const samples = results.filter(({ old }) => old !== null).length;
    const most = 51 + 50 * Math.ceil(seconds);
    assert.ok(samples >= 51 && samples <= most, `${samples} samples in ${seconds} s`);
    assert.ok(results.every(({ comparison }) => comparison.kind === "mismatch"));
    assert.ok(results.find(({ route }) => route === "other")?.new !== null);
  });
});
