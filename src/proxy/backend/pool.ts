/** Connections to one URL of a backend: kept while they are of use, never more than allowed, calls in the order in which they came. */

import type { Tls } from "../../model/ruleset.ts";
import type { Deadlines } from "../deadlines.ts";
import { Queue } from "../queue.ts";
import type { Call, CallEvents, CallRequest } from "./call.ts";
import { dialler } from "./connect.ts";
import { Connection, type ConnectionOwner, type ConnectionTimes } from "./connection.ts";
import { type CallOwner, PooledCall } from "./pooled-call.ts";

/** Some backends answer a request by ending its connection: nobody may make them cost the pool all of its own each time. */
const STALE_PAUSE_MS = 1_000;

export interface PoolOptions {
  readonly tls: Tls | null;
  readonly maxConnections: number;
  readonly times: ConnectionTimes;
  readonly deadlines: Deadlines;
}

export class Pool implements ConnectionOwner, CallOwner {
  readonly #dial: ReturnType<typeof dialler>;
  readonly #options: PoolOptions;
  readonly #waiting = new Queue<PooledCall>();
  /** The one used last is asked first, so that those beyond need fall idle. */
  readonly #idle: Connection[] = [];
  /** Connecting, idle or busy. */
  readonly #open = new Set<Connection>();
  #connecting = 0;
  #handsOut = false;
  /** Connections were taken for stale a moment ago. */
  #hasDropped = false;
  #outstanding = 0;
  #closing: PromiseWithResolvers<void> | null = null;

  constructor(origin: string, options: PoolOptions) {
    this.#dial = dialler(origin, options.tls);
    this.#options = options;
  }

  /** Sends a request as soon as a connection is free. Never throws: what goes wrong is told to `events`. */
  dispatch(request: CallRequest, events: CallEvents): Call {
    const call = new PooledCall(this, request, events);
    this.#outstanding++;
    this.#waiting.push(call);
    if (this.#waiting.length > this.#idle.length + this.#connecting) this.#connectMore();
    if (this.#idle.length > 0) this.#handOutSoon();
    return call;
  }

  /** Lets calls end; connections that nobody waits for are ended at once. Safe to repeat. */
  close(): Promise<void> {
    this.#closing ??= Promise.withResolvers();
    if (this.#waiting.length === 0) for (const connection of [...this.#idle]) connection.destroy();
    this.#settle();
    return this.#closing.promise;
  }

  onConnected(): void {
    this.#connecting--;
  }

  onIdle(connection: Connection): void {
    if (this.#closing !== null && this.#waiting.length === 0) {
      connection.destroy();
      return;
    }
    this.#idle.push(connection);
    if (this.#waiting.length > 0) this.#handOutSoon();
  }

  onGone(connection: Connection, unreachable: Error | null): void {
    this.#open.delete(connection);
    if (!connection.isReady) this.#connecting--;
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    // Whoever waits longest: the rest has attempts of its own, or connections that others will leave.
    if (unreachable !== null) this.#waiting.first?.onFailed(unreachable);
    this.#connectMore();
  }

  /** The others have been idle for longer still: whoever asks once more shall not meet the next of them. */
  onStale(): void {
    if (this.#hasDropped) return;
    this.#hasDropped = true;
    this.#options.deadlines.set(STALE_PAUSE_MS, () => {
      this.#hasDropped = false;
    });
    for (const connection of [...this.#idle]) connection.destroy();
  }

  forget(call: PooledCall): void {
    this.#waiting.remove(call);
  }

  ended(): void {
    this.#outstanding--;
    this.#settle();
  }

  /**
   * At the end of this turn of the event loop: bytes, an end or a reset that have arrived on an idle connection are
   * seen before the next request is written to it. What comes unasked would be read as that request's answer.
   */
  #handOutSoon(): void {
    if (this.#handsOut) return;
    this.#handsOut = true;
    setImmediate(this.#handOut);
  }

  readonly #handOut = (): void => {
    this.#handsOut = false;
    while (this.#idle.length > 0) {
      const call = this.#waiting.shift();
      if (call === null) break;
      call.connection = this.#idle.pop() as Connection;
      call.connection.carry(call);
    }
    this.#connectMore();
  };

  /** As many as those who wait will need, within the limit. */
  #connectMore(): void {
    const { maxConnections, deadlines, times } = this.#options;
    let missing = this.#waiting.length - this.#idle.length - this.#connecting;
    for (; missing > 0 && this.#open.size < maxConnections; missing--) {
      this.#connecting++;
      this.#open.add(new Connection(this.#dial(), this, deadlines, times));
    }
  }

  #settle(): void {
    if (this.#closing === null || this.#outstanding > 0) return;
    for (const connection of [...this.#open]) connection.destroy();
    this.#closing.resolve();
  }
}
