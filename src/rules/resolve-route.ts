/** One route: its merged fields and the built-in values, in the shape that the data plane reads. */

import type {
  Canary,
  Condition,
  Fallback,
  Guard,
  KeyFile,
  Matcher,
  Route,
  Shadow,
  Split,
  Upgrade,
} from "../model/ruleset.ts";
import { DEFAULT_UPGRADE } from "../model/upgrade.ts";
import type { MergedRoute } from "./merge.ts";
import { resolveCompare } from "./resolve-compare.ts";
import { resolveRollout } from "./resolve-rollout.ts";
import type { ConditionFields, MatcherFields, RouteFields } from "./schema.ts";

export const DEFAULT_SHADOW_METHODS = ["GET", "HEAD"];
const DEFAULT_SHADOW_BODY_BYTES = 256 * 1024;
const DEFAULT_SHADOW_TIMEOUT_MS = 10_000;
const DEFAULT_SHADOW_CONCURRENCY = 64;
const DEFAULT_FALLBACK_AFTER_MS = 5_000;
const DEFAULT_ERROR_RATE = 0.05;
const DEFAULT_MISMATCH_RATE = 0.01;
const DEFAULT_RATIO = 2;
const DEFAULT_MIN_SAMPLES = 50;
const DEFAULT_KILL_SWITCH = 5;
const DEFAULT_FALSE_ALARM_SECONDS = 90 * 86_400;
const PPM = 1_000_000;

/** `newHeadersMs` bounds how long a fallback waits for new; null: the route has no new, or one with mistakes. */
export function resolveRoute(
  route: MergedRoute,
  old: string,
  keyFile: KeyFile | null,
  newHeadersMs: number | null,
): Route {
  const { fields } = route;
  const hasNew = fields.new !== undefined;
  const guard = hasNew ? guardOf(fields) : null;
  return {
    name: route.name,
    match: conditionsOf(fields.match),
    old,
    new: fields.new ?? null,
    key: fields.key ?? [],
    split: fields.split ? splitOf(fields.split, keyFile) : null,
    canary: canaryOf(fields.canary),
    shadow: shadowOf(fields.shadow),
    compare: fields.compare === "off" ? null : resolveCompare(fields.compare, guard),
    fallback: hasNew ? fallbackOf(fields.fallback, newHeadersMs) : null,
    guard,
    maxBodyBytes: fields.limits?.body ?? null,
    upgrade: fields.upgrade === "off" ? null : upgradeOf(fields.upgrade),
    revision: fields.revision ?? 1,
    rollout: hasNew ? resolveRollout(route, guard?.minSamples ?? DEFAULT_MIN_SAMPLES) : null,
  };
}

function conditionsOf(match: MergedRoute["fields"]["match"]): Condition[] {
  if (match === undefined) return [];
  return (Array.isArray(match) ? match : [match]).map(conditionOf);
}

function conditionOf(fields: ConditionFields): Condition {
  const headers = Object.entries(fields.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    path: fields.path ?? null,
    methods: fields.methods ?? null,
    hosts: fields.hosts ?? null,
    headers: Object.fromEntries(headers),
    query: fields.query ?? {},
  };
}

function splitOf(fields: NonNullable<RouteFields["split"]>, newFile: KeyFile | null): Split {
  return { new: fields.new ?? [], newFile, old: fields.old ?? [], onRollback: fields.onRollback ?? "old" };
}

function canaryOf(fields: RouteFields["canary"]): Canary {
  return {
    sharePpm: fields?.share ?? 0,
    always: (fields?.always ?? []).map(matcherOf),
    never: (fields?.never ?? []).map(matcherOf),
    methods: fields?.methods ?? null,
  };
}

/** checks.ts reports matchers that name neither a header nor a cookie, or both. */
function matcherOf(fields: MatcherFields): Matcher {
  const source = fields.header === undefined ? "cookie" : "header";
  const test: Matcher["test"] =
    fields.equals !== undefined
      ? { kind: "equals", value: fields.equals }
      : fields.matches !== undefined
        ? { kind: "matches", pattern: fields.matches }
        : { kind: "present" };
  return { source, name: fields.header ?? fields.cookie ?? "", test };
}

function shadowOf(fields: RouteFields["shadow"]): Shadow {
  return {
    sharePpm: fields?.share ?? 0,
    methods: fields?.methods ?? DEFAULT_SHADOW_METHODS,
    reverse: fields?.reverse ?? false,
    maxBodyBytes: fields?.maxBody ?? DEFAULT_SHADOW_BODY_BYTES,
    timeoutMs: fields?.timeout ?? DEFAULT_SHADOW_TIMEOUT_MS,
    concurrency: fields?.concurrency ?? DEFAULT_SHADOW_CONCURRENCY,
    ratePerSecond: fields?.rate ?? null,
  };
}

function fallbackOf(fields: RouteFields["fallback"], newHeadersMs: number | null): Fallback | null {
  if (fields === "off") return null;
  const afterMs = fields?.after ?? DEFAULT_FALLBACK_AFTER_MS;
  return { when: fields?.when ?? "safe", afterMs: Math.min(afterMs, newHeadersMs ?? afterMs) };
}

/** Guarded: a route that lets new serve, and one that asks for it. */
function guardOf(fields: RouteFields): Guard | null {
  const { guard } = fields;
  if (guard === "off") return null;
  if (guard === undefined && !isServedByNew(fields)) return null;
  const { errors, latency, mismatches, killSwitch } = guard ?? {};
  return {
    errors:
      errors === "off"
        ? null
        : { maxRate: (errors?.max ?? DEFAULT_ERROR_RATE * PPM) / PPM, ratio: errors?.ratio ?? DEFAULT_RATIO },
    clientErrors: guard?.clientErrors ?? "all",
    latency: latency === undefined || latency === "off" ? null : { ratio: latency.ratio ?? DEFAULT_RATIO },
    mismatches:
      mismatches === undefined || mismatches === "off"
        ? null
        : { maxRate: (mismatches.max ?? DEFAULT_MISMATCH_RATE * PPM) / PPM },
    minSamples: guard?.minSamples ?? DEFAULT_MIN_SAMPLES,
    killSwitch: killSwitch === "off" ? null : (killSwitch ?? DEFAULT_KILL_SWITCH),
    falseAlarmSeconds: guard?.falseAlarms ?? DEFAULT_FALSE_ALARM_SECONDS,
  };
}

const isServedByNew = ({ canary, split, rollout }: RouteFields): boolean =>
  canary !== undefined || split !== undefined || (rollout !== undefined && rollout !== "off");

function upgradeOf(fields: Exclude<RouteFields["upgrade"], "off">): Upgrade {
  return {
    protocols: fields?.protocols ?? DEFAULT_UPGRADE.protocols,
    idleMs: fields?.idle ?? DEFAULT_UPGRADE.idleMs,
    maxMs: fields?.max ?? DEFAULT_UPGRADE.maxMs,
    onRollback: fields?.onRollback ?? DEFAULT_UPGRADE.onRollback,
  };
}
