/** The guard in a simulation: seconds of traffic in, in the order and the portions in which the gateway sees them. */

import { type Batch, type Detector, type FailureEvent, observe, type Trip } from "../model/detector.ts";
import { type Route, type SharePpm, WHOLE_PPM } from "../model/ruleset.ts";
import { binomial } from "./random.ts";
import { type Acting, pushEvents, type Shot, type Shots, shotsOf } from "./shots.ts";
import type { Flawed, Second, Stream } from "./stream.ts";
import { FLAW } from "./tape.ts";

/** Why traffic is taken back. */
export interface Alarm {
  readonly cause: string;
  readonly summary: string;
  /** Within the second. */
  readonly at: number;
}

/** What was seen since the watch began, or since it was last looked at. */
interface Portion {
  cleanNew: number;
  fastNew: number;
  events: FailureEvent[];
  oldAnswers: number;
  oldErrors: number;
  matches: number;
  differing: number;
}

export interface Watch {
  readonly route: Route;
  /** Null: not guarded. */
  readonly detector: Detector | null;
  portion: Portion;
  /** When the last second of the portion was, and at what share. */
  portionMs: number;
  portionPpm: SharePpm;
  killStreak: number;
  /** Shadows that are owed by counting, a fraction. */
  shadowsOwed: number;
  /** Failed answers of new, those of them that old's answer took the place of, and all answers of new. */
  failed: number;
  saved: number;
  answers: number;
}

/** Old's own rate is kept in windows of so long: no portion goes over the end of one. */
const WINDOW_MS = 10_000;

export function createWatch(route: Route, detector: Detector | null): Watch {
  return {
    route,
    detector,
    portion: emptyPortion(),
    portionMs: 0,
    portionPpm: 0,
    killStreak: 0,
    shadowsOwed: 0,
    failed: 0,
    saved: 0,
    answers: 0,
  };
}

function emptyPortion(): Portion {
  return { cleanNew: 0, fastNew: 0, events: [], oldAnswers: 0, oldErrors: 0, matches: 0, differing: 0 };
}

/** What happens at a moment of the simulation. */
export interface Moment {
  /** Milliseconds since 1970, by the log's clock. */
  readonly nowMs: number;
  /** Of the tape. */
  readonly second: number;
  readonly canaryPpm: SharePpm;
  readonly shadowPpm: SharePpm;
  /** Faults that act; null: none. */
  readonly acting: Acting | null;
}

/** Takes one second in; the alarm that it raises, or null. */
export function watchSecond(watch: Watch, stream: Stream, traffic: Second, moment: Moment): Alarm | null {
  const { canaryPpm, acting } = moment;
  const mayFail = acting !== null || traffic.flawed.some((each) => isEvidence(each, canaryPpm));
  const seen = mayFail ? shotsOf(stream, moment.second, traffic, acting) : null;
  const isQuiet = seen === null || !seen.shots.some((each) => isEvidence(each, canaryPpm));
  if (!isQuiet || !continuesPortion(watch, moment)) {
    // What is older than this second has been looked at by the time that new fails.
    const early = look(watch);
    if (early !== null) return { ...early, at: 0 };
  }
  watch.portionMs = moment.nowMs;
  watch.portionPpm = canaryPpm;
  addPairs(watch, traffic, moment);
  if (seen !== null && !isQuiet) return watchClosely(watch, stream, seen);
  watchQuietly(watch, seen?.well ?? traffic.well, seen?.shots ?? traffic.flawed);
  return null;
}

/** Whether it may raise wealth: at the whole share there is no old arm that 4xx could be held against. */
function isEvidence({ side, flaws }: Flawed, canaryPpm: SharePpm): boolean {
  return side === "new" && (flaws !== FLAW.clientError || canaryPpm < WHOLE_PPM);
}

function continuesPortion(watch: Watch, { nowMs, canaryPpm }: Moment): boolean {
  const isSameWindow = Math.floor(nowMs / WINDOW_MS) === Math.floor(watch.portionMs / WINDOW_MS);
  return isSameWindow && canaryPpm === watch.portionPpm;
}

/**
 * Seconds in which new shows no flaw can only lower wealth, and wealth is floored at 1: taken together they leave
 * the same behind as one by one. That is what makes a thousand days affordable.
 */
function watchQuietly(watch: Watch, well: Shots["well"], flawed: readonly Flawed[]): void {
  const { portion } = watch;
  addWell(watch, well.new, well.old);
  for (const each of flawed) {
    pushEvents(portion.events, each);
    if (each.side === "new") {
      addWell(watch, 1, 0);
      continue;
    }
    portion.oldAnswers++;
    if ((each.flaws & FLAW.error) !== 0) portion.oldErrors++;
  }
}

/** New's flaws one by one, and a look after each of its errors, as the data threads ring for them. */
function watchClosely(watch: Watch, stream: Stream, { shots, well }: Shots): Alarm | null {
  const left = { old: well.old, new: well.new };
  let before = 0;
  for (const shot of shots) {
    const part = before >= 1 ? 1 : (shot.at - before) / (1 - before);
    before = shot.at;
    const goodNew = binomial(stream.random, left.new, part);
    const goodOld = Math.round(left.old * part);
    left.new -= goodNew;
    left.old -= goodOld;
    addWell(watch, goodNew, goodOld);
    const alarm = takeShot(watch, shot);
    if (alarm !== null) return { ...alarm, at: shot.at };
  }
  addWell(watch, left.new, left.old);
  return null;
}

function addWell(watch: Watch, ofNew: number, ofOld: number): void {
  const { portion } = watch;
  portion.cleanNew += ofNew;
  portion.fastNew += ofNew;
  portion.oldAnswers += ofOld;
  watch.answers += ofNew;
  if (ofNew > 0) watch.killStreak = 0;
}

function takeShot(watch: Watch, shot: Shot): Omit<Alarm, "at"> | null {
  const { portion, route } = watch;
  const isError = (shot.flaws & FLAW.error) !== 0;
  pushEvents(portion.events, shot);
  if (shot.side === "old") {
    portion.oldAnswers++;
    if (isError) portion.oldErrors++;
    return null;
  }
  watch.answers++;
  if ((shot.flaws & FLAW.slow) === 0) portion.fastNew++;
  if (!isError) {
    portion.cleanNew++;
    watch.killStreak = 0;
    return null;
  }
  watch.failed++;
  const isSaved = shot.isRepeatable && !shot.isShared;
  if (isSaved) {
    watch.saved++;
    watch.killStreak++;
  }
  const limit = route.guard?.killSwitch ?? null;
  const trip = look(watch);
  if (isSaved && limit !== null && watch.killStreak >= limit)
    return { cause: "killSwitch", summary: killWords(limit) };
  return trip;
}

function killWords(limit: number): string {
  return `new failed ${limit} times running where old answered well`;
}

/** Shows the guard what has gathered. To be called before anything is asked of the detector. */
export function look(watch: Watch): Omit<Alarm, "at"> | null {
  const { detector, portion, portionMs, portionPpm } = watch;
  if (isEmpty(portion)) return null;
  watch.portion = emptyPortion();
  if (detector === null) return null;
  const trip: Trip | null = observe(detector, batchOf(portion, portionPpm), portionMs);
  return trip === null ? null : { cause: trip.metric, summary: trip.summary };
}

function isEmpty({ cleanNew, events, oldAnswers, matches, differing }: Portion): boolean {
  return cleanNew + events.length + oldAnswers + matches + differing === 0;
}

function batchOf(portion: Portion, sharePpm: SharePpm): Batch {
  const { cleanNew, fastNew, events, oldAnswers, oldErrors, matches, differing } = portion;
  return {
    sharePpm,
    cleanNew,
    fastNew,
    events,
    old: { answers: oldAnswers, errors: oldErrors },
    comparisons: { match: matches, mismatchUnits: new Array<null>(differing).fill(null) },
  };
}

/** Shadows of the second, taken by counting; a log has no answers of theirs, so they match unless a fault says not. */
function addPairs(watch: Watch, traffic: Second, { shadowPpm, acting }: Moment): void {
  const { shadow, compare } = watch.route;
  if (compare === null || shadowPpm === 0) return;
  const { old: ofOld, new: ofNew } = traffic.shadowable;
  const due = ((ofOld + (shadow.reverse ? ofNew : 0)) * shadowPpm) / 1_000_000;
  watch.shadowsOwed += Math.min(due, shadow.ratePerSecond ?? due);
  const pairs = Math.floor(watch.shadowsOwed);
  watch.shadowsOwed -= pairs;
  const differing = acting === null ? 0 : Math.round(pairs * acting.mismatches);
  watch.portion.matches += pairs - differing;
  watch.portion.differing += differing;
}
