/** Two answers to one request, on their way from a data-plane thread to a comparison thread and on to control. */

import type { AnswerSample, Difference } from "./reports.ts";
import type { Compare } from "./ruleset.ts";

/** Why a pair could not be compared: never a match and never a mismatch. */
export type UncomparedReason = "too_large" | "aborted" | "shed" | "timeout" | "failed" | "decode_failed";

/** A whole answer, as it came over the wire. */
export interface Answer {
  readonly status: number;
  /** Flat name, value, name, value …, as received, without hop-by-hop fields. */
  readonly headers: readonly string[];
  /** Still encoded (gzip, br …). Owned by this message: its buffer is transferred. */
  readonly body: Uint8Array;
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
  /** Fingerprint of the key, so that a key counts once; null: keyless. */
  readonly unit: string | null;
  readonly old: Answer;
  readonly new: Answer;
}

/** What a comparison found. */
export type Comparison =
  | { readonly kind: "match" }
  | { readonly kind: "mismatch"; readonly differences: readonly Difference[] }
  | { readonly kind: "uncompared"; readonly why: UncomparedReason };

/** Posted by a comparison thread to control, one a pair. `old` and `new` are there for a mismatch alone. */
export interface Compared {
  readonly kind: "compared";
  readonly route: string;
  readonly requestId: string;
  readonly method: string;
  readonly target: string;
  readonly unit: string | null;
  readonly comparison: Comparison;
  readonly old: AnswerSample | null;
  readonly new: AnswerSample | null;
}
