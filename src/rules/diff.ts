/** What changed in meaning between two rulesets, one line a change. */

import type { KeyFile, Route, Ruleset } from "../model/ruleset.ts";
import { describeBackend, describeRoute, describeRuleset } from "./describe.ts";
import { diffRollout } from "./diff-rollout.ts";
import { diffFields, diffValue, union } from "./diff-values.ts";

/**
 * Lines such as "profiles: canary 5% → 10%", "added route x", "backends.modern: urls …". Empty when nothing
 * changed that a request could notice: comments, order of backends, other spellings.
 */
export function diffRulesets(before: Ruleset, after: Ruleset): string[] {
  return [
    ...diffBackends(before, after),
    ...diffValue("unmatched", before.unmatched ?? "404", after.unmatched ?? "404"),
    ...diffFields("limits: ", describeRuleset(before).limits, describeRuleset(after).limits),
    ...diffRoutes(before.routes, after.routes),
  ];
}

function diffBackends(before: Ruleset, after: Ruleset): string[] {
  const lines: string[] = [];
  for (const name of union(Object.keys(before.backends), Object.keys(after.backends))) {
    const old = Object.hasOwn(before.backends, name) ? before.backends[name] : undefined;
    const now = Object.hasOwn(after.backends, name) ? after.backends[name] : undefined;
    if (!old) lines.push(`added backend ${name}`);
    else if (!now) lines.push(`removed backend ${name}`);
    else {
      lines.push(...diffFields(`backends.${name}: `, describeBackend(old), describeBackend(now)));
      const hadKey = old.tls?.key ?? null;
      const hasKey = now.tls?.key ?? null;
      // The description hides keys: two different ones look alike there.
      if (hadKey !== null && hasKey !== null && hadKey !== hasKey)
        lines.push(`backends.${name}: tls.key replaced`);
    }
  }
  return lines;
}

function diffRoutes(before: readonly Route[], after: readonly Route[]): string[] {
  const lines: string[] = [];
  const old = new Map(before.map((route) => [route.name, route]));
  const now = new Map(after.map((route) => [route.name, route]));
  for (const name of union([...old.keys()], [...now.keys()])) {
    const [was, is] = [old.get(name), now.get(name)];
    if (!was) lines.push(`added route ${name}`);
    else if (!is) lines.push(`removed route ${name}`);
    else lines.push(...diffRoute(was, is));
  }
  const stayed = before.filter((route) => now.has(route.name)).map((route) => route.name);
  const order = after.filter((route) => old.has(route.name)).map((route) => route.name);
  if (stayed.join(" ") !== order.join(" "))
    lines.push(`routes are tried in another order: ${order.join(", ")}`);
  return lines;
}

function diffRoute(before: Route, after: Route): string[] {
  const prefix = `${after.name}: `;
  // Steps are told in words of their own, and with them the shares that act.
  const isStaged = before.rollout !== null || after.rollout !== null;
  const { rollout: _, ...was } = describeRoute(isStaged ? withoutShares(before) : before);
  const { rollout: __, ...is } = describeRoute(isStaged ? withoutShares(after) : after);
  return [
    ...diffFields(prefix, was, is),
    ...diffRollout(prefix, before, after),
    ...diffKeyFiles(prefix, before.split?.newFile ?? null, after.split?.newFile ?? null),
  ];
}

/** Beside a rollout the route's own shares do not act: a change of them would be read as one of traffic. */
function withoutShares(route: Route): Route {
  const { canary, shadow } = route;
  return { ...route, canary: { ...canary, sharePpm: 0 }, shadow: { ...shadow, sharePpm: 0 } };
}

/** A key file that came, went or moved is a line of its own already; here it is about its keys. */
function diffKeyFiles(prefix: string, before: KeyFile | null, after: KeyFile | null): string[] {
  if (!before || !after || before === after) return [];
  if (before.count !== after.count)
    return [`${prefix}split.newFile ${before.count} keys → ${after.count} keys`];
  // Under another secret all fingerprints differ: that says nothing about the keys.
  if (before.secret !== after.secret) return [];
  const [old, now] = [Buffer.from(before.fingerprints), Buffer.from(after.fingerprints)];
  return old.equals(now) ? [] : [`${prefix}split.newFile has other keys, still ${after.count}`];
}
