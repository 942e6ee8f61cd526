/** Differing pairs on their way to the store: a few of each cluster, in groups, and never a flood of them. */

import type { Compared } from "../model/pair.ts";
import type { NewSample, Store } from "./store-types.ts";

const FLUSH_EVERY_MS = 1_000;
/** Of one flush, so many pairs are kept: a disk is no place for a flood. */
const MAX_PER_FLUSH = 50;
/** Of a cluster so many are kept as they come, then one so often: the store keeps the first and the newest. */
const FIRST_ONES = 2;
const ANOTHER_AFTER_MS = 30_000;
/** Clusters remembered; of more, those that had a sample longest ago are forgotten, and may have first ones again. */
const MAX_CLUSTERS = 20_000;

interface Kept {
  readonly count: number;
  readonly lastMs: number;
}

export interface SampleKeeperOptions {
  readonly store: Store;
  readonly onError: (error: unknown) => void;
  readonly nowMs: () => number;
  /** The id that a cluster has by now: several may have been folded into one while a pair waited. */
  readonly currentId: (cluster: string) => string;
}

export class SampleKeeper {
  readonly #options: SampleKeeperOptions;
  readonly #timer: NodeJS.Timeout;
  /** By cluster, least lately kept first. */
  readonly #kept = new Map<string, Kept>();
  #waiting: NewSample[] = [];
  #flushing = false;

  constructor(options: SampleKeeperOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.flush(), FLUSH_EVERY_MS);
    this.#timer.unref();
  }

  /**
   * Keeps a pair if one of its clusters has few. `clusters` are the ids of all that it belongs to, `wanted` those that
   * may have a sample for their own sake.
   */
  keep(compared: Compared, at: string, clusters: readonly string[], wanted: readonly string[]): void {
    const { comparison, old, new: fresh } = compared;
    if (comparison.kind !== "mismatch" || old === null || fresh === null) return;
    if (this.#waiting.length >= MAX_PER_FLUSH) return;
    const nowMs = this.#options.nowMs();
    if (!wanted.some((cluster) => this.#lacks(cluster, nowMs))) return;
    for (const cluster of wanted) this.#note(cluster, nowMs);
    this.#waiting.push({
      at,
      route: compared.route,
      rulesVersion: compared.rulesVersion,
      clusters: [...clusters],
      requestId: compared.requestId,
      method: compared.method,
      target: compared.target,
      requestHeaders: recordOf(compared.requestHeaders),
      differences: [...comparison.differences],
      old,
      new: fresh,
    });
  }

  /** What waits of a route is not stored. */
  forget(route: string): void {
    this.#waiting = this.#waiting.filter((sample) => sample.route !== route);
  }

  /** Stores what waits. A slow store gets one group at a time. */
  async flush(): Promise<void> {
    if (this.#flushing || this.#waiting.length === 0) return;
    this.#flushing = true;
    await this.#handOver();
    this.#flushing = false;
  }

  /** Hands over what still waits. The store's close waits for it, with a deadline: a disk may hang. */
  stop(): void {
    clearInterval(this.#timer);
    if (this.#waiting.length > 0) void this.#handOver();
  }

  #lacks(cluster: string, nowMs: number): boolean {
    const kept = this.#kept.get(cluster);
    return kept === undefined || kept.count < FIRST_ONES || nowMs - kept.lastMs >= ANOTHER_AFTER_MS;
  }

  #note(cluster: string, nowMs: number): void {
    const count = (this.#kept.get(cluster)?.count ?? 0) + 1;
    this.#kept.delete(cluster);
    this.#kept.set(cluster, { count, lastMs: nowMs });
    if (this.#kept.size <= MAX_CLUSTERS) return;
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
      break;
    }
  }

  async #handOver(): Promise<void> {
    const { store, currentId } = this.#options;
    const group = this.#waiting.map((sample) => ({ ...sample, clusters: sample.clusters.map(currentId) }));
    this.#waiting = [];
    try {
      await store.addSamples(group);
    } catch (error) {
      this.#options.onError(error);
    }
  }
}

/** From a flat list; of a repeated name the values are joined, as RFC 9110 allows for those that are kept here. */
function recordOf(flat: readonly string[]): Record<string, string> {
  const values = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = (flat[i] as string).toLowerCase();
    const value = flat[i + 1] as string;
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return Object.fromEntries(values);
}
