import assert from "node:assert/strict";
import { test } from "node:test";
import { SLICE } from "../../src/board/layout.ts";
import type { Pair } from "../../src/model/pair.ts";
import { ask, askMany, times } from "../support/ask.ts";
import { json, reset, stall, startBackend } from "../support/backend.ts";
import { until } from "../support/until.ts";
import { startPlane, type TestPlane, textOf } from "./plane.ts";

const isShadow = ({ headers }: { headers: Record<string, unknown> }): boolean =>
  headers["x-cutover-shadow"] === "1";

/** Asks, and takes the pair that differs. */
async function firstPair(plane: TestPlane, options: Parameters<typeof ask>[1] = {}): Promise<Pair> {
  const before = plane.pairs.length;
  await ask(plane.url, options);
  await until("the pair is there", () => plane.pairs.length > before);
  return plane.pairs.at(-1) as Pair;
}

function confirm(plane: TestPlane, pair: Pair): void {
  assert.ok(pair.ticket);
  plane.data.confirm(pair.ticket);
}

test("a pair that differs is asked again on both sides, after the time that the rules name", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 0 }));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { confirmAfterMs: 200 },
    shadow: { methods: ["GET", "POST"] },
  });
  const begunMs = performance.now();
  const pair = await firstPair(plane, { path: "/x?y=1", headers: { "x-user": "7" } });
  assert.equal(pair.confirms, null);
  confirm(plane, pair);
  fresh.answer(json({ a: 1 })); // new has caught up
  await until("the pair that confirms is there", () => plane.pairs.length === 2);
  const again = plane.pairs[1] as Pair;
  assert.deepEqual(
    [again.confirms?.ticket, again.ticket, again.requestId],
    [pair.ticket, null, pair.requestId],
  );
  const { afterMs } = again.confirms ?? { afterMs: 0 };
  assert.ok(afterMs >= 200 && afterMs < performance.now() - begunMs, `after ${afterMs} ms`);
  assert.deepEqual(
    [textOf(again.old), textOf(again.new)],
    ['{"a":1}', '{"a":1}'],
    "posted, though it is equal",
  );
  for (const { seen } of [old, fresh]) {
    assert.equal(seen.length, 2);
    const repeat = seen[1];
    assert.deepEqual([repeat?.method, repeat?.url, repeat?.headers["x-user"]], ["GET", "/x?y=1", "7"]);
    assert.ok(repeat !== undefined && isShadow(repeat));
  }
  assert.deepEqual(plane.shadows(), { sent: 1 }, "the repeat is no shadow in the counts");
  assert.equal(plane.count(SLICE.answers), 1, "and no evidence");
  assert.deepEqual(plane.unconfirmed, []);
});

test("asked for late, it is asked again at once, and the time is what it really was", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 2 }));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { confirmAfterMs: 1 },
  });
  const pair = await firstPair(plane);
  const seenMs = performance.now();
  await until("a while has passed", () => performance.now() - seenMs > 150, { everyMs: 10 });
  confirm(plane, pair);
  await until("the pair that confirms is there", () => plane.pairs.length === 2);
  assert.ok((plane.pairs[1]?.confirms?.afterMs ?? 0) >= 150);
});

test("answers without a body can be asked again like others", async () => {
  await using old = await startBackend((_req, res) => void res.writeHead(200).end());
  await using fresh = await startBackend((_req, res) => void res.writeHead(204).end());
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { confirmAfterMs: 0, noisePpm: 1_000_000 },
  });
  const pair = await firstPair(plane);
  assert.deepEqual([pair.old.body.length, pair.new.body.length, pair.again?.body.length], [0, 0, 0]);
  confirm(plane, pair);
  await until("the pair that confirms is there", () => plane.pairs.length === 2);
});

test("the body of a safe request is sent again too", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 2 }));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { confirmAfterMs: 0 },
  });
  confirm(plane, await firstPair(plane, { body: "query", headers: { "content-length": "5" } }));
  await until("the pair that confirms is there", () => plane.pairs.length === 2);
  for (const { seen } of [old, fresh])
    assert.deepEqual(
      seen.map(({ body }) => body),
      ["query", "query"],
    );
});

test("pairs of reverse shadows can be asked again too", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 2 }));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { confirmAfterMs: 0 },
    shadow: { reverse: true },
    route: { canary: { sharePpm: 1_000_000, always: [], never: [], methods: null } },
  });
  confirm(plane, await firstPair(plane));
  await until("the pair that confirms is there", () => plane.pairs.length === 2);
  assert.deepEqual(
    plane.pairs.map(({ old }) => textOf(old)),
    ['{"a":1}', '{"a":1}'],
  );
});

test("there is no ticket for methods with side effects, nor where the rules do not ask for it", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 2 }));
  const shadow = { methods: ["GET", "POST"] };
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { confirmAfterMs: 10 },
    shadow,
  });
  assert.equal((await firstPair(plane, { method: "POST", body: "x" })).ticket, null);
  assert.notEqual((await firstPair(plane)).ticket, null);
  await plane.reload({ compare: { confirmAfterMs: null } });
  assert.equal((await firstPair(plane)).ticket, null);
});

test("what cannot be asked again is said so", async (t) => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 2 }));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { confirmAfterMs: 100 },
    shadow: { timeoutMs: 1_500, concurrency: 4 },
  });
  const isUnconfirmed = async (pair: Pair, why: string): Promise<void> => {
    const [told] = await until("it is said", () =>
      plane.unconfirmed.length > 0 ? plane.unconfirmed : undefined,
    );
    assert.deepEqual(told, { ticket: pair.ticket, why });
    plane.unconfirmed.length = 0;
  };

  await t.test("one side is gone", async () => {
    const pair = await firstPair(plane);
    fresh.answer(reset);
    confirm(plane, pair);
    await isUnconfirmed(pair, "lost");
    fresh.answer(json({ a: 2 }));
  });

  await t.test("one side is silent", async () => {
    const pair = await firstPair(plane);
    old.answer((req, res, body) => (isShadow(req) ? stall : json({ a: 1 }))(req, res, body));
    confirm(plane, pair);
    await isUnconfirmed(pair, "lost");
    old.answer(json({ a: 1 }));
  });

  await t.test("a ticket that nobody knows", async () => {
    const pair = await firstPair(plane);
    assert.ok(pair.ticket);
    const ticket = { thread: 0, id: pair.ticket.id + 1_000 };
    plane.data.confirm(ticket);
    await isUnconfirmed({ ...pair, ticket }, "expired");
    plane.data.confirm({ thread: 9, id: 1 });
    await isUnconfirmed({ ...pair, ticket: { thread: 9, id: 1 } }, "lost");
  });

  await t.test("no room among the shadows", async () => {
    const pair = await firstPair(plane);
    fresh.answer(stall);
    await askMany(plane.url, times(4));
    confirm(plane, pair);
    await isUnconfirmed(pair, "shed");
    await until("the shadows are over", () => plane.shadows().timeout === 4);
    fresh.answer(json({ a: 2 }));
  });

  await t.test("a ticket that made room for others", async () => {
    const pair = await firstPair(plane);
    const before = plane.pairs.length;
    for (let round = 0; round < 100; round++) await askMany(plane.url, times(3), 3);
    await until("more pairs than there are tickets", () => plane.pairs.length - before > 256);
    confirm(plane, pair);
    await isUnconfirmed(pair, "expired");
  });
});

test("a reload leaves open tickets their backends, and they are asked by the rules that they began with", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 2 }));
  await using other = await startBackend(json({ a: 3 }));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { confirmAfterMs: 200 },
  });
  const pair = await firstPair(plane);
  confirm(plane, pair);
  await plane.reload({ oldUrl: other.url, newUrl: other.url });
  await until("the pair that confirms is there", () => plane.pairs.length === 2);
  const again = plane.pairs[1] as Pair;
  assert.deepEqual([again.rulesVersion, textOf(again.new)], [pair.rulesVersion, '{"a":2}']);
  assert.equal(other.seen.length, 0);
});

test("a thread that closes asks nothing again, says so, and ends in its time", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 2 }));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { confirmAfterMs: 60_000 },
  });
  const pair = await firstPair(plane);
  await firstPair(plane);
  confirm(plane, pair);
  const begunMs = performance.now();
  assert.equal(await plane.data.close(5_000), 0);
  assert.ok(performance.now() - begunMs < 4_900);
  await until("it is said", () => plane.unconfirmed.length > 0);
  assert.deepEqual(plane.unconfirmed, [{ ticket: pair.ticket, why: "lost" }]);
});

test("the tickets of a thread that died are lost: its successor's are others", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 2 }));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { confirmAfterMs: 0 },
  });
  const pair = await firstPair(plane);
  await plane.data.terminate();
  confirm(plane, pair);
  assert.deepEqual(plane.unconfirmed, [{ ticket: pair.ticket, why: "lost" }]);
});

test("a comparison thread that takes nothing: pairs beyond the queue are shed, and counted with that reason", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 2 }));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    deaf: true,
    shadow: { concurrency: 1_000 },
  });
  await askMany(plane.url, times(1_100));
  await until("those beyond are shed", () => plane.uncompared().shed === 1_100 - 1_024);
  assert.equal(plane.count(SLICE.comparisons + 1), 1_100 - 1_024, "and are in the total");
  assert.deepEqual(plane.shadows(), { sent: 1_100 });
  fresh.answer(json({ a: 1 }));
  await ask(plane.url);
  await until("equal answers still match", () => plane.count(SLICE.comparisons) === 1);
});
