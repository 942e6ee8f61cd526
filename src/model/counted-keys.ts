/**
 * Which keys have counted already. A sticky key is drawn to its side once, not once a request, so its failures
 * are one piece of evidence and not many. Of fixed size: 8,192 keys, 8 in each of 1,024 places, the one that
 * was seen longest ago making room; so keys that fail all the time stay known even while others pass through.
 */

const PLACES = 1024;
const KEYS_PER_PLACE = 8;
const WORDS_PER_KEY = 2;
const WORDS_PER_PLACE = KEYS_PER_PLACE * WORDS_PER_KEY;

export interface CountedKeys {
  /** 64-bit fingerprints as pairs of words, newest first within a place; null until a key was counted. */
  words: Uint32Array | null;
}

/** No key has counted; takes no memory (64 KiB) before one has. */
export function createCountedKeys(): CountedKeys {
  return { words: null };
}

/** Lets all keys count again. */
export function forgetKeys(keys: CountedKeys): void {
  keys.words = null;
}

/** True the first time a key is shown, false when it is known. Null, a keyless request, is always new. */
export function countOnce(keys: CountedKeys, unit: string | null): boolean {
  if (unit === null) return true;
  keys.words ??= new Uint32Array(PLACES * WORDS_PER_PLACE);
  const { words } = keys;
  const [high, low] = fingerprint(unit);
  const start = (low % PLACES) * WORDS_PER_PLACE;
  const end = start + WORDS_PER_PLACE;
  let found = start;
  while (found < end && !(words[found] === high && words[found + 1] === low)) found += WORDS_PER_KEY;
  // To the front: shift those before it (all but the last, when it is a newcomer) back by one.
  words.copyWithin(start + WORDS_PER_KEY, start, Math.min(found, end - WORDS_PER_KEY));
  words[start] = high;
  words[start + 1] = low;
  return found === end;
}

/** A whole number below 2^53 that stands for a text. */
export function fingerprintOf(text: string): number {
  const [high, low] = fingerprint(text);
  return high * 2 ** 21 + (low >>> 11);
}

/** Spreads any text over 64 bits (after cyrb53); the caller's fingerprints are keyed, so this need not be. */
function fingerprint(text: string): [high: number, low: number] {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  // An empty slot is two zeros: no key may look like one.
  return [a >>> 0 || 1, b >>> 0];
}
