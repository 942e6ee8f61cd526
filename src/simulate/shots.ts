/**
 * What happens within one second where new shows flaws: the log's own, and those that faults put in, in one order
 * with the answers that went well between them.
 */

import type { FailureEvent } from "../model/detector.ts";
import type { Side } from "../model/ruleset.ts";
import { type Fault, faultRate } from "./fault.ts";
import { binomial } from "./random.ts";
import { type Flawed, pickUnit, type Second, type Stream } from "./stream.ts";
import { FLAW } from "./tape.ts";

/** One flawed answer at its moment. */
export interface Shot extends Flawed {
  /** Within the second, 0 to 1. */
  readonly at: number;
  /** Old would fail (or does) just the same. */
  readonly isShared: boolean;
}

/** The second with all faults in it. */
export interface Shots {
  /** In the order in which they happen. */
  readonly shots: readonly Shot[];
  /** Answers without a flaw. */
  readonly well: Readonly<Record<Side, number>>;
}

/** Rates of the faults that act in a second. */
export interface Acting {
  readonly own: Readonly<Record<Side, Rates>>;
  /** Of both sides alike. */
  readonly both: Rates;
  readonly mismatches: number;
}

interface Rates {
  readonly error: number;
  readonly clientError: number;
  readonly slow: number;
}

/** Null: nothing is made to fail. */
export function actingAt(faults: readonly Fault[], atMs: number): Acting | null {
  if (!faults.some((fault) => atMs >= fault.fromMs && atMs < fault.untilMs)) return null;
  const rates = (side: Fault["side"]): Rates => ({
    error: faultRate(faults, side, "errors", atMs),
    clientError: faultRate(faults, side, "client-errors", atMs),
    slow: faultRate(faults, side, "slow", atMs),
  });
  return {
    own: { old: rates("old"), new: rates("new") },
    both: rates("both"),
    mismatches: faultRate(faults, "new", "mismatches", atMs),
  };
}

/** Puts the faults in, and all flaws of the second in an order. */
export function shotsOf(stream: Stream, second: number, traffic: Second, acting: Acting | null): Shots {
  const logged = traffic.flawed;
  const shots: Shot[] = logged.map((flawed, index) => ({
    ...flawed,
    // In the log's order, and anywhere among what went well.
    at: (index + stream.random()) / logged.length,
    isShared: true,
  }));
  if (acting === null) return { shots, well: traffic.well };
  const well = {
    old: putIn(stream, second, traffic, acting, "old", shots),
    new: putIn(stream, second, traffic, acting, "new", shots),
  };
  shots.sort((a, b) => a.at - b.at);
  return { shots, well };
}

/** Answers how many still go well. */
function putIn(
  stream: Stream,
  second: number,
  traffic: Second,
  { own, both }: Acting,
  side: Side,
  shots: Shot[],
): number {
  const all = traffic.well[side];
  const kinds: readonly (readonly [flaw: number, rate: number, isShared: boolean])[] = [
    [FLAW.error, both.error, true],
    [FLAW.error, own[side].error, false],
    [FLAW.clientError, both.clientError, true],
    [FLAW.clientError, own[side].clientError, false],
    [FLAW.slow, both.slow, true],
    [FLAW.slow, own[side].slow, false],
  ];
  let left = all;
  for (const [flaws, rate, isShared] of kinds) {
    const hit = binomial(stream.random, left, rate);
    left -= hit;
    for (let i = 0; i < hit; i++) {
      const isListed = side === "new" && stream.random() * all < traffic.listedNew;
      shots.push({
        side,
        flaws,
        rhoPpm: isListed ? 0 : stream.sharePpm,
        unit: pickUnit(stream, second, side, isListed),
        isRepeatable: side === "new" && stream.random() * all < traffic.repeatableNew,
        at: stream.random(),
        isShared,
      });
    }
  }
  return left;
}

/** As the guard is told of it: one event for each flaw. */
export function pushEvents(events: FailureEvent[], { side, flaws, rhoPpm, unit }: Flawed): void {
  if ((flaws & FLAW.error) !== 0) events.push({ kind: "error", side, rhoPpm, unit });
  if ((flaws & FLAW.clientError) !== 0) events.push({ kind: "client-error", side, rhoPpm, unit });
  if ((flaws & FLAW.slow) !== 0) events.push({ kind: "slow", side, rhoPpm, unit });
}
