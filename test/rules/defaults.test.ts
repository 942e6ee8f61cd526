import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_COMPARE } from "../../src/model/default-compare.ts";
import { HEAD, routeOf, rulesOf } from "./folder.ts";

const headWith = (fields: string) => HEAD.replace("new: modern }", `new: modern, ${fields} }`);

test("what nobody writes has the values that the interface names", async (t) => {
  const ruleset = await rulesOf(t, HEAD);
  assert.deepEqual(ruleset.limits, {
    requestHeadBytes: 32_768,
    headTimeoutMs: 10_000,
    bodyStallTimeoutMs: 30_000,
    maxBodyBytes: 1_073_741_824,
    idleTimeoutMs: 60_000,
    connections: 10_000,
    inFlight: 4096,
    trustedProxies: [],
  });
  assert.deepEqual(ruleset.backends.legacy, {
    name: "legacy",
    urls: ["http://127.0.0.1:9001"],
    timeouts: { connectMs: 2000, headersMs: 30_000, stallMs: 60_000, requestMs: null },
    maxConnections: 256,
    maxWaiting: 1024,
    health: null,
    host: { kind: "keep" },
    tls: null,
  });
  assert.equal(ruleset.unmatched, null);
});

test("a canary alone brings fallback, comparison and guard with it", async (t) => {
  assert.deepEqual(await routeOf(t, "canary: 5%"), {
    name: "r",
    match: [],
    old: "legacy",
    new: "modern",
    key: [],
    split: null,
    canary: { sharePpm: 50_000, always: [], never: [], methods: null },
    shadow: {
      sharePpm: 0,
      methods: ["GET", "HEAD"],
      reverse: false,
      maxBodyBytes: 262_144,
      timeoutMs: 10_000,
      concurrency: 64,
      ratePerSecond: null,
    },
    compare: DEFAULT_COMPARE,
    fallback: { when: "safe", afterMs: 5000 },
    guard: {
      errors: { maxRate: 0.05, ratio: 2 },
      clientErrors: "all",
      latency: null,
      mismatches: null,
      minSamples: 50,
      killSwitch: 5,
      falseAlarmSeconds: 7_776_000,
    },
    maxBodyBytes: null,
    upgrade: { protocols: ["websocket"], idleMs: 3_600_000, maxMs: 86_400_000, onRollback: "close" },
    revision: 1,
    rollout: null,
  });
});

test("a route is guarded by default only where new can serve", async (t) => {
  assert.ok((await routeOf(t, "key: [ip]\nsplit: { new: [a] }")).guard);
  assert.equal((await routeOf(t, "shadow: 100%")).guard, null);
  assert.equal((await routeOf(t, "canary: 5%\nguard: off")).guard, null);
  const asked = await routeOf(t, "shadow: 100%\nguard: { mismatches: { max: 1% } }");
  assert.deepEqual(asked.guard?.errors, { maxRate: 0.05, ratio: 2 });
  assert.deepEqual(asked.guard?.mismatches, { maxRate: 0.01 });
});

test("a route without new has no fallback and no guard", async (t) => {
  const route = await routeOf(t, "old: legacy", HEAD.replace(/defaults:.*\n/, ""));
  assert.equal(route.new, null);
  assert.equal(route.fallback, null);
  assert.equal(route.guard, null);
});

test("a part of a guard keeps the rest of its defaults, and each test can be switched off", async (t) => {
  const route = await routeOf(
    t,
    "canary: 5%\nguard: { errors: { ratio: 3 }, killSwitch: off, falseAlarms: 2 per 90d }",
  );
  assert.deepEqual(route.guard?.errors, { maxRate: 0.05, ratio: 3 });
  assert.equal(route.guard?.killSwitch, null);
  assert.equal(route.guard?.falseAlarmSeconds, 3_888_000);
  assert.equal((await routeOf(t, "canary: 5%\nguard: { errors: off }")).guard?.errors, null);
});

test("a fallback waits for new no longer than its headers timeout", async (t) => {
  const head = HEAD.replace("http://127.0.0.1:9002 }", "http://127.0.0.1:9002, timeouts: { headers: 3s } }");
  assert.equal((await routeOf(t, "canary: 5%", head)).fallback?.afterMs, 3000);
  assert.equal((await routeOf(t, "fallback: { after: 1s }", head)).fallback?.afterMs, 1000);
});

test("a route's fields go over the defaults one by one, lists as a whole", async (t) => {
  const head = headWith(
    "canary: { share: 1%, methods: [GET, HEAD] }, compare: { headers: [a, b], status: false }, fallback: { after: 2s }",
  );
  const route = await routeOf(t, "canary: 5%\ncompare: { headers: [c] }\nfallback: idempotent", head);
  assert.deepEqual(route.canary, { sharePpm: 50_000, always: [], never: [], methods: ["GET", "HEAD"] });
  assert.deepEqual(route.compare?.headers, ["c"]);
  assert.equal(route.compare?.status, null);
  assert.deepEqual(route.fallback, { when: "idempotent", afterMs: 2000 });
});

test("off in the defaults is replaced by what a route writes, and the other way round", async (t) => {
  const off = headWith("compare: off, guard: off, fallback: off");
  const on = await routeOf(t, "canary: 5%\ncompare: {}\nguard: {}\nfallback: safe", off);
  assert.ok(on.compare && on.guard && on.fallback);
  const none = await routeOf(
    t,
    "canary: 5%\ncompare: off\nguard: off\nfallback: off",
    headWith("guard: { minSamples: 9 }"),
  );
  assert.deepEqual([none.compare, none.guard, none.fallback], [null, null, null]);
});

test("matchers, conditions, keys and hosts come out normalised", async (t) => {
  const route = await routeOf(
    t,
    `match: [{ path: "/a/**", hosts: [API.Example.com], headers: { X-App: Web } }, { query: { v: "2" } }]
key: [header:X-Tenant-Id, cookie:Uid, assign]
canary: { always: [{ header: X-Canary }, { cookie: c, equals: "true" }], never: [{ header: user-agent, matches: ^Bot }] }
`,
  );
  assert.deepEqual(route.match[0], {
    path: "/a/**",
    methods: null,
    hosts: ["api.example.com"],
    headers: { "x-app": "Web" },
    query: {},
  });
  assert.deepEqual(route.match[1]?.query, { v: "2" });
  assert.deepEqual(route.key, [
    { kind: "header", name: "x-tenant-id" },
    { kind: "cookie", name: "Uid" },
    { kind: "assign" },
  ]);
  assert.deepEqual(route.canary.always, [
    { source: "header", name: "x-canary", test: { kind: "present" } },
    { source: "cookie", name: "c", test: { kind: "equals", value: "true" } },
  ]);
  assert.deepEqual(route.canary.never[0]?.test, { kind: "matches", pattern: "^Bot" });
});

test("backends: urls become origins, https has a tls of its own", async (t) => {
  const ruleset = await rulesOf(
    t,
    `version: 1
backends:
  a: { urls: ["http://127.0.0.1:80/", "http://[::1]:9001"], host: app.internal, health: { path: /healthz } }
  b: { url: https://b.example, host: backend }
`,
  );
  assert.deepEqual(ruleset.backends.a?.urls, ["http://127.0.0.1", "http://[::1]:9001"]);
  assert.deepEqual(ruleset.backends.a?.host, { kind: "name", name: "app.internal" });
  assert.deepEqual(ruleset.backends.a?.health, { path: "/healthz", intervalMs: 5000 });
  assert.deepEqual(ruleset.backends.b?.tls, { ca: null, serverName: null, cert: null, key: null });
});
