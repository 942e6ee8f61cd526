/** One simulated rollout of one route: the tape is played, the guard watches, the rollout moves. */

import { createDetector, explainEvidence, startStep } from "../model/detector.ts";
import type { StepJudgement } from "../model/judge.ts";
import { advance, MAX_TICK_MS, missing } from "../model/rollout.ts";
import {
  beginRollout,
  currentStep,
  type Judgement,
  type Known,
  type RolloutState,
  shortDuration,
} from "../model/rollout-state.ts";
import type { Rollout, Route, SharePpm } from "../model/ruleset.ts";
import type { Fault } from "./fault.ts";
import { type Assumptions, answerGates } from "./gates.ts";
import type { Random } from "./random.ts";
import { actingAt } from "./shots.ts";
import { createSecond, createStream, readSecond, seek, setShare } from "./stream.ts";
import type { Tape } from "./tape.ts";
import { verdictOf } from "./verdict.ts";
import { type Alarm, createWatch, look, type Watch, watchSecond } from "./watch.ts";

/** What is played. */
export interface Score {
  readonly route: Route;
  /** Where the rules have none, one step that lasts. */
  readonly rollout: Rollout;
  readonly isStatic: boolean;
  readonly tape: Tape;
  /** The log's clock at second 0; milliseconds since 1970. */
  readonly startMs: number;
  readonly seconds: number;
  /** Which part of the tape comes when: its second at the beginning of each block. */
  readonly blocks: Uint32Array;
  readonly blockSeconds: number;
  /** New serves nobody before. */
  readonly beginsAtMs: number;
  readonly faults: readonly Fault[];
  readonly assumed: Assumptions;
  /** Once a step has baked, the verdict is asked for so often. */
  readonly judgeEverySeconds: number;
  /** Failures of new count from then on. */
  readonly countsFromMs: number;
  /** It ends when the rollout is completed, not with the last second. */
  readonly endsCompleted: boolean;
}

export interface PlayedStep {
  readonly step: number;
  readonly canaryPpm: SharePpm;
  readonly shadowPpm: SharePpm;
  /** Milliseconds since second 0; null: it lasts. */
  readonly fromMs: number;
  toMs: number | null;
  why: string;
}

export interface Played {
  readonly outcome: "completed" | "rolled-back" | "waiting";
  readonly steps: readonly PlayedStep[];
  readonly rollback: (Alarm & { readonly atMs: number }) | null;
  /** From `countsFromMs` on: answers of new, failed ones, and those that old's answer took the place of. */
  readonly answers: number;
  readonly failed: number;
  readonly saved: number;
}

interface Run {
  readonly score: Score;
  readonly watch: Watch;
  state: RolloutState;
  steps: PlayedStep[];
  tickedMs: number;
  /** When approval was all that is missing for the first time in this step. */
  approvableMs: number | null;
}

/** Plays it to the end: the last second, or a rollback. */
export function play(score: Score, random: Random, salt: number): Played {
  const { route, rollout, startMs, seconds, blocks, blockSeconds } = score;
  const detector = route.guard === null ? null : createDetector(route.guard, startMs);
  const run: Run = {
    score,
    watch: createWatch(route, detector),
    state: beginRollout({ ...rollout, start: "running" }),
    steps: [],
    tickedMs: score.beginsAtMs,
    approvableMs: null,
  };
  const stream = createStream(score.tape, random, salt);
  const traffic = createSecond();
  const countsFrom = Math.floor(score.countsFromMs / 1000);
  for (let at = 0; at < seconds; at++) {
    const elapsedMs = at * 1000;
    const inBlock = at % blockSeconds;
    const second = (blocks[Math.floor(at / blockSeconds)] as number) + inBlock;
    if (inBlock === 0) seek(stream, second);
    if (at === countsFrom) forgetCounts(run.watch);
    const hasBegun = elapsedMs >= score.beginsAtMs;
    if (hasBegun && run.steps.length === 0) openStep(run, elapsedMs);
    const { canaryPpm, shadowPpm } = run.state.shares;
    const moment = {
      nowMs: startMs + elapsedMs,
      second,
      canaryPpm: hasBegun ? canaryPpm : 0,
      shadowPpm,
      acting: score.faults.length === 0 ? null : actingAt(score.faults, elapsedMs),
    };
    setShare(stream, moment.canaryPpm);
    readSecond(stream, second, traffic);
    const alarm = watchSecond(run.watch, stream, traffic, moment);
    if (alarm !== null) return rolledBack(run, elapsedMs + alarm.at * 1000, alarm);
    if (!hasBegun || score.isStatic || run.state.phase !== "baking") continue;
    const late = tick(run, elapsedMs + 1000);
    if (late !== null) return rolledBack(run, elapsedMs + 1000, late);
    if (score.endsCompleted && isCompleted(run)) break;
  }
  return ended(run, seconds * 1000);
}

function isCompleted({ state }: Run): boolean {
  return state.phase === "completed";
}

function forgetCounts(watch: Watch): void {
  watch.answers = 0;
  watch.failed = 0;
  watch.saved = 0;
}

function openStep(run: Run, atMs: number): void {
  const { step, shares } = run.state;
  run.steps.push({ step, ...shares, fromMs: atMs, toMs: null, why: "" });
}

const NOT_YET: Judgement = { verdict: "hold", why: "" };

/** Moves the rollout on; an alarm where the last look before a verdict raises one. */
function tick(run: Run, elapsedMs: number): Alarm | null {
  const { score, watch } = run;
  const sinceMs = elapsedMs - run.tickedMs;
  const leftMs = currentStep(run.state).bakeMs - run.state.bakedMs;
  // Nothing but the clock is asked before a step has baked.
  if (sinceMs < Math.min(MAX_TICK_MS, leftMs)) return null;
  const hasBaked = sinceMs >= leftMs;
  if (hasBaked && leftMs <= 0 && (elapsedMs / 1000) % score.judgeEverySeconds !== 0) return null;
  let known: Known = { judgement: NOT_YET, gates: [] };
  if (hasBaked) {
    const alarm = look(watch);
    if (alarm !== null) return { ...alarm, at: 1 };
    known = knownNow(run, elapsedMs);
  }
  run.tickedMs = elapsedMs;
  move(run, { kind: "tick", elapsedMs: Math.min(sinceMs, MAX_TICK_MS), known }, elapsedMs);
  if (hasBaked) approve(run, known, elapsedMs);
  return null;
}

function knownNow(
  { score, watch, state }: Run,
  elapsedMs: number,
): Known & { readonly judgement: StepJudgement } {
  const { detector } = watch;
  const { rollout, startMs, assumed } = score;
  const nowMs = startMs + elapsedMs;
  return {
    judgement: verdictOf(detector, score.route, state, nowMs),
    gates: answerGates(currentStep(state).gates, rollout.gates, assumed.gates, startMs, elapsedMs),
  };
}

/** A person who comes so long after nothing else was missing, and says yes once that is so again. */
function approve(run: Run, known: Known, elapsedMs: number): void {
  const needs = run.state.phase === "baking" ? missing(run.state, known) : [];
  if (needs.length !== 1 || !currentStep(run.state).approve) return;
  run.approvableMs ??= elapsedMs;
  if (elapsedMs - run.approvableMs < run.score.assumed.approveAfterMs) return;
  const baked = `baked ${shortDuration(currentStep(run.state).bakeMs)}`;
  const gates = known.gates.map(({ name, why }) => `gate ${name} (${why})`);
  const reason = [baked, known.judgement.why, ...gates, "approval assumed"]
    .filter((part) => part !== "")
    .join(", ");
  const event = { kind: "promote", reason, toPpm: null, fromStep: run.state.step, known } as const;
  move(run, event, elapsedMs);
}

function move(run: Run, event: Parameters<typeof advance>[1], elapsedMs: number): void {
  const before = run.state;
  const answer = advance(before, event);
  if (answer.kind === "refused") return;
  run.state = answer.state;
  if (answer.moved === null) return;
  closeStep(run, elapsedMs, answer.moved.reason);
  run.approvableMs = null;
  const { detector } = run.watch;
  if (run.state.phase === "completed") return;
  if (detector !== null) startStep(detector, run.score.startMs + elapsedMs);
  openStep(run, elapsedMs);
}

function closeStep(run: Run, atMs: number | null, why: string): void {
  const last = run.steps.at(-1);
  if (last === undefined || last.toMs !== null) return;
  last.toMs = atMs;
  last.why = why;
}

function rolledBack(run: Run, atMs: number, alarm: Alarm): Played {
  closeStep(run, atMs, `rolled back: ${alarm.summary}`);
  return { ...result(run, "rolled-back"), rollback: { ...alarm, atMs } };
}

function ended(run: Run, elapsedMs: number): Played {
  const { watch, state, score } = run;
  const alarm = look(watch);
  if (alarm !== null) return rolledBack(run, elapsedMs, { ...alarm, at: 1 });
  if (score.isStatic) {
    const shown = watch.detector === null ? "not guarded" : explainEvidence(watch.detector);
    closeStep(run, elapsedMs, `no rollback to the log's end; ${shown}`);
    return result(run, "completed");
  }
  if (state.phase === "completed") return result(run, "completed");
  closeStep(run, null, unfinishedWords(state, knownNow(run, elapsedMs)));
  return result(run, "waiting");
}

/** "the log ended first: errors 0/12 new vs 3/400 old, evidence 0.00 of 1; still needed: 5 min of baking, approval" */
function unfinishedWords(
  state: RolloutState,
  { judgement, gates }: Known & { readonly judgement: StepJudgement },
): string {
  const { verdict, needs, why, seen } = judgement;
  const judged = { verdict, why: needs.length > 0 ? needs.join(", ") : why };
  const left = missing(state, { judgement: judged, gates });
  return `the log ended first: ${seen}; still needed: ${left.join(", ")}`;
}

function result({ watch, steps }: Run, outcome: Played["outcome"]): Played {
  const { answers, failed, saved } = watch;
  return { outcome, steps, rollback: null, answers, failed, saved };
}
