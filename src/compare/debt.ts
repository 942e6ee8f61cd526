/** When a comparison has taken so long that it has to be given up. */

import type { Work } from "./canonical.ts";

/**
 * Nothing stands in for a matching within tolerance, so it may overdraw the work; by so much, about a second, and
 * then the pair cannot be compared.
 */
const MAX_DEBT = 10_000_000;

/** Two trees would take too long to compare. */
export class TooMuchWork extends Error {
  constructor() {
    super("unordered arrays with tolerance take too long to compare");
  }
}

/** Throws TooMuchWork where more was done than any pair may take. */
export function checkDebt({ work }: { readonly work: Work }): void {
  if (work.left < -MAX_DEBT) throw new TooMuchWork();
}
