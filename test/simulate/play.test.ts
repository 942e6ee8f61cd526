import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createDetector, evidenceOf } from "../../src/model/detector.ts";
import { parseTimeWindow } from "../../src/model/time-window.ts";
import type { Fault } from "../../src/simulate/fault.ts";
import { type Played, play, type Score } from "../../src/simulate/play.ts";
import { createRandom } from "../../src/simulate/random.ts";
import {
  createSecond,
  createStream,
  readSecond,
  seek,
  setShare,
  TRUE_DRAW,
} from "../../src/simulate/stream.ts";
import { createTapeWriter, FLAW, SORT } from "../../src/simulate/tape.ts";
import { createWatch, look, watchSecond } from "../../src/simulate/watch.ts";
import { guardOf } from "../model/traffic.ts";
import { guardedRoute, rolloutOf, STEADY_FALLBACK, scoreOf, stepOf, tapeOf } from "./tapes.ts";

const MINUTE_MS = 60_000;
const SECONDS = 3600;
const TAPE = tapeOf({ seconds: SECONDS, perSecond: 50 });

const STEPS = rolloutOf([
  stepOf({ canaryPpm: 50_000, bakeMs: 5 * MINUTE_MS }),
  stepOf({ canaryPpm: 250_000, bakeMs: 5 * MINUTE_MS }),
  stepOf({ canaryPpm: 1_000_000, bakeMs: 5 * MINUTE_MS }),
]);

function fault(changes: Partial<Fault> = {}): Fault {
  return {
    side: "new",
    metric: "errors",
    rate: 0.1,
    fromMs: 7 * MINUTE_MS,
    untilMs: Number.POSITIVE_INFINITY,
    ...changes,
  };
}

function played(changes: Partial<Score> = {}, rollout = STEPS): Played {
  const route = guardedRoute({ rollout, fallback: STEADY_FALLBACK });
  return play(scoreOf(route, TAPE, SECONDS, changes), createRandom(1), TRUE_DRAW);
}

describe("a simulated rollout", () => {
  test("a healthy new passes each step when it has baked, and completes", () => {
    const { outcome, steps } = played();
    assert.equal(outcome, "completed");
    assert.deepEqual(
      steps.map(({ step, canaryPpm, fromMs, toMs }) => [step, canaryPpm, fromMs, toMs]),
      [
        [0, 50_000, 0, 300_000],
        [1, 250_000, 300_000, 600_000],
        [2, 1_000_000, 600_000, 900_000],
      ],
    );
    for (const { why } of steps) assert.match(why, /^baked 5 min, errors \d+\/[\d,]+ new vs /);
  });

  test("a fault of new rolls it back, and the step says why", () => {
    const { outcome, steps, rollback } = played({ faults: [fault()] });
    assert.equal(outcome, "rolled-back");
    assert.equal(rollback?.cause, "errors");
    assert.ok((rollback?.atMs ?? 0) > 7 * MINUTE_MS && (rollback?.atMs ?? 0) < 8 * MINUTE_MS);
    assert.match(steps.at(-1)?.why ?? "", /^rolled back: errors: \d+ of \d+ answers of new failed/);
  });

  test("a fault that both sides share rolls nothing back", () => {
    const outage = fault({ side: "both", rate: 1, untilMs: 9 * MINUTE_MS });
    assert.equal(played({ faults: [outage] }).rollback, null);
    assert.equal(played({ faults: [{ ...outage, rate: 0.3 }] }).rollback, null);
  });

  test("a fault of old alone is none of new's", () => {
    assert.equal(played({ faults: [fault({ side: "old", rate: 0.5 })] }).rollback, null);
  });

  test("a new that always fails is killed after five answers, none of which a client sees", () => {
    const onset = { faults: [fault({ rate: 1 })], countsFromMs: 7 * MINUTE_MS };
    const { rollback, failed, saved } = played(onset);
    assert.equal(rollback?.cause, "killSwitch");
    assert.deepEqual([failed, saved], [5, 5]);
  });

  test("without a fallback nobody is saved, and the kill switch has nothing to go by", () => {
    const route = guardedRoute({ rollout: STEPS, fallback: null });
    const tape = tapeOf({ seconds: SECONDS, perSecond: 50, isRepeatable: false });
    const score = scoreOf(route, tape, SECONDS, {
      faults: [fault({ rate: 1 })],
      countsFromMs: 7 * MINUTE_MS,
    });
    const { rollback, failed, saved } = play(score, createRandom(1), TRUE_DRAW);
    assert.equal(rollback?.cause, "errors");
    assert.ok(failed > 0);
    assert.equal(saved, 0);
  });

  test("4xx of new alone, and pairs that differ, are found too", () => {
    assert.equal(played({ faults: [fault({ metric: "client-errors" })] }).rollback?.cause, "client-errors");
    const shadowed = rolloutOf([stepOf({ canaryPpm: 0, shadowPpm: 1_000_000, bakeMs: 30 * MINUTE_MS })]);
    const route = guardedRoute({
      rollout: shadowed,
      guard: guardOf({ mismatches: { maxRate: 0.01 } }),
      compare: COMPARE,
    });
    const score = scoreOf(route, TAPE, SECONDS, { faults: [fault({ metric: "mismatches" })] });
    assert.equal(play(score, createRandom(1), TRUE_DRAW).rollback?.cause, "mismatches");
  });

  test("a log that ends within a bake leaves it waiting, and says for what", () => {
    const { outcome, steps } = played({}, rolloutOf([stepOf({ bakeMs: 80 * MINUTE_MS })]));
    assert.equal(outcome, "waiting");
    assert.equal(steps.length, 1);
    assert.equal(steps[0]?.toMs, null);
    assert.match(steps[0]?.why ?? "", /^the log ended first: errors .*; still needed: 20 min of baking$/);
  });

  test("too few samples is a hold, never a pass", () => {
    const { outcome, steps } = played({}, rolloutOf([stepOf({ canaryPpm: 1_000, minSamples: 5_000 })]));
    assert.equal(outcome, "waiting");
    assert.match(steps[0]?.why ?? "", /more/);
  });
});

describe("gates and approval in a simulation", () => {
  const window = parseTimeWindow("Mon-Sun 10:20-10:30 UTC");
  assert.ok(window.ok);
  const gates = {
    lag: { kind: "file", path: "x", present: true, everyMs: 1000 },
    hours: { kind: "window", window: window.value },
  } as const;
  const gated = rolloutOf([stepOf({ bakeMs: MINUTE_MS, gates: ["lag", "hours"], approve: true })], gates);

  test("gates say yes unless told otherwise, windows go by the log's clock", () => {
    const { steps } = played({}, gated);
    // The log begins at 10:00.
    assert.equal(steps[0]?.toMs, 20 * MINUTE_MS);
    assert.match(steps[0]?.why ?? "", /gate lag \(assumed\), gate hours \(within .*\), approval assumed/);
  });

  test("a gate that says no is waited for by its name", () => {
    const told = new Map([["lag", Number.POSITIVE_INFINITY]]);
    const { outcome, steps } = played({ assumed: { gates: told, approveAfterMs: 0 } }, gated);
    assert.equal(outcome, "waiting");
    assert.match(steps[0]?.why ?? "", /gate lag \(as told\)/);
  });

  test("approval comes as long after all else as was said", () => {
    const told = new Map([
      ["lag", 0],
      ["hours", 5 * MINUTE_MS],
    ] as const);
    const { steps } = played({ assumed: { gates: told, approveAfterMs: 3 * MINUTE_MS } }, gated);
    const leftMs = steps[0]?.toMs ?? Number.NaN;
    assert.ok(leftMs >= 8 * MINUTE_MS && leftMs < 10 * MINUTE_MS, `${leftMs}`);
  });
});

const COMPARE = {
  status: null,
  headers: [],
  body: "auto",
  ignore: [],
  unordered: [],
  tolerance: [],
  rename: [],
  noisePpm: 0,
  confirmAfterMs: null,
  redact: { paths: [], headers: [], query: [] },
  samples: false,
} as const;

describe("a tape", () => {
  test("a key stays on its side, and a greater share never takes it back", () => {
    const tape = tapeOf({ seconds: 60, perSecond: 20, fails: () => 1, keys: 50 });
    for (const salt of [TRUE_DRAW, 7]) {
      const before = new Set<string | null>();
      for (const sharePpm of [10_000, 200_000, 900_000]) {
        const stream = createStream(tape, createRandom(1), salt);
        setShare(stream, sharePpm);
        const traffic = createSecond();
        const sides = new Map<string | null, string>();
        for (let second = 0; second < 60; second++) {
          readSecond(stream, second, traffic);
          for (const { unit, side } of traffic.flawed) {
            assert.equal(sides.get(unit) ?? side, side);
            sides.set(unit, side);
          }
        }
        for (const unit of before) assert.equal(sides.get(unit), "new");
        for (const [unit, side] of sides) if (side === "new") before.add(unit);
      }
    }
  });

  test("a tenant that makes half of the traffic takes all of it to its side", () => {
    const writer = createTapeWriter();
    for (let second = 0; second < 100; second++) {
      for (let i = 0; i < 20; i++) {
        const key = i < 10 ? 1 : 1000 + second * 20 + i;
        writer.take({ second, sort: SORT.drawn, flaws: 0, key }, () => (key === 1 ? 3 : 999_999));
      }
    }
    const tape = writer.finish();
    const stream = createStream(tape, createRandom(1), TRUE_DRAW);
    setShare(stream, 10_000);
    const traffic = createSecond();
    let toNew = 0;
    for (let second = 0; second < 100; second++) {
      readSecond(stream, second, traffic);
      assert.equal(traffic.well.new + traffic.well.old, 20);
      toNew += traffic.well.new;
    }
    assert.ok(Math.abs(toNew - 1000) < 150, `${toNew} of 2,000`);
  });

  test("requests are all there, from wherever it is played", () => {
    const second = fc.record({ well: fc.nat(5), failed: fc.nat(3) });
    fc.assert(
      fc.property(
        fc.array(second, { maxLength: 40 }),
        fc.nat(40),
        fc.nat(1_000_000),
        (made, from, sharePpm) => {
          const writer = createTapeWriter();
          for (const [at, { well, failed }] of made.entries()) {
            for (let i = 0; i < well; i++)
              writer.take({ second: at, sort: SORT.drawn, flaws: 0, key: -1 }, () => 0);
            for (let i = 0; i < failed; i++) {
              writer.take({ second: at, sort: SORT.drawn, flaws: FLAW.error, key: -1 }, () => 0);
            }
          }
          const stream = createStream(writer.finish(), createRandom(1), 1);
          setShare(stream, sharePpm);
          seek(stream, from);
          const traffic = createSecond();
          for (let at = from; at < made.length; at++) {
            readSecond(stream, at, traffic);
            assert.equal(traffic.well.old + traffic.well.new, made[at]?.well);
            assert.equal(traffic.flawed.length, made[at]?.failed);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  test("seconds in which new shows nothing leave the same evidence behind together as one by one", () => {
    const tape = tapeOf({ seconds: 300, perSecond: 30, fails: () => 0.02 });
    const route = guardedRoute();
    for (const sharePpm of [50_000, 500_000]) {
      const evidence = [false, true].map((oneByOne) => {
        const watch = createWatch(route, createDetector(guardOf(), 0));
        const stream = createStream(tape, createRandom(5), TRUE_DRAW);
        setShare(stream, sharePpm);
        const traffic = createSecond();
        const seen: number[] = [];
        for (let second = 0; second < 300; second++) {
          readSecond(stream, second, traffic);
          const moment = { nowMs: second * 1000, second, canaryPpm: sharePpm, shadowPpm: 0, acting: null };
          const isFlawed = traffic.flawed.some(({ side }) => side === "new");
          assert.equal(watchSecond(watch, stream, traffic, moment), null);
          if (oneByOne || isFlawed) look(watch);
          if (isFlawed && watch.detector !== null) seen.push(evidenceOf(watch.detector).errors ?? Number.NaN);
        }
        return seen;
      });
      assert.ok((evidence[0]?.length ?? 0) > 3);
      for (const [i, value] of (evidence[0] ?? []).entries()) {
        assert.ok(Math.abs(value - (evidence[1]?.[i] ?? Number.NaN)) < 1e-9);
      }
    }
  });
});
