/** Small sums over a few figures, and a table to show them in. */

import Table from "cli-table3";

const RESAMPLES = 1_000;

export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Between which figures 90% of the runs lie that could as well have been: as many items, drawn from these with repetition. */
export function resampled<T>(
  items: readonly T[],
  figureOf: (items: readonly T[]) => number,
): [from: number, to: number] {
  const draw = (): T => items[Math.floor(Math.random() * items.length)] as T;
  const figures = Array.from({ length: RESAMPLES }, () => figureOf(items.map(draw))).sort((a, b) => a - b);
  return [quantile(figures, 0.05), quantile(figures, 0.95)];
}

export function print(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column === 0 ? "left" : "right")),
    style: { head: [], border: [] },
  });
  for (const row of rows) table.push([...row]);
  console.log(table.toString());
}

export const fixed = (value: number, digits = 1): string => value.toFixed(digits);

/** Milliseconds that all processes of this machine agree on. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
