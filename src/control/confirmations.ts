/**
 * Mismatches that are asked again before they count: one that is gone a moment later was a flake, or an old and a
 * new that were not at the same point in time (a replica that lags), and is transient.
 */

import type { Compared, Place, Ticket } from "../model/pair.ts";
import type { Difference } from "../model/reports.ts";

/** So many wait at most; a mismatch beyond them counts as it is, unconfirmed. */
export const MAX_WAITING = 500;
const SWEEP_EVERY_MS = 500;

/** A pair that differed, or that did and did not when it was asked again. */
export type Verdict =
  | { readonly kind: "mismatch"; readonly compared: Compared }
  | { readonly kind: "transient"; readonly compared: Compared; readonly afterMs: number };

export interface ConfirmationTools {
  /** Has both sides asked again; their answers come to `answered`, or nothing does. */
  readonly ask: (ticket: Ticket) => void;
  readonly isNoise: (route: string, place: Place) => boolean;
  readonly settle: (verdict: Verdict) => void;
  readonly nowMs: () => number;
}

interface Waiting {
  readonly compared: Compared;
  readonly untilMs: number;
}

export class Confirmations {
  readonly #tools: ConfirmationTools;
  /** By ticket, in the order of arrival. */
  readonly #waiting = new Map<string, Waiting>();
  #timer: NodeJS.Timeout | null = null;

  constructor(tools: ConfirmationTools) {
    this.#tools = tools;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Takes a mismatch to be confirmed within the limit; false: it cannot be, and counts as it is. */
  hold(compared: Compared, limitMs: number): boolean {
    const { ticket } = compared;
    if (ticket === null || this.#waiting.size >= MAX_WAITING) return false;
    // A thread that took a dead one's place numbers its tickets anew.
    this.unconfirmed(ticket);
    this.#waiting.set(nameOf(ticket), { compared, untilMs: this.#tools.nowMs() + limitMs });
    if (this.#timer === null) {
      this.#timer = setInterval(() => this.sweep(), SWEEP_EVERY_MS);
      this.#timer.unref();
    }
    this.#tools.ask(ticket); // may answer at once that it cannot
    return true;
  }

  /** A pair that was asked again. One that nobody waits for any more has counted already. */
  answered(again: Compared): void {
    if (again.confirms === null) return;
    const { ticket, afterMs } = again.confirms;
    const first = this.#take(ticket);
    if (first === undefined) return;
    const isNoise = (place: Place): boolean => this.#tools.isNoise(first.route, place);
    const left = differencesLeft(first, again, isNoise);
    this.#tools.settle(
      left === null
        ? { kind: "transient", compared: first, afterMs }
        : { kind: "mismatch", compared: { ...first, comparison: { kind: "mismatch", differences: left } } },
    );
  }

  /** It could not be asked again. */
  unconfirmed(ticket: Ticket): void {
    const compared = this.#take(ticket);
    if (compared !== undefined) this.#tools.settle({ kind: "mismatch", compared });
  }

  /** Settles those that have waited too long: an answer that never comes hides nothing. */
  sweep(): void {
    const nowMs = this.#tools.nowMs();
    for (const { compared, untilMs } of [...this.#waiting.values()]) {
      if (untilMs <= nowMs && compared.ticket !== null) this.unconfirmed(compared.ticket);
    }
  }

  /** What still waits counts as it is. */
  stop(): void {
    for (const { compared } of [...this.#waiting.values()])
      if (compared.ticket !== null) this.unconfirmed(compared.ticket);
  }

  #take(ticket: Ticket): Compared | undefined {
    const name = nameOf(ticket);
    const waiting = this.#waiting.get(name);
    this.#waiting.delete(name);
    if (this.#waiting.size === 0 && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
    return waiting?.compared;
  }
}

/**
 * Those of the first pair's differences that count: what differs in both, and what is noise anyway. Null: all is well
 * the second time. Where it differs again, but in other places only, nothing is confirmed to be well: all count.
 */
export function differencesLeft(
  first: Compared,
  again: Compared,
  isNoise: (place: Place) => boolean,
): readonly Difference[] | null {
  const before = differencesOf(first);
  if (again.comparison.kind === "uncompared") return before;
  const after = differencesOf(again);
  if (after.every(isNoise)) return null;
  const names = new Set(after.map(placeName));
  const left = before.filter((each) => isNoise(each) || names.has(placeName(each)));
  return left.every(isNoise) ? before : left;
}

function differencesOf({ comparison }: Compared): readonly Difference[] {
  return comparison.kind === "mismatch" ? comparison.differences : [];
}

function placeName({ template, kind }: Place): string {
  return `${kind} ${template}`;
}

function nameOf({ thread, id }: Ticket): string {
  return `${thread}/${id}`;
}
