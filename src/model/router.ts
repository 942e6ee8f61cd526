/**
 * The first route in file order that matches. Conditions with a path or a host are found by index (a trie of
 * path segments for each host pattern), so that a thousand routes cost about what one does.
 */

import { type Facts, findHeader, findQuery } from "./facts.ts";
import { type PathTemplate, parseTemplate, splitPath } from "./path.ts";
import type { Condition, Route } from "./ruleset.ts";

/** Which condition of which route matched. */
export interface Match {
  readonly routeIndex: number;
  /** The matching condition's path template; null: it named no path. */
  readonly template: PathTemplate | null;
}

/** One condition of one route, compiled. */
interface Candidate {
  /** File order over all conditions: the lowest that matches wins. */
  readonly rank: number;
  readonly match: Match;
  readonly condition: Condition;
}

interface TrieNode {
  readonly literals: Map<string, TrieNode>;
  parameter: TrieNode | null;
  /** Templates that end here, and templates that cover all from here on; each in rank order. */
  readonly exact: Candidate[];
  readonly subtree: Candidate[];
}

export interface Router {
  readonly anyHost: TrieNode;
  readonly byHost: ReadonlyMap<string, TrieNode>;
  /** "*.example.org" under ".example.org". */
  readonly bySuffix: ReadonlyMap<string, TrieNode>;
}

const MATCH_ALL: Condition = { path: null, methods: null, hosts: null, headers: {}, query: {} };

export function createRouter(routes: readonly Route[]): Router {
  const anyHost = createNode();
  const byHost = new Map<string, TrieNode>();
  const bySuffix = new Map<string, TrieNode>();
  let rank = 0;
  for (const [routeIndex, route] of routes.entries()) {
    for (const condition of route.match.length === 0 ? [MATCH_ALL] : route.match) {
      const template = condition.path === null ? null : parseTemplate(condition.path);
      const candidate = { rank: rank++, match: { routeIndex, template }, condition };
      for (const trie of triesFor(condition.hosts)) insert(trie, candidate);
    }
  }
  return { anyHost, byHost, bySuffix };

  function triesFor(hosts: readonly string[] | null): TrieNode[] {
    if (hosts === null) return [anyHost];
    return hosts.map((host) =>
      host.startsWith("*.") ? entry(bySuffix, host.slice(1)) : entry(byHost, host),
    );
  }
}

/** The route for a request, or null. */
export function findRoute(router: Router, facts: Facts): Match | null {
  const segments = splitPath(facts.path);
  let best = search(router.anyHost, facts, segments, 0, null);
  if (router.byHost.size > 0) {
    const trie = router.byHost.get(facts.host);
    if (trie !== undefined) best = search(trie, facts, segments, 0, best);
  }
  if (router.bySuffix.size > 0) {
    // Every dot begins a suffix: "a.b.example.org" is looked up as ".b.example.org", ".example.org", ".org".
    for (let dot = facts.host.indexOf("."); dot > 0; dot = facts.host.indexOf(".", dot + 1)) {
      const trie = router.bySuffix.get(facts.host.slice(dot));
      if (trie !== undefined) best = search(trie, facts, segments, 0, best);
    }
  }
  return best === null ? null : best.match;
}

/** The best of `best` and everything below `node` that matches the segments from `depth` on. */
function search(
  node: TrieNode,
  facts: Facts,
  segments: readonly string[],
  depth: number,
  best: Candidate | null,
): Candidate | null {
  let found = firstMatch(node.subtree, facts, best);
  if (depth === segments.length) return firstMatch(node.exact, facts, found);
  const segment = segments[depth] as string;
  const literal = node.literals.get(segment);
  if (literal !== undefined) found = search(literal, facts, segments, depth + 1, found);
  // A parameter stands for a segment, and an empty one is none: "/profiles/" is not "/profiles/{id}".
  if (node.parameter !== null && segment !== "") {
    found = search(node.parameter, facts, segments, depth + 1, found);
  }
  return found;
}

function firstMatch(
  candidates: readonly Candidate[],
  facts: Facts,
  best: Candidate | null,
): Candidate | null {
  for (const candidate of candidates) {
    if (best !== null && candidate.rank > best.rank) return best;
    if (holds(candidate.condition, facts)) return candidate;
  }
  return best;
}

/** All but path and host, which the tries have answered. */
function holds(condition: Condition, facts: Facts): boolean {
  if (condition.methods !== null && !condition.methods.includes(facts.method)) return false;
  for (const name in condition.headers) {
    if (findHeader(facts.rawHeaders, name) !== condition.headers[name]) return false;
  }
  for (const name in condition.query) {
    if (findQuery(facts.target, name) !== condition.query[name]) return false;
  }
  return true;
}

function createNode(): TrieNode {
  return { literals: new Map(), parameter: null, exact: [], subtree: [] };
}

function entry(tries: Map<string, TrieNode>, key: string): TrieNode {
  let trie = tries.get(key);
  if (trie === undefined) {
    trie = createNode();
    tries.set(key, trie);
  }
  return trie;
}

function insert(root: TrieNode, candidate: Candidate): void {
  const { template } = candidate.match;
  let node = root;
  for (const segment of template?.segments ?? []) {
    if (segment === null) {
      node.parameter ??= createNode();
      node = node.parameter;
    } else {
      node = entry(node.literals, segment);
    }
  }
  (template === null || template.subtree ? node.subtree : node.exact).push(candidate);
}
