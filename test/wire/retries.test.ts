import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, times } from "../support/ask.ts";
import { json, startBackend, startStreamingBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { get, type RawBackend, split, startRawBackend, talk, valuesOf } from "../support/raw.ts";
import { until } from "../support/until.ts";

/** One that was bound and given back would be the next test's. */
const NOBODY = "http://127.0.0.1:1";
const ONE_THREAD = { flags: ["--threads", "1"] };

/** Answers the first request of each connection well, and closes it when a second comes. */
async function startForgetful(): Promise<RawBackend> {
  const backend = await startRawBackend();
  const used = new Set<unknown>();
  backend.answer((_head, socket) => {
    if (used.has(socket)) socket.resetAndDestroy();
    else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    used.add(socket);
  });
  return backend;
}

const proxyStatusOf = (answer: string): string => valuesOf(split(answer).head, "proxy-status").join();

test("a stale kept connection costs an idempotent request nothing, with a body or without", async () => {
  await using old = await startForgetful();
  await using gateway = await TestGateway.start({ rules: rulesFor(old.url, old.url, ""), ...ONE_THREAD });
  const agent = { method: "PUT", body: "some bytes" };
  assert.equal((await ask(gateway.proxyUrl)).status, 200);
  assert.equal((await ask(gateway.proxyUrl)).status, 200); // on the same connection, then on another
  assert.equal((await ask(gateway.proxyUrl, agent)).status, 200);
  assert.deepEqual(
    old.heads.map((head) => head.split(" ")[0]),
    ["GET", "GET", "GET", "PUT", "PUT"],
  );
  assert.equal((await gateway.route("r")).errors.old, 0);
});

test("several kept connections that are stale at the same time cost an idempotent request nothing either", async () => {
  await using old = await startForgetful();
  await using gateway = await TestGateway.start({ rules: rulesFor(old.url, old.url, ""), ...ONE_THREAD });
  await Promise.all(times(4).map((each) => ask(gateway.proxyUrl, each)));
  assert.equal((await ask(gateway.proxyUrl)).status, 200);
});

test("a POST is sent once, whatever becomes of its connection", async () => {
  await using old = await startForgetful();
  await using gateway = await TestGateway.start({ rules: rulesFor(old.url, old.url, ""), ...ONE_THREAD });
  assert.equal((await ask(gateway.proxyUrl)).status, 200);
  assert.equal((await ask(gateway.proxyUrl, { method: "POST", body: "x" })).status, 502);
  assert.equal(old.heads.filter((head) => head.startsWith("POST")).length, 1);
});

test("retries never double an outage", async () => {
  await using old = await startRawBackend((_head, socket) => socket.resetAndDestroy());
  await using gateway = await TestGateway.start({ rules: rulesFor(old.url, old.url, ""), ...ONE_THREAD });
  for (const each of times(100)) assert.equal((await ask(gateway.proxyUrl, each)).status, 502);
  assert.ok(old.heads.length > 100 && old.heads.length <= 121, `${old.heads.length} requests for 100`);
});

test("a stale connection loses no shadow either", async () => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startForgetful();
  const rules = rulesFor(old.url, fresh.url, "shadow: 100%");
  await using gateway = await TestGateway.start({ rules, ...ONE_THREAD });
  for (const sent of [1, 2]) {
    await ask(gateway.proxyUrl);
    await until("the shadow is counted", async () => {
      return (await gateway.metric("cutover_shadow_total", { result: "sent" })) === sent;
    });
  }
  assert.equal(await gateway.metric("cutover_shadow_total", { result: "failed" }), 0);
});

test("a URL that refuses connections costs no request while another one takes them, bodies included", async () => {
  await using good = await startBackend((_req, res, body) => res.end(body));
  const urls = `urls: ["${NOBODY}", "${good.url}"]`;
  const rules = rulesFor(good.url, good.url, "").replace(
    `modern: { url: "${good.url}" }`,
    `modern: { ${urls} }`,
  );
  await using gateway = await TestGateway.start({
    rules: rules.replace("old: legacy, new: modern", "old: modern"),
    ...ONE_THREAD,
  });
  for (let i = 0; i < 20; i++) {
    const { status, body } = await ask(gateway.proxyUrl, { method: "POST", body: `body ${i}` });
    assert.deepEqual([status, body], [200, `body ${i}`]);
  }
  assert.equal((await gateway.route("r")).errors.old, 0);
});

test("a full queue before a backend is 503 with Retry-After, held against nobody", async () => {
  const held: (() => void)[] = [];
  await using old = await startBackend((_req, res) => {
    held.push(() => res.end("done"));
  });
  const rules = rulesFor(old.url, old.url, "").replace(
    `legacy: { url: "${old.url}" }`,
    `legacy: { url: "${old.url}", maxConnections: 1, maxWaiting: 1 }`,
  );
  await using gateway = await TestGateway.start({ rules, ...ONE_THREAD });
  const first = ask(gateway.proxyUrl);
  await until("one is with the backend", () => held.length === 1);
  const second = ask(gateway.proxyUrl);
  await until("one waits", async () => (await gateway.metric("cutover_inflight_requests")) === 2);
  const refused = await talk(gateway.proxyUrl, get("/"));
  assert.match(refused, /^HTTP\/1.1 503 /);
  assert.deepEqual(valuesOf(split(refused).head, "retry-after"), ["1"]);
  assert.equal(proxyStatusOf(refused), "cutover; error=connection_limit_reached");
  held[0]?.();
  await until("the next one's turn comes", () => held.length === 2);
  held[1]?.();
  assert.deepEqual([(await first).status, (await second).status], [200, 200]);
  assert.equal((await gateway.route("r")).errors.old, 0);
});

test("each timeout has its own name", async (t) => {
  await using silent = await startRawBackend(() => {});
  await using stuck = await startStreamingBackend((_req, res) => {
    res.writeHead(200);
    res.write("begin");
  });
  await using deaf = await startStreamingBackend((req) => {
    req.pause();
  });
  const rules = (url: string, timeouts: string): string =>
    rulesFor(url, url, "").replace(
      `legacy: { url: "${url}" }`,
      `legacy: { url: "${url}", timeouts: ${timeouts} }`,
    );
  await using gateway = await TestGateway.start({ rules: rules(silent.url, "{ headers: 200ms }") });
  const logged = (path: string) =>
    until(`${path} is logged`, () => gateway.lines.find((line) => line.path === path));

  await t.test("no head in time is http_response_timeout", async () => {
    const answer = await talk(gateway.proxyUrl, get("/head"));
    assert.match(answer, /^HTTP\/1.1 504 /);
    assert.equal(proxyStatusOf(answer), "cutover; error=http_response_timeout");
  });

  await t.test("so is a request that takes too long as a whole", async () => {
    await gateway.reloadWith(rules(silent.url, "{ request: 200ms }"));
    const answer = await talk(gateway.proxyUrl, get("/whole"));
    assert.match(answer, /^HTTP\/1.1 504 /);
    assert.equal(proxyStatusOf(answer), "cutover; error=http_response_timeout");
    await gateway.reloadWith(rules(stuck.url, "{ request: 201ms }"));
    await talk(gateway.proxyUrl, get("/cut")).catch(() => {}); // cut off within its body
    assert.equal((await logged("/cut")).failure, "http_response_timeout");
  });

  await t.test("an answer's body that stalls is connection_read_timeout", async () => {
    await gateway.reloadWith(rules(stuck.url, "{ stall: 300ms }"));
    const answer = await talk(gateway.proxyUrl, get("/stall")).catch(() => "cut off");
    assert.ok(!answer.endsWith("0\r\n\r\n"), "it must not seem whole");
    assert.equal((await logged("/stall")).failure, "connection_read_timeout");
  });

  await t.test("a backend that does not take the body is connection_write_timeout", async () => {
    await gateway.reloadWith(rules(deaf.url, "{ headers: 500ms }"));
    const bytes = 20_000_000;
    const answer = await ask(gateway.proxyUrl, {
      method: "POST",
      path: "/deaf",
      headers: { "content-length": String(bytes) },
      send: (request) => {
        request.on("error", () => {}); // the gateway ends it
        request.end(Buffer.alloc(bytes));
      },
    }).catch(() => null);
    if (answer !== null) assert.equal(answer.status, 504);
    assert.equal((await logged("/deaf")).failure, "connection_write_timeout");
  });
});

test("a thread with more than half its limit in flight sheds shadows and serves clients", async () => {
  const held: (() => void)[] = [];
  await using old = await startBackend((_req, res) => {
    held.push(() => res.end("done"));
  });
  await using fresh = await startBackend(json({ from: "new" }));
  const rules = `limits: { inFlight: 4 }\n${rulesFor(old.url, fresh.url, "shadow: 100%")}`;
  await using gateway = await TestGateway.start({ rules, ...ONE_THREAD });
  const answers = [];
  for (let count = 1; count <= 4; count++) {
    answers.push(ask(gateway.proxyUrl));
    await until("it is with old", () => held.length === count);
  }
  await until(
    "one is shed",
    async () => (await gateway.metric("cutover_shadow_total", { result: "shed" })) > 0,
  );
  for (const answer of held) answer();
  for (const { status } of await Promise.all(answers)) assert.equal(status, 200);
  assert.equal(await gateway.metric("cutover_shadow_total", { result: "shed" }), 1);
  await until("the others were sent", () => fresh.seen.length === 3);
});
