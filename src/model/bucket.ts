/** Where a key falls on the line from 0 to 1: sticky, salted with the route's name, uniform. */

import { hash } from "node:crypto";
import { WHOLE_PPM } from "./ruleset.ts";

const TWO_POW_48 = 2 ** 48;

/**
 * The bucket of a key on a route, an integer from 0 to 999,999: it goes to new while `bucket < sharePpm`, so
 * raising a share never moves a key back. Lasting: a change of this function would move every key of every
 * running cutover to another bucket.
 */
export function bucketOf(routeName: string, key: string): number {
  // The "latin1" form is four times faster than a Buffer. A route's name never holds a NUL.
  const digest = hash("sha256", `${routeName}\0${key}`, "latin1");
  return Math.floor((uint48(digest, 0) / TWO_POW_48) * WHOLE_PPM);
}

/** 16 hex digits that stand for a key of a route where it is counted once; says nothing about its bucket. */
export function unitOf(routeName: string, key: string): string {
  return hash("sha256", `unit\0${routeName}\0${key}`, "hex").slice(0, 16);
}

function uint48(digest: string, at: number): number {
  let value = 0;
  for (let i = at; i < at + 6; i++) value = value * 256 + digest.charCodeAt(i);
  return value;
}
