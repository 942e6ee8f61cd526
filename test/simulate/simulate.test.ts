import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Route } from "../../src/model/ruleset.ts";
import { soloCrew, threadedCrew } from "../../src/simulate/crew.ts";
import { createIntake, type Recording } from "../../src/simulate/intake.ts";
import type { LoggedRequest } from "../../src/simulate/log-line.ts";
import { rateOf, type SimulationOptions, simulate } from "../../src/simulate/simulate.ts";
import { FLAW, SORT } from "../../src/simulate/tape.ts";
import { canaryOf, conditionOf, routeOf, rulesetOf, splitOf } from "../model/rules.ts";
import { guardOf } from "../model/traffic.ts";
import { guardedRoute, rolloutOf, STEADY_FALLBACK, stepOf, tapeOf } from "./tapes.ts";

const LOG = { requests: 1, unreadable: 0, examples: [], outOfOrder: 0 };
const SECONDS = 1200;

function recordingOf(
  route: Route,
  tape = tapeOf({ seconds: SECONDS, perSecond: 50, keys: 20_000 }),
): Recording {
  return {
    startMs: Date.parse("2026-01-05T10:00:00Z"),
    seconds: SECONDS,
    tapes: [{ route, tape }],
    unmatched: 0,
    timed: 0,
  };
}

const ROUTE = guardedRoute({
  name: "profiles",
  fallback: STEADY_FALLBACK,
  key: [{ kind: "ip" }],
  rollout: rolloutOf([
    stepOf({ canaryPpm: 50_000, bakeMs: 300_000 }),
    stepOf({ canaryPpm: 1_000_000, bakeMs: 300_000 }),
  ]),
});

function optionsOf(changes: Partial<SimulationOptions> = {}): SimulationOptions {
  return {
    faults: [],
    factors: [
      { kind: "times", times: 20 },
      { kind: "rate", rate: 1, text: "100%" },
    ],
    assumed: { gates: new Map(), approveAfterMs: 0 },
    runs: 20,
    seed: 1,
    ...changes,
  };
}

const RECORDING = recordingOf(ROUTE);

async function reportOf(changes: Partial<SimulationOptions> = {}, recording = RECORDING) {
  const routes = recording.tapes.map(({ route }) => route);
  return simulate(rulesetOf(routes), recording, LOG, optionsOf(changes), soloCrew(), () => {});
}

describe("a simulation", () => {
  test("answers how it goes, how often it errs, and how soon a fault is found", async () => {
    const { routes } = await reportOf();
    const [route] = routes;
    assert.ok(route);
    assert.equal(route.outcome, "completed");
    assert.equal(route.steps[0]?.from, "2026-01-05T10:00:00.000Z");
    assert.equal(route.steps[0]?.to, "2026-01-05T10:05:00.000Z");
    assert.equal(route.falseRollbacks.runs, 20);
    assert.equal(route.falseRollbacks.count, 0);
    assert.deepEqual(
      route.detection.map(({ factor, runs, detected }) => [factor, runs, detected]),
      [
        [20, 20, 20],
        ["100%", 20, 20],
      ],
    );
    const [slower, sooner] = route.detection;
    assert.ok((slower?.failedRequests.p50 ?? 0) >= (sooner?.failedRequests.p50 ?? Number.POSITIVE_INFINITY));
    assert.ok((sooner?.reachedClients.p95 ?? Number.NaN) <= (sooner?.failedRequests.p95 ?? 0));
  });

  test("the same seed gives the same report, another seed another one", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 0xffffffff }), async (seed) => {
        const [one, same, other] = await Promise.all([
          reportOf({ seed, runs: 3 }),
          reportOf({ seed, runs: 3 }),
          reportOf({ seed: (seed + 1) >>> 0, runs: 3 }),
        ]);
        assert.equal(JSON.stringify(one), JSON.stringify(same));
        assert.notEqual(JSON.stringify({ ...one, seed: 0 }), JSON.stringify({ ...other, seed: 0 }));
      }),
      { numRuns: 5 },
    );
  });

  test("threads of its own give the same report", async () => {
    await using crew = threadedCrew(2);
    const options = optionsOf({ runs: 7 });
    const threaded = await simulate(rulesetOf([ROUTE]), RECORDING, LOG, options, crew, () => {});
    assert.deepEqual(threaded, await reportOf({ runs: 7 }));
  });

  test("shares that stay are one step for the whole log", async () => {
    const { routes } = await reportOf({ runs: 2 }, recordingOf(guardedRoute()));
    assert.equal(routes[0]?.outcome, "completed");
    assert.equal(routes[0]?.steps.length, 1);
    assert.match(routes[0]?.steps[0]?.why ?? "", /^no rollback to the log's end; errors /);
  });

  test("a route without traffic, without new or without guard says so, and nothing is made up", async () => {
    const empty = tapeOf({ seconds: 0 });
    const unguarded = guardedRoute({ guard: null, rollout: ROUTE.rollout });
    const [idle, plain, free] = await Promise.all([
      reportOf({}, recordingOf(ROUTE, empty)),
      reportOf({}, recordingOf(routeOf({ new: null, rollout: null }))),
      reportOf({}, recordingOf(unguarded)),
    ]);
    assert.deepEqual([idle.routes[0]?.steps, idle.routes[0]?.outcome], [[], "waiting"]);
    assert.match(idle.routes[0]?.notes.join() ?? "", /no request/);
    assert.match(plain.routes[0]?.notes.join() ?? "", /old alone/);
    assert.match(free.routes[0]?.notes.join() ?? "", /not guarded/);
    for (const { routes } of [idle, plain, free]) {
      assert.equal(routes[0]?.falseRollbacks.runs, 0);
      assert.deepEqual(routes[0]?.detection, []);
    }
    assert.equal(free.routes[0]?.outcome, "completed");
  });

  test("a log without errors has nothing to multiply, and says so", async () => {
    const clean = recordingOf(ROUTE, tapeOf({ seconds: SECONDS, fails: () => 0 }));
    const { routes } = await reportOf({ runs: 2 }, clean);
    assert.deepEqual(routes[0]?.detection[0]?.runs, 0);
    assert.deepEqual(routes[0]?.detection[0]?.failedRequests, { p50: null, p95: null });
    assert.match(routes[0]?.notes.join() ?? "", /no errors to multiply/);
  });

  test("a factor is what has to fail besides, so that new fails so many times as often", () => {
    const tape = { ...tapeOf({ seconds: 0 }), requests: 1000, errors: 10 };
    const rate = rateOf({ kind: "times", times: 10 }, tape);
    assert.ok(Math.abs(0.01 + 0.99 * rate - 0.1) < 1e-12);
    assert.equal(rateOf({ kind: "times", times: 1000 }, tape), 1);
    assert.equal(rateOf({ kind: "rate", rate: 0.25, text: "25%" }, tape), 0.25);
  });
});

describe("a request on its way onto a tape", () => {
  function requestOf(changes: Partial<LoggedRequest> = {}): LoggedRequest {
    return {
      atMs: 0,
      method: "GET",
      target: "/a/1",
      host: null,
      ip: "192.0.2.1",
      route: null,
      key: null,
      failed: false,
      clientError: false,
      durationMs: null,
      ...changes,
    };
  }

  function recorded(routes: readonly Route[], requests: readonly LoggedRequest[]): Recording {
    const intake = createIntake(rulesetOf(routes));
    for (const request of requests) intake.take(request);
    const recording = intake.finish();
    assert.ok(recording);
    return recording;
  }

  const A = guardedRoute({ name: "a", match: [conditionOf({ path: "/a/**", hosts: ["a.example"] })] });
  const B = guardedRoute({ name: "b", match: [conditionOf({ path: "/b/**" })] });

  test("goes to the route that matches, hosts aside, or to the one that the log names", () => {
    const { tapes, unmatched } = recorded(
      [A, B],
      [requestOf(), requestOf({ target: "/b" }), requestOf({ route: "b" }), requestOf({ target: "/c" })],
    );
    assert.deepEqual(
      tapes.map(({ tape }) => tape.requests),
      [1, 2],
    );
    assert.equal(unmatched, 1);
  });

  test("is decided by the rules: method, lists, and the draw for the rest", () => {
    const route = guardedRoute({
      key: [{ kind: "path", name: "id" }],
      match: [conditionOf({ path: "/a/{id}" })],
      canary: canaryOf({ sharePpm: 10_000, methods: ["GET"] }),
      split: splitOf({ new: ["moved"], old: ["kept"] }),
      fallback: STEADY_FALLBACK,
    });
    const failed = true;
    const { tapes } = recorded(
      [route],
      [
        requestOf({ failed }),
        requestOf({ failed, method: "POST" }),
        requestOf({ failed, target: "/a/moved" }),
        requestOf({ failed, target: "/a/kept" }),
      ],
    );
    const both = SORT.shadowable | SORT.repeatable;
    const sorts = [...(tapes[0]?.tape.flawedSorts ?? [])];
    assert.deepEqual(sorts, [SORT.drawn | both, SORT.old, SORT.new | both, SORT.old | both]);
  });

  test("is slow beyond the p99 of the minute before", () => {
    const route = guardedRoute({ guard: guardOf({ latency: { ratio: 2 } }) });
    const requests = Array.from({ length: 200 }, (_, i) => requestOf({ atMs: i * 400, durationMs: 10 }));
    const late = [30, 10].map((durationMs, i) => requestOf({ atMs: 80_000 + i, durationMs }));
    const { tapes, timed } = recorded([route], [...requests, ...late]);
    assert.deepEqual([...(tapes[0]?.tape.flaws ?? [])], [FLAW.slow]);
    assert.equal(timed, 202);
  });

  test("a log of years is refused with its dates", () => {
    const intake = createIntake(rulesetOf([B]));
    intake.take(requestOf());
    assert.throws(() => intake.take(requestOf({ atMs: 1e12 })), /from 1970-01-01.* to 2001-09-09.*31 days/);
  });
});
