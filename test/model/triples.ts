/** A made-up route whose old is noisy and whose new is wrong, shadow by shadow, as the guard sees it. */

import { createDetector, type Detector, observe, type Trip } from "../../src/model/detector.ts";
import {
  createDocket,
  type Docket,
  handOver,
  LESSONS,
  type PairKind,
  takeEqual,
  takePair,
  triplesWanted,
} from "../../src/model/docket.ts";
import type { Place } from "../../src/model/pair.ts";
import type { Guard } from "../../src/model/ruleset.ts";
import { batchOf, guardOf, type Random } from "./traffic.ts";

/** A field, and how often an answer holds another value there than it should. */
export type Field = readonly [template: string, rate: number];

export interface World {
  /** Of every answer; each noisy value is unique. */
  readonly noise: readonly Field[];
  /** Of answers of new. */
  readonly wrong: readonly Field[];
  /** Noisy answers differ in all noisy fields at once. */
  readonly correlated?: boolean;
  /** The noise tosses between two values instead of many. */
  readonly coin?: boolean;
}

export interface Simulation {
  readonly random: Random;
  readonly docket: Docket;
  readonly detector: Detector;
  readonly noiseShare: number;
  readonly perSecond: number;
  /** More triples are given where they are asked for. */
  readonly grants: boolean;
  /** Old's second answers never arrive. */
  readonly losesAgain: boolean;
  lessons: number;
  shadows: number;
  triples: number;
  readonly kinds: Record<PairKind, number>;
  unit: string | null;
}

export function simulate(
  random: Random,
  changes: Partial<Simulation> & { readonly guard?: Partial<Guard> } = {},
): Simulation {
  const noiseShare = changes.noiseShare ?? 0.02;
  const guard = guardOf({ mismatches: { maxRate: 0.01 }, ...changes.guard });
  return {
    random,
    docket: createDocket(noiseShare * 1e6),
    detector: createDetector(guard, 0, noiseShare > 0),
    noiseShare,
    perSecond: 100,
    grants: true,
    losesAgain: false,
    lessons: noiseShare > 0 ? LESSONS : 0,
    shadows: 0,
    triples: 0,
    kinds: { match: 0, mismatch: 0, noise: 0 },
    unit: null,
    ...changes,
  };
}

/** Shadows go by until a trip, or `count` of them have. */
export function shadow(sim: Simulation, world: World, count: number): Trip | null {
  for (let i = 0; i < count; i += 1) {
    const trip = one(sim, world);
    if (trip !== null) return trip;
  }
  return null;
}

function one(sim: Simulation, world: World): Trip | null {
  const { docket, random } = sim;
  const isSampled = sim.lessons > 0 || random() < sim.noiseShare;
  if (sim.lessons > 0) sim.lessons -= 1;
  const first = noisyValues(random, world);
  const differences = differing(first, newValues(random, world));
  const second = isSampled ? differing(first, noisyValues(random, world)) : [];
  const again = isSampled && !sim.losesAgain ? second : null;
  if (again !== null) sim.triples += 1;
  sim.shadows += 1;
  if (differences.length === 0 && (again === null || again.length === 0)) {
    takeEqual(docket, 1, again === null ? 0 : 1);
    sim.kinds.match += 1;
  } else {
    const kind = takePair(docket, { differences, again, unit: sim.unit });
    sim.kinds[kind] += 1;
  }
  // The watchman looks ten times a second.
  const perLook = Math.max(1, Math.round(sim.perSecond / 10));
  return sim.shadows % perLook === 0 ? look(sim) : null;
}

export function look(sim: Simulation): Trip | null {
  const comparisons = handOver(sim.docket);
  const trip = observe(sim.detector, batchOf({ comparisons }), (sim.shadows / sim.perSecond) * 1000);
  const wanted = triplesWanted(sim.docket);
  if (wanted > 0 && sim.grants) sim.lessons = wanted;
  return trip;
}

function noisyValues(random: Random, { noise, correlated, coin }: World): Map<string, number> {
  const values = new Map<string, number>();
  const draw = random();
  for (const [template, rate] of noise) {
    if ((correlated ? draw : random()) < rate) values.set(template, coin ? 1 : random());
  }
  return values;
}

function newValues(random: Random, world: World): Map<string, number> {
  const values = noisyValues(random, world);
  for (const [template, rate] of world.wrong) if (random() < rate) values.set(template, 2 + random());
  return values;
}

function differing(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): Place[] {
  const templates = new Set([...a.keys(), ...b.keys()]);
  return [...templates]
    .filter((template) => a.get(template) !== b.get(template))
    .map((template) => ({ template, kind: "value" }));
}
