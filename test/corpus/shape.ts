/** A kind of document that a well-known public API answers with; the values are invented. */

import type { Draw } from "./draw.ts";
import type { Json } from "./json.ts";

export interface Shape {
  readonly name: string;
  readonly contentType: string;
  /** One document, all its values drawn. */
  readonly make: (draw: Draw) => Json;
  /** Arrays whose order means nothing, as a pattern of names where "*" is every item. */
  readonly unordered: readonly (readonly string[])[];
  /** Where such an API answers anew each time, whatever was asked. */
  readonly noisy: readonly Noisy[];
  /** Names that are keys of data, which templates fold: ids, dates. */
  readonly isDataKey?: (name: string) => boolean;
}

export interface Noisy {
  readonly at: readonly string[];
  readonly fresh: (draw: Draw) => Json;
}

export const instantNoise = (...at: readonly string[]): Noisy => ({ at, fresh: (draw) => draw.instant() });
export const hexNoise = (...at: readonly string[]): Noisy => ({ at, fresh: (draw) => draw.hex(32) });
export const uuidNoise = (...at: readonly string[]): Noisy => ({ at, fresh: (draw) => draw.uuid() });
export const numberNoise = (...at: readonly string[]): Noisy => ({
  at,
  fresh: (draw) => draw.int(1_000_000),
});
