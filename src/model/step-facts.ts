/** What the rules and the rollout say of a step that is judged. */

import type { SharePpm } from "./ruleset.ts";

/** What a judge has to know of the current step besides what the detector has seen in it. */
export interface StepFacts {
  /** That acts. */
  readonly canaryPpm: SharePpm;
  /** Answers of new (compared pairs where new serves nobody) that a pass needs. */
  readonly minSamples: number;
  /** Whether pairs can come at all: something is shadowed and compared. */
  readonly comparesPairs: boolean;
  /** Why mismatches, which are guarded, cannot be judged, and what to write. Absent, null: they can, or are not. */
  readonly uncompared?: string | null;
  /** How far noise is known; null: it is, or it is not measured. */
  readonly learning: { readonly done: number; readonly of: number } | null;
}
