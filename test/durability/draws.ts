/** Random numbers that a seed repeats. */

export interface Draws {
  /** 0 up to 1. */
  readonly number: () => number;
  /** A whole number from `from` to `to`, both possible. */
  readonly from: (from: number, to: number) => number;
  readonly one: <T>(of: readonly T[]) => T;
  readonly chance: (share: number) => boolean;
}

export function drawsOf(seed: number): Draws {
  let state = seed >>> 0;
  /** mulberry32 */
  const number = (): number => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const from = (least: number, most: number): number => least + Math.floor(number() * (most - least + 1));
  return {
    number,
    from,
    one: (of) => {
      const found = of[from(0, of.length - 1)];
      if (found === undefined) throw new Error("nothing to draw from");
      return found;
    },
    chance: (share) => number() < share,
  };
}
