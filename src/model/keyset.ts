/** Sets of keys as sorted 64-bit fingerprints: a million keys are 8 MB, shared by all threads. */

import { hash } from "node:crypto";
import type { KeyFile } from "./ruleset.ts";

const FINGERPRINT_BYTES = 8;

/** Index of the low word within a 64-bit number, as this machine lays numbers out. */
const LOW_WORD = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1;
const HIGH_WORD = 1 - LOW_WORD;

/** An unsigned 64-bit fingerprint in two halves. */
export interface Fingerprint {
  readonly hi: number;
  readonly lo: number;
}

/**
 * The first 8 bytes of SHA-256(secret, NUL, key), big-endian. The secret keeps outsiders from making two keys
 * collide. "latin1" is the cheapest way to get a digest out of `hash`: one character a byte.
 */
export function keyFingerprint(secret: string, key: string): Fingerprint {
  const digest = hash("sha256", `${secret}\0${key}`, "latin1");
  return { hi: word(digest, 0), lo: word(digest, 4) };
}

function word(digest: string, at: number): number {
  return (
    ((digest.charCodeAt(at) << 24) |
      (digest.charCodeAt(at + 1) << 16) |
      (digest.charCodeAt(at + 2) << 8) |
      digest.charCodeAt(at + 3)) >>>
    0
  );
}

/** Collects keys, then packs their fingerprints: sorted, each once. */
export interface KeySetBuilder {
  add(key: string): void;
  /** `count` × 8 bytes in BigUint64Array order. */
  finish(): { readonly count: number; readonly fingerprints: SharedArrayBuffer };
}

export function createKeySetBuilder(secret: string): KeySetBuilder {
  let words = new Uint32Array(2 * 1024);
  let used = 0;
  return {
    add(key) {
      if (used === words.length) {
        const larger = new Uint32Array(words.length * 2);
        larger.set(words);
        words = larger;
      }
      const { hi, lo } = keyFingerprint(secret, key);
      words[used + HIGH_WORD] = hi;
      words[used + LOW_WORD] = lo;
      used += 2;
    },
    finish() {
      const sorted = new BigUint64Array(words.buffer, 0, used / 2).sort();
      let count = 0;
      for (let i = 0; i < sorted.length; i++) {
        const value = sorted[i] ?? 0n;
        if (count > 0 && sorted[count - 1] === value) continue;
        sorted[count++] = value;
      }
      const fingerprints = new SharedArrayBuffer(count * FINGERPRINT_BYTES);
      new BigUint64Array(fingerprints).set(sorted.subarray(0, count));
      return { count, fingerprints };
    },
  };
}

/**
 * Returns the test "is this key in the file": one hash and about 20 steps for a million keys. It compares
 * halves, as BigInt would allocate on the request path.
 */
export function createKeySetLookup(file: KeyFile): (key: string) => boolean {
  const words = new Uint32Array(file.fingerprints);
  const { count, secret } = file;
  return (key) => {
    const digest = hash("sha256", `${secret}\0${key}`, "latin1");
    const hi = word(digest, 0);
    const lo = word(digest, 4);
    let from = 0;
    let to = count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const middleHi = words[2 * middle + HIGH_WORD] ?? 0;
      const middleLo = words[2 * middle + LOW_WORD] ?? 0;
      if (middleHi < hi || (middleHi === hi && middleLo < lo)) from = middle + 1;
      else to = middle;
    }
    return from < count && words[2 * from + HIGH_WORD] === hi && words[2 * from + LOW_WORD] === lo;
  };
}
