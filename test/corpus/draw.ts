/** Seeded chance: the same seed draws the same corpus on every machine. */

export interface Draw {
  /** 0 to below 1. */
  readonly next: () => number;
  /** A whole number from 0 to below `limit`. */
  readonly int: (limit: number) => number;
  readonly chance: (share: number) => boolean;
  readonly pick: <Item>(items: readonly Item[]) => Item;
  /** `count` lower case hexadecimal digits. */
  readonly hex: (count: number) => string;
  readonly uuid: () => string;
  readonly word: () => string;
  readonly words: (count: number) => string;
  /** An instant of a few years in whole seconds since 1970. */
  readonly epochSeconds: () => number;
  /** The same sort of instant as RFC 3339, with milliseconds. */
  readonly instant: () => string;
  /** Hundredths, such as 12.34. */
  readonly price: () => number;
}

const WORDS =
  "amber basin cedar delta ember fjord grove harbour inlet juniper kestrel lagoon meadow north orchard pebble quarry ridge sable thicket upland valley willow yarrow zephyr".split(
    " ",
  );

/** Draws by mulberry32, which is short, fast and good enough to shuffle test data. */
export function createDraw(seed: number): Draw {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (limit: number): number => Math.floor(next() * limit);
  const pick = <Item>(items: readonly Item[]): Item => items[int(items.length)] as Item;
  const hex = (count: number): string => Array.from({ length: count }, () => int(16).toString(16)).join("");
  const word = (): string => pick(WORDS);
  const epochSeconds = (): number => 1_700_000_000 + int(90_000_000);
  return {
    next,
    int,
    chance: (share) => next() < share,
    pick,
    hex,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
    word,
    words: (count) => Array.from({ length: count }, word).join(" "),
    epochSeconds,
    instant: () => new Date(epochSeconds() * 1000 + int(1000)).toISOString(),
    price: () => (100 + int(100_000)) / 100,
  };
}

/** `count` things made one after the other. */
export function times<Item>(count: number, make: (at: number) => Item): Item[] {
  return Array.from({ length: count }, (_, at) => make(at));
}

/** Puts the items into another order, in place; the same order only where no other is possible. */
export function shuffle(items: unknown[], draw: Draw): void {
  for (let at = items.length - 1; at > 0; at--) {
    const other = draw.int(at + 1);
    [items[at], items[other]] = [items[other], items[at]];
  }
}
