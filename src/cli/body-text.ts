/** Bodies as lines for people: never more than a screen or few. */

import { printable } from "./output.ts";
import { cutEnd } from "./width.ts";

/** At most so many lines of at most so many cells, each printable; the last one says what was left out. */
export function boundedLines(lines: readonly string[], maxLines: number, maxWidth: number): string[] {
  const shown = lines.slice(0, maxLines).map((line) => cutEnd(printable(line), maxWidth));
  const left = lines.length - shown.length;
  return left === 0 ? shown : [...shown, `… ${left} more ${left === 1 ? "line" : "lines"}: -o json has them`];
}
