import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { SLICE } from "../../src/board/layout.ts";
import { ask } from "../support/ask.ts";
import { json, reset, type Script, stall, startBackend } from "../support/backend.ts";
import { until } from "../support/until.ts";
import { NOBODY } from "./backend/asking.ts";
import { startPlane } from "./plane.ts";

const large = json({ text: "x".repeat(10_000) });
const breaksOff: Script = (_req, res) => {
  res.writeHead(200, { "content-length": 100 });
  res.write("some", () => res.destroy());
};

test("a shadow fails where new alone does: by a 5xx or by no answer, and never by the client or a limit", async (t) => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 1 }));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    // Whether statuses are compared or not.
    compare: { status: null },
    shadow: { timeoutMs: 1_500, maxBodyBytes: 4_096 },
  });
  const counts = () => [plane.count(SLICE.shadowAnswers), plane.count(SLICE.shadowFailures)] as const;
  const settled = () =>
    plane.pairs.length + plane.count(SLICE.comparisons) + plane.count(SLICE.comparisons + 1);
  /** Shadows and failures that one request adds. */
  const adds = async (answers: number, failures: number, oldAnswer: Script, newAnswer: Script) => {
    old.answer(oldAnswer);
    fresh.answer(newAnswer);
    const [before, isSettled] = [counts(), settled()];
    await ask(plane.url).catch(() => {}); // some are cut off
    await until("the pair is settled", () => settled() === isSettled + 1);
    assert.deepEqual(counts(), [before[0] + answers, before[1] + failures]);
  };
  const good = json({ a: 1 });
  const broken = json({ a: 1 }, 500);

  await t.test("both answer well", () => adds(1, 0, good, good));
  await t.test("new answers 404", () => adds(1, 0, good, json({ b: 1 }, 404)));
  await t.test("new answers 500", () => adds(1, 1, good, json({ b: 1 }, 500)));
  await t.test("new answers 500 with old's bytes", () => adds(1, 1, good, broken));
  await t.test("new gives no answer in time", () => adds(1, 1, good, stall));
  await t.test("new breaks off", () => adds(1, 1, good, reset));
  await t.test("both answer 500", () => adds(1, 0, broken, broken));
  await t.test("old answers 500, new nothing", () => adds(1, 0, broken, reset));
  await t.test("old breaks off", () => adds(0, 0, breaksOff, broken));
  await t.test("new's answer is too large", () => adds(0, 0, good, large));
});

test("each pair that is lost is counted by its reason", async (t) => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 1 }));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    shadow: { timeoutMs: 1_500, maxBodyBytes: 4_096, methods: ["GET", "PUT"], concurrency: 2 },
  });
  /** One request, and the one reason that it adds. */
  const gives = async (
    reason: string,
    oldAnswer: Script,
    newAnswer: Script,
    body?: string,
  ): Promise<void> => {
    old.answer(oldAnswer);
    fresh.answer(newAnswer);
    const before = plane.uncompared();
    const total = plane.count(SLICE.comparisons + 1);
    await ask(plane.url, body === undefined ? {} : { method: "PUT", body }).catch(() => {}); // some are cut off
    await until("it is counted", () => plane.count(SLICE.comparisons + 1) === total + 1);
    assert.deepEqual(plane.uncompared(), { ...before, [reason]: (before[reason] ?? 0) + 1 });
  };
  const good = json({ a: 1 });

  await t.test("the client's answer is too large", () => gives("too_large", large, good));
  await t.test("the shadow's answer is too large", () => gives("too_large", good, large));
  await t.test("the request is too large", () => gives("too_large", good, good, "x".repeat(10_000)));
  await t.test("the shadow is not answered in time", () => gives("timeout", good, stall));
  await t.test("the shadow fails", () => gives("failed", good, reset));
  await t.test("old fails its client", () => gives("failed", breaksOff, good));
  await t.test("the shadow's answer breaks off", () => gives("failed", good, breaksOff));

  await t.test("the client leaves", async () => {
    old.answer(stall);
    fresh.answer(good);
    const seen = old.seen.length;
    const left = request(plane.url).end();
    left.on("error", () => {}); // it is destroyed below
    await until("it is at old", () => old.seen.length > seen);
    left.destroy();
    await until("it is counted", () => plane.uncompared().aborted === 1);
  });

  await t.test("there is no room for the shadow", async () => {
    old.answer(good);
    fresh.answer(stall);
    await Promise.all([1, 2, 3].map(() => ask(plane.url)));
    await until("it is counted", () => plane.uncompared().shed === 1);
  });

  assert.deepEqual(plane.pairs, []);
});

test("where nothing is compared nothing is uncompared", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(reset);
  await using plane = await startPlane({ oldUrl: old.url, newUrl: fresh.url, compare: null });
  await ask(plane.url);
  await until("the shadow has failed", () => plane.shadows().failed === 1);
  assert.deepEqual(plane.uncompared(), {});
  assert.equal(plane.count(SLICE.comparisons + 1), 0);
});

test("bodies of many megabytes are compared in small steps, and beyond a sane bound not at all", async () => {
  const MIB = 2 ** 20;
  const body = Buffer.alloc(12 * MIB, "x");
  const other = Buffer.from(body);
  other[other.length - 1] = 0;
  const bytes =
    (content: Buffer): Script =>
    (_req, res) =>
      void res.end(content);
  await using old = await startBackend(bytes(body));
  await using fresh = await startBackend(bytes(body));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    shadow: { maxBodyBytes: 2 ** 30 },
  });
  await ask(plane.url);
  await until("they match", () => plane.count(SLICE.comparisons) === 1);
  fresh.answer(bytes(other));
  await ask(plane.url);
  const [pair] = await until("the pair is there", () => (plane.pairs.length > 0 ? plane.pairs : undefined));
  assert.ok(pair);
  assert.deepEqual([pair.old.body.length, pair.new.body.length], [body.length, body.length]);
  assert.ok(other.equals(pair.new.body));
  const huge = Buffer.alloc(17 * MIB, "x");
  fresh.answer(bytes(huge));
  await ask(plane.url);
  await until("it is counted", () => plane.uncompared().too_large === 1);
});

test("pairs that a comparison thread never answered are there to be counted, and no more go to one that has ended", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 2 }));
  await using plane = await startPlane({ oldUrl: old.url, newUrl: fresh.url });
  for (let sent = 1; sent <= 2; sent++) {
    await ask(plane.url);
    await until("the pair goes out", () => plane.pairs.length === sent);
  }
  assert.equal(plane.tile.takeLostPairs(), 2);
  plane.hangUp();
  await until("pairs are shed", async () => {
    await ask(plane.url);
    return plane.uncompared().shed;
  });
  const atMost = plane.tile.takeLostPairs(); // those that were sent before the thread had heard of it
  const shed = plane.uncompared().shed ?? 0;
  await ask(plane.url);
  await until("it is shed too", () => (plane.uncompared().shed ?? 0) > shed);
  assert.deepEqual([plane.tile.takeLostPairs(), plane.pairs.length], [0, 2], `${atMost} were under way`);
  plane.data.reconnectCompare();
  await until("pairs go out again", async () => {
    await ask(plane.url);
    return plane.pairs.length > 2;
  });
});

test("a body that old is not there to take is whole in its shadow all the same", async () => {
  await using fresh = await startBackend(json({ a: 1 }));
  const shadow = { methods: ["POST"], concurrency: 1 };
  await using plane = await startPlane({ oldUrl: NOBODY, newUrl: fresh.url, shadow });
  for (let n = 1; n <= 2; n++) {
    const { status } = await ask(plane.url, { method: "POST", body: "hello" });
    assert.equal(status, 502);
    await until("the shadow is over", () => plane.count(SLICE.comparisons + 1) === n);
    assert.deepEqual(
      fresh.seen.map(({ body }) => body),
      new Array(n).fill("hello"),
    );
  }
});
