/** What one triple says for or against new, by what was known of noise before it: a bet may not know its outcome. */

import { isNoisy, type Noise, noiseKeys } from "./noise.ts";
import type { TripleSigns } from "./observation.ts";
import type { Place } from "./pair.ts";

/** `byNew`: where new's answer differs from old's first; `byOld`: where old's second does. Null: it says nothing. */
export function signsOf(
  noise: Noise,
  byNew: readonly Place[],
  byOld: readonly Place[],
  unit: string | null,
): TripleSigns | null {
  const ofNew = noiseKeys(noise, byNew);
  const ofOld = noiseKeys(noise, byOld);
  const signs = [...signsAt(noise, ofNew, ofOld, 1), ...signsAt(noise, ofOld, ofNew, -1)];
  const elsewhere = signOf(isElsewhere(noise, ofNew), isElsewhere(noise, ofOld));
  return signs.length === 0 && elsewhere === 0 ? null : { unit, signs, elsewhere };
}

function* signsAt(
  noise: Noise,
  keys: ReadonlySet<string>,
  others: ReadonlySet<string>,
  sign: -1 | 1,
): Iterable<TripleSigns["signs"][number]> {
  for (const place of keys) if (isNoisy(noise, place) && !others.has(place)) yield { place, sign };
}

function isElsewhere(noise: Noise, keys: ReadonlySet<string>): boolean {
  for (const key of keys) if (!isNoisy(noise, key)) return true;
  return false;
}

function signOf(newDiffers: boolean, oldDiffers: boolean): -1 | 0 | 1 {
  if (newDiffers === oldDiffers) return 0;
  return newDiffers ? 1 : -1;
}
