/** Ruleset → the rules that would give it, everything spelled out, in the units of people. */

import { createHash } from "node:crypto";
import { describeKeySource } from "../model/key.ts";
import type {
  Backend,
  Condition,
  Guard,
  Matcher,
  Route,
  Ruleset,
  Shadow,
  Tls,
  Upgrade,
} from "../model/ruleset.ts";
import type { DescribedValue, Description } from "./description.ts";
import { describeCompare } from "./resolve-compare.ts";
import { describeRollout } from "./resolve-rollout.ts";
import { formatDuration, formatFalseAlarms, formatRate, formatShare, formatSize } from "./units.ts";

const SAFE_METHODS = ["GET", "HEAD", "OPTIONS", "TRACE"];

/**
 * The resolved rules for `check --print`. Private keys are not shown, certificates by their fingerprint, key
 * files by their absolute path.
 */
export function describeRuleset(ruleset: Ruleset): Description {
  return escaped({
    version: 1,
    backends: Object.fromEntries(
      Object.entries(ruleset.backends).map(([name, each]) => [name, describeBackend(each)]),
    ),
    ...given("unmatched", ruleset.unmatched),
    limits: {
      requestHead: formatSize(ruleset.limits.requestHeadBytes),
      headTimeout: formatDuration(ruleset.limits.headTimeoutMs),
      bodyStallTimeout: formatDuration(ruleset.limits.bodyStallTimeoutMs),
      body: formatSize(ruleset.limits.maxBodyBytes),
      idleTimeout: formatDuration(ruleset.limits.idleTimeoutMs),
      connections: ruleset.limits.connections,
      inFlight: ruleset.limits.inFlight,
      trustedProxies: ruleset.limits.trustedProxies,
    },
    routes: ruleset.routes.map(describeRoute),
  });
}

/** A dollar that would begin a variable, or stand for one dollar, is written twice. */
function escaped(description: Description): Description {
  const write = (value: DescribedValue): DescribedValue => {
    if (typeof value === "string") return value.replace(/\$(?=[${])/g, "$$$$");
    if (typeof value !== "object") return value;
    return isItems(value) ? value.map(write) : escaped(value);
  };
  return Object.fromEntries(Object.entries(description).map(([field, value]) => [field, write(value)]));
}

const isItems = (value: readonly DescribedValue[] | Description): value is readonly DescribedValue[] =>
  Array.isArray(value);

export function describeBackend(backend: Backend): Description {
  const { timeouts, host, health, tls } = backend;
  return {
    urls: backend.urls,
    timeouts: {
      connect: formatDuration(timeouts.connectMs),
      headers: formatDuration(timeouts.headersMs),
      stall: formatDuration(timeouts.stallMs),
      ...given("request", timeouts.requestMs === null ? null : formatDuration(timeouts.requestMs)),
    },
    maxConnections: backend.maxConnections,
    maxWaiting: backend.maxWaiting,
    ...(health ? { health: { path: health.path, interval: formatDuration(health.intervalMs) } } : {}),
    host: host.kind === "name" ? host.name : host.kind,
    ...(tls ? { tls: describeTls(tls) } : {}),
  };
}

function describeTls(tls: Tls): Description {
  return {
    ...given("ca", tls.ca && fingerprint(tls.ca)),
    ...given("serverName", tls.serverName),
    ...given("cert", tls.cert && fingerprint(tls.cert)),
    ...given("key", tls.key && "(not shown)"),
  };
}

const fingerprint = (pem: string) => `sha256:${createHash("sha256").update(pem).digest("hex").slice(0, 12)}`;

export function describeRoute(route: Route): Description {
  return {
    name: route.name,
    ...(route.match.length > 0 ? { match: route.match.map(describeCondition) } : {}),
    old: route.old,
    ...given("new", route.new),
    ...(route.key.length > 0 ? { key: route.key.map(describeKeySource) } : {}),
    ...(route.new === null ? {} : describeUseOfNew(route)),
    ...(route.maxBodyBytes === null ? {} : { limits: { body: formatSize(route.maxBodyBytes) } }),
    upgrade: route.upgrade ? describeUpgrade(route.upgrade) : "off",
    revision: route.revision,
  };
}

/** What only a route with a new can have. */
function describeUseOfNew(route: Route): Description {
  const { split, canary, fallback, compare, guard, rollout } = route;
  return {
    ...(split
      ? {
          split: {
            new: split.new,
            ...given("newFile", split.newFile?.path ?? null),
            old: split.old,
            onRollback: split.onRollback,
          },
        }
      : {}),
    canary: {
      share: formatShare(canary.sharePpm),
      always: canary.always.map(describeMatcher),
      never: canary.never.map(describeMatcher),
      ...given("methods", canary.methods),
    },
    shadow: describeShadow(route.shadow),
    compare: compare ? describeCompare(compare) : "off",
    fallback: fallback ? { when: fallback.when, after: formatDuration(fallback.afterMs) } : "off",
    guard: guard ? describeGuard(guard) : "off",
    ...(rollout ? { rollout: describeRollout(rollout) } : {}),
  };
}

function describeCondition(condition: Condition): Description {
  return {
    ...given("path", condition.path),
    ...given("methods", condition.methods),
    ...given("hosts", condition.hosts),
    ...(Object.keys(condition.headers).length > 0 ? { headers: condition.headers } : {}),
    ...(Object.keys(condition.query).length > 0 ? { query: condition.query } : {}),
  };
}

function describeMatcher({ source, name, test }: Matcher): Description {
  switch (test.kind) {
    case "equals":
      return { [source]: name, equals: test.value };
    case "matches":
      return { [source]: name, matches: test.pattern };
    case "present":
      return { [source]: name };
  }
}

function describeShadow(shadow: Shadow): Description {
  return {
    share: formatShare(shadow.sharePpm),
    methods: shadow.methods,
    ...(shadow.methods.every((method) => SAFE_METHODS.includes(method)) ? {} : { sideEffects: "allowed" }),
    reverse: shadow.reverse,
    maxBody: formatSize(shadow.maxBodyBytes),
    timeout: formatDuration(shadow.timeoutMs),
    concurrency: shadow.concurrency,
    ...given("rate", shadow.ratePerSecond && formatRate(shadow.ratePerSecond)),
  };
}

function describeGuard(guard: Guard): Description {
  return {
    errors: guard.errors ? { max: rate(guard.errors.maxRate), ratio: guard.errors.ratio } : "off",
    clientErrors: guard.clientErrors,
    latency: guard.latency ? { ratio: guard.latency.ratio } : "off",
    mismatches: guard.mismatches ? { max: rate(guard.mismatches.maxRate) } : "off",
    minSamples: guard.minSamples,
    killSwitch: guard.killSwitch ?? "off",
    falseAlarms: formatFalseAlarms(guard.falseAlarmSeconds),
  };
}

function describeUpgrade({ protocols, idleMs, maxMs, onRollback }: Upgrade): Description {
  return { protocols, idle: formatDuration(idleMs), max: formatDuration(maxMs), onRollback };
}

const rate = (ratio: number) => formatShare(Math.round(ratio * 1_000_000));

function given(field: string, value: DescribedValue | null): Description {
  return value === null ? {} : { [field]: value };
}
