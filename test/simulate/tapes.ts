/** Made-up logs, straight onto a tape, and what else a simulation needs. */

import type { Rollout, RolloutStep, Route } from "../../src/model/ruleset.ts";
import { blockSecondsOf, blocksAsLogged } from "../../src/simulate/bootstrap.ts";
import type { Score } from "../../src/simulate/play.ts";
import { binomial, createRandom } from "../../src/simulate/random.ts";
import { createTapeWriter, FLAW, KEYLESS, SORT, type Tape } from "../../src/simulate/tape.ts";
import { canaryOf, routeOf } from "../model/rules.ts";
import { guardOf } from "../model/traffic.ts";

export interface Made {
  readonly seconds: number;
  readonly perSecond: number;
  /** By second. */
  readonly fails: (second: number) => number;
  /** Keys 1 to so many, each as likely; 0: keyless. */
  readonly keys: number;
  readonly seed: number;
  /** Whether old is asked again where new failed. */
  readonly isRepeatable: boolean;
}

export function tapeOf(changes: Partial<Made> = {}): Tape {
  const made: Made = {
    seconds: 3600,
    perSecond: 100,
    fails: () => 0.005,
    keys: 0,
    seed: 99,
    isRepeatable: true,
    ...changes,
  };
  const random = createRandom(made.seed);
  const writer = createTapeWriter();
  for (let second = 0; second < made.seconds; second++) {
    const failed = binomial(random, made.perSecond, made.fails(second));
    for (let i = 0; i < made.perSecond; i++) {
      const key = made.keys === 0 ? KEYLESS : 1 + Math.floor(random() * made.keys);
      const sort = SORT.drawn | SORT.shadowable | (made.isRepeatable ? SORT.repeatable : 0);
      // Spread over the second as chance has it: which of them fail does not matter.
      const flaws = i < failed ? FLAW.error : 0;
      writer.take({ second, sort, flaws, key }, () => (key === KEYLESS ? 0 : (key * 7919) % 1_000_000));
    }
  }
  return writer.finish();
}

export function stepOf(changes: Partial<RolloutStep> = {}): RolloutStep {
  return {
    canaryPpm: 50_000,
    shadowPpm: 0,
    bakeMs: 600_000,
    minSamples: 50,
    gates: [],
    approve: false,
    ...changes,
  };
}

export function rolloutOf(steps: readonly RolloutStep[], gates: Rollout["gates"] = {}): Rollout {
  return { start: "running", steps, gates };
}

export function guardedRoute(changes: Partial<Route> = {}): Route {
  return routeOf({ canary: canaryOf({ sharePpm: 50_000 }), guard: guardOf(), rollout: null, ...changes });
}

export const STEADY_FALLBACK = { when: "safe", afterMs: 5000 } as const;

export function scoreOf(route: Route, tape: Tape, seconds: number, changes: Partial<Score> = {}): Score {
  const blockSeconds = blockSecondsOf(seconds);
  return {
    route,
    rollout: route.rollout ?? rolloutOf([stepOf({ canaryPpm: route.canary.sharePpm })]),
    isStatic: route.rollout === null,
    tape,
    startMs: Date.parse("2026-01-05T10:00:00Z"),
    seconds,
    blocks: blocksAsLogged(seconds, blockSeconds),
    blockSeconds,
    beginsAtMs: 0,
    faults: [],
    assumed: { gates: new Map(), approveAfterMs: 0 },
    judgeEverySeconds: 1,
    countsFromMs: 0,
    endsCompleted: false,
    ...changes,
  };
}
