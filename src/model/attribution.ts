/**
 * Whose failures they are, where somebody may choose which requests reach new. The relative tests rest on the draw: who
 * fails is as likely to be on either side. Whoever may try keys until they land on new, and asks with those alone for
 * what does not exist or fails anywhere, gives new more failures than old and no fault of its own. So old is asked the
 * same (a fallback, or the proxy's client-errors.ts), and a trip needs both: more failures on new than are tolerated,
 * and enough that are new's alone.
 *
 * The second wealth can only hold a trip back, so it adds no false alarm. Where new fails more than `ratio` times as
 * often as old on like requests, at least `ratio` − 1 times old's rate, and 1 − 1/`ratio` of new's own, are its alone:
 * that is what it is held to, less than the first, so that a true fault hardly waits for it.
 */

import { type CountedKeys, countOnce, createCountedKeys, forgetKeys } from "./counted-keys.ts";
import { betAbsolute, betRelative, canBetOn, createWealth, lnMeanWealth } from "./evidence.ts";
import type { EventKind, FailureEvent } from "./observation.ts";
import { WHOLE_PPM } from "./ruleset.ts";

/** However little the first test tolerates: a few failures that chance left to new alone are no fault. */
const LEAST_TOLERANCE = 0.25;
const LEAST_PART = 0.2;

export interface Attribution {
  readonly logWealth: Float64Array;
  readonly keys: CountedKeys;
}

export function createAttribution(): Attribution {
  return { logWealth: createWealth(), keys: createCountedKeys() };
}

/** Lets keys count again. */
export function recountAttributed(attribution: Attribution): void {
  forgetKeys(attribution.keys);
}

/** Forgets losses, once a second. */
export function floorAttribution({ logWealth }: Attribution): void {
  for (const [i, value] of logWealth.entries()) logWealth[i] = Math.max(0, value);
}

/** ln of its wealth. */
export function lnAttributed({ logWealth }: Attribution): number {
  return lnMeanWealth(logWealth);
}

/** What a batch holds of one kind of failure. */
export interface Attributed {
  readonly kind: EventKind;
  /** Both sides' failures. */
  readonly events: readonly FailureEvent[];
  /** Those of new's alone. */
  readonly alone: readonly FailureEvent[];
}

/**
 * Bets on the failures that are new's alone against all of old's; `ratio` is how many times old's rate is tolerated.
 * Answers the last one of new that counted, or null.
 */
export function attributeRelative(
  attribution: Attribution,
  { kind, events, alone }: Attributed,
  ratio: number,
): FailureEvent | null {
  const tolerance = Math.max(LEAST_TOLERANCE, ratio - 1);
  let last: FailureEvent | null = null;
  // The order within a batch is not known: old's first is the order that trips last.
  for (const event of [...events.filter(({ side }) => side === "old"), ...alone]) {
    const { rhoPpm, side, unit } = event;
    if (event.kind !== kind || rhoPpm <= 0 || rhoPpm >= WHOLE_PPM) continue;
    if (!countOnce(attribution.keys, unit)) continue;
    const isNew = side === "new";
    betRelative(attribution.logWealth, isNew ? 1 : 0, isNew ? 0 : 1, rhoPpm / WHOLE_PPM, tolerance);
    if (isNew) last = event;
  }
  return last;
}

/**
 * Bets on them among new's answers, `clean` of which were well, against the part of `limitRate` that must be new's alone.
 * True: one counted.
 */
export function attributeAbsolute(
  attribution: Attribution,
  { kind, alone }: Omit<Attributed, "events">,
  clean: number,
  limitRate: number,
  ratio: number,
): boolean {
  const rate = limitRate * Math.max(LEAST_PART, 1 - 1 / ratio);
  if (!canBetOn(rate)) return false;
  betAbsolute(attribution.logWealth, 0, clean, rate);
  let hasCounted = false;
  for (const event of alone) {
    if (event.kind !== kind || !countOnce(attribution.keys, event.unit)) continue;
    betAbsolute(attribution.logWealth, 1, 1, rate);
    hasCounted = true;
  }
  return hasCounted;
}
