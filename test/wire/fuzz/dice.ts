/** Seeded randomness: a seed and a case's number say everything about the case. */

export interface Dice {
  /** A whole number from 0 to `below` - 1. */
  int(below: number): number;
  /** True once in `of` times, on average. */
  once(of: number): boolean;
  pick<T>(from: readonly T[]): T;
}

/** splitmix32: small, and good enough to choose bytes. */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  const int = (below: number): number => next() % below;
  return {
    int,
    once: (of) => int(of) === 0,
    pick: (from) => {
      if (from.length === 0) throw new Error("nothing to pick from");
      return from[int(from.length)] as (typeof from)[number];
    },
  };
}
