/** What changed in a rollout, in words: steps are known again by their shares, as a running rollout knows them. */

import { diffArrays } from "diff";
import type { Rollout, RolloutStep, Route } from "../model/ruleset.ts";
import type { Description } from "./description.ts";
import { diffFields } from "./diff-values.ts";
import { describeRollout, describeStep } from "./resolve-rollout.ts";
import { formatShare } from "./units.ts";

/** Lines about steps, each of which may differ in several fields. */
const MOST_LINES = 20;

/** Lines such as "rollout step 2 (canary 5%): bake 10m → 30m", each after the prefix. */
export function diffRollout(prefix: string, before: Route, after: Route): string[] {
  const [was, is] = [before.rollout, after.rollout];
  if (was === null) {
    if (is === null) return [];
    return [`${prefix}rollout added: ${summary(is)}; its shares act (${sharesAtFirst(before, is)})`];
  }
  if (is === null) {
    // Whoever takes a rollout out may not have the static shares in mind, which act from then on.
    const { canary, shadow } = after;
    const shares = `canary ${formatShare(canary.sharePpm)}, shadow ${formatShare(shadow.sharePpm)}`;
    return [`${prefix}rollout removed: the route's own shares act (${shares})`];
  }
  const lines = diffSteps(was.steps, is.steps).map((line) => prefix + line);
  const rest = lines.length - MOST_LINES;
  return [
    ...diffFields(prefix, withoutSteps(was), withoutSteps(is)),
    ...lines.slice(0, MOST_LINES),
    ...(rest > 0 ? [`${prefix}rollout steps: ${rest} more changes`] : []),
  ];
}

function summary({ start, steps }: Rollout): string {
  const [first, last] = [steps.at(0), steps.at(-1)].map((step) => formatShare(step?.canaryPpm ?? 0));
  const count = steps.length === 1 ? "1 step" : `${steps.length} steps`;
  return `${count}, canary ${first === last ? first : `${first} to ${last}`}, start ${start}`;
}

/** Until it has begun new serves nobody, and is shown what the first step shows it. What changes has an arrow. */
function sharesAtFirst({ canary, shadow }: Route, { start, steps }: Rollout): string {
  const first = steps[0];
  const canaryPpm = start === "running" ? (first?.canaryPpm ?? 0) : 0;
  const words = (name: string, wasPpm: number, isPpm: number): string =>
    `${name} ${wasPpm === isPpm ? "" : `${formatShare(wasPpm)} → `}${formatShare(isPpm)}`;
  const canaryWords = words("canary", canary.sharePpm, canaryPpm);
  return `${canaryWords}, ${words("shadow", shadow.sharePpm, first?.shadowPpm ?? 0)}`;
}

function withoutSteps(rollout: Rollout): Description {
  const { steps: _, ...rest } = describeRollout(rollout);
  return { rollout: { gates: {}, ...rest } };
}

function diffSteps(before: readonly RolloutStep[], after: readonly RolloutStep[]): string[] {
  const lines: string[] = [];
  let [at, now] = [0, 0];
  let gone: RolloutStep[] = [];
  let fresh: RolloutStep[] = [];
  // Steps that came where others went are those, edited.
  const settle = () => {
    for (let i = 0; i < Math.max(gone.length, fresh.length); i++, at++, now++) {
      const [was, is] = [gone[i], fresh[i]];
      if (was && is) lines.push(...diffStep(now, was, is));
      else if (was) lines.push(`rollout step ${at} removed: ${words(was)}`);
      else if (is) lines.push(`rollout step ${now} added: ${words(is)}`);
    }
    at -= Math.max(0, fresh.length - gone.length);
    now -= Math.max(0, gone.length - fresh.length);
    [gone, fresh] = [[], []];
  };
  for (const { added, removed, value } of diffArrays([...before], [...after], { comparator: isAlike })) {
    if (removed) gone = value;
    else if (added) fresh = value;
    else {
      settle();
      for (let i = 0; i < value.length; i++, at++, now++) {
        const [was, is] = [before[at], after[now]];
        if (was && is) lines.push(...diffStep(now, was, is));
      }
    }
  }
  settle();
  return lines;
}

const isAlike = (a: RolloutStep, b: RolloutStep): boolean =>
  a.canaryPpm === b.canaryPpm && a.shadowPpm === b.shadowPpm;

function diffStep(index: number, was: RolloutStep, is: RolloutStep): string[] {
  const canary = was.canaryPpm === is.canaryPpm ? ` (canary ${formatShare(is.canaryPpm)})` : "";
  return diffFields(`rollout step ${index}${canary}: `, stepFields(was), stepFields(is));
}

const stepFields = (step: RolloutStep): Description => ({ ...describeStep(step), gate: step.gates });

/** "canary 5%, shadow 100%, bake 30m, minSamples 50, gate backfill-done, approve" */
function words(step: RolloutStep): string {
  const { canary, shadow, bake, minSamples } = describeStep(step);
  return [
    `canary ${canary}, shadow ${shadow}, bake ${bake}, minSamples ${minSamples}`,
    ...(step.gates.length > 0 ? [`gate ${step.gates.join(" and ")}`] : []),
    ...(step.approve ? ["approve"] : []),
  ].join(", ");
}
