/** Answers "where would this request go, and why": the data plane's own decision, on the rules in force. */

import { timingSafeEqual } from "node:crypto";
import type { ExplainRequest } from "../admin/desk.ts";
import type { Books } from "../control/books.ts";
import type { Pins } from "../control/pins.ts";
import { bucketOf, unitOf } from "../model/bucket.ts";
import { type CompiledRules, compileRules } from "../model/compiled.ts";
import { type Decision, decide, type StepTrace } from "../model/decide.ts";
import { createFacts, type Facts, findHeader } from "../model/facts.ts";
import type { Explanation } from "../model/reports.ts";
import { findRoute } from "../model/router.ts";
import { type Route, type Ruleset, type Shadow, type Side, WHOLE_PPM } from "../model/ruleset.ts";

/** Compiled once a ruleset: a thousand routes are not compiled anew for each question. */
const compiledRules = new WeakMap<Ruleset, CompiledRules>();

/** What the data threads go by besides the rules. */
export interface Standing {
  readonly books: Books;
  readonly pins: Pick<Pins, "of">;
  /** Null: nobody can force a side. */
  readonly forceToken: string | null;
}

/** Answers as a data thread would decide, and says why. A force token is checked, and never repeated. */
export function explain(
  request: ExplainRequest,
  ruleset: Ruleset,
  { books, pins: allPins, forceToken }: Standing,
): Explanation {
  const compiled = compiledRules.get(ruleset) ?? compileRules(ruleset);
  compiledRules.set(ruleset, compiled);
  const { target, host } = splitUrl(request.url);
  const hasHost = findHeader(request.headers, "host") !== undefined;
  const headers = hasHost || host === null ? request.headers : ["host", host, ...request.headers];
  const facts = createFacts(request.method, target, headers, "127.0.0.1");
  const match = findRoute(compiled.router, facts);
  const steps: StepTrace[] = hostHint(ruleset, facts, match?.routeIndex ?? ruleset.routes.length);
  if (match === null) return unmatched(ruleset, steps);
  const compiledRoute = compiled.routes[match.routeIndex] as CompiledRules["routes"][number];
  const { route } = compiledRoute;
  const tile = books.named(route.name)?.tile;
  const live = {
    latched: tile?.latched ?? false,
    closed: tile?.closed ?? false,
    canaryPpm: tile?.canaryPpm(route.canary.sharePpm) ?? route.canary.sharePpm,
  };
  // Live, as the canary share is: a rollout sets both.
  const sharePpm = tile?.shadowPpm(route.shadow.sharePpm) ?? route.shadow.sharePpm;
  const shadow: Shadow = { ...route.shadow, sharePpm };
  steps.push({ step: "which route matches?", outcome: route.name });
  const forced = forcedSide(route, facts, forceToken);
  const pins = allPins.of(route.name);
  const decision = decide(
    { compiled: compiledRoute, template: match.template, facts, live, pins, forced, chance: ANY_CHANCE },
    steps,
  );
  const { who, side } = decision;
  const drawn = drawnWords(decision);
  if (drawn !== null) {
    // The draw is the last step; what it gave here says nothing about another request.
    const asked = steps.pop();
    if (asked !== undefined) steps.push({ ...asked, outcome: drawn });
  }
  const bucket = who === null || who.assigned ? null : bucketOf(route.name, who.key) / WHOLE_PPM;
  const fingerprint = who === null || who.assigned ? null : unitOf(route.name, who.key);
  return {
    rules: ruleset.version,
    route: route.name,
    key: who === null ? null : { source: who.source, value: who.assigned ? "(a new cookie)" : who.key },
    bucket,
    fingerprint,
    canary: live.latched ? 0 : live.canaryPpm / WHOLE_PPM,
    side: drawn === null ? side : null,
    reason: drawn ?? decision.reason,
    backend: drawn === null ? (side === "old" ? route.old : route.new) : null,
    shadow: drawn === null ? shadowWords(shadow, facts.method, side) : eitherShadow(shadow, facts.method),
    steps,
  };
}

/** An anonymous client gets a key of its own: any one will do to show what happens. */
const ANY_CHANCE = { draw: () => 0.5, freshKey: () => "0123456789abcdef0123456789abcdef" };

/** As on the data plane: a side, where there is one, with the process's token. */
function forcedSide(route: Route, { rawHeaders }: Facts, forceToken: string | null): Side | null {
  const side = findHeader(rawHeaders, "x-cutover-force");
  if (forceToken === null || (side !== "old" && side !== "new")) return null;
  if (side === "new" && route.new === null) return null;
  // In constant time, so that a token cannot be guessed byte by byte.
  const sent = Buffer.from(findHeader(rawHeaders, "x-cutover-token") ?? "", "latin1");
  const token = Buffer.from(forceToken);
  return sent.length === token.length && timingSafeEqual(sent, token) ? side : null;
}

/** Null where the side is certain; else how chance chooses it: neither 0% nor 100%, and no key yet. */
function drawnWords({ who, rhoPpm }: Decision): string | null {
  if ((who !== null && !who.assigned) || rhoPpm <= 0 || rhoPpm >= WHOLE_PPM) return null;
  const share = `${rhoPpm / 10_000}%`;
  return who === null
    ? `without a key each request is drawn on its own: ${share} of them go to new`
    : `the new cookie decides: ${share} of new clients go to new, and each stays on its side`;
}

/** Where no host was given, routes that name one cannot match, which is easily overlooked. */
function hostHint(ruleset: Ruleset, facts: Facts, before: number): StepTrace[] {
  const passedOver = ruleset.routes.slice(0, before);
  if (facts.host !== "" || !passedOver.some(({ match }) => match.some(({ hosts }) => hosts !== null)))
    return [];
  const outcome =
    "none given, so no condition with match.hosts holds: write http://HOST/path, or a header 'host: …'";
  return [{ step: "which host is asked for?", outcome }];
}

function eitherShadow(shadow: Shadow, method: string): string {
  const [old, fresh] = [shadowWords(shadow, method, "old"), shadowWords(shadow, method, "new")];
  return old === fresh ? old : `where old serves: ${old}; where new serves: ${fresh}`;
}

function shadowWords(shadow: Shadow, method: string, side: Side): string {
  if (shadow.sharePpm === 0) return "no: the shadow share is 0%";
  if (!shadow.methods.includes(method)) return `no: ${method} is not among shadow.methods`;
  if (side === "new" && !shadow.reverse) return "no: shadow.reverse is off, and new serves it";
  return `${shadow.sharePpm / 10_000}% to ${side === "old" ? "new" : "old"}`;
}

function unmatched(ruleset: Ruleset, steps: readonly StepTrace[]): Explanation {
  return {
    rules: ruleset.version,
    route: null,
    key: null,
    bucket: null,
    fingerprint: null,
    canary: 0,
    side: ruleset.unmatched === null ? null : "old",
    reason: "unmatched",
    backend: ruleset.unmatched,
    shadow: "no: no route matches",
    steps: [
      ...steps,
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
