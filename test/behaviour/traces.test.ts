import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, askMany, times } from "../support/ask.ts";
import { json, reset, type Seen, startBackend } from "../support/backend.ts";
import { type ExportedSpan, startCollector } from "../support/collector.ts";
import { rulesWith, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const CLIENT_SPAN = "b7ad6b7169203331";
const SAMPLED = { traceparent: `00-${TRACE}-${CLIENT_SPAN}-01` };
const ROUTES = {
  plain: "canary: 0%",
  canary: "canary: 100%\nguard: off",
  shadowed: "shadow: 100%\ncompare: { noise: 100%, confirm: 50ms }\nguard: off",
  keyed: 'key: ["header:x-user", "query:user", "cookie:uid"]',
};

/** Trace, span and flags that a backend was told. */
function toldOf(seen: Seen | undefined): { traceId: string; spanId: string; flags: string } {
  const [, traceId = "", spanId = "", flags = ""] = String(seen?.headers.traceparent).split("-");
  return { traceId, spanId, flags };
}

function only<T>(found: readonly T[]): T {
  assert.equal(found.length, 1);
  return found[0] as T;
}

const named = (spans: readonly ExportedSpan[], name: string) =>
  only(spans.filter((span) => span.name === name));

test("traces are exported to an OTLP collector, with the span ids that backends were told", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "old" }));
  await using collector = await startCollector();
  await using gateway = await TestGateway.start({
    rules: rulesWith(old.url, fresh.url, ROUTES),
    flags: ["--otlp", collector.url, "--trace-sample", "0%", "--access-log", "off"],
    env: {
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20collector-token",
      OTEL_SERVICE_NAME: "edge",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test,service.name=other",
    },
  });
  /** What is exported and seen from here on. */
  const from = () => {
    const marks = [collector.spans.length, old.seen.length, fresh.seen.length] as const;
    return async (count: number) => ({
      spans: (await collector.whenSpans(marks[0] + count)).slice(marks[0]),
      old: old.seen.slice(marks[1]),
      fresh: fresh.seen.slice(marks[2]),
    });
  };

  await t.test("a request is a child of the client's span, and its leg a child of the request", async () => {
    const since = from();
    const beforeMs = Date.now();
    await ask(gateway.proxyUrl, { path: "/plain/x", headers: { ...SAMPLED, host: "shop.example:8080" } });
    const { spans, old: seen } = await since(2);
    const server = named(spans, "GET /plain/**");
    const client = named(spans, "GET old");
    assert.deepEqual([server.kind, client.kind], ["server", "client"]);
    assert.deepEqual([server.traceId, client.traceId], [TRACE, TRACE]);
    assert.equal(server.parentId, CLIENT_SPAN);
    assert.equal(client.parentId, server.spanId);
    assert.deepEqual(toldOf(only(seen)), { traceId: TRACE, spanId: client.spanId, flags: "01" });
    assert.ok(server.startNs <= client.startNs && client.endNs <= server.endNs, "the leg lies within");
    assert.ok(Math.abs(Number(server.startNs / 1_000_000n) - beforeMs) < 10_000, "by the clock on the wall");
    assert.equal(server.attributes["server.address"], "shop.example");
    assert.equal(server.attributes["cutover.reason"], "default-old");
    assert.equal(client.attributes["server.port"], old.port);
    assert.equal(client.attributes["url.full"], `${old.url}/plain/x`);
  });

  await t.test("the collector is told who exports, by OpenTelemetry's own variables", () => {
    const { url, headers } = collector.seen[0] as Seen;
    assert.equal(url, "/v1/traces");
    assert.equal(headers["content-type"], "application/x-protobuf");
    assert.equal(headers.authorization, "Bearer collector-token");
    const { resource } = collector.spans[0] as ExportedSpan;
    assert.equal(resource["service.name"], "edge");
    assert.equal(resource["deployment.environment.name"], "test");
    assert.match(String(resource["service.instance.id"]), /^[0-9a-f-]{36}$/);
  });

  await t.test(
    "a shadow, the second answer of old and a confirmation are legs of the same request",
    async () => {
      const since = from();
      fresh.answer(json({ from: "new" }));
      await ask(gateway.proxyUrl, { path: "/shadowed/x", headers: SAMPLED });
      const { spans, old: asked, fresh: shadows } = await since(6);
      fresh.answer(json({ from: "old" }));
      const server = named(spans, "GET /shadowed/**");
      const legs = spans.filter(({ kind }) => kind === "client");
      assert.deepEqual(legs.map(({ name }) => name).sort(), [
        "GET new (confirmation)",
        "GET new (shadow)",
        "GET old",
        "GET old (confirmation)",
        "GET old (second answer)",
      ]);
      for (const leg of legs) assert.deepEqual([leg.traceId, leg.parentId], [TRACE, server.spanId], leg.name);
      const told = (seen: readonly Seen[]) => seen.map((each) => toldOf(each).spanId).sort();
      const ids = (side: string) =>
        legs
          .filter(({ attributes }) => attributes["cutover.side"] === side)
          .map(({ spanId }) => spanId)
          .sort();
      assert.deepEqual(told(asked), ids("old"));
      assert.deepEqual(told(shadows), ids("new"));
      assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, 6);
      assert.equal(server.attributes["cutover.shadow"], true);
    },
  );

  await t.test("a fallback shows both sides: what new failed with, and old's answer", async () => {
    const since = from();
    fresh.answer(json({}, 503));
    const answer = await ask(gateway.proxyUrl, { path: "/canary/x", headers: SAMPLED });
    assert.equal(answer.reason, "fallback");
    const { spans, old: repeats, fresh: firsts } = await since(3);
    const server = named(spans, "GET /canary/**");
    const failed = named(spans, "GET new");
    const repeat = named(spans, "GET old (fallback)");
    assert.deepEqual([failed.isError, failed.attributes["error.type"]], [true, "503"]);
    assert.deepEqual([repeat.isError, server.isError], [false, false]);
    assert.deepEqual(
      [server.attributes["cutover.side"], server.attributes["cutover.fallback"]],
      ["old", true],
    );
    assert.equal(toldOf(only(firsts)).spanId, failed.spanId);
    assert.equal(toldOf(only(repeats)).spanId, repeat.spanId);
    assert.ok(failed.endNs <= repeat.startNs, "one after the other");
  });

  await t.test("a side that breaks off is named by its failure, and each attempt is a span", async () => {
    const since = from();
    old.answer(reset);
    const { status } = await ask(gateway.proxyUrl, { method: "POST", path: "/plain/x", headers: SAMPLED });
    old.answer(json({ from: "old" }));
    assert.equal(status, 502);
    const { spans } = await since(2);
    const server = named(spans, "POST /plain/**");
    const leg = named(spans, "POST old");
    for (const span of [server, leg]) {
      assert.equal(span.attributes["error.type"], "connection_terminated");
      assert.equal(span.isError, true);
    }
    assert.equal(leg.attributes["http.response.status_code"], undefined);
    assert.equal(server.attributes["http.response.status_code"], 502);
  });

  await t.test("what no route matches is a span of the request alone", async () => {
    const since = from();
    await ask(gateway.proxyUrl, { path: "/nobody", headers: SAMPLED });
    const span = only((await since(1)).spans);
    assert.equal(span.name, "GET");
    assert.equal(span.attributes["cutover.route"], "unmatched");
    assert.equal(span.attributes["error.type"], "destination_not_found");
    assert.equal(span.isError, false);
  });

  await t.test("unsampled requests have no spans, and backends are told so", async () => {
    const since = from();
    await ask(gateway.proxyUrl, {
      path: "/plain/x",
      headers: { traceparent: `00-${TRACE}-${CLIENT_SPAN}-00` },
    });
    await ask(gateway.proxyUrl, { path: "/plain/x" });
    await ask(gateway.proxyUrl, { path: "/plain/x", headers: SAMPLED });
    const { spans, old: seen } = await since(2);
    assert.deepEqual(
      seen.map((each) => toldOf(each).flags),
      ["00", "00", "01"],
    );
    assert.equal(spans.length, 2, "of the last alone");
  });

  await t.test("tracestate goes on with the trace that it belongs to, and with no other", async () => {
    const since = from();
    const state = { tracestate: "vendor=1" };
    await ask(gateway.proxyUrl, { path: "/plain/x", headers: state });
    await ask(gateway.proxyUrl, { path: "/plain/x", headers: { ...state, traceparent: "junk" } });
    await ask(gateway.proxyUrl, { path: "/plain/x", headers: { ...state, ...SAMPLED } });
    const { old: seen } = await since(2);
    assert.deepEqual(
      seen.map(({ headers }) => headers.tracestate),
      [undefined, undefined, "vendor=1"],
    );
  });

  await t.test("no field, query, body or key of a request is ever exported", async () => {
    const since = from();
    const secret = (where: string) => `SECRET-${where}`;
    old.answer(json({ token: secret("answer") }, 200, { "set-cookie": `s=${secret("set-cookie")}` }));
    await ask(gateway.proxyUrl, {
      method: "POST",
      path: `/keyed/x?user=${secret("query")}`,
      headers: {
        ...SAMPLED,
        authorization: `Bearer ${secret("authorization")}`,
        cookie: `uid=${secret("cookie")}`,
        "x-user": secret("key"),
        "user-agent": secret("user-agent"),
        tracestate: `vendor=${secret("tracestate")}`,
      },
      body: secret("body"),
    });
    await since(2);
    old.answer(json({ from: "old" }));
    const raw = collector.raw().toString("latin1");
    assert.ok(raw.includes("/keyed/x"));
    assert.ok(!raw.includes("SECRET"), "none of it");
    assert.ok(!raw.includes("collector-token") && !gateway.stderr.includes("collector-token"));
  });

  await t.test("every span that was exported is counted", async () => {
    await until("all are counted", async () => {
      const count = await gateway.metric("cutover_spans_total", { result: "exported" });
      return count === collector.spans.length;
    });
    assert.equal(await gateway.metric("cutover_spans_total", { result: "failed" }), 0);
    assert.equal(await gateway.metric("cutover_spans_total", { result: "dropped" }), 0);
  });

  await t.test("an orderly end exports what there is first", async () => {
    const since = from();
    await ask(gateway.proxyUrl, { path: "/plain/last", headers: SAMPLED });
    assert.equal(await gateway.stop(), 0);
    const { spans } = await since(2);
    assert.equal(named(spans, "GET /plain/**").attributes["url.path"], "/plain/last");
  });
});

test("a key in the path is exported by its name alone", async () => {
  await using old = await startBackend(json({}));
  await using collector = await startCollector();
  const rules = [
    "version: 1",
    "backends:",
    `  legacy: { url: "${old.url}" }`,
    `  modern: { url: "${old.url}" }`,
    "routes:",
    '  - { name: r, match: { path: "/p/{id}/x" }, key: ["path:id"], old: legacy, new: modern, canary: 50% }',
    "",
  ].join("\n");
  await using gateway = await TestGateway.start({
    rules,
    flags: ["--otlp", `${collector.url}/base/`, "--trace-sample", "100%"],
  });
  await ask(gateway.proxyUrl, { path: "/p/SOMEBODY/x" });
  const spans = await collector.whenSpans(2);
  const server = only(spans.filter(({ kind }) => kind === "server"));
  assert.equal(server.name, "GET /p/{id}/x");
  assert.equal(server.attributes["url.path"], "/p/{id}/x");
  assert.equal(server.parentId, "", "the trace begins here");
  assert.ok(!collector.raw().includes("SOMEBODY"));
  assert.equal(collector.seen[0]?.url, "/base/v1/traces");
});

test("a collector that is dead, refuses or talks nonsense costs requests nothing, and is counted", async (t) => {
  await using old = await startBackend(json({}));
  await using fresh = await startBackend(json({}));
  await using collector = await startCollector();
  await using gateway = await TestGateway.start({
    rules: rulesWith(old.url, fresh.url, { r: "canary: 0%" }),
    flags: ["--otlp", collector.url, "--trace-sample", "100%", "--access-log", "off"],
    env: { OTEL_EXPORTER_OTLP_TIMEOUT: "3000" },
  });
  const failed = () => gateway.metric("cutover_spans_total", { result: "failed" });
  const allAnswered = async () => {
    const answers = await askMany(gateway.proxyUrl, times(20, { path: "/r/x" }));
    assert.ok(answers.every(({ status }) => status === 200));
  };

  for (const [what, script] of [
    ["one that says 500", json({ message: "SECRET\n\u001b[31m" }, 500)],
    ["one that never answers", () => {}],
    ["one that hangs up", reset],
  ] as const) {
    await t.test(what, async () => {
      const before = await failed();
      collector.answer(script);
      await allAnswered();
      await until("all of them have failed", async () => (await failed()) === before + 40);
    });
  }

  await t.test("it is said on stderr once, without what the collector wrote", async () => {
    const lines = await until("it is said", () => {
      const said = gateway.stderr.split("\n").filter((line) => line.includes("traces:"));
      return said.length > 0 ? said : undefined;
    });
    assert.match(only(lines), /did not take all spans: it answered 500; traffic is not touched by that$/);
    assert.ok(!gateway.stderr.includes("SECRET"));
  });

  await t.test("one that answers nonsense has taken them", async () => {
    collector.answer((_req, res) => void res.writeHead(200).end(Buffer.from([0xff, 0xff, 0xff, 0x07])));
    await allAnswered();
    await until("all of them are exported", async () => {
      return (await gateway.metric("cutover_spans_total", { result: "exported" })) === 40;
    });
  });

  await t.test("one that is gone: and the end does not wait for it for long", async () => {
    await collector.close();
    const before = await failed();
    await allAnswered();
    await until("all of them have failed", async () => (await failed()) === before + 40);
    await allAnswered();
    const sinceMs = performance.now();
    assert.equal(await gateway.stop(), 0);
    assert.ok(performance.now() - sinceMs < 15_000);
  });
});
