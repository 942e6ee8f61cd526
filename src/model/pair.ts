/** Two answers to one request, on their way from a data-plane thread to a comparison thread and on to control. */

import type { AnswerSample, Difference } from "./reports.ts";
import type { Compare } from "./ruleset.ts";
import type { UncomparedReason } from "./uncompared.ts";

/** An answer as it came over the wire. */
export interface Answer {
  readonly status: number;
  /** Flat name, value, name, value …, as received, without hop-by-hop fields. */
  readonly headers: readonly string[];
  /** Still encoded (gzip, br …). Owned by this message: its buffer is transferred. */
  readonly body: Uint8Array;
  /** Only the beginning of a stream of events; everything else is whole. */
  readonly cut: boolean;
}

/** What a data thread needs to ask both sides again. */
export interface Ticket {
  readonly thread: number;
  readonly id: number;
}

/** Posted by a data thread for a pair that differs in status, chosen headers or bytes. */
export interface Pair {
  readonly route: string;
  /** Version of the rules that the request began with; `compare` is that route's, under that version. */
  readonly rulesVersion: string;
  readonly compare: Compare;
  readonly requestId: string;
  readonly method: string;
  readonly target: string;
  /** Flat: those of the client's fields that a person needs to ask the same; never one that holds credentials. */
  readonly requestHeaders: readonly string[];
  /** Fingerprint of the key, so that a key counts once; null: keyless. */
  readonly unit: string | null;
  readonly old: Answer;
  readonly new: Answer;
  /** Old's second answer, asked beside new's; null: not in the noise sample, or lost. */
  readonly again: Answer | null;
  /** New served the client, so that old was asked twice after it (a reverse shadow). Absent: old served. */
  readonly isReverse?: boolean;
  /** Null: this pair cannot be asked again. */
  readonly ticket: Ticket | null;
  /** Both sides asked again for an earlier pair; null: a first pair. */
  readonly confirms: Confirms | null;
}

export interface Confirms {
  readonly ticket: Ticket;
  /** From old's first answer to the repeat. */
  readonly afterMs: number;
}

/** What a comparison found, before noise is taken out. */
export type Comparison =
  | { readonly kind: "match" }
  | { readonly kind: "mismatch"; readonly differences: readonly Difference[] }
  | { readonly kind: "uncompared"; readonly why: UncomparedReason };

/** A place of a difference as noise and clusters know it: path template and kind. */
export interface Place {
  /** A JSONPath with array indexes and ids folded to `[*]`; "status", "header:content-type", "body". */
  readonly template: string;
  readonly kind: Difference["kind"];
}

/** Posted by a comparison thread to control, one a pair. `old` and `new` are there for a mismatch alone. */
export interface Compared {
  readonly kind: "compared";
  readonly route: string;
  readonly rulesVersion: string;
  readonly requestId: string;
  readonly method: string;
  /** Redacted, as are the answers. */
  readonly target: string;
  readonly requestHeaders: readonly string[];
  readonly unit: string | null;
  readonly comparison: Comparison;
  /** Where old's two answers differ, each place once; null: not in the noise sample, or not comparable. */
  readonly noise: readonly Place[] | null;
  /** As the pair's. */
  readonly isReverse?: boolean;
  readonly ticket: Ticket | null;
  readonly confirms: Confirms | null;
  readonly old: AnswerSample | null;
  readonly new: AnswerSample | null;
}
