import assert from "node:assert/strict";
import { test } from "node:test";
import { askMany, times } from "../support/ask.ts";
import { json, reset, type Script, stall, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { bytes, startRawBackend } from "../support/raw.ts";
import { until } from "../support/until.ts";

/** No ephemeral port, so that no test beside this one comes to listen there. */
const NOBODY = "http://127.0.0.1:1";
const ALL_NEW = "canary: 100%\nguard: off";
const fail503 = json({ from: "new" }, 503);

interface Got {
  readonly status: number;
  readonly side: string | null;
  readonly reason: string | null;
  readonly text: string;
}

async function ask(url: string, init: RequestInit = {}): Promise<Got> {
  const answer = await fetch(url, init);
  const { headers, status } = answer;
  return {
    status,
    side: headers.get("x-cutover-side"),
    reason: headers.get("x-cutover-reason"),
    text: await answer.text(),
  };
}

const FROM_OLD: Got = { status: 200, side: "old", reason: "fallback", text: '{"from":"old"}' };

test("a safe request that new fails is answered by old, whatever the failure", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "new" }));
  await using raw = await startRawBackend();
  const rules = (newUrl: string, after = "30s") =>
    rulesFor(old.url, newUrl, `${ALL_NEW}\nfallback: { when: safe, after: ${after} }`);
  await using gateway = await TestGateway.start({ rules: rules(fresh.url) });
  const rescued = async (): Promise<void> => {
    assert.deepEqual(await ask(gateway.proxyUrl), FROM_OLD);
    assert.deepEqual(await ask(gateway.proxyUrl, { method: "HEAD" }), { ...FROM_OLD, text: "" });
  };

  await t.test("as long as new answers, old is not asked", async () => {
    assert.equal((await ask(gateway.proxyUrl)).side, "new");
    assert.equal(old.seen.length, 0);
  });
  const scripts: Record<string, Script> = { "a 5xx": fail503, "a reset": reset, silence: stall };
  for (const [name, script] of Object.entries(scripts)) {
    await t.test(`${name} of new`, async () => {
      if (script === stall) await gateway.reloadWith(rules(fresh.url, "300ms"));
      fresh.answer(script);
      await rescued();
    });
  }
  await gateway.reloadWith(rules(fresh.url));
  await t.test("a 5xx with a body without an end", async () => {
    fresh.answer((_req, res) => {
      res.writeHead(500);
      res.flushHeaders(); // also where the method has no body
      const timer = setInterval(() => res.write("x".repeat(100_000)), 1);
      res.on("close", () => clearInterval(timer));
    });
    await rescued();
  });

  await t.test("4xx is an answer, not a failure", async () => {
    fresh.answer(json({ from: "new" }, 404));
    const got = await ask(gateway.proxyUrl);
    assert.deepEqual([got.status, got.side, got.reason], [404, "new", "canary-share"]);
  });

  await t.test("a POST is sent once, and its failure is the client's answer", async () => {
    fresh.answer(fail503);
    const seenBefore = fresh.seen.length;
    const oldBefore = old.seen.length;
    const relayed = await ask(gateway.proxyUrl, { method: "POST", body: "pay" });
    assert.deepEqual(relayed, { status: 503, side: "new", reason: "canary-share", text: '{"from":"new"}' });
    fresh.answer(reset);
    const broken = await ask(gateway.proxyUrl, { method: "POST", body: "pay" });
    assert.deepEqual([broken.status, broken.side], [502, "new"]);
    assert.deepEqual(
      fresh.seen.slice(seenBefore).map(({ body }) => body),
      ["pay", "pay"],
    );
    assert.equal(old.seen.length, oldBefore);
  });

  await t.test("a PUT is not safe", async () => {
    fresh.answer(fail503);
    assert.equal((await ask(gateway.proxyUrl, { method: "PUT", body: "x" })).status, 503);
  });

  await t.test("once the head was sent, nothing is asked again", async () => {
    fresh.answer((_req, res) => {
      res.writeHead(200, { "content-length": 100 });
      res.write("some", () => setImmediate(() => res.destroy()));
    });
    const before = old.seen.length;
    await assert.rejects(ask(gateway.proxyUrl));
    assert.equal(old.seen.length, before);
  });

  await t.test("when both fail, the client has what old said", async () => {
    fresh.answer(fail503);
    old.answer(json({ from: "old" }, 500));
    assert.deepEqual(await ask(gateway.proxyUrl), { ...FROM_OLD, status: 500 });
    old.answer(reset);
    const got = await ask(gateway.proxyUrl);
    assert.deepEqual([got.status, got.side, got.reason], [502, "old", "fallback"]);
    old.answer(json({ from: "old" }));
  });

  await gateway.reloadWith(rules(raw.url));
  const garbage = {
    "no HTTP at all": "SSH-2.0-OpenSSH_9.9\r\n",
    "a head that breaks off in garbage": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\x00\x01: x\r\n\r\nok",
    "two lengths": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
    "an upgrade that nobody asked for":
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "a head without an end": `HTTP/1.1 200 OK\r\nX-Long: ${"x".repeat(200_000)}`,
  };
  for (const [name, text] of Object.entries(garbage)) {
    await t.test(`${name} from new`, async () => {
      raw.answer(bytes(text));
      await rescued();
    });
  }
  await gateway.reloadWith(rules(NOBODY));
  await t.test("nobody listening at new", rescued);

  await t.test("each is counted as a fallback and against new, and none against old", async () => {
    const kinds = Object.keys(scripts).length + Object.keys(garbage).length + 2; // endless, and nobody there
    const expected = 2 * kinds + 2; // GET and HEAD each; both failing twice
    const fallbacks = () => gateway.metric("cutover_fallbacks_total", { route: "r" });
    await until("all are counted", async () => (await fallbacks()) === expected);
    const { errors } = await gateway.route("r");
    assert.equal(errors.old, 0);
    assert.ok(errors.new >= expected);
  });
});

test("idempotent fallback sends PUT and DELETE again with their bodies, as long as those can be kept", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(fail503);
  await using gateway = await TestGateway.start({
    rules: rulesFor(old.url, fresh.url, `${ALL_NEW}\nfallback: idempotent`),
  });

  await t.test("a body arrives whole at old", async () => {
    const body = "0123456789".repeat(20_000);
    assert.deepEqual(await ask(gateway.proxyUrl, { method: "PUT", body }), FROM_OLD);
    assert.deepEqual(await ask(gateway.proxyUrl, { method: "DELETE" }), FROM_OLD);
    assert.deepEqual(
      old.seen.map((seen) => [seen.method, seen.body.length]),
      [
        ["PUT", body.length],
        ["DELETE", 0],
      ],
    );
    assert.equal(old.seen[0]?.body, body);
  });

  await t.test("a POST is still sent once", async () => {
    assert.equal((await ask(gateway.proxyUrl, { method: "POST", body: "x" })).status, 503);
  });

  await t.test("a body too long to be kept is not sent again: new's own failure is the answer", async () => {
    const body = "x".repeat(2 ** 20);
    const before = old.seen.length;
    const got = await ask(gateway.proxyUrl, { method: "PUT", body, signal: AbortSignal.timeout(30_000) });
    assert.deepEqual([got.status, got.side], [503, "new"]);
    assert.equal(old.seen.length, before);
  });
});

test("when more wait for new than may, the rest is answered by old at once", async () => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(stall);
  const rules = rulesFor(old.url, fresh.url, `${ALL_NEW}\nfallback: { when: safe, after: 2s }`);
  await using gateway = await TestGateway.start({
    rules: rules.replace(`"${fresh.url}" }`, `"${fresh.url}", maxConnections: 1 }`),
    flags: ["--threads", "1", "--access-log", "off"],
  });
  // One under way and 1024 waiting are as many as there may be.
  const answers = await askMany(gateway.proxyUrl, times(1100), 1100);
  const kinds = new Set(answers.map(({ status, side, reason }) => `${status} ${side} ${reason}`));
  assert.deepEqual([...kinds], ["200 old fallback"]);
});

test("fallback off relays what new said", async () => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(fail503);
  await using gateway = await TestGateway.start({
    rules: rulesFor(old.url, fresh.url, `${ALL_NEW}\nfallback: off`),
  });
  const got = await ask(gateway.proxyUrl);
  assert.deepEqual(got, { status: 503, side: "new", reason: "canary-share", text: '{"from":"new"}' });
  fresh.answer(reset);
  assert.equal((await ask(gateway.proxyUrl)).status, 502);
  assert.equal(old.seen.length, 0);
});

test("a kept connection that the backend closes just as it is used costs a client nothing", async () => {
  // Answers one request a connection, and closes it only when the next one comes.
  await using old = await startRawBackend();
  const used = new Set<unknown>();
  old.answer((_head, socket) => {
    if (used.has(socket)) socket.destroy();
    else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    used.add(socket);
  });
  await using gateway = await TestGateway.start({ rules: rulesFor(old.url, old.url, "") });
  // All but the first may meet a stale connection on one thread: as many as its retry budget always has.
  for (let n = 0; n < 11; n++) assert.equal((await ask(gateway.proxyUrl)).status, 200);
  await until("all are counted", async () => (await gateway.route("r")).requests.old === 11);
  assert.equal((await gateway.route("r")).errors.old, 0);
});
