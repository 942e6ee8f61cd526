import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Route } from "../../src/model/ruleset.ts";
import { soloCrew, threadedCrew } from "../../src/simulate/crew.ts";
import { rateOf } from "../../src/simulate/factor.ts";
import type { Fault, FaultMetric } from "../../src/simulate/fault.ts";
import { createIntake, type Recording } from "../../src/simulate/intake.ts";
import type { LoggedRequest } from "../../src/simulate/log-line.ts";
import type { SimulationOptions } from "../../src/simulate/options.ts";
import { simulate } from "../../src/simulate/simulate.ts";
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
    tapes: [{ route, tape, byNew: 0 }],
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

  test("a log with new's answers in it is taken as old's, and says how many", async () => {
    const [each] = RECORDING.tapes;
    assert.ok(each);
    const mixed = { ...RECORDING, tapes: [{ ...each, byNew: each.tape.requests * 0.22 }] };
    const { routes } = await reportOf({ runs: 0 }, mixed);
    assert.match(
      routes[0]?.notes.join() ?? "",
      /22% of its answers in the log are new's: they are taken as if old/,
    );
    const plain = await reportOf({ runs: 0 });
    assert.doesNotMatch(plain.routes[0]?.notes.join() ?? "", /new's/);
  });

  test("a fault that nothing can come of says why, and one that can says nothing", async () => {
    const fault = (metric: FaultMetric, fromMs = 0): Fault => ({
      side: "new",
      metric,
      rate: 0.2,
      fromMs,
      untilMs: Number.POSITIVE_INFINITY,
    });
    const said = async (route: Route, faults: readonly Fault[], timed = 0): Promise<string> => {
      const { routes, notes } = await reportOf({ runs: 0, faults }, { ...recordingOf(route), timed });
      return [...notes, ...(routes[0]?.notes ?? [])].filter((note) => note.startsWith("--inject")).join("; ");
    };
    const timely = guardedRoute({ guard: guardOf({ latency: { ratio: 2 } }) });
    assert.match(
      await said(ROUTE, [fault("slow")]),
      /^--inject new\.slow shows nothing here: latency is not/,
    );
    assert.match(
      await said(timely, [fault("slow")]),
      /new\.slow shows nothing here: the log has no durations/,
    );
    assert.equal(await said(timely, [fault("slow")], 9), "");
    assert.match(
      await said(ROUTE, [fault("mismatches")]),
      /new\.mismatches .* nothing of this route is shadowed/,
    );
    const deaf = guardedRoute({ guard: guardOf({ errors: null, killSwitch: null }) });
    assert.match(
      await said(deaf, [fault("errors")]),
      /new\.errors shows nothing here: errors are not guarded/,
    );
    assert.match(await said(deaf, [fault("client-errors")]), /new\.client-errors .* 4xx are not guarded/);
    assert.equal(await said(ROUTE, [fault("errors"), fault("client-errors")]), "");
    assert.equal(
      await said(ROUTE, [fault("errors", 86_400_000)]),
      "--inject new.errors never happens: it begins after 24 h, and the log ends after 20 min",
    );
  });

  test("slow answers of a log without durations roll nothing back", async () => {
    const timely = guardedRoute({ guard: guardOf({ latency: { ratio: 2 } }) });
    const slow = { side: "new", metric: "slow", rate: 1, fromMs: 0, untilMs: SECONDS * 1000 } as const;
    const untimed = await reportOf({ runs: 0, faults: [slow] }, recordingOf(timely));
    assert.equal(untimed.routes[0]?.outcome, "completed");
    const timed = await reportOf({ runs: 0, faults: [slow] }, { ...recordingOf(timely), timed: 9 });
    assert.equal(timed.routes[0]?.outcome, "rolled-back");
  });

  test("a factor that the limits let through says which limit does", async () => {
    const tape = tapeOf({ seconds: SECONDS, perSecond: 50, keys: 20_000, fails: () => 0.004 });
    const factors = [
      { kind: "times", times: 2 },
      { kind: "times", times: 10 },
      { kind: "rate", rate: 0.01, text: "1%" },
      { kind: "rate", rate: 1, text: "100%" },
    ] as const;
    const { routes } = await reportOf({ runs: 3, factors }, recordingOf(ROUTE, tape));
    const notes = routes[0]?.notes ?? [];
    const found = new Map(routes[0]?.detection.map(({ factor, detected }) => [factor, detected]));
    const isSaid = (words: RegExp): boolean => notes.some((note) => words.test(note));
    assert.ok(
      isSaid(
        /^2 times 0\.4\d*% is 0\.8\d*%, not above guard\.errors\.max \(5%\) nor guard\.errors\.ratio \(2\): the rules allow it$/,
      ),
    );
    const isMissed = found.get(10) !== 3;
    assert.equal(
      isSaid(/^10 times .* is 4\.?\d*%, not above .*: only guard\.errors\.ratio can find it/),
      isMissed,
    );
    assert.ok(!isSaid(/^100%/));
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
      side: null,
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
