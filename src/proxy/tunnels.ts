/** The tunnels of one data thread: counted while they are open, closed by a rollback or by the end of the drain. */

import type { Recorder } from "../board/recorder.ts";
import type { Side } from "../model/ruleset.ts";
import type { EndedBy, Tunnel } from "./tunnel.ts";

/** How often latches are looked at while there are tunnels. */
const SWEEP_MS = 250;

export interface OpenTunnel {
  readonly tunnel: Tunnel;
  readonly side: Side;
  readonly recorder: Recorder;
  /** Whether the route's rollback, as it stands, takes this one back. */
  readonly takenBack: () => boolean;
}

export class Tunnels {
  readonly #open = new Set<OpenTunnel>();
  #isWaitedFor = false;
  #allEndBy: EndedBy | null = null;
  readonly #allClosed = Promise.withResolvers<void>();
  #sweeper: NodeJS.Timeout | null = null;

  get size(): number {
    return this.#open.size;
  }

  /** Keeps it until it is closed. */
  add(entry: OpenTunnel): void {
    this.#open.add(entry);
    entry.recorder.tunnelOpened(entry.side);
    if (this.#allEndBy !== null) entry.tunnel.end(this.#allEndBy);
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  remove(entry: OpenTunnel): void {
    if (!this.#open.delete(entry)) return;
    entry.recorder.tunnelClosed(entry.side);
    if (this.#open.size > 0 || this.#sweeper === null) return;
    if (this.#isWaitedFor) this.#allClosed.resolve();
    clearInterval(this.#sweeper);
    this.#sweeper = null;
  }

  /** Those too that are still to come. */
  endAll(by: EndedBy): void {
    this.#allEndBy = by;
    for (const { tunnel } of this.#open) tunnel.end(by);
  }

  /** Resolves when the last of them has been closed and logged. For the end of the thread. */
  allClosed(): Promise<void> {
    if (this.#open.size === 0) this.#allClosed.resolve();
    this.#isWaitedFor = true;
    return this.#allClosed.promise;
  }

  #sweep(): void {
    for (const { tunnel, takenBack } of this.#open) {
      if (takenBack()) tunnel.end("rollback");
    }
  }
}
