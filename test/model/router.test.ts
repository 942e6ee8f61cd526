import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileRules } from "../../src/model/compiled.ts";
import { decide } from "../../src/model/decide.ts";
import type { Facts } from "../../src/model/facts.ts";
import { NO_PINS } from "../../src/model/pins.ts";
import { createRouter, findRoute } from "../../src/model/router.ts";
import type { Condition, Route } from "../../src/model/ruleset.ts";
import { conditionOf, factsOf, routeOf, rulesetOf } from "./rules.ts";

const LIVE = { latched: false, closed: false, canaryPpm: 50_000 };
const CHANCE = { draw: () => 0.5, freshKey: () => "fresh-key-0123456789" };

function indexOf(routes: readonly Route[], facts: Facts): number | null {
  return findRoute(createRouter(routes), facts)?.routeIndex ?? null;
}

const route = (...match: Condition[]): Route => routeOf({ match });
const path = (text: string): Condition => conditionOf({ path: text });
const matches = (template: string, target: string): boolean =>
  indexOf([route(path(template))], factsOf(target)) !== null;

test("the first route in file order wins, however exact a later one is", () => {
  const routes = ["/**", "/a/{x}", "/a/b"].map((template) => route(path(template)));
  assert.equal(indexOf(routes, factsOf("/a/b")), 0);
  assert.equal(indexOf(routes.toReversed(), factsOf("/a/b")), 0);
  assert.equal(indexOf(routes.toReversed(), factsOf("/a/c")), 1);
  assert.equal(indexOf(routes.toReversed(), factsOf("/c")), 2);
});

test("the conditions of one route are alternatives, and the one that matched names the path parameters", () => {
  const routes = [route(path("/p/{id}"), path("/q/r/{id}"))];
  const match = findRoute(createRouter(routes), factsOf("/q/r/7"));
  assert.equal(match?.template?.parameters.get("id"), 2);
});

test("a route without conditions matches everything, and none matches nothing", () => {
  assert.equal(indexOf([route()], factsOf("/whatever?x")), 0);
  assert.equal(indexOf([], factsOf("/")), null);
});

const PATHS: [template: string, target: string, does: boolean][] = [
  ["/a", "/a", true],
  ["/a", "/a?x=/b", true],
  ["/a", "/a/", false],
  ["/a/", "/a", false],
  ["/a", "/A", false],
  ["/a", "/%61", false],
  ["/a/b", "/a%2Fb", false],
  ["/a/{x}", "/a/b%2Fc", true],
  ["/a/{x}", "/a/b/c", false],
  ["/a/{x}", "/a/", false],
  ["/a/{x}", "/a", false],
  ["/a/{x}/b", "/a//b", false],
  ["/a/b", "/a//b", false],
  ["/a//b", "/a//b", true],
  ["/a/b", "/a/x/../b", false],
  ["/a/b", "/a/./b", false],
  ["/a/{x}/b", "/a/../b", true],
  ["/a/**", "/a", true],
  ["/a/**", "/a/", true],
  ["/a/**", "/a//", true],
  ["/a/**", "/a/b/c/../..", true],
  ["/a/**", "/ab", false],
  ["/a/**", "/A/b", false],
  ["/a/**", "/b/../a/c", false],
  ["/**", "/", true],
  ["/**", "/x", true],
  ["/", "/", true],
  ["/", "//", false],
  ["/a;v=1", "/a;v=1", true],
  ["/a", "/a;v=1", false],
  ["/{x}/**", "/b", true],
  ["/{x}/**", "/", false],
];

for (const [template, target, does] of PATHS) {
  test(`${template} ${does ? "matches" : "does not match"} ${target}`, () => {
    assert.equal(matches(template, target), does);
  });
}

const HOSTS: [pattern: string, host: string, does: boolean][] = [
  ["api.example.com", "api.example.com", true],
  ["api.example.com", "API.Example.Com:8443", true],
  ["api.example.com", "example.com", false],
  ["*.example.org", "a.example.org", true],
  ["*.example.org", "a.b.example.org:80", true],
  ["*.example.org", "example.org", false],
  ["*.example.org", "aexample.org", false],
  ["*.example.org", "a.example.org.evil.net", false],
  ["[::1]", "[::1]:8080", true],
];

for (const [pattern, host, does] of HOSTS) {
  test(`the host ${pattern} ${does ? "matches" : "does not match"} ${host}`, () => {
    const routes = [route(conditionOf({ hosts: [pattern] }))];
    assert.equal(indexOf(routes, factsOf("/", ["Host", host])) === 0, does);
  });
}

test("all fields of a condition must hold: header names in any case, values exact", () => {
  const condition = conditionOf({
    path: "/p",
    methods: ["PUT"],
    headers: { "x-app": "web" },
    query: { v: "2" },
  });
  const ask = (target: string, headers: string[], method: string) =>
    indexOf([route(condition)], factsOf(target, headers, method));
  assert.equal(ask("/p?v=2", ["X-App", "web"], "PUT"), 0);
  assert.equal(ask("/p?v=2", ["X-App", "Web"], "PUT"), null);
  assert.equal(ask("/p?v=3", ["X-App", "web"], "PUT"), null);
  assert.equal(ask("/p?V=2", ["X-App", "web"], "PUT"), null);
  assert.equal(ask("/p?v=2", ["X-App", "web"], "GET"), null);
  assert.equal(ask("/q?v=2", ["X-App", "web"], "PUT"), null);
});

// A small world, so that random routes and random requests meet often.
const SEGMENTS = ["a", "b", "A", "..", "%2F", ""];
const HOST_NAMES = ["x.test", "a.x.test", "b.a.x.test", "y.test", "test"];
const HOST_PATTERNS = ["x.test", "a.x.test", "*.x.test", "*.a.x.test", "*.test", "y.test"];
const METHODS = ["GET", "PUT"];

const template = fc
  .tuple(fc.array(fc.constantFrom(...SEGMENTS, "{p}"), { maxLength: 3 }), fc.boolean())
  .map(([segments, subtree]) => {
    const text = segments.map((segment) => `/${segment}`).join("");
    return subtree ? `${text}/**` : text === "" ? "/" : text;
  });

const condition: fc.Arbitrary<Condition> = fc.record({
  path: fc.option(template),
  methods: fc.option(fc.subarray(METHODS, { minLength: 1 }), { freq: 1 }),
  hosts: fc.option(fc.subarray(HOST_PATTERNS, { minLength: 1 }), { freq: 1 }),
  headers: fc.constantFrom<Record<string, string>>({}, {}, { "x-app": "web" }),
  query: fc.constantFrom<Record<string, string>>({}, {}, { v: "2" }),
});

const request = fc
  .record({
    method: fc.constantFrom(...METHODS),
    segments: fc.array(fc.constantFrom(...SEGMENTS), { minLength: 1, maxLength: 4 }),
    query: fc.constantFrom("", "?v=2", "?v=1&v=2", "?x/../a"),
    headers: fc.constantFrom<string[][]>([], ["X-App", "web"], ["x-app", "ios", "X-APP", "web"]),
    host: fc.constantFrom(...HOST_NAMES),
  })
  .map(({ method, segments, query, headers, host }) =>
    factsOf(`/${segments.join("/")}${query}`, ["Host", `${host}:8080`, ...headers], method),
  );

test("the index finds what a reader of the file would, for any routes and any requests", () => {
  const routes = fc.array(fc.array(condition, { maxLength: 3 }), { maxLength: 12 });
  let hits = 0;
  fc.assert(
    fc.property(routes, fc.array(request, { minLength: 10, maxLength: 10 }), (conditions, requests) => {
      const list = conditions.map((match) => routeOf({ match }));
      const router = createRouter(list);
      for (const facts of requests) {
        const found = findRoute(router, facts);
        const index = list.findIndex(({ match }) => match.length === 0 || match.some((c) => naive(c, facts)));
        assert.equal(found?.routeIndex ?? -1, index, `${facts.method} ${facts.host} ${facts.target}`);
        if (index > 0) hits += 1;
      }
    }),
    { numRuns: 1000 },
  );
  assert.ok(hits > 1000, `only ${hits} requests met a route other than the first`);
});

/** A condition read word by word, as INTERFACE says it. */
function naive(c: Condition, { method, path: asked, host, target, rawHeaders }: Facts): boolean {
  if (c.methods !== null && !c.methods.includes(method)) return false;
  if (c.path !== null && !naivePath(c.path).test(asked)) return false;
  const under = (pattern: string) =>
    pattern.startsWith("*") ? host.endsWith(pattern.slice(1)) : host === pattern;
  if (c.hosts !== null && !c.hosts.some(under)) return false;
  const app = rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === "x-app");
  if ("x-app" in c.headers && rawHeaders[app + 1] !== c.headers["x-app"]) return false;
  return !("v" in c.query) || new URLSearchParams(target.split("?")[1] ?? "").get("v") === c.query.v;
}

function naivePath(text: string): RegExp {
  const subtree = text.endsWith("/**");
  const escaped = (subtree ? text.slice(0, -3) : text).replace(/[.%]/g, "\\$&").replaceAll("{p}", "[^/]+");
  return new RegExp(`^${escaped}${subtree ? "(/.*)?" : ""}$`);
}

/** Nanoseconds of one decision, the least of many repeats. */
function costNs(routes: readonly Route[], requests: readonly Facts[]): number {
  const compiled = compileRules(rulesetOf(routes));
  let least = Number.POSITIVE_INFINITY;
  let decided = 0;
  for (let repeat = 0; repeat < 60; repeat += 1) {
    const begun = process.hrtime.bigint();
    for (const facts of requests) {
      const match = findRoute(compiled.router, facts);
      const room = match === null ? undefined : compiled.routes[match.routeIndex];
      if (match === null || room === undefined) continue;
      const question = {
        compiled: room,
        template: match.template,
        facts,
        live: LIVE,
        pins: NO_PINS,
        forced: null,
      };
      if (decide({ ...question, chance: CHANCE }).side === "old") decided += 1;
    }
    least = Math.min(least, Number(process.hrtime.bigint() - begun) / requests.length);
  }
  assert.ok(decided > 0, "requests were decided");
  return least;
}

const MANY = 1000;
const key = [{ kind: "path", name: "id" }] as const;
const KINDS: [kind: string, routeAt: (i: number) => Route, requestAt: (i: number) => Facts][] = [
  [
    "paths",
    (i) => routeOf({ name: `r${i}`, key, match: [path(`/service-${i}/{id}`)] }),
    (i) => factsOf(`/service-${i}/7`, ["Host", "x.test"]),
  ],
  [
    "hosts",
    (i) => routeOf({ name: `r${i}`, match: [conditionOf({ hosts: [`h${i}.x.test`] })] }),
    (i) => factsOf("/", ["Host", `h${i}.x.test`]),
  ],
  [
    "host wildcards",
    (i) => routeOf({ name: `r${i}`, match: [conditionOf({ hosts: [`*.h${i}.x.test`], path: "/a/**" })] }),
    (i) => factsOf("/a/b", ["Host", `www.h${i}.x.test`]),
  ],
];

for (const [kind, routeAt, requestAt] of KINDS) {
  test(`a thousand routes by ${kind} make a decision at most ten times dearer than one`, () => {
    const routes = Array.from({ length: MANY }, (_, i) => routeAt(i));
    const requests = Array.from({ length: MANY }, (_, i) => requestAt((i * 7919) % MANY));
    const last = requestAt(MANY - 1);
    const one = costNs(routes.slice(-1), Array(MANY).fill(last));
    const many = costNs(routes, requests);
    assert.ok(many <= 10 * one, `${many.toFixed(0)} ns against ${one.toFixed(0)} ns`);
  });
}
