/** A ruleset made ready to decide with: tries, sets and expressions instead of lists and texts. */

import type { Facts } from "./facts.ts";
import { findCookie, findHeader } from "./facts.ts";
import { createKeySetLookup } from "./keyset.ts";
import { createRouter, type Router } from "./router.ts";
import type { Matcher, Route, Ruleset } from "./ruleset.ts";

export interface CompiledRules {
  readonly ruleset: Ruleset;
  readonly router: Router;
  /** In file order, as the router's indexes. */
  readonly routes: readonly CompiledRoute[];
}

export interface CompiledRoute {
  readonly route: Route;
  readonly splitOld: (key: string) => boolean;
  readonly splitNew: (key: string) => boolean;
  readonly never: (facts: Facts) => boolean;
  readonly always: (facts: Facts) => boolean;
  /** The canary may serve this method. */
  readonly canaryMethod: (method: string) => boolean;
}

/** Compiles rules that rules/ has checked; cheap enough for a data thread (key files come hashed). */
export function compileRules(ruleset: Ruleset): CompiledRules {
  return { ruleset, router: createRouter(ruleset.routes), routes: ruleset.routes.map(compileRoute) };
}

function compileRoute(route: Route): CompiledRoute {
  const { split, canary } = route;
  return {
    route,
    splitOld: keySet(split?.old ?? []),
    splitNew: anyKeyOf(
      keySet(split?.new ?? []),
      split?.newFile ? createKeySetLookup(split.newFile) : nothing,
    ),
    never: anyOf(canary.never),
    always: anyOf(canary.always),
    canaryMethod: methodTest(canary.methods),
  };
}

/** One function for all routes that have no such rule: of a thousand, each would be memory of its own to read. */
function nothing(): boolean {
  return false;
}

function everything(): boolean {
  return true;
}

function anyKeyOf(
  listed: (key: string) => boolean,
  inFile: (key: string) => boolean,
): (key: string) => boolean {
  if (inFile === nothing) return listed;
  return listed === nothing ? inFile : (key) => listed(key) || inFile(key);
}

function keySet(keys: readonly string[]): (key: string) => boolean {
  if (keys.length === 0) return nothing;
  const set = new Set(keys);
  return (key) => set.has(key);
}

function methodTest(methods: readonly string[] | null): (method: string) => boolean {
  if (methods === null) return everything;
  const set = new Set(methods);
  return (method) => set.has(method);
}

function anyOf(matchers: readonly Matcher[]): (facts: Facts) => boolean {
  if (matchers.length === 0) return nothing;
  const tests = matchers.map(compileMatcher);
  return (facts) => tests.some((test) => test(facts));
}

function compileMatcher(matcher: Matcher): (facts: Facts) => boolean {
  const find = matcher.source === "header" ? findHeader : findCookie;
  const { test } = matcher;
  switch (test.kind) {
    case "present":
      return (facts) => find(facts.rawHeaders, matcher.name) !== undefined;
    case "equals":
      return (facts) => find(facts.rawHeaders, matcher.name) === test.value;
    case "matches": {
      const pattern = new RegExp(test.pattern);
      return (facts) => {
        const value = find(facts.rawHeaders, matcher.name);
        return value !== undefined && pattern.test(value);
      };
    }
  }
}
