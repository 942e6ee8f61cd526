/** Whether a measurement kept a promise, in a line of its own. */

export interface Verdict {
  /** What is promised, with its limit. */
  readonly promise: string;
  /** What was measured, the noise of the machine beside it. */
  readonly measured: string;
  /** Null: the machine was too busy to tell. */
  readonly holds: boolean | null;
}

export function printVerdicts(verdicts: readonly Verdict[]): void {
  for (const { promise, measured, holds } of verdicts)
    console.log(`${holds === null ? "cannot tell" : holds ? "held" : "NOT HELD"}: ${promise} (${measured})`);
}

const MAX_ADDED_STALL_MS = 20;

/** Of the longest time that a data thread stood still, with what may stall it and without, in turn. */
export function stallVerdict(what: string, withMs: number, withoutMs: number): Verdict {
  const isLong = withMs > MAX_ADDED_STALL_MS && withMs > withoutMs;
  return {
    promise: `${what} adds no stall above ${MAX_ADDED_STALL_MS} ms to a data thread`,
    measured: `longest ${withMs.toFixed(1)} ms, without it ${withoutMs.toFixed(1)}`,
    holds: isLong && withoutMs > MAX_ADDED_STALL_MS ? null : !isLong,
  };
}
