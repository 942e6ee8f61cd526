/** A tape played second by second: which side serves what, at the share that acts and for one salt of the draw. */

import { type SharePpm, type Side, WHOLE_PPM } from "../model/ruleset.ts";
import { lowerBound } from "./columns.ts";
import { binomial, placeOf, type Random } from "./random.ts";
import { DECIDED_BITS, KEYLESS, type KeyCounts, PERIOD_SECONDS, SORT, type Tape } from "./tape.ts";

/** Keys fall where the draw of the rules puts them. */
export const TRUE_DRAW = 0;

export interface Stream {
  readonly tape: Tape;
  readonly random: Random;
  /** TRUE_DRAW, or another number for another draw of the keys. */
  readonly salt: number;
  sharePpm: SharePpm;
  /** By period: the part of what is drawn that new serves; NaN: not known yet. */
  readonly parts: Float64Array;
  /** Where the next second is read. */
  well: number;
  flawed: number;
}

/** One flawed answer of the log, on its side. */
export interface Flawed {
  readonly side: Side;
  readonly flaws: number;
  readonly rhoPpm: SharePpm;
  readonly unit: string | null;
  readonly isRepeatable: boolean;
}

/** What a second holds; overwritten by the next. */
export interface Second {
  /** Answers without a flaw, and some of them again by what may be done with them. */
  readonly well: Record<Side, number>;
  listedNew: number;
  repeatableNew: number;
  /** Requests whose method may be shadowed, flawed ones too. */
  readonly shadowable: Record<Side, number>;
  flawed: Flawed[];
}

export function createStream(tape: Tape, random: Random, salt: number): Stream {
  const parts = new Float64Array(tape.periods.length).fill(Number.NaN);
  return { tape, random, salt, sharePpm: 0, parts, well: 0, flawed: 0 };
}

export function createSecond(): Second {
  return {
    well: { old: 0, new: 0 },
    listedNew: 0,
    repeatableNew: 0,
    shadowable: { old: 0, new: 0 },
    flawed: [],
  };
}

/** The share has changed. */
export function setShare(stream: Stream, sharePpm: SharePpm): void {
  if (sharePpm === stream.sharePpm) return;
  stream.sharePpm = sharePpm;
  stream.parts.fill(Number.NaN);
}

/** Goes to a second of the tape; those after it need no seeking. */
export function seek(stream: Stream, second: number): void {
  const { seconds, flawedSeconds } = stream.tape;
  stream.well = lowerBound(seconds, seconds.length, second);
  stream.flawed = lowerBound(flawedSeconds, flawedSeconds.length, second);
}

/** Reads the second that the stream stands at into `into`. */
export function readSecond(stream: Stream, second: number, into: Second): void {
  into.well.old = 0;
  into.well.new = 0;
  into.listedNew = 0;
  into.repeatableNew = 0;
  into.shadowable.old = 0;
  into.shadowable.new = 0;
  if (into.flawed.length > 0) into.flawed = [];
  readWell(stream, second, into);
  readFlawed(stream, second, into);
}

function readWell(stream: Stream, second: number, into: Second): void {
  const { seconds, sorts, counts } = stream.tape;
  while (stream.well < seconds.length && seconds[stream.well] === second) {
    const sort = sorts[stream.well] as number;
    const count = counts[stream.well] as number;
    stream.well++;
    const toNew = servedByNew(stream, sort & DECIDED_BITS, count, second);
    into.well.new += toNew;
    into.well.old += count - toNew;
    if ((sort & DECIDED_BITS) === SORT.new) into.listedNew += toNew;
    if ((sort & SORT.repeatable) !== 0) into.repeatableNew += toNew;
    if ((sort & SORT.shadowable) === 0) continue;
    into.shadowable.new += toNew;
    into.shadowable.old += count - toNew;
  }
}

function readFlawed(stream: Stream, second: number, into: Second): void {
  const { flawedSeconds, flawedSorts, flaws, flawedKeys, flawedBuckets } = stream.tape;
  for (; stream.flawed < flawedSeconds.length && flawedSeconds[stream.flawed] === second; stream.flawed++) {
    const at = stream.flawed;
    const sort = flawedSorts[at] as number;
    const key = flawedKeys[at] as number;
    const decided = sort & DECIDED_BITS;
    const side = sideOf(stream, decided, key, flawedBuckets[at] as number);
    into.flawed.push({
      side,
      flaws: flaws[at] as number,
      rhoPpm: decided === SORT.drawn ? stream.sharePpm : 0,
      unit: key === KEYLESS ? null : writtenUnit(stream.tape, at, key),
      isRepeatable: (sort & SORT.repeatable) !== 0,
    });
    if ((sort & SORT.shadowable) !== 0) into.shadowable[side]++;
  }
}

function servedByNew(stream: Stream, decided: number, count: number, second: number): number {
  if (decided === SORT.old) return 0;
  if (decided === SORT.new) return count;
  if (stream.sharePpm <= 0) return 0;
  if (stream.sharePpm >= WHOLE_PPM) return count;
  return binomial(stream.random, count, partOfNew(stream, Math.floor(second / PERIOD_SECONDS)));
}

function sideOf(stream: Stream, decided: number, key: number, bucket: number): Side {
  if (decided !== SORT.drawn) return decided === SORT.new ? "new" : "old";
  if (key === KEYLESS) return stream.random() * WHOLE_PPM < stream.sharePpm ? "new" : "old";
  return isOnNew(stream, key, bucket) ? "new" : "old";
}

function isOnNew({ salt, sharePpm }: Stream, key: number, bucket: number): boolean {
  return (salt === TRUE_DRAW ? bucket : placeOf(key, salt) * WHOLE_PPM) < sharePpm;
}

/** Sticky keys: in a period of a few large tenants, new's part is not the share. */
function partOfNew(stream: Stream, period: number): number {
  const known = stream.parts[period] as number;
  if (!Number.isNaN(known)) return known;
  const drawn = stream.tape.periods[period]?.drawn;
  const part = drawn === undefined ? 0 : partOf(stream, drawn);
  stream.parts[period] = part;
  return part;
}

function partOf(stream: Stream, { keys, buckets, cumulative, others }: KeyCounts): number {
  let onNew = (others * stream.sharePpm) / WHOLE_PPM;
  let before = 0;
  for (let i = 0; i < keys.length; i++) {
    const sum = cumulative[i] as number;
    if (isOnNew(stream, keys[i] as number, buckets[i] as number)) onNew += sum - before;
    before = sum;
  }
  return onNew / (before + others);
}

/** A side may be so small that no key of it is found by picking at random. */
const MAX_PICKS = 5_000;

/** The unit of a request that goes well on a side in this second, picked as traffic has them; null: keyless. */
export function pickUnit(stream: Stream, second: number, side: Side, isListed: boolean): string | null {
  const period = stream.tape.periods[Math.floor(second / PERIOD_SECONDS)];
  const counted = isListed ? period?.listed : period?.drawn;
  if (counted === undefined || counted.keys.length === 0) return null;
  const { keys, buckets, cumulative, others } = counted;
  const keyed = cumulative[keys.length - 1] as number;
  for (let pick = 0; pick < MAX_PICKS; pick++) {
    const place = stream.random() * (keyed + others);
    if (place >= keyed) {
      if (isListed || stream.random() * WHOLE_PPM < stream.sharePpm === (side === "new")) return null;
      continue;
    }
    // The first whose running total is above the place.
    const at = Math.min(lowerBound(cumulative, keys.length, Math.floor(place) + 1), keys.length - 1);
    const key = keys[at] as number;
    if (isListed || isOnNew(stream, key, buckets[at] as number) === (side === "new")) return unitOfKey(key);
  }
  return null;
}

/** Units as they were written: to write one costs more than all else that is done with it. */
const written = new WeakMap<Tape, string[]>();
/** About 40 bytes each. */
const MAX_WRITTEN = 2_000_000;

function writtenUnit(tape: Tape, at: number, key: number): string {
  if (at >= MAX_WRITTEN) return unitOfKey(key);
  let units = written.get(tape);
  if (units === undefined) {
    units = new Array<string>(Math.min(tape.flaws.length, MAX_WRITTEN)).fill("");
    written.set(tape, units);
  }
  let unit = units[at] as string;
  if (unit === "") {
    unit = unitOfKey(key);
    units[at] = unit;
  }
  return unit;
}

function unitOfKey(key: number): string {
  return key.toString(16).padStart(14, "0");
}
