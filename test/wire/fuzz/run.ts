/** One run of a fuzzer: how long, with which seed, and what it found. */

export interface RunOptions {
  readonly seed: number;
  readonly untilMs: number;
  readonly firstCase: number;
  readonly parallel: number;
  /** At least so many cases, however short the time. */
  readonly minCases: number;
}

const MAX_FAULTS = 10;

export class Run {
  readonly seed: number;
  readonly firstCase: number;
  readonly #untilMs: number;
  readonly #parallel: number;
  readonly #minCases: number;
  readonly faults: string[] = [];
  readonly statuses = new Map<number, number>();
  cases = 0;
  forwarded = 0;

  constructor(options: RunOptions) {
    this.seed = options.seed;
    this.firstCase = options.firstCase;
    this.#untilMs = options.untilMs;
    this.#parallel = options.parallel;
    this.#minCases = options.minCases;
  }

  goesOn(caseNumber: number): boolean {
    if (this.faults.length >= MAX_FAULTS) return false;
    return Date.now() < this.#untilMs || caseNumber - this.firstCase < this.#minCases;
  }

  /** A negative number: it is not known which case it was. */
  fault(caseNumber: number, what: string, input: string): void {
    if (this.faults.length >= MAX_FAULTS) return;
    this.faults.push(
      `seed ${this.seed}, case ${caseNumber}: ${what}\n  ${JSON.stringify(input.slice(0, 4_000))}`,
    );
  }

  count(status: number): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
  }

  /** Runs `count` jobs, a few at a time. */
  async inParallel(count: number, job: (index: number) => Promise<void>): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < count) await job(next++);
    };
    await Promise.all(Array.from({ length: this.#parallel }, worker));
  }

  toString(): string {
    const statuses = [...this.statuses]
      .sort(([a], [b]) => a - b)
      .map(([status, count]) => `${status}: ${count}`);
    return `${this.cases} cases, ${this.forwarded} requests forwarded, answers ${statuses.join(", ")}`;
  }
}
