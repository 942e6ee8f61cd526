/** Answers "where would this request go, and why": the data plane's own decision, on the rules in force. */

import type { ExplainRequest } from "../admin/desk.ts";
import type { Books } from "../control/books.ts";
import { bucketOf } from "../model/bucket.ts";
import { type CompiledRules, compileRules } from "../model/compiled.ts";
import { decide, type StepTrace } from "../model/decide.ts";
import { createFacts, findHeader } from "../model/facts.ts";
import type { Explanation } from "../model/reports.ts";
import { findRoute } from "../model/router.ts";
import { type Route, type Ruleset, type Side, WHOLE_PPM } from "../model/ruleset.ts";

/** Compiled once a ruleset: a thousand routes are not compiled anew for each question. */
const compiledRules = new WeakMap<Ruleset, CompiledRules>();

export function explain(request: ExplainRequest, ruleset: Ruleset, books: Books): Explanation {
  const compiled = compiledRules.get(ruleset) ?? compileRules(ruleset);
  compiledRules.set(ruleset, compiled);
  const { target, host } = splitUrl(request.url);
  const hasHost = findHeader(request.headers, "host") !== undefined;
  const headers = hasHost || host === null ? request.headers : ["host", host, ...request.headers];
  const facts = createFacts(request.method, target, headers, "127.0.0.1");
  const match = findRoute(compiled.router, facts);
  if (match === null) return unmatched(ruleset);
  const compiledRoute = compiled.routes[match.routeIndex] as CompiledRules["routes"][number];
  const { route } = compiledRoute;
  const tile = books.named(route.name)?.tile;
  const live = {
    latched: tile?.latched ?? false,
    closed: tile?.closed ?? false,
    canaryPpm: tile?.canaryPpm(route.canary.sharePpm) ?? route.canary.sharePpm,
  };
  const steps: StepTrace[] = [{ step: "which route matches?", outcome: route.name }];
  // An anonymous client gets a key of its own: any one will do to show what happens.
  const chance = { draw: () => 0.5, freshKey: () => "0123456789abcdef0123456789abcdef" };
  const decision = decide(
    { compiled: compiledRoute, template: match.template, facts, live, forced: null, chance },
    steps,
  );
  const { who, side, reason } = decision;
  const bucket = who === null ? null : bucketOf(route.name, who.key) / WHOLE_PPM;
  return {
    rules: ruleset.version,
    route: route.name,
    key: who === null ? null : { source: who.source, value: who.assigned ? "(a new cookie)" : who.key },
    bucket: who?.assigned ? null : bucket,
    canary: live.latched ? 0 : live.canaryPpm / WHOLE_PPM,
    side: isDrawn(who === null || who.assigned, live.canaryPpm, reason) ? null : side,
    reason: isDrawn(who === null || who.assigned, live.canaryPpm, reason)
      ? `without a key each request is drawn on its own: ${live.canaryPpm / 10_000}% go to new`
      : reason,
    backend: side === "old" ? route.old : route.new,
    shadow: shadowWords(route, facts.method, side),
    steps,
  };
}

/** The side is chance's to choose: neither 0% nor 100%, and no key. */
function isDrawn(anonymous: boolean, canaryPpm: number, reason: string): boolean {
  if (!anonymous || canaryPpm <= 0 || canaryPpm >= WHOLE_PPM) return false;
  return reason === "canary-share" || reason === "default-old";
}

function shadowWords(route: Route, method: string, side: Side): string {
  const { shadow } = route;
  if (shadow.sharePpm === 0) return "no: the shadow share is 0%";
  if (!shadow.methods.includes(method)) return `no: ${method} is not among shadow.methods`;
  if (side === "new" && !shadow.reverse) return "no: served by new, and shadow.reverse is off";
  return `${shadow.sharePpm / 10_000}% to ${side === "old" ? "new" : "old"}`;
}

function unmatched(ruleset: Ruleset): Explanation {
  return {
    rules: ruleset.version,
    route: null,
    key: null,
    bucket: null,
    canary: 0,
    side: ruleset.unmatched === null ? null : "old",
    reason: "unmatched",
    backend: ruleset.unmatched,
    shadow: "no: no route matches",
    steps: [
      {
        step: "which route matches?",
        outcome: ruleset.unmatched === null ? "none: answered 404" : `none: goes to ${ruleset.unmatched}`,
      },
    ],
  };
}

/** An absolute URL's host and target, or a target alone. Nothing is normalised: that would be another request. */
function splitUrl(url: string): { target: string; host: string | null } {
  const parts = /^https?:\/\/([^/?#]+)([^#]*)/i.exec(url);
  if (parts === null) return { target: url.startsWith("/") ? url : `/${url}`, host: null };
  const target = parts[2] as string;
  return { target: target.startsWith("/") ? target : `/${target}`, host: parts[1] as string };
}
