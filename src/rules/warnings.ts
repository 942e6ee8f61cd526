/** Sound rules that cannot do what they say: not errors, but told at load. */

import type { Ruleset } from "../model/ruleset.ts";
import { IDLE_COMPARE_RULES } from "./idle-compare.ts";
import { hasShadow, IDLE_ROLLOUT_RULES, idleRolloutRules } from "./idle-rollout.ts";
import { guardOf, type IdleRule, isOn, methodsIdle } from "./idle-rule.ts";
import { whyWholeIsIdle } from "./idle-whole.ts";
import type { MergedRoute } from "./merge.ts";
import { placeText } from "./problem.ts";
import { hiddenRoutes } from "./reach.ts";
import { rolloutOf } from "./resolve-rollout.ts";
import { DEFAULT_SHADOW_METHODS } from "./resolve-route.ts";
import { spanOf } from "./source-file.ts";
import { formatDuration } from "./units.ts";

/** "place  what does nothing: what to do", in the order of the routes. `merged` and the routes go together. */
export function warningsOf(merged: readonly MergedRoute[], ruleset: Ruleset): string[] {
  const warnings: string[] = [];
  const hidden = hiddenRoutes(ruleset.routes);
  for (const [index, route] of ruleset.routes.entries()) {
    const hider = hidden.get(route);
    const place = merged[index]?.placeOf(["name"]);
    const at = place ? `${placeText(place.file, spanOf(place))}  ` : "";
    if (hider)
      warnings.push(
        `${at}route ${route.name} gets no request: route ${hider.name} comes first and matches all of its own`,
      );
  }
  warnings.push(...idleRules(merged, ruleset));
  if (ruleset.routes.length === 0 && ruleset.unmatched === null) {
    warnings.push("there are no routes and no unmatched: every request gets a 404");
  }
  return warnings;
}

/** What is written under defaults does nothing only if it does nothing for any route that takes it over. */
function idleRules(merged: readonly MergedRoute[], { backends }: Ruleset): string[] {
  const idle = new Map<string, string>();
  const useful = new Set<string>();
  for (const route of merged) {
    for (const { field, isWritten, why } of [...IDLE_RULES, ...idleRolloutRules(route)]) {
      if (!isWritten(route)) continue;
      const newBackend = route.fields.new;
      const headersMs =
        newBackend !== undefined && Object.hasOwn(backends, newBackend)
          ? backends[newBackend]?.timeouts.headersMs
          : undefined;
      const place = route.placeOf(field);
      const at = `${placeText(place.file, spanOf({ ...place, at: "key" }))}  `;
      const reason = why(route, headersMs);
      const rule = `${at}${field.join(".")}`;
      if (reason === undefined) useful.add(rule);
      else if (!idle.has(rule)) idle.set(rule, `${at}route ${route.name}: ${reason}`);
    }
  }
  return [...idle].filter(([rule]) => !useful.has(rule)).map(([, warning]) => warning);
}

/** A share of 0% counts: it is a stage, and the next one is near. */
const usesNew = ({ fields }: MergedRoute) =>
  fields.canary !== undefined ||
  fields.split !== undefined ||
  fields.shadow !== undefined ||
  rolloutOf(fields) !== undefined;

const IDLE_RULES: readonly IdleRule[] = [
  {
    field: ["guard", "mismatches"],
    isWritten: (route) => isOn(guardOf(route)?.mismatches),
    why: (route) => {
      const { fields } = route;
      // That the whole guard has nothing to judge is said of the guard.
      if (!usesNew(route)) return undefined;
      if (fields.compare === "off")
        return "guard.mismatches counts compared shadows, and compare is off: take compare: off away, or guard.mismatches";
      if (rolloutOf(fields) === undefined && fields.shadow !== undefined) {
        const shares = { canaryPpm: fields.canary?.share ?? 0, shadowPpm: fields.shadow.share ?? 0 };
        return whyWholeIsIdle(route, shares);
      }
      return hasShadow(route)
        ? undefined
        : "guard.mismatches counts compared shadows, and there is no shadow: write shadow: 100%, or leave guard.mismatches out";
    },
  },
  {
    field: ["guard"],
    isWritten: (route) => guardOf(route) !== undefined,
    why: (route) => {
      if (!usesNew(route))
        return "guard judges the answers of new, and new gets no request: write canary, split, shadow or rollout, or leave guard out";
      const guard = guardOf(route);
      const isIdle =
        guard?.errors === "off" &&
        guard.killSwitch === "off" &&
        !isOn(guard.latency) &&
        !isOn(guard.mismatches);
      return isIdle
        ? "every test of guard is off, so nothing is rolled back: write guard: off if that is meant, else leave one on"
        : undefined;
    },
  },
  {
    field: ["guard", "clientErrors"],
    isWritten: (route) => isOn(guardOf(route)?.clientErrors),
    why: (route) =>
      guardOf(route)?.errors === "off"
        ? "guard.clientErrors says which 4xx are judged, and guard.errors is off, which judges none: leave clientErrors out, or errors: off"
        : undefined,
  },
  {
    field: ["compare"],
    isWritten: ({ fields }) => isOn(fields.compare),
    why: (route) =>
      hasShadow(route)
        ? undefined
        : "compare is about the answers of shadows, and there is no shadow: write shadow: 100%, or leave compare out",
  },
  ...IDLE_COMPARE_RULES,
  ...IDLE_ROLLOUT_RULES,
  {
    field: ["canary", "methods"],
    isWritten: ({ fields }) => fields.canary?.methods !== undefined,
    why: (route) => methodsIdle(route, "canary", route.fields.canary?.methods ?? []),
  },
  {
    field: ["shadow"],
    isWritten: ({ fields }) => fields.shadow !== undefined,
    why: (route) => methodsIdle(route, "shadow", route.fields.shadow?.methods ?? DEFAULT_SHADOW_METHODS),
  },
  {
    field: ["rollout"],
    // Where shadow is written it is said of that.
    isWritten: (route) => route.fields.shadow === undefined && hasShadow(route),
    why: (route) => methodsIdle(route, "shadow", DEFAULT_SHADOW_METHODS),
  },
  {
    field: ["fallback", "after"],
    isWritten: ({ fields: { fallback } }) => fallback !== "off" && fallback?.after !== undefined,
    why: ({ fields: { fallback, new: backend } }, headersMs) => {
      const afterMs = fallback === "off" ? undefined : fallback?.after;
      if (afterMs === undefined || headersMs === undefined || afterMs <= headersMs) return undefined;
      const headers = formatDuration(headersMs);
      return `fallback.after is ${formatDuration(afterMs)}, but ${backend} has timeouts.headers ${headers}, which ends the wait: write fallback: { after: ${headers} }, or raise timeouts.headers`;
    },
  },
];
