/** `rollout` of one route: its merged fields and the built-in values, and back to the words of the rules. */

import { dirname, resolve } from "node:path";
import type { Gate, GateTest, Rollout, RolloutStep } from "../model/ruleset.ts";
import type { DescribedValue, Description } from "./description.ts";
import type { MergedRoute } from "./merge.ts";
import type { RouteFields } from "./schema.ts";
import type { GateFields, RolloutFields, StepFields } from "./schema-rollout.ts";
import type { Path } from "./source-file.ts";
import { formatDuration, formatShare } from "./units.ts";

export const DEFAULT_EVERY_MS = 10_000;
const DEFAULT_TIMEOUT_MS = 5_000;

export const GATE_TESTS = [
  "below",
  "above",
  "atMost",
  "atLeast",
  "equals",
] as const satisfies readonly GateTest["by"][];

export const rolloutOf = ({ rollout }: RouteFields): RolloutFields | undefined =>
  rollout === "off" ? undefined : rollout;

/** `minSamples`: what steps need that do not say it themselves. Null: the shares are static. */
export function resolveRollout(route: MergedRoute, minSamples: number): Rollout | null {
  const fields = rolloutOf(route.fields);
  if (fields === undefined) return null;
  const shares = stepShares(route.fields);
  const gates = Object.entries(fields.gates ?? {}).flatMap(([name, gate]) => {
    const resolved = gateOf(gate, (path) => pathFrom(route, ["rollout", "gates", name, "file"], path));
    return resolved === null ? [] : [[name, resolved] as const];
  });
  return {
    start: fields.start ?? "paused",
    steps: (fields.steps ?? []).map((step, index) => stepOf(step, shares[index], minSamples)),
    gates: Object.fromEntries(gates),
  };
}

type Shares = Pick<RolloutStep, "canaryPpm" | "shadowPpm">;

/** What each step serves and shadows: shares that it does not name are those of the step before. */
export function stepShares(fields: RouteFields): readonly Shares[] {
  // Before the first step new serves nobody, and shadows are what the route itself says.
  let before: Shares = { canaryPpm: 0, shadowPpm: fields.shadow?.share ?? 0 };
  return (rolloutOf(fields)?.steps ?? []).map(({ canary, shadow }) => {
    before = { canaryPpm: canary ?? before.canaryPpm, shadowPpm: shadow ?? before.shadowPpm };
    return before;
  });
}

export function gateNames({ gate }: StepFields): readonly string[] {
  return gate === undefined ? [] : typeof gate === "string" ? [gate] : gate;
}

function stepOf(fields: StepFields, shares: Shares | undefined, minSamples: number): RolloutStep {
  return {
    canaryPpm: shares?.canaryPpm ?? 0,
    shadowPpm: shares?.shadowPpm ?? 0,
    bakeMs: fields.bake ?? 0,
    minSamples: fields.minSamples ?? minSamples,
    gates: gateNames(fields),
    approve: fields.approve ?? false,
  };
}

/** Null: something is missing, which checks-rollout.ts reports. */
function gateOf(fields: GateFields, absolute: (path: string) => string): Gate | null {
  const everyMs = fields.every ?? DEFAULT_EVERY_MS;
  const timeoutMs = fields.timeout ?? Math.min(DEFAULT_TIMEOUT_MS, everyMs);
  const test = testOf(fields);
  if (fields.http !== undefined && fields.path !== undefined && test !== null)
    return { kind: "http", url: fields.http, path: fields.path, test, everyMs, timeoutMs };
  if (fields.prometheus !== undefined && fields.query !== undefined && test !== null)
    return { kind: "prometheus", url: fields.prometheus, query: fields.query, test, everyMs, timeoutMs };
  if (fields.file !== undefined)
    return { kind: "file", path: absolute(fields.file), present: fields.present ?? true, everyMs };
  if (fields.window !== undefined) return { kind: "window", window: fields.window };
  return fields.preflight === true ? { kind: "preflight" } : null;
}

function testOf(fields: GateFields): GateTest | null {
  for (const by of GATE_TESTS) {
    const value = fields[by];
    if (value !== undefined) return { by, value };
  }
  return null;
}

/** Absolute, so that it means the same wherever the gateway was started, and in rules that are printed. */
function pathFrom(route: MergedRoute, field: Path, path: string): string {
  return resolve(dirname(route.fileOf(field).path), path);
}

/** Every field, as rules that mean the same. */
export function describeRollout({ start, steps, gates }: Rollout): Description {
  const names = Object.keys(gates);
  return {
    start,
    steps: steps.map(describeStep),
    ...(names.length > 0
      ? { gates: Object.fromEntries(Object.entries(gates).map(([name, gate]) => [name, describeGate(gate)])) }
      : {}),
  };
}

export function describeStep(step: RolloutStep): Description {
  const { gates } = step;
  const [first] = gates;
  const gate: DescribedValue | undefined = gates.length === 1 ? first : gates.length > 1 ? gates : undefined;
  return {
    canary: formatShare(step.canaryPpm),
    shadow: formatShare(step.shadowPpm),
    bake: formatDuration(step.bakeMs),
    minSamples: step.minSamples,
    ...(gate === undefined ? {} : { gate }),
    approve: step.approve,
  };
}

function describeGate(gate: Gate): Description {
  switch (gate.kind) {
    case "http":
    case "prometheus": {
      const { test, everyMs, timeoutMs } = gate;
      return {
        [gate.kind]: gate.url,
        ...(gate.kind === "http" ? { path: gate.path } : { query: gate.query }),
        [test.by]: test.value,
        every: formatDuration(everyMs),
        timeout: formatDuration(timeoutMs),
      };
    }
    case "file":
      return { file: gate.path, present: gate.present, every: formatDuration(gate.everyMs) };
    case "window":
      return { window: gate.window.text };
    case "preflight":
      return { preflight: true };
  }
}
