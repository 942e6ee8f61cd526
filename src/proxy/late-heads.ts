/**
 * node:http keeps a head back until the body begins. In the usual case that is in the very same turn, and the two go
 * out together; a stream whose first event is yet to come must not seem dead until then.
 */

interface Begun {
  /** Sends the head now, unless it has gone out with the body. */
  flushHead(): void;
}

/** Those whose heads were written in this turn of the event loop: looked at once at its end, with nothing made for each. */
export class LateHeads {
  #waiting: Begun[] = [];
  readonly #flush = (): void => {
    const begun = this.#waiting;
    this.#waiting = [];
    for (const answer of begun) answer.flushHead();
  };

  add(answer: Begun): void {
    if (this.#waiting.push(answer) === 1) setImmediate(this.#flush);
  }
}
