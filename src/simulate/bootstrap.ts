/**
 * One of many simulations of a route. Each has another draw of the keys and another order of the log: whole blocks,
 * each taken from near its own place, so that bursts stay bursts and nights stay nights.
 */

import { hash } from "node:crypto";
import type { Fault } from "./fault.ts";
import { type Played, play, type Score } from "./play.ts";
import { createRandom, type Random } from "./random.ts";

/** Long enough for a burst or a short outage to stay whole. */
const LONGEST_BLOCK_SECONDS = 600;
/** Old's rate is kept in windows of ten seconds: a block is some whole ones. */
const BLOCK_UNIT_SECONDS = 10;
const LEAST_BLOCKS = 12;
/** A block is taken from so many before or after its place: an hour each way in a log of two hours or more. */
const NEAR_BLOCKS = 6;

/** What a kind of simulation is seeded with besides the seed and its number. */
const PURPOSE = { main: 1, healthy: 2, fault: 3 } as const;

export function blockSecondsOf(logSeconds: number): number {
  const part = Math.floor(logSeconds / LEAST_BLOCKS / BLOCK_UNIT_SECONDS) * BLOCK_UNIT_SECONDS;
  return Math.min(LONGEST_BLOCK_SECONDS, Math.max(BLOCK_UNIT_SECONDS, part));
}

/** The log as it was. */
export function blocksAsLogged(logSeconds: number, blockSeconds: number): Uint32Array {
  return Uint32Array.from({ length: Math.ceil(logSeconds / blockSeconds) }, (_, i) => i * blockSeconds);
}

/** Every place gets a block from near it. */
function blocksNearby(logSeconds: number, blockSeconds: number, random: Random): Uint32Array {
  const blocks = blocksAsLogged(logSeconds, blockSeconds);
  const whole = Math.max(1, Math.floor(logSeconds / blockSeconds));
  return blocks.map((_, i) => {
    const from = Math.max(0, Math.min(i, whole - 1) - NEAR_BLOCKS);
    const to = Math.min(whole - 1, i + NEAR_BLOCKS);
    return (from + Math.floor(random() * (to - from + 1))) * blockSeconds;
  });
}

/**
 * From a block anywhere on, in the log's order; after its end comes its beginning. Nothing comes twice: a key that
 * failed before would not count again, which old would gain from alone.
 */
function blocksFromAnywhere(logSeconds: number, blockSeconds: number, random: Random): Uint32Array {
  const whole = Math.max(1, Math.floor(logSeconds / blockSeconds));
  const first = Math.floor(random() * whole);
  return Uint32Array.from({ length: whole }, (_, i) => ((first + i) % whole) * blockSeconds);
}

/** The one simulation of the log as it was, with the faults that were asked for. */
export function playAsLogged(score: Score, seed: number): Played {
  return play(score, randomOf(score, seed, PURPOSE.main, 0), 0);
}

function randomOf({ route }: Score, seed: number, purpose: number, ...parts: readonly number[]): Random {
  return createRandom(seed, purpose, saltOf(route.name), ...parts);
}

function saltOf(name: string): number {
  return Number.parseInt(hash("sha256", name, "hex").slice(0, 8), 16);
}

/** One simulation of a kind. */
export type Job =
  | { readonly kind: "healthy" }
  /** New fails so often besides, from a moment on. */
  | { readonly kind: "fault"; readonly rate: number };

/** What is simulated with: `score` is the log as it was, without faults. */
export interface Source {
  readonly score: Score;
  readonly logSeconds: number;
  readonly seed: number;
}

/** How one simulation has ended; plain data. */
export interface Ended {
  readonly outcome: Played["outcome"];
  /** Null: no rollback. */
  readonly cause: string | null;
  /** From the fault's beginning to the rollback; below 0: a false one, before anything was wrong. */
  readonly seconds: number;
  readonly answers: number;
  readonly failed: number;
  readonly saved: number;
}

/** Plays run number `run`, from 1. The same arguments give the same end, in whichever thread. */
export function playOne(source: Source, job: Job, run: number): Ended {
  const { score, logSeconds, seed } = source;
  if (job.kind === "healthy") {
    const random = randomOf(score, seed, PURPOSE.healthy, run);
    const blocks = blocksNearby(logSeconds, score.blockSeconds, random);
    return endOf(play({ ...score, blocks }, random, run), 0);
  }
  const random = randomOf(score, seed, PURPOSE.fault, run, Math.round(job.rate * 1e9));
  const onsetMs = onsetOf(score, logSeconds, random);
  return endOf(playFault(score, logSeconds, job.rate, onsetMs, random, run), onsetMs);
}

function endOf({ outcome, rollback, answers, failed, saved }: Played, onsetMs: number): Ended {
  const cause = rollback?.cause ?? null;
  const seconds = rollback === null ? 0 : Math.round((rollback.atMs - onsetMs) / 100) / 10;
  return { outcome, cause, seconds, answers, failed, saved };
}

/** Before a fault new is healthy at its share for at most so long: by then the guard knows what it will know. */
const LONGEST_HEALTHY_MS = 3_600_000;
/** Old alone before, so that its own rate is known; at most a quarter of the log. */
const WARM_UP_SECONDS = 60;

function warmUpMs(logSeconds: number): number {
  return Math.min(WARM_UP_SECONDS, Math.floor(logSeconds / 4)) * 1000;
}

/** At most half of the log goes by in health. */
function onsetOf({ rollout, isStatic }: Score, logSeconds: number, random: Random): number {
  const bakeMs = isStatic ? LONGEST_HEALTHY_MS : (rollout.steps[0]?.bakeMs ?? 0);
  const mostMs = Math.min(bakeMs, LONGEST_HEALTHY_MS, logSeconds * 500);
  return warmUpMs(logSeconds) + Math.floor((random() * mostMs) / 1000) * 1000;
}

/** One run with a fault of new from a moment on. */
export function playFault(
  score: Score,
  logSeconds: number,
  rate: number,
  onsetMs: number,
  random: Random,
  salt: number,
): Played {
  const { blockSeconds } = score;
  const fault: Fault = {
    side: "new",
    metric: "errors",
    rate,
    fromMs: onsetMs,
    untilMs: Number.POSITIVE_INFINITY,
  };
  const blocks = blocksFromAnywhere(logSeconds, blockSeconds, random);
  const withFault = {
    ...score,
    seconds: blocks.length * blockSeconds,
    blocks,
    faults: [fault],
    beginsAtMs: warmUpMs(logSeconds),
    countsFromMs: onsetMs,
    endsCompleted: true,
  };
  return play(withFault, random, salt);
}
