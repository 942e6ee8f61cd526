/** One step of a rollout played through: traffic in, what guard and judge say of it out. */

import { createDetector, observe } from "../../src/model/detector.ts";
import { judge } from "../../src/model/judge.ts";
import type { Guard } from "../../src/model/ruleset.ts";
import { WHOLE_PPM } from "../../src/model/ruleset.ts";
import { flow, guardOf, seeded } from "./traffic.ts";

export interface Rates {
  /** Requests, both sides together. */
  readonly perSecond: number;
  readonly oldFails: number;
  readonly newFails: number;
}

export interface StepRun extends Rates {
  readonly seed: number;
  readonly share: number;
  readonly seconds: number;
  readonly minSamples?: number;
  readonly guard?: Partial<Guard>;
  /** What is different in this second. */
  readonly change?: (second: number) => Partial<Rates>;
}

export interface StepEnd {
  /** Seconds. Null: no trip. */
  readonly trippedAt: number | null;
  readonly tripWords: string | null;
  /** Seconds until a judge first said pass, whatever the bake; null: never. */
  readonly firstPassAt: number | null;
  /** What a controller acts on: the word when the bake is over. */
  readonly passesAtEnd: boolean;
}

const JUDGE_EVERY_SECONDS = 5;

export function simulateStep(run: StepRun): StepEnd {
  const { seed, share, seconds, minSamples = 50, guard = {}, change = () => ({}) } = run;
  const random = seeded(seed * 7919);
  const d = createDetector(guardOf(guard), 0);
  const canaryPpm = Math.round(share * WHOLE_PPM);
  const facts = { canaryPpm, minSamples, comparesPairs: false, learning: null };
  let firstPassAt: number | null = null;
  for (let second = 1; second <= seconds; second += 1) {
    const { perSecond, oldFails, newFails } = { ...run, ...change(second) };
    const trip = observe(d, flow(random, { requests: perSecond, share, oldFails, newFails }), second * 1000);
    if (trip !== null) return { trippedAt: second, tripWords: trip.summary, firstPassAt, passesAtEnd: false };
    if (firstPassAt !== null || second % JUDGE_EVERY_SECONDS !== 0) continue;
    if (judge(d, facts, second * 1000).verdict === "pass") firstPassAt = second;
  }
  const passesAtEnd = judge(d, facts, seconds * 1000).verdict === "pass";
  return { trippedAt: null, tripWords: null, firstPassAt, passesAtEnd };
}
