/** Seeded chance: the same numbers give the same simulation, on any machine. */

/** Uniform in [0, 1). */
export type Random = () => number;

/** Mulberry32 over the parts mixed together, such as a seed, a purpose and the number of a run. */
export function createRandom(...parts: readonly number[]): Random {
  let state = parts.reduce((mixed, part) => mixed32(mixed ^ mixed32(part)), 0x9e3779b9);
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Uniform in [0, 1) for a fingerprint below 2^53; another salt gives another, independent number. */
export function placeOf(fingerprint: number, salt: number): number {
  const high = Math.floor(fingerprint / 4294967296);
  return mixed32(mixed32(mixed32(salt) ^ (fingerprint >>> 0)) ^ high) / 4294967296;
}

/** Spreads 32 bits (after MurmurHash3's finaliser, twice). */
function mixed32(value: number): number {
  let h = (value ^ 0x2545f491) >>> 0;
  for (let round = 0; round < 2; round++) {
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h = (h ^ (h >>> 16)) >>> 0;
  }
  return h;
}

/** From so many expected successes and failures on, the normal curve is as good. */
const ENOUGH_FOR_NORMAL = 50;

/** How many of `trials` succeed. */
export function binomial(random: Random, trials: number, chance: number): number {
  if (trials <= 0 || chance <= 0) return 0;
  if (chance >= 1) return trials;
  if (chance > 0.5) return trials - binomial(random, trials, 1 - chance);
  if (trials * chance >= ENOUGH_FOR_NORMAL) return normalBinomial(random, trials, chance);
  const lnMiss = Math.log1p(-chance);
  let successes = 0;
  // From one success to the next.
  for (let at = skip(random, lnMiss); at <= trials; at += skip(random, lnMiss)) successes++;
  return successes;
}

function skip(random: Random, lnMiss: number): number {
  return 1 + Math.floor(Math.log1p(-random()) / lnMiss);
}

function normalBinomial(random: Random, trials: number, chance: number): number {
  const radius = Math.sqrt(-2 * Math.log1p(-random()));
  const z = radius * Math.cos(2 * Math.PI * random());
  const found = Math.round(trials * chance + z * Math.sqrt(trials * chance * (1 - chance)));
  return Math.min(trials, Math.max(0, found));
}
