/** Rules for tests, as rules/ would hand them over: the built-in values, changed where a test needs it. */

import { createFacts, type Facts } from "../../src/model/facts.ts";
import type { Canary, Condition, Route, Ruleset, Split } from "../../src/model/ruleset.ts";

export function conditionOf(changes: Partial<Condition> = {}): Condition {
  return { path: null, methods: null, hosts: null, headers: {}, query: {}, ...changes };
}

export function canaryOf(changes: Partial<Canary> = {}): Canary {
  return { sharePpm: 0, always: [], never: [], methods: null, ...changes };
}

export function splitOf(changes: Partial<Split> = {}): Split {
  return { new: [], newFile: null, old: [], onRollback: "old", ...changes };
}

export function routeOf(changes: Partial<Route> = {}): Route {
  return {
    name: "r",
    match: [],
    old: "legacy",
    new: "modern",
    key: [],
    split: null,
    canary: canaryOf(),
    shadow: {
      sharePpm: 0,
      methods: ["GET", "HEAD"],
      reverse: false,
      maxBodyBytes: 262_144,
      timeoutMs: 10_000,
      concurrency: 64,
      ratePerSecond: null,
    },
    compare: null,
    fallback: null,
    guard: null,
    maxBodyBytes: null,
    upgrade: null,
    revision: 0,
    rollout: null,
    ...changes,
  };
}

export function rulesetOf(routes: readonly Route[]): Ruleset {
  return {
    version: "0123456789ab",
    backends: {},
    unmatched: null,
    limits: {
      requestHeadBytes: 32_768,
      headTimeoutMs: 10_000,
      idleTimeoutMs: 60_000,
      connections: 10_000,
      inFlight: 4096,
      bodyStallTimeoutMs: 30_000,
      maxBodyBytes: 1_073_741_824,
      trustedProxies: [],
    },
    routes,
  };
}

/** A GET of a target, with headers as a flat list. */
export function factsOf(target: string, rawHeaders: readonly string[] = [], method = "GET"): Facts {
  return createFacts(method, target, rawHeaders, "192.0.2.7");
}
