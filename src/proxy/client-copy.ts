/** The client's answer, kept for comparison beside its way to the client, which it never holds up. */

import type { Failure } from "../model/failures.ts";
import type { UncomparedReason } from "../model/uncompared.ts";
import { AnswerCopy, type CollectedAnswer } from "./answer-copy.ts";
import type { Deadline } from "./deadlines.ts";
import type { Served } from "./exchange.ts";
import type { LegTools } from "./leg-shapes.ts";
import type { Lease } from "./shelf.ts";

export type CopyResult =
  | { readonly kind: "answered"; readonly answer: CollectedAnswer }
  | { readonly kind: "lost"; readonly why: UncomparedReason };

/** Settles when the answer is whole, or when of a stream of events enough was seen: the stream itself goes on. */
export class ClientCopy {
  /** Both are let go of, or a stream that lasts for hours would hold what was kept of it. */
  #result: Promise<CopyResult> | null;
  #settle: (result: CopyResult) => void;
  readonly #tools: LegTools;
  readonly #streamMs: number;
  /** Null: it has settled, and nothing of it is held any longer. */
  #copy: AnswerCopy | null;
  #deadline: Deadline | null = null;

  /** `streamMs`: how long a stream of events is listened to. */
  constructor(maxBodyBytes: number, streamMs: number, lease: Lease, tools: LegTools) {
    const { promise, resolve } = Promise.withResolvers<CopyResult>();
    this.#result = promise;
    this.#settle = resolve;
    this.#copy = new AnswerCopy(maxBodyBytes, lease);
    this.#streamMs = streamMs;
    this.#tools = tools;
  }

  /** To be asked for once. */
  takeResult(): Promise<CopyResult> {
    const result = this.#result ?? Promise.resolve({ kind: "lost", why: "failed" });
    this.#result = null;
    return result;
  }

  /** From now on: the other answer is there, and takes up room. */
  waitAtMost(ms: number): void {
    if (this.#copy === null || this.#deadline !== null) return;
    this.#deadline = this.#tools.deadlines.set(ms, () => this.#done({ kind: "lost", why: "timeout" }));
  }

  /** `headers` are kept as they are. */
  head(status: number, headers: readonly string[]): void {
    if (this.#copy === null) return;
    // Its length is not looked at: a copy that proves too large costs the client nothing.
    this.#copy.head(status, headers, -1);
    if (!this.#copy.isStream) return;
    this.#deadline?.clear();
    this.#deadline = this.#tools.deadlines.set(this.#streamMs, () => this.#cut());
  }

  /** Whether what comes next may be kept. */
  get isKeeping(): boolean {
    return this.#copy !== null;
  }

  data(chunk: Buffer): void {
    if (this.#copy === null || this.#copy.data(chunk)) return;
    if (this.#copy.lost !== null) this.#done({ kind: "lost", why: this.#copy.lost });
    else this.#cut();
  }

  /** The request is over. Does nothing where enough was seen before. */
  ended(served: Served, isClientGone: boolean): void {
    const copy = this.#copy;
    if (copy === null) return;
    // Whoever listens to a stream leaves when it likes: what it heard can be compared.
    if (isClientGone && copy.isStream) this.#cut();
    else if (served.fellBack) this.#done({ kind: "lost", why: "failed" });
    else if (isClientGone) this.#done({ kind: "lost", why: "aborted" });
    else if (served.outcome.failure !== null) this.#done(lostFor(served.outcome.failure));
    else this.#answered(copy, false);
  }

  #cut(): void {
    if (this.#copy !== null) this.#answered(this.#copy, true);
  }

  #answered(copy: AnswerCopy, cut: boolean): void {
    const answer = copy.collected(cut, this.#tools.nowMs());
    this.#done(answer === null ? { kind: "lost", why: "failed" } : { kind: "answered", answer });
  }

  #done(result: CopyResult): void {
    this.#copy = null;
    this.#deadline?.clear();
    this.#settle(result);
    this.#settle = () => {};
  }
}

const LOST: Partial<Record<Failure, UncomparedReason>> = {
  client_gone: "aborted",
  drain_limit_reached: "aborted",
  http_request_error: "aborted",
  http_response_timeout: "timeout",
  connection_read_timeout: "timeout",
  connection_limit_reached: "shed",
};

/** What the failure of a leg says of the pair that it was half of. */
export function lostFor(failure: Failure): { readonly kind: "lost"; readonly why: UncomparedReason } {
  return { kind: "lost", why: LOST[failure] ?? "failed" };
}
