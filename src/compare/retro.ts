/** Stored pairs judged again, by rules that may differ from those they were found under. Pure. */

import type { Answer, Pair, Place } from "../model/pair.ts";
import type { AnswerSample, Difference, MismatchSample, RetroReport } from "../model/reports.ts";
import type { Compare } from "../model/ruleset.ts";
import { type CompiledCompare, comparePair, compileCompare } from "./compare.ts";
import { type OpenBody, openText } from "./open.ts";
import { REDACTED } from "./redact.ts";
import { placesOf } from "./tree.ts";

/** A place of one route that is ignored besides: a path, "header:NAME", "status" or "body". */
export interface Ignoring {
  readonly route: string;
  readonly path: string;
}

/** Where a stored pair differs now; null: what is stored of it cannot tell. */
type Judgement = readonly Place[] | null;

type ClusterCount = RetroReport["clusters"][number];

/**
 * Compares each stored pair under the `compare` that its route has now (null: the route is not compared any
 * more, so nothing can be told). Headers that were not stored count as absent on both sides. A pair of which a
 * body is cut or missing can still be told to differ by its status or headers, and by nothing else;
 * where it cannot, it is in no cluster's numbers. Throws an Error that names a path that is not one.
 */
export function judgeAgain(
  samples: readonly MismatchSample[],
  compareOf: (route: string) => Compare | null,
  clusterIdOf: (route: string, place: Place) => string,
  ignoring: Ignoring | null,
  rulesVersion: string,
): RetroReport {
  const compiled = new Map<string, CompiledCompare | null>();
  const compiledOf = (route: string): CompiledCompare | null => {
    const known = compiled.get(route);
    if (known !== undefined) return known;
    const compare = compareOf(route);
    const made =
      compare && compileCompare(ignoring?.route === route ? without(compare, ignoring.path) : compare);
    compiled.set(route, made);
    return made;
  };
  const clusters = new Map<string, ClusterCount>();
  const clusterOf = (route: string, place: Place): ClusterCount => {
    const id = clusterIdOf(route, place);
    const known = clusters.get(id);
    if (known !== undefined) return known;
    const fresh = { id, route, place: place.template, kind: place.kind, before: 0, after: 0 };
    clusters.set(id, fresh);
    return fresh;
  };

  let [stillMismatch, nowMatch, cannotTell] = [0, 0, 0];
  for (const sample of samples) {
    const places = judge(sample, compiledOf(sample.route));
    if (places === null) {
      cannotTell++;
      continue;
    }
    if (places.length > 0) stillMismatch++;
    else nowMatch++;
    const before = new Set(placesOf(sample.differences).map((place) => clusterOf(sample.route, place)));
    const after = new Set(places.map((place) => clusterOf(sample.route, place)));
    for (const cluster of before) cluster.before++;
    for (const cluster of after) cluster.after++;
  }
  return {
    rules: rulesVersion,
    ignoring: ignoring?.path ?? null,
    samples: samples.length,
    stillMismatch,
    nowMatch,
    cannotTell,
    clusters: [...clusters.values()].sort(
      (left, right) => right.before - left.before || right.after - left.after,
    ),
  };
}

/** The rules as they would be with that place ignored. */
function without(compare: Compare, path: string): Compare {
  if (path === "status") return { ...compare, status: null };
  if (path === "body") return { ...compare, body: "off" };
  if (path.startsWith("header:")) {
    const name = path.slice("header:".length).toLowerCase();
    return { ...compare, headers: compare.headers.filter((header) => header.toLowerCase() !== name) };
  }
  return { ...compare, ignore: [...compare.ignore, path] };
}

function judge(sample: MismatchSample, compiled: CompiledCompare | null): Judgement {
  if (compiled === null) return null;
  const hasBodies = sample.method !== "HEAD" && compiled.compare.body !== "off" && !compiled.rules.whole;
  if (!hasBodies || (sample.old.whole && sample.new.whole)) return placesNow(sample, compiled);
  // Its body may differ or not: it is only known to differ where its head does.
  const head = placesNow(sample, { ...compiled, compare: { ...compiled.compare, body: "off" } });
  if (head === null || head.length === 0) return null;
  const unknown = placesOf(sample.differences.filter(({ kind }) => !isOfHead(kind)));
  return [...head, ...unknown];
}

function isOfHead(kind: Difference["kind"]): boolean {
  return kind === "status" || kind === "header";
}

function placesNow(sample: MismatchSample, compiled: CompiledCompare): Judgement {
  const pair = pairOf(sample, compiled.compare);
  const open = {
    old: () => bodyOf(sample.old),
    new: () => bodyOf(sample.new),
  };
  const comparison = comparePair(pair, compiled, open);
  const hidden = hiddenHeaders(sample, compiled.compare);
  if (comparison.kind === "mismatch") {
    return placesOf([...withTypes(sample, comparison.differences), ...hidden]);
  }
  if (hidden.length > 0) return placesOf(hidden);
  return comparison.kind === "uncompared" ? null : [];
}

/** Of two hidden values the markers do not tell that they were not of one type; the differences of that time do. */
function withTypes(sample: MismatchSample, differences: readonly Difference[]): readonly Difference[] {
  const types = new Set(sample.differences.flatMap(({ kind, place }) => (kind === "type" ? [place] : [])));
  if (types.size === 0) return differences;
  return differences.map((each) =>
    each.kind === "value" && types.has(each.place) && each.old?.startsWith(`"${REDACTED.slice(0, -1)}`)
      ? { ...each, kind: "type" }
      : each,
  );
}

/** Compared headers that differed and of which no values are stored: they differ still. */
function hiddenHeaders(sample: MismatchSample, compare: Compare): readonly Difference[] {
  return sample.differences.filter(({ kind, place }) => {
    const name = place.slice("header:".length);
    if (kind !== "header" || !compare.headers.includes(name)) return false;
    return !isStored(sample.old.headers, name) && !isStored(sample.new.headers, name);
  });
}

function isStored(headers: Readonly<Record<string, string>>, name: string): boolean {
  return Object.hasOwn(headers, name) && !(headers[name] ?? "").includes(REDACTED);
}

function pairOf(sample: MismatchSample, compare: Compare): Pair {
  return {
    route: sample.route,
    rulesVersion: sample.rulesVersion,
    compare,
    requestId: sample.requestId,
    method: sample.method,
    target: sample.target,
    requestHeaders: [],
    unit: null,
    old: answerOf(sample.old),
    new: answerOf(sample.new),
    again: null,
    ticket: null,
    confirms: null,
  };
}

function bodyOf({ body, headers, tree }: AnswerSample): OpenBody {
  return openText(body ?? "", headers["content-type"] ?? null, tree === true);
}

/** The text is decoded already: it is opened as it is, whatever coding and charset the headers name. */
function answerOf({ status, headers, body }: AnswerSample): Answer {
  return { status, headers: Object.entries(headers).flat(), body: Buffer.from(body ?? ""), cut: false };
}
