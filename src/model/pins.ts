/** Keys that operators keep on one side, whatever the shares and the latch say. */

import type { Side } from "./ruleset.ts";

/** More of them are a list of keys: `split` in the rules takes a million. */
export const MAX_PINS_PER_ROUTE = 10_000;
/** As for the keys of a split. */
const MAX_PINNED_KEY_CHARS = 4_096;

/** The pins of one route as they stand, by key. A Map is one. */
export interface PinnedKeys {
  readonly size: number;
  get(key: string): Side | undefined;
}

export const NO_PINS: PinnedKeys = new Map<string, Side>();

/** One key from now on: on this side; null: by the rules again. */
export interface PinChange {
  readonly route: string;
  readonly key: string;
  readonly side: Side | null;
}

/** Why a text can be nobody's key; null: it can be. */
export function whyNoKey(key: string): string | null {
  if (key === "") return "the key is empty, and an empty value identifies nobody";
  if (key.length > MAX_PINNED_KEY_CHARS) return `a key has at most ${MAX_PINNED_KEY_CHARS} characters`;
  if (!key.isWellFormed()) return "the key is no text that UTF-8 can carry";
  return null;
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** What shall last longer has no end. */
const MAX_PIN_MS = 366 * 86_400_000;
/** What to write, as the end of a sentence. */
export const PIN_TIME_HINT = 'such as "30m", "2h" or "7d", at most 366d';

/** How long a pin lasts, in milliseconds; null: this text does not say. */
export function pinTimeMs(text: string): number | null {
  const parts = /^(\d{1,9})\s?([smhd])$/.exec(text.trim());
  const timeMs = Number(parts?.[1]) * (UNIT_MS[parts?.[2] ?? ""] ?? Number.NaN);
  return timeMs > 0 && timeMs <= MAX_PIN_MS ? timeMs : null;
}
