/**
 * One route's part of a log, compressed: what went well is counted by second, what failed is kept one by one,
 * and for each ten minutes it is known who the requests were from. Its size grows with the log's seconds and
 * failures, not with its lines.
 */

import {
  byteColumn,
  doubleColumn,
  push,
  sharedBytes,
  sharedDoubles,
  sharedWords,
  trimmed,
  wordColumn,
} from "./columns.ts";

/** What the rules say of a request before the draw, and of what may be done with it. */
export const SORT = {
  /** The first two bits: who decides its side. */
  drawn: 0,
  old: 1,
  new: 2,
  /** Its method may be shadowed. */
  shadowable: 4,
  /** A failed answer of new is asked again of old. */
  repeatable: 8,
} as const;
export const DECIDED_BITS = 3;
const SORTS = 16;

/** What was wrong with an answer; one may be both failed and slow. */
export const FLAW = { error: 1, clientError: 2, slow: 4 } as const;

/** Who the requests of ten minutes were from is kept together. */
export const PERIOD_SECONDS = 600;
/** Distinct keys that are told apart in a period. Those that come later are drawn one by one, like keyless requests. */
const MAX_PERIOD_KEYS = 20_000;
/** Over the whole log, 16 bytes each; beyond it a period tells few apart. */
const MAX_KEYS = 6_000_000;
const FEW_KEYS = 500;
/** 17 bytes each. */
const MAX_FLAWED = 16_000_000;

/** A request without a key, where a fingerprint is asked for. */
export const KEYLESS = -1;

/** Requests by key, of one period and one way of deciding. */
export interface KeyCounts {
  /** Fingerprints below 2^53. */
  readonly keys: Float64Array;
  /** Where the draw puts them, 0 to 999,999. */
  readonly buckets: Uint32Array;
  /** Running totals, so that one request of all can be picked. */
  readonly cumulative: Float64Array;
  /** Requests of nobody in particular, or of keys that are not told apart. */
  readonly others: number;
}

export interface Period {
  readonly drawn: KeyCounts;
  /** Moved to new by a list. */
  readonly listed: KeyCounts;
}

/** Numbers in shared memory, so that many threads may play one tape. */
export interface Tape {
  readonly requests: number;
  readonly errors: number;
  readonly keyed: number;
  /** Requests that went well: so many of one sort in one second, seconds rising. */
  readonly seconds: Uint32Array;
  readonly sorts: Uint8Array;
  readonly counts: Uint32Array;
  /** The others, in order. */
  readonly flawedSeconds: Uint32Array;
  readonly flawedSorts: Uint8Array;
  readonly flaws: Uint8Array;
  readonly flawedKeys: Float64Array;
  readonly flawedBuckets: Uint32Array;
  /** By number of the period; a hole: no traffic. */
  readonly periods: readonly (Period | undefined)[];
}

/** One request on its way onto the tape. */
export interface Taken {
  /** Since the log's first line. Never less than that of the request before. */
  readonly second: number;
  readonly sort: number;
  /** Bits of FLAW; 0: it went well. */
  readonly flaws: number;
  /** Fingerprint of its key, or KEYLESS. */
  readonly key: number;
}

/** The log is larger than what can be held. The message is for people. */
export class TapeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "TapeError";
  }
}

export interface TapeWriter {
  /** `bucketOf` is asked once for each key of a period. */
  take(request: Taken, bucketOf: () => number): void;
  finish(): Tape;
}

export function createTapeWriter(): TapeWriter {
  const total = { requests: 0, errors: 0, keyed: 0 };
  const seconds = wordColumn();
  const sorts = byteColumn();
  const seen = wordColumn();
  const flawedSeconds = wordColumn();
  const flawedSorts = byteColumn();
  const flaws = byteColumn();
  const flawedKeys = doubleColumn();
  const flawedBuckets = wordColumn();
  const periods: (Period | undefined)[] = [];
  const counts = new Uint32Array(SORTS);
  let second = 0;
  let census = createCensus(0, MAX_PERIOD_KEYS);
  let keysKept = 0;

  function endSecond(): void {
    for (let sort = 0; sort < SORTS; sort++) {
      const count = counts[sort] as number;
      if (count === 0) continue;
      push(seconds, second);
      push(sorts, sort);
      push(seen, count);
    }
    counts.fill(0);
  }

  function endPeriod(next: number): void {
    const period = countedPeriod(census);
    if (period !== null) {
      periods[census.number] = period;
      keysKept += period.drawn.keys.length + period.listed.keys.length;
    }
    census = createCensus(next, keysKept < MAX_KEYS ? MAX_PERIOD_KEYS : FEW_KEYS);
  }

  return {
    take(request, bucketOf) {
      if (request.second !== second) {
        endSecond();
        second = request.second;
        const period = Math.floor(second / PERIOD_SECONDS);
        if (period !== census.number) endPeriod(period);
      }
      total.requests++;
      if (request.key !== KEYLESS) total.keyed++;
      const bucket = countKey(census, request, bucketOf);
      if (request.flaws === 0) {
        counts[request.sort] = (counts[request.sort] as number) + 1;
        return;
      }
      if ((request.flaws & FLAW.error) !== 0) total.errors++;
      if (flaws.length === MAX_FLAWED) {
        throw new TapeError(
          `more than ${MAX_FLAWED / 1e6} million failing or slow answers on one route: simulate a part of the log`,
        );
      }
      push(flawedSeconds, second);
      push(flawedSorts, request.sort);
      push(flaws, request.flaws);
      push(flawedKeys, request.key);
      push(flawedBuckets, bucket ?? bucketOf());
    },
    finish() {
      endSecond();
      endPeriod(-1);
      return {
        ...total,
        seconds: sharedWords(trimmed(seconds)),
        sorts: sharedBytes(trimmed(sorts)),
        counts: sharedWords(trimmed(seen)),
        flawedSeconds: sharedWords(trimmed(flawedSeconds)),
        flawedSorts: sharedBytes(trimmed(flawedSorts)),
        flaws: sharedBytes(trimmed(flaws)),
        flawedKeys: sharedDoubles(trimmed(flawedKeys)),
        flawedBuckets: sharedWords(trimmed(flawedBuckets)),
        periods,
      };
    },
  };
}

interface KeyCount {
  readonly bucket: number;
  count: number;
}

/** Who the requests of one period were from, while it is counted. */
interface Census {
  readonly number: number;
  readonly maxKeys: number;
  readonly drawn: Map<number, KeyCount>;
  readonly listed: Map<number, KeyCount>;
  drawnOthers: number;
  listedOthers: number;
}

function createCensus(number: number, maxKeys: number): Census {
  return { number, maxKeys, drawn: new Map(), listed: new Map(), drawnOthers: 0, listedOthers: 0 };
}

/** Answers the key's bucket where it is known already. */
function countKey(census: Census, { sort, key }: Taken, bucketOf: () => number): number | null {
  const decided = sort & DECIDED_BITS;
  if (decided === SORT.old) return null;
  const counted = decided === SORT.drawn ? census.drawn : census.listed;
  const known = counted.get(key);
  if (known !== undefined) {
    known.count++;
    return known.bucket;
  }
  if (key !== KEYLESS && counted.size < census.maxKeys) {
    const bucket = bucketOf();
    counted.set(key, { bucket, count: 1 });
    return bucket;
  }
  if (decided === SORT.drawn) census.drawnOthers++;
  else census.listedOthers++;
  return null;
}

function countedPeriod({ drawn, listed, drawnOthers, listedOthers }: Census): Period | null {
  if (drawn.size + listed.size + drawnOthers + listedOthers === 0) return null;
  return { drawn: keyCountsOf(drawn, drawnOthers), listed: keyCountsOf(listed, listedOthers) };
}

function keyCountsOf(counted: ReadonlyMap<number, KeyCount>, others: number): KeyCounts {
  const keys = sharedDoubles(new Float64Array(counted.size));
  const buckets = sharedWords(new Uint32Array(counted.size));
  const cumulative = sharedDoubles(new Float64Array(counted.size));
  let at = 0;
  let sum = 0;
  for (const [key, { bucket, count }] of counted) {
    sum += count;
    keys[at] = key;
    buckets[at] = bucket;
    cumulative[at++] = sum;
  }
  return { keys, buckets, cumulative, others };
}
