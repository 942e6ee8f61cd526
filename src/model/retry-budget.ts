/**
 * How many requests may be sent once more. A repeat heals a chance fault; where everything fails, repeats would
 * double the load on a backend that is down already.
 */

const WINDOW_S = 10;
const SHARE = 0.2;
/** So many in a window always: at little traffic a fifth of it is nothing, and a race is as likely. */
const LEAST = 10;

export class RetryBudget {
  readonly #requests = new Uint32Array(WINDOW_S);
  readonly #retries = new Uint32Array(WINDOW_S);
  #second = 0;

  /** Counts a request that was sent for the first time. */
  request(nowMs: number): void {
    this.#moveTo(nowMs);
    addOne(this.#requests, this.#second);
  }

  /** Whether one more may be sent again; counts it if so. */
  take(nowMs: number): boolean {
    this.#moveTo(nowMs);
    if (sum(this.#retries) >= Math.max(LEAST, sum(this.#requests) * SHARE)) return false;
    addOne(this.#retries, this.#second);
    return true;
  }

  #moveTo(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (second === this.#second) return;
    const passed = Math.min(second - this.#second, WINDOW_S);
    for (let i = 0; i < passed; i++) {
      this.#requests[(second - i) % WINDOW_S] = 0;
      this.#retries[(second - i) % WINDOW_S] = 0;
    }
    this.#second = second;
  }
}

function addOne(counts: Uint32Array, second: number): void {
  counts[second % WINDOW_S] = (counts[second % WINDOW_S] ?? 0) + 1;
}

function sum(counts: Uint32Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
