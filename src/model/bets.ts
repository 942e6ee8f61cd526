/** One batch fed to one test: which answers are evidence for it, and whether they cross its limit. */

import { attributeAbsolute, attributeRelative, createAttribution } from "./attribution.ts";
import { trippingRate } from "./client-error-limit.ts";
import { countOnce } from "./counted-keys.ts";
import { betAbsolute, betRelative, canBetOn } from "./evidence.ts";
import {
  type Batch,
  clientErrorsOf,
  countEvents,
  type EventKind,
  type FailureEvent,
  KIND_OF,
  type Trip,
} from "./observation.ts";
import { heldToRate, type OldRate } from "./old-rate.ts";
import { type PassAccount, passAbsolute, passFailure } from "./pass.ts";
import { type SharePpm, WHOLE_PPM } from "./ruleset.ts";
import {
  blamesNewAlone,
  count,
  evidenceOfTest,
  hasReached,
  leadingStretch,
  ruin,
  type SequentialTest,
  type TestSpec,
} from "./sequential-test.ts";
import { tripSummary } from "./trip-words.ts";

/** What is the same for all tests of a route. */
export interface Circumstances {
  readonly old: OldRate;
  /** The same of its 4xx. */
  readonly oldClientErrors: OldRate;
  /** How many times old's rate is tolerated, of errors and of 4xx. */
  readonly tolerance: number;
  /** Wealth at which a test trips, as ln. */
  readonly lnThreshold: number;
  readonly nowMs: number;
}

/** Bets on a batch and looks after each failure of new; the trip, or null. */
export function feed(test: SequentialTest, batch: Batch, now: Circumstances): Trip | null {
  if (batch.comparisons.noise?.wasWrong && test.spec.metric === "mismatches") ruin(test, now.nowMs);
  return test.spec.kind === "relative" ? feedRelative(test, batch, now) : feedAbsolute(test, batch, now);
}

function feedRelative(test: SequentialTest, batch: Batch, now: Circumstances): Trip | null {
  const { metric, limit: tolerance } = test.spec;
  if (metric === "mismatches") return null;
  const kind = KIND_OF[metric];
  const answersOfNew = batch.cleanNew + countEvents(batch, "error", "new");
  const { pass } = test;
  if (pass !== null && (metric !== "latency" || batch.isSpeedMeasured !== false))
    passAbsolute(pass, answersOfNew, countEvents(batch, kind, "new"));
  count(test, "new", answersOfNew, 0);
  count(test, "old", batch.old.answers, 0);
  const alone = feedAlone(test, batch);
  for (const event of batch.events) {
    if (event.kind !== kind || event.rhoPpm <= 0 || event.rhoPpm >= WHOLE_PPM) continue;
    if (!countOnce(test.keys, event.unit)) {
      test.repeats += 1;
      continue;
    }
    const isNew = event.side === "new";
    const share = event.rhoPpm / WHOLE_PPM;
    betRelative(test.logWealth, isNew ? 1 : 0, isNew ? 0 : 1, share, tolerance);
    if (pass !== null) passFailure(pass, isNew, event.unit !== null, share, tolerance);
    count(test, event.side, 0, 1);
    if (isNew && hasReached(test, now.lnThreshold)) return tripOf(test, tolerance, event.rhoPpm, now);
  }
  const isReached = alone !== null && hasReached(test, now.lnThreshold);
  return isReached ? tripOf(test, tolerance, alone.rhoPpm, now) : null;
}

/** Where somebody asks old about new's failures: the last one that counted as new's alone; null: none did. */
function feedAlone(test: SequentialTest, { events, alone }: Batch): FailureEvent | null {
  const { metric, limit } = test.spec;
  // Slow is not asked about: how fast old is now says nothing of then.
  if (alone === undefined || (metric !== "errors" && metric !== "client-errors")) return null;
  test.attribution ??= createAttribution();
  return attributeRelative(test.attribution, { kind: KIND_OF[metric], events, alone }, limit);
}

/** What an absolute test sees of a batch. */
interface Absolute {
  readonly clean: number;
  readonly failedUnits: readonly (string | null)[];
  readonly limitRate: number;
}

function feedAbsolute(test: SequentialTest, batch: Batch, now: Circumstances): Trip | null {
  const hasOldArm = test.spec.metric === "errors" && batch.sharePpm < WHOLE_PPM;
  if (hasOldArm) count(test, "old", batch.old.answers, batch.old.errors);
  if (test.pass !== null) passPairs(test.pass, batch);
  const { clean, failedUnits, limitRate } = absoluteView(test.spec, batch, now);
  if (!canBetOn(limitRate)) return null;
  // The order within a batch is not known: clean answers first is the order that trips last.
  if (clean > 0) {
    betAbsolute(test.logWealth, 0, clean, limitRate);
    count(test, "new", clean, 0);
  }
  const hasAlone = feedAloneAbsolute(test, batch, clean, limitRate, now.tolerance);
  const bounds = new Map<string, number>();
  const trips = (): boolean =>
    hasReached(test, now.lnThreshold) &&
    (!hasOldArm || blamesNewAlone(test, now.lnThreshold, bounds, now.nowMs));
  for (const unit of failedUnits) {
    if (!countOnce(test.keys, unit)) {
      test.repeats += 1;
      continue;
    }
    betAbsolute(test.logWealth, 1, 1, limitRate);
    count(test, "new", 1, 1);
    if (trips()) return tripOf(test, limitRate, batch.sharePpm, now);
  }
  return hasAlone && trips() ? tripOf(test, limitRate, batch.sharePpm, now) : null;
}

/** Errors alone: of 4xx what old has too is no failure to begin with. True: one counted. */
function feedAloneAbsolute(
  test: SequentialTest,
  { alone }: Batch,
  clean: number,
  limitRate: number,
  ratio: number,
): boolean {
  if (alone === undefined || test.spec.metric !== "errors") return false;
  test.attribution ??= createAttribution();
  return attributeAbsolute(test.attribution, { kind: "error", alone }, clean, limitRate, ratio);
}

function absoluteView(spec: TestSpec, batch: Batch, now: Circumstances): Absolute {
  const isWhole = batch.sharePpm >= WHOLE_PPM;
  if (spec.metric === "mismatches")
    return spec.kind === "blind" ? blindView(spec, batch) : pairsView(spec, batch);
  if (spec.metric === "errors") {
    const failedUnits = unitsOf(batch.events, "error");
    const late = batch.alone?.length ?? 0;
    if (batch.cleanNew + failedUnits.length + late === 0) return NOTHING;
    return {
      clean: batch.cleanNew,
      failedUnits,
      limitRate: heldToRate(now.old, spec.limit, isWhole, now.nowMs),
    };
  }
  // Slow is relative by its meaning (slower than old's p99), and so is a 4xx. Only at the whole share is new's traffic
  // the same mix that old's own was taken from; elsewhere what the draw did not decide is not judged by them.
  if (!isWhole) return NOTHING;
  if (spec.metric === "client-errors") return clientErrorsView(batch, now);
  return { clean: batch.fastNew, failedUnits: unitsOf(batch.events, "slow"), limitRate: spec.limit };
}

function clientErrorsView(batch: Batch, { oldClientErrors, tolerance }: Circumstances): Absolute {
  // Those that old has too count for nothing, neither as failed nor as clean.
  const failedUnits = unitsOf(batch.alone ?? batch.events, "client-error");
  const answers = batch.cleanNew + countEvents(batch, "error", "new");
  if (answers === 0 && failedUnits.length === 0) return NOTHING;
  return {
    // An event may come a look later than its answer was counted.
    clean: Math.max(0, answers - clientErrorsOf(batch, "new")),
    failedUnits,
    limitRate: trippingRate(oldClientErrors, tolerance),
  };
}

/** What old may do by itself at places where it was not seen to is no fault of new. */
function pairsView(spec: TestSpec, { comparisons }: Batch): Absolute {
  return {
    clean: comparisons.match,
    failedUnits: comparisons.mismatchUnits,
    limitRate: Math.max(spec.limit, comparisons.noise?.bound ?? 0),
  };
}

/** For a pass a difference counts against new also where it is not known yet whether old differs there. */
function passPairs(pass: PassAccount, { comparisons }: Batch): void {
  const { match, mismatchUnits, noise } = comparisons;
  const differing = mismatchUnits.length + (noise?.freshUnits.length ?? 0);
  passAbsolute(pass, match + differing, differing);
}

/** Fresh differences are judged by triples, unless none come. */
function blindView(spec: TestSpec, { comparisons }: Batch): Absolute {
  const { noise } = comparisons;
  if (noise === undefined || !noise.isBlind) return NOTHING;
  const clean = comparisons.match + comparisons.mismatchUnits.length;
  return { clean, failedUnits: noise.freshUnits, limitRate: spec.limit };
}

const NOTHING: Absolute = { clean: 0, failedUnits: [], limitRate: 1 };

function unitsOf(events: readonly FailureEvent[], kind: EventKind): (string | null)[] {
  return events.filter((event) => event.side === "new" && event.kind === kind).map((event) => event.unit);
}

function tripOf(test: SequentialTest, limit: number, sharePpm: SharePpm, now: Circumstances): Trip {
  const { answers, failed, sinceMs } = leadingStretch(test);
  const evidence = evidenceOfTest(test, now.lnThreshold);
  return {
    metric: test.spec.metric,
    answers: { ...answers },
    failed: { ...failed },
    summary: tripSummary({
      spec: test.spec,
      answers,
      failed,
      durationMs: now.nowMs - sinceMs,
      limit,
      sharePpm,
      evidence,
      repeats: test.repeats,
    }),
  };
}
