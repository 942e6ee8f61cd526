import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, askMany, times } from "../support/ask.ts";
import { json, stall, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

/** No ephemeral port, so that no test beside this one comes to listen there. */
const NOBODY = "http://127.0.0.1:1";

/** Shadows of route `r` so far, by result. */
async function shadows(gateway: TestGateway): Promise<Record<string, number>> {
  return { ...(await gateway.route("r")).shadows };
}

async function shadowsReach(gateway: TestGateway, result: string, count: number): Promise<void> {
  await until(`${count} shadows are ${result}`, async () => ((await shadows(gateway))[result] ?? 0) >= count);
}

test("the rules say which requests are shadowed", async (t) => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 1 }));
  const rules = (fields: string): string => rulesFor(old.url, fresh.url, fields);
  await using gateway = await TestGateway.start({ rules: rules("shadow: 10%") });
  const forget = (): void => {
    old.seen.length = 0;
    fresh.seen.length = 0;
  };

  await t.test("of 100 requests at 10%, exactly 10, over all threads together", async () => {
    // A connection each, so that the kernel spreads them over the threads.
    for (let round = 0; round < 10; round++) await Promise.all(times(10).map(() => ask(gateway.proxyUrl)));
    await shadowsReach(gateway, "sent", 10);
    assert.equal(fresh.seen.length, 10);
    assert.equal(old.seen.length, 100);
    for (const { headers } of fresh.seen) {
      assert.equal(headers["x-cutover-shadow"], "1");
      assert.equal(headers["x-cutover-side"], "new");
    }
    assert.ok(old.seen.every(({ headers }) => headers["x-cutover-shadow"] === undefined));
    forget();
  });

  await t.test("of the methods, those without side effects", async () => {
    await gateway.reloadWith(rules("shadow: 100%"));
    for (const method of ["POST", "PUT", "DELETE", "PATCH"])
      await ask(gateway.proxyUrl, { method, body: "x" });
    await ask(gateway.proxyUrl, { method: "HEAD" });
    await until("the safe one is shadowed", () => fresh.seen.length > 0);
    assert.deepEqual(
      fresh.seen.map(({ method }) => method),
      ["HEAD"],
    );
    forget();
  });

  await t.test("others where that is spelled out, and then whole", async () => {
    await gateway.reloadWith(rules("shadow: { share: 100%, methods: [GET, POST], sideEffects: allowed }"));
    const body = "0123456789".repeat(20_000);
    await ask(gateway.proxyUrl, { method: "POST", path: "/p?x=1", body });
    await until("the POST is shadowed", () => fresh.seen.length > 0);
    assert.deepEqual(
      fresh.seen.map((seen) => [seen.method, seen.url, seen.body === body]),
      [["POST", "/p?x=1", true]],
    );
    forget();
  });

  await t.test("those that new serves, where they say reverse", async () => {
    const allNew = "canary: 100%\nguard: off\nfallback: idempotent\nshadow:";
    await gateway.reloadWith(rules(`${allNew} 100%`));
    await ask(gateway.proxyUrl);
    await gateway.reloadWith(
      rules(
        `${allNew} { share: 100%, reverse: true, maxBody: 4KiB, methods: [GET, PUT], sideEffects: allowed }`,
      ),
    );
    assert.equal((await ask(gateway.proxyUrl)).side, "new");
    await until("it is shadowed on old", () => old.seen.length === 1);
    assert.equal(old.seen[0]?.headers["x-cutover-shadow"], "1");
    assert.equal(old.seen[0]?.headers["x-cutover-side"], "old");
    assert.equal(fresh.seen.length, 2);
  });

  await t.test("a body that is kept for a fallback makes no shadow larger than it may be", async () => {
    await ask(gateway.proxyUrl, { method: "PUT", body: "x".repeat(5_000) });
    await shadowsReach(gateway, "too_large", 1);
    assert.equal(old.seen.length, 1);
    forget();
  });

  await t.test("those to old also while the route is rolled back", async () => {
    await gateway.reloadWith(rules("canary: 100%\nshadow: 100%"));
    await gateway.admin("POST", "/api/v1/routes/r/rollback", { reason: "a test" });
    assert.equal((await ask(gateway.proxyUrl)).reason, "rolled-back");
    await until("it is shadowed", () => fresh.seen.length === 1);
    assert.equal(fresh.seen[0]?.headers["x-cutover-shadow"], "1");
  });
});

test("where new has another port, the route says how its shadows fail, and that it fails its health check", async () => {
  await using old = await startBackend(json({ a: 1 }));
  const rules = rulesFor(old.url, NOBODY, "shadow: 100%").replace(
    `"${NOBODY}" }`,
    `"${NOBODY}", health: { path: /, interval: 50ms } }`,
  );
  await using gateway = await TestGateway.start({ rules });
  await ask(gateway.proxyUrl);
  await shadowsReach(gateway, "failed", 1);
  await until("the check has failed", async () => (await gateway.route("r")).unhealthy !== undefined);
  const { shadowFailure, unhealthy } = await gateway.route("r");
  assert.deepEqual(shadowFailure, { side: "new", failure: "connection_refused" });
  assert.deepEqual(unhealthy, [NOBODY]);
});

test("a shadow can only lose the shadow", async (t) => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(stall);
  const fields = `canary:
  share: 0%
  always: [{ header: x-canary, equals: "yes" }]
shadow: { share: 100%, concurrency: 4, timeout: 10s, maxBody: 4KiB, methods: [GET, POST], sideEffects: allowed }`;
  const rules = (newUrl: string) =>
    rulesFor(old.url, newUrl, fields).replace(`"${newUrl}" }`, `"${newUrl}", maxConnections: 4 }`);
  await using gateway = await TestGateway.start({ rules: rules(fresh.url) });

  await t.test(
    "new accepts and never answers: clients are answered as fast, and what is too much is shed",
    async () => {
      const begun = performance.now();
      await askMany(gateway.proxyUrl, times(200));
      const tookMs = performance.now() - begun;
      // One that waited for a single shadow would take 10 s.
      assert.ok(tookMs < 9_000, `200 requests took ${tookMs} ms`);
      assert.ok(fresh.seen.length <= 8, "4 at once on each of 2 threads");
      await shadowsReach(gateway, "shed", 192);
    },
  );

  await t.test("its connections are its own: new still serves clients", async () => {
    fresh.answer(json({ from: "new" }));
    const got = await ask(gateway.proxyUrl, { headers: { "x-canary": "yes" } });
    assert.deepEqual([got.status, got.side], [200, "new"]);
  });

  await t.test("those that hang are given up and counted", async () => {
    await shadowsReach(gateway, "timeout", 8);
  });

  await t.test("a request that is too large for a shadow streams on untouched", async () => {
    const before = fresh.seen.length;
    const body = "x".repeat(2 ** 20);
    assert.equal((await ask(gateway.proxyUrl, { method: "POST", body })).status, 200);
    assert.equal(old.seen.at(-1)?.body, body);
    await shadowsReach(gateway, "too_large", 1);
    assert.equal(fresh.seen.length, before);
  });

  await t.test("an answer that is too large for a shadow reaches the client whole", async () => {
    const large = json({ text: "x".repeat(2 ** 20) });
    old.answer(large);
    fresh.answer(large);
    assert.equal((await ask(gateway.proxyUrl)).body.length, 2 ** 20 + '{"text":""}'.length);
    await shadowsReach(gateway, "too_large", 2);
    old.answer(json({ a: 1 }));
  });

  await t.test("a client that leaves does not take a shadow with it that was sent", async () => {
    const { sent = 0 } = await shadows(gateway);
    const answerers: (() => void)[] = [];
    fresh.answer((req, res, body) => answerers.push(() => json({ a: 1 })(req, res, body)));
    old.answer(stall);
    const left = Promise.withResolvers<void>();
    ask(gateway.proxyUrl, {
      onStarted: (request) =>
        void until("the shadow is there", () => answerers[0]).then(() => request.destroy()),
    }).catch(() => left.resolve());
    await left.promise;
    await until("the client is seen to be gone", () =>
      gateway.lines.some(({ failure }) => failure === "client_gone"),
    );
    answerers[0]?.();
    await shadowsReach(gateway, "sent", sent + 1);
    old.answer(json({ a: 1 }));
  });

  await t.test("new is dead: the shadow has failed, the client has its answer", async () => {
    await gateway.reloadWith(rules(NOBODY));
    assert.equal((await ask(gateway.proxyUrl)).status, 200);
    await shadowsReach(gateway, "failed", 1);
  });
});

test("no more shadows a second than the rules allow", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 1 }));
  await using gateway = await TestGateway.start({
    rules: rulesFor(old.url, fresh.url, "shadow: { share: 100%, rate: 5/s }"),
  });
  const firstSecond = Math.floor(Date.now() / 1000);
  await askMany(gateway.proxyUrl, times(100));
  await until("all are counted", async () => {
    const { sent = 0, shed = 0 } = await shadows(gateway);
    return sent + shed === 100;
  });
  // Where a shadow begins is not told: at the latest before it is counted.
  const seconds = Math.floor(Date.now() / 1000) - firstSecond + 1;
  const { sent = 0 } = await shadows(gateway);
  assert.ok(sent >= 5 && sent <= 5 * seconds, `${sent} in ${seconds} calendar seconds`);
  assert.equal(fresh.seen.length, sent);
});
