/** Where new serves everything, old has no answers that new could be shown: only the reverse can be compared. */

import { type RolloutStep, WHOLE_PPM } from "../model/ruleset.ts";
import { guardOf, isOn, methodsOf } from "./idle-rule.ts";
import type { MergedRoute } from "./merge.ts";
import { DEFAULT_SHADOW_METHODS } from "./resolve-route.ts";
import { formatShare } from "./units.ts";

type Shares = Pick<RolloutStep, "canaryPpm" | "shadowPpm">;

/** Why `guard.mismatches` judges nothing at these static shares, and what to write; undefined: it does. */
export function whyWholeIsIdle(route: MergedRoute, shares: Shares): string | undefined {
  if (!isWholeUncompared(route, shares)) return undefined;
  const share = formatShare(shares.shadowPpm);
  return `guard.mismatches counts compared shadows, and at canary 100% there are none, as old serves nothing that new could be shown: write shadow: { share: ${share}, reverse: true }, which shows old what new serves, or leave guard.mismatches out`;
}

/** The same of a step, said once, of the first one with everything on new. */
export function whyWholeStepIsIdle(
  route: MergedRoute,
  steps: readonly Shares[],
  index: number,
): string | undefined {
  const first = steps.findIndex((shares) => isWholeUncompared(route, shares));
  if (first !== index) return undefined;
  return `step ${index} of rollout gives everything to new (canary 100%), so nothing is compared there and guard.mismatches judges nothing: write shadow: { reverse: true } in the route, which shows old what new serves, or shadow: 0% in the step if that is meant`;
}

function isWholeUncompared(route: MergedRoute, { canaryPpm, shadowPpm }: Shares): boolean {
  const { shadow, compare } = route.fields;
  if (canaryPpm < WHOLE_PPM || shadowPpm === 0 || shadow?.reverse === true) return false;
  return compare !== "off" && isOn(guardOf(route)?.mismatches) && !leavesShadowsOnOld(route);
}

/** Methods that canary does not take, and shadow does. */
function leavesShadowsOnOld({ fields: { canary, shadow, match } }: MergedRoute): boolean {
  const ofCanary = canary?.methods;
  if (ofCanary === undefined) return false;
  const ofShadow = shadow?.methods ?? DEFAULT_SHADOW_METHODS;
  return methodsOf(match, ofShadow).some((method) => ofShadow.includes(method) && !ofCanary.includes(method));
}
