/**
 * The first route in file order that matches. Conditions with a path or a host are found by index (a trie of
 * path segments for each host pattern), so that a thousand routes cost about what one does.
 */

import { type Facts, findHeader, findQuery } from "./facts.ts";
import { type PathTemplate, parseTemplate } from "./path.ts";
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
  /** Null: it names nothing but path and host, which the tries have answered. */
  readonly condition: Condition | null;
  /** The next of the same place, of a higher rank. A list of links: most places have one, and a request reads few. */
  next: Candidate | null;
}

/** What is null is not there: each part that a request need not look at is memory that it does not touch. */
interface TrieNode {
  /** The lowest rank here and below. */
  least: number;
  literals: Map<string, TrieNode> | null;
  parameter: TrieNode | null;
  /** Templates that end here, and templates that cover all from here on; each in rank order. */
  exact: Candidate | null;
  subtree: Candidate | null;
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
      for (const trie of triesFor(condition.hosts)) {
        insert(trie, {
          rank,
          match: { routeIndex, template },
          condition: isPlain(condition) ? null : condition,
          next: null,
        });
      }
      rank++;
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
  const begin = facts.path === "" ? PATH_END : 1;
  let best = search(router.anyHost, facts, begin, null);
  if (router.byHost.size > 0) {
    const trie = router.byHost.get(facts.host);
    if (trie !== undefined) best = search(trie, facts, begin, best);
  }
  if (router.bySuffix.size > 0) {
    // Every dot begins a suffix: "a.b.example.org" is looked up as ".b.example.org", ".example.org", ".org".
    for (let dot = facts.host.indexOf("."); dot > 0; dot = facts.host.indexOf(".", dot + 1)) {
      const trie = router.bySuffix.get(facts.host.slice(dot));
      if (trie !== undefined) best = search(trie, facts, begin, best);
    }
  }
  return best === null ? null : best.match;
}

/** Where a path has no more segments. */
const PATH_END = -1;

/** The best of `best` and everything below `node` that matches the path's segments from `begin` on. */
function search(node: TrieNode, facts: Facts, begin: number, best: Candidate | null): Candidate | null {
  if (best !== null && best.rank < node.least) return best;
  let found = firstMatch(node.subtree, facts, best);
  if (begin === PATH_END) return firstMatch(node.exact, facts, found);
  const { literals, parameter } = node;
  if (literals === null && parameter === null) return found;
  const { path } = facts;
  const slash = path.indexOf("/", begin);
  const end = slash === -1 ? path.length : slash;
  const next = slash === -1 ? PATH_END : slash + 1;
  if (literals !== null) {
    const literal = literals.get(path.slice(begin, end));
    if (literal !== undefined) found = search(literal, facts, next, found);
  }
  // A parameter stands for a segment, and an empty one is none: "/profiles/" is not "/profiles/{id}".
  if (parameter !== null && end > begin) found = search(parameter, facts, next, found);
  return found;
}

/** The first of `candidates` that holds, unless `best` comes before it. */
function firstMatch(candidates: Candidate | null, facts: Facts, best: Candidate | null): Candidate | null {
  for (let candidate = candidates; candidate !== null; candidate = candidate.next) {
    if (best !== null && candidate.rank > best.rank) return best;
    if (candidate.condition === null || holds(candidate.condition, facts)) return candidate;
  }
  return best;
}

function isPlain({ methods, headers, query }: Condition): boolean {
  return methods === null && Object.keys(headers).length === 0 && Object.keys(query).length === 0;
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
  return { least: Number.POSITIVE_INFINITY, literals: null, parameter: null, exact: null, subtree: null };
}

function entry(tries: Map<string, TrieNode>, key: string): TrieNode {
  let trie = tries.get(key);
  if (trie === undefined) {
    trie = createNode();
    tries.set(key, trie);
  }
  return trie;
}

/** To be called in the order of ranks. */
function insert(root: TrieNode, candidate: Candidate): void {
  const { rank, match } = candidate;
  const { template } = match;
  let node = root;
  node.least = Math.min(node.least, rank);
  for (const segment of template?.segments ?? []) {
    if (segment === null) {
      node.parameter ??= createNode();
      node = node.parameter;
    } else {
      node.literals ??= new Map();
      node = entry(node.literals, segment);
    }
    node.least = Math.min(node.least, rank);
  }
  if (template === null || template.subtree) node.subtree = appended(node.subtree, candidate);
  else node.exact = appended(node.exact, candidate);
}

/** The list with one more at its end. */
function appended(list: Candidate | null, candidate: Candidate): Candidate {
  if (list === null) return candidate;
  let last = list;
  while (last.next !== null) last = last.next;
  last.next = candidate;
  return list;
}
