/** A body that a test pushes, as a client's connection would. */

import type { BodyTaker, PushedBody } from "../../../src/proxy/backend/call.ts";

export class TestBody implements PushedBody {
  readonly #parts: Buffer[] = [];
  #taker: BodyTaker | null = null;
  #isAsked = false;
  /** Undefined: it has not ended. Null: it is whole. */
  #ending: Error | null | undefined;
  /** Its taker wants no more. */
  isLeft = false;
  /** Called when more is wanted. */
  onAsked: () => void = () => {};

  get waitsForClient(): boolean {
    return this.#isAsked && this.#ending === undefined;
  }

  giveTo(taker: BodyTaker): void {
    this.#taker = taker;
    const ending = this.#ending;
    if (ending instanceof Error) queueMicrotask(() => taker.onBodyBroken(ending));
  }

  ask(): void {
    this.#isAsked = true;
    this.#pass();
    if (this.#isAsked) this.onAsked();
  }

  leave(): void {
    this.isLeft = true;
    this.#taker = null;
  }

  /** False: wait with more until it is asked for. */
  write(part: string | Buffer): boolean {
    this.#parts.push(Buffer.from(part as string, "latin1"));
    this.#pass();
    return this.#isAsked;
  }

  end(part = ""): void {
    if (part !== "") this.#parts.push(Buffer.from(part, "latin1"));
    this.#ending ??= null;
    this.#pass();
  }

  break(error: Error): void {
    this.#ending ??= error;
    this.#taker?.onBodyBroken(error);
  }

  #pass(): void {
    while (this.#isAsked && this.#taker !== null) {
      const part = this.#parts.shift();
      if (part === undefined) break;
      this.#isAsked = this.#taker.onBody(part);
    }
    if (this.#isAsked && this.#ending === null) this.#taker?.onBodyEnd();
  }
}
