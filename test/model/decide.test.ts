import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bucketOf } from "../../src/model/bucket.ts";
import { compileRules } from "../../src/model/compiled.ts";
import { type Decision, decide, type Live, type StepTrace } from "../../src/model/decide.ts";
import type { Facts } from "../../src/model/facts.ts";
import { createKeySetBuilder } from "../../src/model/keyset.ts";
import { NO_PINS, type PinnedKeys } from "../../src/model/pins.ts";
import type { Matcher, Route, Side } from "../../src/model/ruleset.ts";
import { canaryOf, factsOf, routeOf, splitOf } from "./rules.ts";

const KEY = "acme";
const BY_HEADER = [{ kind: "header", name: "x-tenant" }] as const;

interface Circumstances {
  readonly route: Route;
  readonly facts?: Facts;
  readonly live?: Partial<Live>;
  readonly pins?: PinnedKeys;
  readonly forced?: Side | null;
  readonly draw?: () => number;
}

/** Decides a request of `KEY`; a draw that is not expected fails the test. */
function decideFor(given: Circumstances, trace?: StepTrace[]): Decision {
  const { route, forced = null, draw = noDraw, pins = NO_PINS } = given;
  const [compiled] = compileRules({ ...EMPTY, routes: [route] }).routes;
  assert.ok(compiled);
  const live = { latched: false, closed: false, canaryPpm: route.canary.sharePpm, ...given.live };
  const facts = given.facts ?? factsOf("/", ["X-Tenant", KEY]);
  const chance = { draw, freshKey: () => "fresh-key-0123456789" };
  return decide({ compiled, template: null, facts, live, pins, forced, chance }, trace);
}

const EMPTY = {
  version: "0123456789ab",
  backends: {},
  unmatched: null,
  limits: {
    requestHeadBytes: 1,
    headTimeoutMs: 1,
    bodyStallTimeoutMs: 1,
    maxBodyBytes: 1,
    idleTimeoutMs: 1,
    connections: 1,
    inFlight: 1,
    trustedProxies: [],
  },
};

function noDraw(): number {
  throw new Error("a request with a key must not be drawn by chance");
}

const header = (name: string): Matcher => ({ source: "header", name, test: { kind: "present" } });

/** What makes each step answer, in the order in which they are asked. */
interface StepCase {
  readonly reason: Decision["reason"];
  readonly side: Side;
  readonly apply: (given: Setting) => Setting;
}

interface Setting {
  readonly split: Partial<NonNullable<Route["split"]>>;
  readonly canary: Partial<Route["canary"]>;
  readonly live: Partial<Live>;
  readonly pin: Side | null;
  readonly forced: Side | null;
}

const NOTHING: Setting = { split: {}, canary: {}, live: {}, pin: null, forced: null };
const ORDER: readonly StepCase[] = [
  { reason: "forced", side: "new", apply: (s) => ({ ...s, forced: "new" }) },
  { reason: "pinned-new", side: "new", apply: (s) => ({ ...s, pin: "new" }) },
  { reason: "rolled-back", side: "old", apply: (s) => ({ ...s, live: { ...s.live, latched: true } }) },
  { reason: "pinned-old", side: "old", apply: (s) => ({ ...s, split: { ...s.split, old: [KEY] } }) },
  { reason: "split-new", side: "new", apply: (s) => ({ ...s, split: { ...s.split, new: [KEY] } }) },
  {
    reason: "canary-never",
    side: "old",
    apply: (s) => ({ ...s, canary: { ...s.canary, never: [header("x-tenant")] } }),
  },
  { reason: "default-old", side: "old", apply: (s) => ({ ...s, canary: { ...s.canary, methods: ["PUT"] } }) },
  {
    reason: "canary-always",
    side: "new",
    apply: (s) => ({ ...s, canary: { ...s.canary, always: [header("x-tenant")] } }),
  },
  {
    reason: "canary-share",
    side: "new",
    apply: (s) => ({ ...s, canary: { ...s.canary, sharePpm: 1_000_000 } }),
  },
];

function decideWith({ split, canary, live, pin, forced }: Setting): Decision {
  const route = routeOf({ key: BY_HEADER, split: splitOf(split), canary: canaryOf(canary) });
  const pins = pin === null ? NO_PINS : new Map([[KEY, pin]]);
  return decideFor({ route, live, pins, forced });
}

test("nothing set: old, by default", () => {
  const { side, reason, rhoPpm } = decideWith(NOTHING);
  assert.deepEqual({ side, reason, rhoPpm }, { side: "old", reason: "default-old", rhoPpm: 0 });
});

for (const [place, first] of ORDER.entries()) {
  test(`${first.reason} (step ${place + 1}) answers by itself, and before every later step`, () => {
    const alone = decideWith(first.apply(NOTHING));
    assert.deepEqual([alone.side, alone.reason], [first.side, first.reason]);
    for (const later of ORDER.slice(place + 1)) {
      const both = decideWith(first.apply(later.apply(NOTHING)));
      assert.deepEqual([both.side, both.reason], [first.side, first.reason], `against ${later.reason}`);
    }
  });
}

test("whatever is set together, the first step of the order answers", () => {
  fc.assert(
    fc.property(fc.subarray([...ORDER.keys()], { minLength: 1 }), (chosen) => {
      const setting = chosen.reduce((s, place) => ORDER[place]?.apply(s) ?? s, NOTHING);
      const first = ORDER[Math.min(...chosen)];
      const { side, reason } = decideWith(setting);
      assert.deepEqual([side, reason], [first?.side, first?.reason]);
    }),
  );
});

test("a force to old holds against everything that says new", () => {
  const setting = ORDER.slice(1).reduce((s, step) => step.apply(s), NOTHING);
  const { side, reason } = decideWith({ ...setting, forced: "old", live: {} });
  assert.deepEqual([side, reason], ["old", "forced"]);
});

test("a rollback leaves moved keys on new where onRollback is stay, and only them", () => {
  const split = splitOf({ new: [KEY], old: ["whale"], onRollback: "stay" });
  const canary = canaryOf({ sharePpm: 1_000_000, always: [header("x-tenant")] });
  const route = routeOf({ key: BY_HEADER, split, canary });
  const live = { latched: true };
  const of = (key: string) => {
    const { side, reason } = decideFor({ route, live, facts: factsOf("/", ["x-tenant", key]) });
    return [side, reason];
  };
  assert.deepEqual(of(KEY), ["new", "split-new"]);
  assert.deepEqual(of("whale"), ["old", "rolled-back"]);
  assert.deepEqual(of("anybody"), ["old", "rolled-back"]);
});

test("a key on both lists is pinned to old, also through a rollback with stay", () => {
  const route = routeOf({
    key: BY_HEADER,
    split: splitOf({ new: [KEY], old: [KEY], onRollback: "stay" }),
  });
  assert.equal(decideFor({ route }).reason, "pinned-old");
  assert.equal(decideFor({ route, live: { latched: true } }).side, "old");
});

test("a damaged store knows no exceptions: stay is not believed", () => {
  const route = routeOf({ key: BY_HEADER, split: splitOf({ new: [KEY], onRollback: "stay" }) });
  const { side, reason } = decideFor({ route, live: { latched: true, closed: true } });
  assert.deepEqual([side, reason], ["old", "rolled-back"]);
});

test("a valid force passes a latch and a damaged store: a person looks at new before the reset", () => {
  const live = { latched: true, closed: true };
  assert.equal(decideFor({ route: routeOf(), live, forced: "new" }).side, "new");
});

test("a pin to old holds against everything that says new but a force", () => {
  const setting = ORDER.filter(({ side, reason }) => side === "new" && reason !== "forced").reduce(
    (s, step) => step.apply(s),
    NOTHING,
  );
  const { side, reason, rhoPpm } = decideWith({ ...setting, pin: "old" });
  assert.deepEqual([side, reason, rhoPpm], ["old", "pinned-old", 0]);
  assert.equal(decideWith({ ...setting, pin: "old", forced: "new" }).reason, "forced");
});

test("a pin to new holds through a rollback, and for every method", () => {
  const route = routeOf({
    key: BY_HEADER,
    split: splitOf({ old: [KEY] }),
    canary: canaryOf({ methods: ["GET"], never: [header("x-tenant")] }),
  });
  const pins = new Map<string, Side>([[KEY, "new"]]);
  const facts = factsOf("/", ["x-tenant", KEY], "PUT");
  const { side, reason, rhoPpm } = decideFor({ route, pins, facts, live: { latched: true } });
  assert.deepEqual([side, reason, rhoPpm], ["new", "pinned-new", 0]);
});

test("a pin is of one key, exactly as it is written", () => {
  const pins = new Map<string, Side>([[KEY, "new"]]);
  const route = routeOf({ key: BY_HEADER });
  for (const other of ["Acme", "acme2", "acm", ""]) {
    const { side } = decideFor({ route, pins, facts: factsOf("/", ["x-tenant", other]), draw: () => 1 });
    assert.equal(side, "old", other);
  }
});

test("with a damaged store nothing is believed that would send a key to new, a pin neither", () => {
  const route = routeOf({ key: BY_HEADER });
  const live = { latched: true, closed: true };
  const trace: StepTrace[] = [];
  const { side, reason } = decideFor({ route, live, pins: new Map([[KEY, "new" as const]]) }, trace);
  assert.deepEqual([side, reason], ["old", "rolled-back"]);
  assert.match(trace[1]?.outcome ?? "", /^yes, to new, but the state cannot be trusted/);
  const toOld = decideFor({ route, live, pins: new Map([[KEY, "old" as const]]) });
  assert.deepEqual([toOld.side, toOld.reason], ["old", "pinned-old"]);
});

test("a pin to new does not send anything to a new that the rules took away", () => {
  const route = routeOf({ key: BY_HEADER, new: null });
  const trace: StepTrace[] = [];
  const { side } = decideFor({ route, pins: new Map([[KEY, "new" as const]]) }, trace);
  assert.equal(side, "old");
  assert.match(trace[1]?.outcome ?? "", /the rules name no new for this route/);
});

test("keys of newFile move like listed ones", () => {
  const builder = createKeySetBuilder("secret");
  builder.add(KEY);
  const newFile = { path: "moved.txt", secret: "secret", ...builder.finish() };
  const route = routeOf({ key: BY_HEADER, split: splitOf({ newFile, onRollback: "stay" }) });
  assert.equal(decideFor({ route }).reason, "split-new");
  assert.equal(decideFor({ route, live: { latched: true } }).reason, "split-new");
  assert.equal(decideFor({ route, facts: factsOf("/", ["x-tenant", "other"]) }).reason, "default-old");
});

test("a request without a key is on no list and in no pin", () => {
  const split = splitOf({ new: ["", "undefined", "null"], old: [""] });
  const route = routeOf({ key: BY_HEADER, split });
  const pins = new Map<string, Side>(["", "undefined", "null"].map((key) => [key, "new"]));
  const { who, reason } = decideFor({ route, facts: factsOf("/"), pins });
  assert.deepEqual([who, reason], [null, "default-old"]);
});

test("other methods stay on old and out of the draw's statistics, whatever the share and always say", () => {
  const canary = canaryOf({ sharePpm: 1_000_000, methods: ["GET", "HEAD"], always: [header("x-tenant")] });
  const route = routeOf({ key: BY_HEADER, canary });
  for (const method of ["PUT", "POST", "DELETE", "get"]) {
    const decision = decideFor({ route, facts: factsOf("/", ["x-tenant", KEY], method) });
    assert.deepEqual([decision.side, decision.reason, decision.rhoPpm], ["old", "default-old", 0], method);
  }
  assert.equal(decideFor({ route }).reason, "canary-always");
});

test("canary.methods does not hold back keys that were moved by the split", () => {
  const route = routeOf({
    key: BY_HEADER,
    split: splitOf({ new: [KEY] }),
    canary: canaryOf({ methods: ["GET"] }),
  });
  assert.equal(decideFor({ route, facts: factsOf("/", ["x-tenant", KEY], "PUT") }).reason, "split-new");
});

test("only what the draw decided carries its share as evidence, on both sides", () => {
  for (const [place, step] of ORDER.entries()) {
    const canary: Setting = { ...NOTHING, canary: { sharePpm: 300_000 } };
    if (place < ORDER.length - 1) assert.equal(decideWith(step.apply(canary)).rhoPpm, 0, step.reason);
  }
  const route = routeOf({ canary: canaryOf({ sharePpm: 300_000 }) });
  const facts = factsOf("/");
  for (const [draw, side] of [
    [0.2, "new"],
    [0.8, "old"],
  ] as const) {
    const decision = decideFor({ route, facts, draw: () => draw });
    assert.deepEqual([decision.side, decision.rhoPpm], [side, 300_000]);
  }
});

test("the share that acts is the live one, not the one in the rules", () => {
  const route = routeOf({ canary: canaryOf({ sharePpm: 0 }) });
  const facts = factsOf("/");
  assert.equal(decideFor({ route, facts, live: { canaryPpm: 1_000_000 }, draw: () => 0.999 }).side, "new");
});

test("a key stays on its side, and raising the share never moves it back", () => {
  const share = fc.integer({ min: 0, max: 1_000_000 });
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), share, share, (key, a, b) => {
      const sideAt = (canaryPpm: number) =>
        decideFor({
          route: routeOf({ key: BY_HEADER }),
          facts: factsOf("/", ["x-tenant", key]),
          live: { canaryPpm },
        }).side;
      const [low, high] = a < b ? [a, b] : [b, a];
      assert.equal(sideAt(low), sideAt(low));
      if (sideAt(low) === "new") assert.equal(sideAt(high), "new");
      assert.equal(sideAt(0), "old");
      assert.equal(sideAt(1_000_000), "new");
    }),
  );
});

test("a share is exact to 0.0001%: one millionth more takes exactly the keys of the next bucket", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (key) => {
      const bucket = bucketOf("r", key);
      const sideAt = (canaryPpm: number) =>
        decideFor({
          route: routeOf({ key: BY_HEADER }),
          facts: factsOf("/", ["x-tenant", key]),
          live: { canaryPpm },
        }).side;
      assert.equal(sideAt(bucket), "old");
      assert.equal(sideAt(bucket + 1), "new");
    }),
  );
});

test("without a key each request is drawn on its own, to a millionth", () => {
  const route = routeOf();
  const facts = factsOf("/");
  const sideOf = (draw: number, canaryPpm: number) =>
    decideFor({ route, facts, live: { canaryPpm }, draw: () => draw }).side;
  assert.equal(sideOf(0, 1), "new");
  assert.equal(sideOf(0.000001, 1), "old");
  assert.equal(sideOf(0.0000009, 1), "new");
  assert.equal(sideOf(1 - Number.EPSILON, 1_000_000), "new");
  assert.equal(sideOf(0, 0), "old");
});

test("a trace names each question that was asked, the last one with the answer", () => {
  const trace: StepTrace[] = [];
  const route = routeOf({ key: BY_HEADER, split: splitOf({ new: [KEY] }) });
  const decision = decideFor({ route }, trace);
  assert.deepEqual(
    trace.map(({ outcome }) => outcome),
    ["no", "no", "no", "no", "yes: new (split-new)"],
  );
  assert.deepEqual(decideFor({ route }), decision, "asking why changes nothing");
});

test("10,000 pins cost a decision next to nothing", () => {
  const [compiled] = compileRules({ ...EMPTY, routes: [routeOf({ key: BY_HEADER })] }).routes;
  assert.ok(compiled);
  const requests = Array.from({ length: 500 }, (_, i) => factsOf("/", ["x-tenant", `tenant-${i}`]));
  const many = new Map(Array.from({ length: 10_000 }, (_, i) => [`pinned-${i}`, "old" as const]));
  const live = { latched: false, closed: false, canaryPpm: 500_000 };
  const chance = { draw: noDraw, freshKey: () => "fresh-key-0123456789" };
  const leastNs = { none: Number.POSITIVE_INFINITY, many: Number.POSITIVE_INFINITY };
  // In turns, so that a busy machine is as busy for both; the least of many, so that it does not matter.
  for (let repeat = 0; repeat < 100; repeat++) {
    for (const [name, pins] of [["none", NO_PINS] as const, ["many", many] as const]) {
      const begun = process.hrtime.bigint();
      for (const facts of requests)
        decide({ compiled, template: null, facts, live, pins, forced: null, chance });
      leastNs[name] = Math.min(leastNs[name], Number(process.hrtime.bigint() - begun));
    }
  }
  assert.ok(leastNs.many < 2 * leastNs.none, JSON.stringify(leastNs));
});

const MATCHERS: [name: string, matcher: Matcher, headers: string[], matches: boolean][] = [
  ["an equal header", is("header", "x-canary", "true"), ["X-Canary", "true"], true],
  ["a header in another case", is("header", "x-canary", "true"), ["X-Canary", "TRUE"], false],
  ["no such header", is("header", "x-canary", "true"), ["x-canar", "true"], false],
  ["an equal cookie", is("cookie", "canary", "true"), ["Cookie", "a=b; canary=true"], true],
  ["a cookie of another name", is("cookie", "canary", "true"), ["Cookie", "xcanary=true"], false],
  ["a matching agent", like("user-agent", "^HealthChecker"), ["User-Agent", "HealthChecker/2"], true],
  [
    "an agent that matches later",
    like("user-agent", "^HealthChecker"),
    ["User-Agent", "a HealthChecker"],
    false,
  ],
  ["no agent at all", like("user-agent", ".*"), [], false],
  ["an empty header that is there", header("x-canary"), ["x-canary", ""], true],
];

for (const [name, matcher, headers, matches] of MATCHERS) {
  test(`canary.always ${matches ? "matches" : "does not match"} ${name}`, () => {
    const route = routeOf({ canary: canaryOf({ always: [matcher] }) });
    const { reason } = decideFor({ route, facts: factsOf("/", headers) });
    assert.equal(reason, matches ? "canary-always" : "default-old");
  });
}

function is(source: "header" | "cookie", name: string, value: string): Matcher {
  return { source, name, test: { kind: "equals", value } };
}

function like(name: string, pattern: string): Matcher {
  return { source: "header", name, test: { kind: "matches", pattern } };
}
