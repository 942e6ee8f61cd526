/** What a rollout, or what stands beside one, may say in vain. */

import type { RolloutStep } from "../model/ruleset.ts";
import { guardOf, type IdleRule, isOn, methodsIdle } from "./idle-rule.ts";
import { whyWholeStepIsIdle } from "./idle-whole.ts";
import type { MergedRoute } from "./merge.ts";
import { gateNames, rolloutOf, stepShares } from "./resolve-rollout.ts";
import { DEFAULT_SHADOW_METHODS } from "./resolve-route.ts";
import { formatShare } from "./units.ts";

type Shares = Pick<RolloutStep, "canaryPpm" | "shadowPpm">;

/** Is there a shadow, now or in a step? A share of 0% counts where it is static: it is a stage, and the next one is near. */
export const hasShadow = ({ fields }: MergedRoute): boolean =>
  rolloutOf(fields) === undefined
    ? fields.shadow !== undefined
    : stepShares(fields).some(({ shadowPpm }) => shadowPpm > 0);

const hasRollout = ({ fields }: MergedRoute): boolean => rolloutOf(fields) !== undefined;

export const IDLE_ROLLOUT_RULES: readonly IdleRule[] = [
  {
    field: ["canary", "share"],
    isWritten: (route) => hasRollout(route) && (route.fields.canary?.share ?? 0) > 0,
    why: ({ fields }) =>
      `canary.share is ${formatShare(fields.canary?.share ?? 0)}, and with a rollout its steps say the share: leave it out; always, never and methods of canary act all the same`,
  },
  {
    field: ["shadow", "share"],
    isWritten: (route) => hasRollout(route) && (route.fields.shadow?.share ?? 0) > 0,
    why: ({ fields }) => {
      const share = fields.shadow?.share ?? 0;
      const [first] = stepShares(fields);
      // Of a first step that names none it is the share.
      if (first === undefined || first.shadowPpm === share) return undefined;
      return `shadow.share is ${formatShare(share)}, and with a rollout its steps say the share, the first of them ${formatShare(first.shadowPpm)}: leave it out`;
    },
  },
  {
    field: ["guard"],
    isWritten: (route) => hasRollout(route) && route.fields.guard === "off",
    why: () =>
      "guard is off, so no step is held up by what new answers, and nothing is rolled back: bake, gates and approval alone decide; leave guard: off out if that is not meant",
  },
];

/** One for each step and each gate, which are as many as there are. */
export function idleRolloutRules(route: MergedRoute): IdleRule[] {
  const fields = rolloutOf(route.fields);
  if (fields === undefined) return [];
  const named = new Set((fields.steps ?? []).flatMap(gateNames));
  return [
    ...Object.keys(fields.gates ?? {}).map((name) =>
      ruleOf(
        ["rollout", "gates", name],
        named.has(name)
          ? undefined
          : `no step names the gate ${name}: write gate: ${name} in a step, or take it out`,
      ),
    ),
    ...stepShares(route.fields).map((shares, index, steps) =>
      ruleOf(
        ["rollout", "steps", index],
        whyNothingIsSeen(route, shares, index) ?? whyWholeStepIsIdle(route, steps, index),
      ),
    ),
  ];
}

const ruleOf = (field: IdleRule["field"], why: string | undefined): IdleRule => ({
  field,
  isWritten: () => true,
  why: () => why,
});

/** A step in which nothing of new can be seen is left by a person alone. */
function whyNothingIsSeen(
  route: MergedRoute,
  { canaryPpm, shadowPpm }: Shares,
  index: number,
): string | undefined {
  const { fields } = route;
  if (canaryPpm > 0 || !isOn(fields.guard ?? "on") || fields.split || fields.canary?.always) return undefined;
  const stays = "so the rollout stays there until a person promotes it";
  if (shadowPpm === 0)
    return `step ${index} of rollout sends nothing to new (canary 0%, shadow 0%), ${stays}: write shadow: 100%, or leave the step out`;
  if (fields.compare === "off")
    return `step ${index} of rollout only shadows, and compare is off: there are no compared pairs to go on from, ${stays}: take compare: off away, or begin with a canary`;
  return whyNothingIsJudged(route, index);
}

/** Said once, of the first step that only shadows: its pairs are counted, and what differs in them holds nothing up. */
function whyNothingIsJudged(route: MergedRoute, index: number): string | undefined {
  const { fields } = route;
  const isFirst = stepShares(fields).findIndex(({ shadowPpm }) => shadowPpm > 0) === index;
  // Off is a decision, and where nothing is shadowed that is said.
  if (!isFirst || guardOf(route)?.mismatches !== undefined) return undefined;
  if (methodsIdle(route, "shadow", fields.shadow?.methods ?? DEFAULT_SHADOW_METHODS)) return undefined;
  return `new serves nobody in step ${index} and guard.mismatches is not written: the differences found there are not judged; write guard: { mismatches: { max: 1% } }, or mismatches: off if that is meant`;
}
