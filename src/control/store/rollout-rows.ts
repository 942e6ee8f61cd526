/** Rows of `rollouts` and `pins`, each with a checksum: what decides who serves must not be a flipped bit. */

import { z } from "zod";
import type { RolloutState } from "../../model/rollout-state.ts";
import { WHOLE_PPM } from "../../model/ruleset.ts";
import type { PinRecord, RolloutRecord } from "../store-types.ts";
import { actor, instant, json, type Value, whole } from "./rows.ts";
import { rowDigest } from "./seals.ts";

const share = z.int().min(0).max(WHOLE_PPM);

const step = z.object({
  canaryPpm: share,
  shadowPpm: share,
  bakeMs: z.number().nonnegative(),
  minSamples: z.number().nonnegative(),
  gates: z.array(z.string()),
  approve: z.boolean(),
});

const state = z
  .object({
    phase: z.enum(["paused", "baking", "rolled-back", "completed"]),
    step: z.int().nonnegative(),
    begun: z.boolean(),
    bakedMs: z.number().nonnegative(),
    shares: z.object({ canaryPpm: share, shadowPpm: share }),
    why: z.string(),
    steps: z.array(step).min(1),
  })
  .refine(({ step: at, steps }) => at < steps.length, "the step is not one of the steps");

const checked = <T extends z.core.$ZodLooseShape>(shape: T) => z.object({ ...shape, sha256: z.string() });

const rolloutRow = checked({
  route: z.string().min(1),
  state_json: z.string(),
  shown_json: z.string(),
}).refine(({ sha256, ...rest }) => sha256 === rowDigest(rest), "it does not match its checksum");

const stateText = json(state);
const anyText = json(z.unknown());

const pinRow = checked({
  route: z.string().min(1),
  key: z.string(),
  side: z.enum(["old", "new"]),
  at: instant,
  actor,
  reason: z.string(),
  expires_at: instant.nullable(),
}).refine(({ sha256, ...rest }) => sha256 === rowDigest(rest), "it does not match its checksum");

/** Parses a row of `rollouts`; throws a ZodError where it is not one. */
export function rolloutOf(row: unknown): RolloutRecord {
  const { route, state_json, shown_json } = rolloutRow.parse(row);
  const parsed: RolloutState = stateText.parse(state_json);
  return { route, state: parsed, shown: anyText.parse(shown_json) };
}

/** Parses a row of `pins`; throws a ZodError where it is not one. */
export function pinOf(row: unknown): PinRecord {
  const { route, key, side, at, actor: by, reason, expires_at: expiresAt } = pinRow.parse(row);
  return { route, key, side, at, by, reason, expiresAt };
}

/** Named parameters for an insert into `rollouts`. */
export function rolloutValues({ route, state: of, shown }: RolloutRecord): Record<string, Value> {
  return withChecksum({ route, state_json: JSON.stringify(of), shown_json: JSON.stringify(shown ?? null) });
}

/** Named parameters for an insert into `pins`. */
export function pinValues({ route, key, side, at, by, reason, expiresAt }: PinRecord): Record<string, Value> {
  return withChecksum({ route, key, side, at, actor: by, reason, expires_at: expiresAt });
}

function withChecksum(values: Record<string, Value>): Record<string, Value> {
  const row = whole(values);
  return { ...row, sha256: rowDigest(row) };
}
