/** A log's requests, each on the tape of the route that would have served it. */

import { bucketEndUs, LATENCY_BUCKETS, latencyBucket } from "../board/layout.ts";
import { bucketOf } from "../model/bucket.ts";
import { type CompiledRoute, compileRules } from "../model/compiled.ts";
import { fingerprintOf } from "../model/counted-keys.ts";
import { decide } from "../model/decide.ts";
import { createFacts, type Facts } from "../model/facts.ts";
import { identify } from "../model/key.ts";
import { IDEMPOTENT_METHODS, SAFE_METHODS } from "../model/methods.ts";
import type { PathTemplate } from "../model/path.ts";
import { NO_PINS } from "../model/pins.ts";
import { findRoute } from "../model/router.ts";
import { type Route, type Ruleset, WHOLE_PPM } from "../model/ruleset.ts";
import type { LoggedRequest } from "./log-line.ts";
import { createTapeWriter, FLAW, KEYLESS, SORT, type Tape, TapeError, type TapeWriter } from "./tape.ts";

const DAY_SECONDS = 86_400;
const MAX_LOG_DAYS = 31;

export interface Intake {
  take(request: LoggedRequest): void;
  /** Null: there was no request. */
  finish(): Recording | null;
}

/** A whole log, by route. */
export interface Recording {
  /** Of the first request, down to the second; milliseconds since 1970. */
  readonly startMs: number;
  readonly seconds: number;
  /** In the rules' order; a route without traffic has an empty tape. */
  readonly tapes: readonly RouteTape[];
  /** Requests that no route matches. */
  readonly unmatched: number;
  /** Requests that say how long they took. */
  readonly timed: number;
}

export interface RouteTape {
  readonly route: Route;
  readonly tape: Tape;
  /** Requests that the log says new answered. */
  readonly byNew: number;
}

/** One route while the log is read. */
interface Lane {
  byNew: number;
  readonly compiled: CompiledRoute;
  readonly writer: TapeWriter;
  readonly baseline: Baseline | null;
  /** By method, where nothing else that a log knows decides. */
  readonly sorts: Map<string, number>;
}

/** Throws TapeError where the log is too large, from `take` too. */
export function createIntake(ruleset: Ruleset): Intake {
  // No log says the host: it must not keep requests from their route.
  const routes = ruleset.routes.map((route) => ({
    ...route,
    match: route.match.map((condition) => ({ ...condition, hosts: null })),
  }));
  const compiled = compileRules({ ...ruleset, routes });
  const lanes = compiled.routes.map((each, index): Lane => {
    const route = ruleset.routes[index] as Route;
    return {
      byNew: 0,
      compiled: { ...each, route },
      writer: createTapeWriter(),
      baseline: route.guard?.latency == null ? null : createBaseline(),
      sorts: new Map(),
    };
  });
  const byName = new Map(lanes.map((lane) => [lane.compiled.route.name, lane]));
  let startMs: number | null = null;
  let last = 0;
  let unmatched = 0;
  let timed = 0;
  return {
    take(request) {
      startMs ??= Math.floor(request.atMs / 1000) * 1000;
      const second = Math.floor((request.atMs - startMs) / 1000);
      if (second >= MAX_LOG_DAYS * DAY_SECONDS) throw tooLong(startMs, request.atMs);
      last = second;
      if (request.durationMs !== null) timed++;
      const facts = createFacts(request.method, request.target, [], request.ip, request.host ?? "");
      const named = request.route === null ? undefined : byName.get(request.route);
      const match = findRoute(compiled.router, facts);
      const lane = named ?? (match === null ? undefined : lanes[match.routeIndex]);
      if (lane === undefined) unmatched++;
      else takeInto(lane, request, facts, match?.template ?? null, second);
    },
    finish() {
      if (startMs === null) return null;
      const tapes = lanes.map(({ compiled: { route }, writer, byNew }) => ({
        route,
        tape: writer.finish(),
        byNew,
      }));
      return { startMs, seconds: last + 1, tapes, unmatched, timed };
    },
  };
}

function tooLong(fromMs: number, toMs: number): TapeError {
  const [from, to] = [fromMs, toMs].map((ms) => new Date(ms).toISOString());
  return new TapeError(`the log goes from ${from} to ${to}: at most ${MAX_LOG_DAYS} days can be simulated`);
}

function takeInto(
  lane: Lane,
  request: LoggedRequest,
  facts: Facts,
  template: PathTemplate | null,
  second: number,
): void {
  const { route } = lane.compiled;
  if (request.side === "new") lane.byNew++;
  const key = request.key ?? keyOf(route, facts, template);
  let flaws = 0;
  if (request.failed) flaws |= FLAW.error;
  else if (request.clientError) flaws |= FLAW.clientError;
  if (lane.baseline !== null && request.durationMs !== null) {
    if (isSlow(lane.baseline, request.durationMs * 1000, second)) flaws |= FLAW.slow;
  }
  lane.writer.take(
    {
      second,
      sort: sortOf(lane, facts, template),
      flaws,
      key: key === null ? KEYLESS : fingerprintOf(key),
    },
    () => (key === null ? 0 : bucketOf(route.name, key)),
  );
}

/** Who a request is from, as far as a log tells. A client without the assigned cookie is known by its address. */
function keyOf(route: Route, facts: Facts, template: PathTemplate | null): string | null {
  const who = identify(route.key, facts, template, () => facts.ip);
  return who === null || who.key === "" ? null : who.key;
}

function sortOf(lane: Lane, facts: Facts, template: PathTemplate | null): number {
  const { compiled, sorts } = lane;
  if (compiled.route.split !== null) return freshSort(compiled, facts, template);
  let sort = sorts.get(facts.method);
  if (sort === undefined) {
    sort = freshSort(compiled, facts, template);
    sorts.set(facts.method, sort);
  }
  return sort;
}

const ALL_DRAWN = { latched: false, closed: false, canaryPpm: WHOLE_PPM };

function freshSort(compiled: CompiledRoute, facts: Facts, template: PathTemplate | null): number {
  const { route } = compiled;
  const chance = { draw: () => 0, freshKey: () => facts.ip };
  const { reason } = decide({
    compiled,
    template,
    facts,
    live: ALL_DRAWN,
    pins: NO_PINS,
    forced: null,
    chance,
  });
  const decided = reason === "canary-share" ? SORT.drawn : reason === "split-new" ? SORT.new : SORT.old;
  const isShadowable = route.new !== null && route.shadow.methods.includes(facts.method);
  return (
    decided | (isShadowable ? SORT.shadowable : 0) | (isRepeatable(route, facts.method) ? SORT.repeatable : 0)
  );
}

function isRepeatable({ fallback }: Route, method: string): boolean {
  if (fallback === null) return false;
  return (fallback.when === "safe" ? SAFE_METHODS : IDEMPOTENT_METHODS).has(method);
}

/** As the ledger has it: the p99 of a complete minute, and of longer until there are so many answers. */
const BASELINE_SECONDS = 60;
const MIN_BASELINE_ANSWERS = 100;

interface Baseline {
  began: number;
  answers: number;
  readonly counts: Uint32Array;
  /** Infinity: nothing is slow yet. */
  slowUs: number;
}

function createBaseline(): Baseline {
  return {
    began: 0,
    answers: 0,
    counts: new Uint32Array(LATENCY_BUCKETS),
    slowUs: Number.POSITIVE_INFINITY,
  };
}

function isSlow(baseline: Baseline, us: number, second: number): boolean {
  if (second - baseline.began >= BASELINE_SECONDS && baseline.answers >= MIN_BASELINE_ANSWERS) {
    baseline.slowUs = p99Us(baseline);
    baseline.began = second;
    baseline.answers = 0;
    baseline.counts.fill(0);
  }
  baseline.answers++;
  const bucket = latencyBucket(us);
  baseline.counts[bucket] = (baseline.counts[bucket] as number) + 1;
  return us > baseline.slowUs;
}

function p99Us({ counts, answers }: Baseline): number {
  let left = Math.ceil(answers * 0.99);
  for (let bucket = 0; bucket < counts.length; bucket++) {
    left -= counts[bucket] as number;
    if (left <= 0) return bucketEndUs(bucket);
  }
  return Number.POSITIVE_INFINITY;
}
