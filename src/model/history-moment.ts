/** What one route did in one stretch of time, as a row of numbers; and how two rows become one. */

import type { Metric } from "./metric.ts";

/**
 * How the numbers of two stretches make that of both. "sum": counts. "greatest": what must not vanish in a longer
 * stretch. "last": what acted at the end. "middle": a mean, weighted by the answers of its side: the median of both
 * lies between the two medians.
 */
type Rule = "sum" | "greatest" | "last" | "middle";

/** The order is that of the stored rows: a change of it is another ROW_FORMAT. */
const TABLE = [
  ["requestsOld", "sum"],
  ["requestsNew", "sum"],
  ["errorsOld", "sum"],
  ["errorsNew", "sum"],
  ["match", "sum"],
  ["mismatch", "sum"],
  ["noise", "sum"],
  ["transient", "sum"],
  ["uncompared", "sum"],
  ["p50Old", "middle"],
  ["p50New", "middle"],
  ["p99Old", "greatest"],
  ["p99New", "greatest"],
  ["canary", "last"],
  ["shadow", "last"],
  ["latched", "greatest"],
  ["errors", "greatest"],
  ["client-errors", "greatest"],
  ["latency", "greatest"],
  ["mismatches", "greatest"],
] as const satisfies readonly (readonly [string, Rule])[];

type Column = (typeof TABLE)[number][0];

export const COLUMN = Object.fromEntries(TABLE.map(([name], index) => [name, index])) as Readonly<
  Record<Column, number>
>;
export const COLUMNS = TABLE.length;
/** Columns 0 to here are counts, those beyond are measurements. */
export const COUNT_COLUMNS = COLUMN.p50Old;
/** What evidence there may be; each is a column by its name. */
export const METRICS: readonly Metric[] = ["errors", "client-errors", "latency", "mismatches"];

/** Of the columns as they are stored. */
export const ROW_FORMAT = 1;

const RULES: readonly Rule[] = TABLE.map(([, rule]) => rule);
/** Measurements are kept with so many parts of one. */
const PARTS = 1e6;

/** A number a column; NaN: not measured. A whole moment has its canary share measured. */
export type Moment = number[];

/** Nothing counted, nothing measured. */
export function createMoment(): Moment {
  // No typed array: so short ones cost more to make than to fill.
  return new Array<number>(COLUMNS).fill(0, 0, COUNT_COLUMNS).fill(Number.NaN, COUNT_COLUMNS);
}

/**
 * Adds to `into` what came after it. `isWindow`: latencies are those of the last minute, and both together are no
 * longer: the newer ones say it all.
 */
export function addMoment(into: Moment, next: Moment, isWindow: boolean): void {
  mix(into, next, COLUMN.p50Old, COLUMN.requestsOld, isWindow);
  mix(into, next, COLUMN.p50New, COLUMN.requestsNew, isWindow);
  for (let column = 0; column < COLUMNS; column++) {
    const rule = RULES[column];
    const a = into[column] as number;
    const b = next[column] as number;
    if (rule === "sum") into[column] = a + b;
    else if (rule === "last" || (isWindow && isLatency(column))) into[column] = b;
    else if (rule === "greatest") into[column] = greatest(a, b);
  }
}

function isLatency(column: number): boolean {
  return column >= COLUMN.p50Old && column <= COLUMN.p99New;
}

/** Before the weights themselves are added up. */
function mix(into: Moment, next: Moment, column: number, weight: number, isWindow: boolean): void {
  const a = into[column] as number;
  const b = next[column] as number;
  if (isWindow || Number.isNaN(a)) into[column] = b;
  if (isWindow || Number.isNaN(a) || Number.isNaN(b)) return;
  const aWeight = into[weight] as number;
  const bWeight = next[weight] as number;
  // Answers of the minute before, none of its own: both say as much.
  const share = aWeight + bWeight === 0 ? 0.5 : bWeight / (aWeight + bWeight);
  into[column] = a + (b - a) * share;
}

function greatest(a: number, b: number): number {
  if (Number.isNaN(a)) return b;
  return Number.isNaN(b) ? a : Math.max(a, b);
}

/** A moment as JSON has it: null for what was not measured. */
export function encodeMoment(moment: Moment): (number | null)[] {
  return moment.map((value) => (Number.isNaN(value) ? null : rounded(value)));
}

/** Undefined: it is none. */
export function decodeMoment(sent: unknown): Moment | undefined {
  if (!Array.isArray(sent) || sent.length !== COLUMNS) return undefined;
  const moment = createMoment();
  for (const [column, value] of sent.entries()) {
    if (value === null && column >= COUNT_COLUMNS && column !== COLUMN.canary) continue;
    if (typeof value !== "number" || !Number.isFinite(value) || value < 0) return undefined;
    moment[column] = value;
  }
  return moment;
}

/** As it was before it was kept in 32 bits. */
export function rounded(value: number): number {
  return Math.round(value * PARTS) / PARTS;
}
