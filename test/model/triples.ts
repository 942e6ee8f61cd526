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
  /**
   * Data that both sides read, and how often it has changed from one question to the next that is asked later. Only
   * reverse shadows have later ones: new, then old, then old again.
   */
  readonly changing?: readonly Field[];
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
  /** New serves, and old gets the shadow. */
  readonly isReverse: boolean;
  /** Old's two answers are asked for at one moment, so that nothing changes between them. */
  readonly asksAtOnce: boolean;
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
    isReverse: false,
    asksAtOnce: false,
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
  const { isReverse } = sim;
  const data = new Map<string, number>();
  const fresh = [...newValues(random, world)];
  if (isReverse) change(random, world, data);
  const first = new Map([...data, ...noisyValues(random, world)]);
  const differences = differing(first, new Map(fresh));
  if (isReverse && !sim.asksAtOnce) change(random, world, data);
  const second = isSampled ? differing(first, new Map([...data, ...noisyValues(random, world)])) : [];
  const again = isSampled && !sim.losesAgain ? second : null;
  if (again !== null) sim.triples += 1;
  sim.shadows += 1;
  if (differences.length === 0 && (again === null || again.length === 0)) {
    const triples = again === null ? 0 : 1;
    takeEqual(docket, 1, isReverse ? 0 : triples, isReverse ? triples : 0);
    sim.kinds.match += 1;
  } else {
    const kind = takePair(docket, { differences, again, unit: sim.unit, isReverse });
    sim.kinds[kind] += 1;
  }
  // The watchman looks ten times a second.
  const perLook = Math.max(1, Math.round(sim.perSecond / 10));
  return sim.shadows % perLook === 0 ? look(sim) : null;
}

export function look(sim: Simulation): Trip | null {
  const comparisons = handOver(sim.docket);
  const sharePpm = sim.isReverse ? 1_000_000 : 50_000;
  const trip = observe(
    sim.detector,
    batchOf({ comparisons, sharePpm }),
    (sim.shadows / sim.perSecond) * 1000,
  );
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

/** Time goes by between two questions. */
function change(random: Random, { changing = [] }: World, data: Map<string, number>): void {
  for (const [template, rate] of changing) if (random() < rate) data.set(template, 4 + random());
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
