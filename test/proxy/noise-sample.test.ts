import assert from "node:assert/strict";
import { test } from "node:test";
import { SLICE } from "../../src/board/layout.ts";
import { ask, askMany, times } from "../support/ask.ts";
import { json, type Script, type Seen, stall, startBackend } from "../support/backend.ts";
import { until } from "../support/until.ts";
import { startPlane, textOf } from "./plane.ts";

const isShadow = ({ headers }: Pick<Seen, "headers">): boolean => headers["x-cutover-shadow"] === "1";
/** Too small to be drawn in a test. */
const HARDLY_EVER_PPM = 1;

test("the first 200 shadows are all asked of old a second time, exactly, over all threads together", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 1 }));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    threads: 2,
    compare: { noisePpm: HARDLY_EVER_PPM },
    shadow: { concurrency: 10_000 },
  });
  plane.tile.learnNoise(200);
  await askMany(plane.url, times(260));
  await until("all are compared", () => plane.count(SLICE.comparisons) === 260);
  const second = old.seen.filter(isShadow);
  assert.equal(second.length, 200);
  assert.ok(second.every(({ headers }) => headers["x-cutover-side"] === "old"));
  assert.equal(plane.count(SLICE.triples), 200, "each was equal three times");
  assert.equal(fresh.seen.length, 260, "new is asked once, sampled or not");
  assert.deepEqual(plane.shadows(), { sent: 260 }, "a second question to old is no shadow of its own");
  assert.equal(plane.count(SLICE.answers), 260, "it is no evidence for old");
  assert.deepEqual(plane.pairs, []);
});

test("after them chance draws the rules' share", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 1 }));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { noisePpm: 250_000 },
    shadow: { concurrency: 10_000 },
  });
  await askMany(plane.url, times(400));
  await until("all are compared", () => plane.count(SLICE.comparisons) === 400);
  const count = old.seen.filter(isShadow).length;
  // 100 expected, standard deviation 8.7: beyond six of them once in a billion runs.
  assert.ok(count > 48 && count < 152, `${count} of 400`);
  assert.equal(plane.count(SLICE.triples), count);
});

test("new and old again are asked in either order, as often one as the other", async () => {
  const order: string[] = [];
  const note: (side: string) => Script = (side) => (req, res, body) => {
    if (isShadow(req)) order.push(side);
    json({ a: 1 })(req, res, body);
  };
  await using old = await startBackend(note("old"));
  await using fresh = await startBackend(note("new"));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { noisePpm: 1_000_000 },
  });
  let newFirst = 0;
  const agentless = times(200);
  for (const each of agentless) {
    order.length = 0;
    await ask(plane.url, each);
    await until("both were asked", () => order.length === 2, { everyMs: 1 });
    if (order[0] === "new") newFirst++;
  }
  // 100 expected, standard deviation 7; two sockets may also overtake each other.
  assert.ok(newFirst > 50 && newFirst < 150, `new was first ${newFirst} times of 200`);
});

test("where old differs from itself the three answers travel together", async () => {
  let n = 0;
  await using old = await startBackend((req, res, body) =>
    json({ n: isShadow(req) ? ++n : 0 })(req, res, body),
  );
  await using fresh = await startBackend(json({ n: 0 }));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { noisePpm: 1_000_000 },
  });
  await ask(plane.url);
  await until("the pair is there", () => plane.pairs.length === 1);
  const [pair] = plane.pairs;
  assert.ok(pair?.again);
  assert.deepEqual([pair.old, pair.new, pair.again].map(textOf), ['{"n":0}', '{"n":0}', '{"n":1}']);
  assert.equal(pair.ticket, null);
  assert.equal(plane.count(SLICE.triples), 0);
  assert.equal(plane.count(SLICE.comparisons), 0);
});

test("only safe methods are asked twice, whatever the rules allow to be shadowed", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 1 }));
  const methods = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH"];
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { noisePpm: 1_000_000 },
    shadow: { methods },
  });
  plane.tile.learnNoise(200);
  for (const method of methods) {
    const isSafe = methods.indexOf(method) < 3;
    await ask(plane.url, { method, ...(isSafe ? {} : { body: "x" }) });
  }
  await until("all are compared", () => plane.count(SLICE.comparisons) === methods.length);
  assert.deepEqual(
    old.seen
      .filter(isShadow)
      .map(({ method }) => method)
      .sort(),
    ["GET", "HEAD", "OPTIONS"],
  );
});

/** New serves everything, and all of it is also sent to old. */
const REVERSE = {
  shadow: { reverse: true },
  route: { canary: { sharePpm: 1_000_000, always: [], never: [], methods: null } },
} as const;

test("of requests that new serves old is asked twice too, the second time when both first answers are there", async () => {
  const order: string[] = [];
  const note: (side: string) => Script = (side) => (req, res, body) => {
    order.push(`${side} asked`);
    res.on("finish", () => order.push(`${side} answered`));
    json({ a: 1 })(req, res, body);
  };
  await using old = await startBackend(note("old"));
  await using fresh = await startBackend(note("new"));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { noisePpm: 1_000_000 },
    ...REVERSE,
  });
  for (let i = 0; i < 20; i++) {
    order.length = 0;
    await ask(plane.url);
    await until("all three are compared", () => plane.count(SLICE.reverseTriples) === i + 1, { everyMs: 1 });
    const second = order.lastIndexOf("old asked");
    assert.ok(second > order.indexOf("old answered") && second > order.indexOf("new answered"), `${order}`);
  }
  assert.equal(old.seen.length, 40);
  assert.ok(old.seen.every(isShadow));
  assert.equal(fresh.seen.length, 20);
  assert.equal(plane.count(SLICE.triples), 0, "they are no triples of the other sort");
  assert.equal(plane.count(SLICE.comparisons), 20);
  assert.deepEqual(plane.shadows(), { sent: 20 }, "a second question is no shadow of its own");
});

test("a reverse pair says that it is one, and carries old's second answer, whatever the first two said", async () => {
  let n = 0;
  await using old = await startBackend((req, res, body) => json({ n: ++n })(req, res, body));
  await using fresh = await startBackend(json({ n: 1 }));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { noisePpm: 1_000_000 },
    ...REVERSE,
  });
  await ask(plane.url);
  await until("the pair is there", () => plane.pairs.length === 1);
  const [pair] = plane.pairs;
  assert.ok(pair?.again);
  assert.equal(pair.isReverse, true);
  assert.deepEqual([pair.old, pair.new, pair.again].map(textOf), ['{"n":1}', '{"n":1}', '{"n":2}']);
});

test("old that is stuck on its second answer loses the sample, not the pair, where new serves", async () => {
  let n = 0;
  await using old = await startBackend((req, res, body) =>
    (++n === 1 ? json({ a: 1 }) : stall)(req, res, body),
  );
  await using fresh = await startBackend(json({ a: 1 }));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { noisePpm: 1_000_000 },
    ...REVERSE,
    shadow: { reverse: true, timeoutMs: 1_500 },
  });
  await ask(plane.url);
  await until("it is compared", () => plane.count(SLICE.comparisons) === 1);
  assert.equal(plane.count(SLICE.reverseTriples), 0);
  assert.equal(n, 2);
});

test("old that is stuck on its second answer holds neither the client nor the comparison for ever", async () => {
  await using old = await startBackend((req, res, body) =>
    (isShadow(req) ? stall : json({ a: 1 }))(req, res, body),
  );
  await using fresh = await startBackend(json({ a: 1 }));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { noisePpm: 1_000_000 },
    shadow: { concurrency: 32, timeoutMs: 5_000 },
  });
  const begunMs = performance.now();
  await askMany(plane.url, times(100));
  assert.ok(performance.now() - begunMs < 4_900, "no client waited for old's second answer");
  await until(
    "all are compared",
    () => plane.count(SLICE.comparisons) + plane.count(SLICE.comparisons + 1) === 100,
  );
  const stuck = old.seen.filter(isShadow).length;
  assert.ok(stuck <= 32, `${stuck} second questions, while half of 32 places are theirs in each second`);
  assert.equal(plane.count(SLICE.comparisons), 100, "the shadows of new went on");
  assert.equal(plane.count(SLICE.triples), 0);
});

test("without room the noise sample alone is dropped", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 1 }));
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { noisePpm: 1_000_000 },
    shadow: { concurrency: 1 },
  });
  for (const each of times(10)) {
    await ask(plane.url, each);
    const wanted = plane.count(SLICE.comparisons);
    await until("it is compared", () => plane.count(SLICE.comparisons) >= Math.max(1, wanted));
  }
  assert.equal(old.seen.filter(isShadow).length, 0);
  assert.deepEqual(plane.uncompared(), plane.shadows().shed ? { shed: plane.shadows().shed } : {});
});

test("new's lost shadow loses the pair with its reason, whatever old says again", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend((req) => req.socket.resetAndDestroy());
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    compare: { noisePpm: 1_000_000 },
  });
  await ask(plane.url);
  await until("it is counted", () => plane.count(SLICE.comparisons + 1) === 1);
  assert.deepEqual(plane.uncompared(), { failed: 1 });
  assert.deepEqual(plane.shadows(), { failed: 1 });
});
