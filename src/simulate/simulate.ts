/** A recorded log against rules: what each rollout would have done, how often it errs, how soon it acts. */

import type { Rollout, Route, Ruleset } from "../model/ruleset.ts";
import { WHOLE_PPM } from "../model/ruleset.ts";
import { blockSecondsOf, blocksAsLogged, playAsLogged, type Source } from "./bootstrap.ts";
import type { Crew, Tick } from "./crew.ts";
import { type Factor, rateOf } from "./factor.ts";
import { detectionNotes, faultNotes } from "./fault-notes.ts";
import type { Recording, RouteTape } from "./intake.ts";
import { logNotes, routeNotes } from "./notes.ts";
import type { SimulationOptions } from "./options.ts";
import type { Played, Score } from "./play.ts";
import type { LogSummary } from "./read-log.ts";
import type { RouteSimulation, SimulatedDetection, SimulatedStep, SimulationReport } from "./report.ts";
import { detectionOf, falseRollbacksOf } from "./tally.ts";
import type { Tape } from "./tape.ts";

/** Told after each of many simulations: of so many, and on which route. */
export type Progress = (done: number, all: number, route: string) => void;

/** A quantile of 95 in 100 needs no more; rare false rollbacks do. */
const MAX_DETECTION_RUNS = 200;

/** Verdicts of the log as it was come every second; those of thousands of runs so seldom, and sooner in a short log. */
const SELDOM_SECONDS = 30;
const VERDICTS_A_LOG = 240;

/** Simulates every route. The same arguments give the same report. */
export async function simulate(
  ruleset: Ruleset,
  recording: Recording,
  log: LogSummary,
  options: SimulationOptions,
  crew: Crew,
  progress: Progress,
): Promise<SimulationReport> {
  const { startMs, seconds, tapes, unmatched } = recording;
  const blockSeconds = blockSecondsOf(seconds);
  const routes: RouteSimulation[] = [];
  let done = 0;
  const runsEach = options.runs + options.factors.length * Math.min(options.runs, MAX_DETECTION_RUNS);
  const all = tapes.filter(({ route, tape }) => canTrip(route, tape)).length * runsEach;
  for (const each of tapes) {
    const tick: Tick = () => progress(++done, all, each.route.name);
    routes.push(await simulateRoute(each, recording, options, crew, tick));
  }
  return {
    log: {
      from: iso(startMs),
      to: iso(startMs + (seconds - 1) * 1000),
      requests: log.requests,
      unreadable: log.unreadable,
      examples: log.examples,
      outOfOrder: log.outOfOrder,
      unmatched,
    },
    seed: options.seed,
    blockSeconds,
    notes: logNotes(ruleset, recording, log, options),
    routes,
  };
}

async function simulateRoute(
  each: RouteTape,
  recording: Recording,
  options: SimulationOptions,
  crew: Crew,
  tick: Tick,
): Promise<RouteSimulation> {
  const { route, tape } = each;
  const { startMs, seconds } = recording;
  // Where no answer of the log has a duration, nobody knows what is slow.
  const faults = options.faults.filter(({ metric }) => metric !== "slow" || recording.timed > 0);
  const score = scoreOf(route, tape, startMs, seconds, { ...options, faults });
  const played = tape.requests === 0 || route.new === null ? null : playAsLogged(score, options.seed);
  const runs = canTrip(route, tape) ? options.runs : 0;
  const seldom = Math.min(SELDOM_SECONDS, Math.max(1, Math.floor(seconds / VERDICTS_A_LOG)));
  const healthy = { ...score, faults: [], judgeEverySeconds: seldom };
  const source = { score: healthy, logSeconds: seconds, seed: options.seed };
  const falseRollbacks = falseRollbacksOf(await crew.play(source, { kind: "healthy" }, runs, tick));
  const mostRuns = Math.min(runs, MAX_DETECTION_RUNS);
  const detection = await detections(source, mostRuns, options.factors, crew, tick);
  return {
    name: route.name,
    requests: tape.requests,
    errorRate: tape.requests === 0 ? 0 : tape.errors / tape.requests,
    outcome: played?.outcome ?? "waiting",
    steps: played === null ? [] : stepsOf(played, startMs),
    rollback:
      played === null || played.rollback === null
        ? null
        : {
            cause: played.rollback.cause,
            at: iso(startMs + played.rollback.atMs),
            summary: played.rollback.summary,
          },
    falseRollbacks,
    detection,
    notes: [
      ...routeNotes(each, options),
      ...faultNotes(each, recording.timed > 0, options.faults),
      ...detectionNotes(each, options.factors, detection),
    ],
  };
}

/** Whether there is a guard with anything to look at. */
function canTrip(route: Route, tape: Tape): boolean {
  return tape.requests > 0 && route.guard !== null && route.new !== null;
}

function scoreOf(
  route: Route,
  tape: Tape,
  startMs: number,
  seconds: number,
  { faults, assumed }: SimulationOptions,
): Score {
  const blockSeconds = blockSecondsOf(seconds);
  return {
    route,
    rollout: route.rollout ?? staticRollout(route),
    isStatic: route.rollout === null,
    tape,
    startMs,
    seconds,
    blocks: blocksAsLogged(seconds, blockSeconds),
    blockSeconds,
    beginsAtMs: 0,
    faults,
    assumed,
    judgeEverySeconds: 1,
    countsFromMs: 0,
    endsCompleted: false,
  };
}

/** Shares that stay as they are: one step, that nothing ends. */
function staticRollout({ canary, shadow, guard }: Route): Rollout {
  const step = {
    canaryPpm: canary.sharePpm,
    shadowPpm: shadow.sharePpm,
    bakeMs: 0,
    minSamples: guard?.minSamples ?? 0,
    gates: [],
    approve: false,
  };
  return { start: "running", steps: [step], gates: {} };
}

async function detections(
  { score, logSeconds, seed }: Source,
  runs: number,
  factors: readonly Factor[],
  crew: Crew,
  tick: Tick,
): Promise<SimulatedDetection[]> {
  const first = score.rollout.steps.findIndex(({ canaryPpm }) => canaryPpm > 0);
  const serves = first >= 0 || score.route.split !== null;
  if (runs === 0 || !serves) return [];
  // The rollout begins with the first step in which new serves anybody.
  const steps = score.rollout.steps.slice(Math.max(0, first));
  const source = { score: { ...score, rollout: { ...score.rollout, steps } }, logSeconds, seed };
  const found: SimulatedDetection[] = [];
  for (const factor of factors) {
    const rate = rateOf(factor, score.tape);
    const ends = await crew.play(source, { kind: "fault", rate }, rate > 0 ? runs : 0, tick);
    found.push({ factor: factor.kind === "times" ? factor.times : factor.text, ...detectionOf(ends) });
  }
  return found;
}

function stepsOf({ steps }: Played, startMs: number): SimulatedStep[] {
  return steps.map(({ step, canaryPpm, shadowPpm, fromMs, toMs, why }) => ({
    step,
    canary: canaryPpm / WHOLE_PPM,
    shadow: shadowPpm / WHOLE_PPM,
    from: iso(startMs + fromMs),
    to: toMs === null ? null : iso(startMs + toMs),
    why,
  }));
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
