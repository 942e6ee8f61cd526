/**
 * Shadows that are lost one after another are not worth their cost: a new that is dead, or whose answers are too
 * large to compare, would take a connection and its teardown for each. After a run of losses the route's shadows
 * rest: one is tried now and then, the others are shed, and the first that comes back ends the rest.
 */

/** Chance losses, and the first ones of a trouble, are each seen and counted as what they are. */
const LOSSES_RUNNING = 64;
/** Ever more seldom: ten tries a second, of a millisecond each, are one client in a hundred who waits for one. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

export class Rest {
  #losses = 0;
  #nextTryMs = 0;
  #pauseMs = FIRST_PAUSE_MS;

  /** Whether a shadow may start; counts as the try where it is one. */
  allows(nowMs: number): boolean {
    if (this.#losses < LOSSES_RUNNING) return true;
    if (nowMs < this.#nextTryMs) return false;
    this.#nextTryMs = nowMs + this.#pauseMs;
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
    return true;
  }

  note(result: "answered" | "lost"): void {
    if (result === "lost") this.#losses++;
    else {
      this.#losses = 0;
      this.#nextTryMs = 0;
      this.#pauseMs = FIRST_PAUSE_MS;
    }
  }
}
