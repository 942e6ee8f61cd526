/** The clusters of every route: counted here, written to the store now and then, read back at a start. */

import { restoreClusters, snapshotClusters } from "../model/cluster-snapshot.ts";
import { addDifferences, type Clustered, topClusters } from "../model/clusters.ts";
import { recallRecord, recordOfNoise } from "../model/noise-memory.ts";
import type { Place } from "../model/pair.ts";
import type { Difference, MismatchCluster, RouteStatus } from "../model/reports.ts";
import type { Route } from "../model/ruleset.ts";
import { type Book, type Books, noiseOf } from "./books.ts";
import {
  comparedPairs,
  comparedSince,
  entriesFor,
  placesOf,
  type Shelf,
  sha256Of,
  shelfFor,
  withRoomFor,
} from "./cluster-shelf.ts";
import type { ClusterRecord, Store } from "./store-types.ts";

const LOOK_EVERY_MS = 1_000;
/** A route's clusters are written so often at the most … */
const SAVE_EVERY_MS = 10_000;
/** … the most frequent ones … */
const MAX_SAVED = 200;
/** … and of so many routes at one time: turning them into text holds up everything else here. */
const MAX_ROUTES_AT_ONCE = 4;

/** Foldings that may wait for the store. */
const MAX_MERGING = 64;

/** Time that may be spent on clusters: in a flood of large differences control has guards to feed. */
const BUDGET_MS = 200;
const BUDGET_PERIOD_MS = 1_000;

export interface ClusterTools {
  readonly store: Store;
  readonly books: Books;
  readonly nowMs: () => number;
  readonly nowIso: () => string;
  readonly storeFailed: (error: unknown) => void;
}

/** One of the places of a pair, with the cluster that it belongs to. */
export interface ClusterPlace {
  readonly id: string;
  readonly place: Place;
}

export class ClusterRoom {
  readonly #tools: ClusterTools;
  readonly #shelves = new Map<string, Shelf>();
  readonly #timer: NodeJS.Timeout;
  /** Routes were taken away, and the store has not heard of it. */
  #isFewer = false;
  #isSaving = false;
  #merging = 0;
  #spent = { sinceMs: 0, ms: 0 };

  constructor(tools: ClusterTools) {
    this.#tools = tools;
    this.#timer = setInterval(() => this.#save(MAX_ROUTES_AT_ONCE, SAVE_EVERY_MS), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Follows the rules: what was found under another `compare` says nothing of this one. */
  follow(routes: readonly Route[]): void {
    const compared = routes.filter(({ compare }) => compare !== null);
    const maxEntries = entriesFor(compared.length);
    const before = new Map(this.#shelves);
    this.#shelves.clear();
    for (const route of compared) {
      const { name } = route;
      const known = before.get(name);
      before.delete(name);
      const shelf =
        known?.compareSha256 === sha256Of(route)
          ? { ...known, clusters: withRoomFor(known.clusters, maxEntries) }
          : { ...this.#emptyShelf(route, maxEntries), isChanged: known !== undefined };
      this.#shelves.set(name, shelf);
    }
    if (before.size > 0) this.#isFewer = true;
  }

  #emptyShelf(route: Route, maxEntries: number): Shelf {
    const { nowMs, nowIso, books } = this.#tools;
    return shelfFor(route, maxEntries, nowMs(), nowIso(), books.named(route.name));
  }

  /** Takes over what the store has of these routes, before anything is added. */
  async restore(): Promise<void> {
    let records: readonly ClusterRecord[] = [];
    try {
      records = await this.#tools.store.clusters();
    } catch (error) {
      this.#tools.storeFailed(error);
    }
    for (const { route, compareSha256, clusters } of records) {
      const shelf = this.#shelves.get(route);
      if (shelf === undefined) this.#isFewer = true;
      if (shelf === undefined || shelf.compareSha256 !== compareSha256) continue;
      const kept = parse(clusters);
      const restored = restoreClusters(route, shelf.clusters.counter.max, kept);
      if (restored === null) continue;
      this.#shelves.set(route, { ...shelf, clusters: restored });
      const book = this.#tools.books.named(route);
      if (book !== undefined) recallRecord(book.docket, (kept as { readonly noise?: unknown }).noise);
    }
  }

  /** Counts a pair at each of its places; there are none where there is no time for it. */
  add(book: Book, differences: readonly Difference[]): readonly ClusterPlace[] {
    return this.#add(book, differences, null);
  }

  /** Counts a pair that was equal when it was asked again so long after. */
  addTransient(book: Book, differences: readonly Difference[], afterMs: number): void {
    this.#add(book, differences, afterMs);
  }

  /** Of one route or of all; `samples` are ids by cluster. Largest first, noise after the rest. */
  list(
    route: string | null,
    limit: number,
    samples: ReadonlyMap<string, readonly number[]>,
  ): readonly MismatchCluster[] {
    const lists = [...this.#shelves].flatMap(([name, shelf]) => {
      const book = this.#tools.books.named(name);
      if (book === undefined || (route !== null && name !== route)) return [];
      const compared = comparedPairs(shelf, book);
      return topClusters(shelf.clusters, { limit, compared, noiseOf: (place) => noiseOf(book, place) });
    });
    const isNoise = ({ noise }: MismatchCluster): number => (noise === null ? 0 : 1);
    const certain = ({ count, overcount }: MismatchCluster): number => count - overcount;
    return lists
      .sort((a, b) => isNoise(a) - isNoise(b) || certain(b) - certain(a))
      .slice(0, limit)
      .map((cluster) => ({ ...cluster, samples: [...(samples.get(cluster.id) ?? [])] }));
  }

  /** What was counted since the clusters of a route began; undefined: it is not compared. */
  since(route: string): RouteStatus["comparisonsSince"] {
    const shelf = this.#shelves.get(route);
    const book = this.#tools.books.named(route);
    return shelf === undefined || book === undefined ? undefined : comparedSince(shelf, book);
  }

  /** The id that a cluster has by now: several may have been folded into one. */
  currentId(id: string): string {
    for (const { clusters } of this.#shelves.values()) {
      const folded = clusters.aliases.get(id);
      if (folded !== undefined) return folded;
    }
    return id;
  }

  /** Hands over what has changed; the store's close waits for it. */
  stop(): void {
    clearInterval(this.#timer);
    this.#isSaving = false;
    this.#save(Number.POSITIVE_INFINITY, 0);
  }

  #add(book: Book, differences: readonly Difference[], transientMs: number | null): readonly ClusterPlace[] {
    const shelf = this.#shelves.get(book.route?.name ?? "");
    if (shelf === undefined) return [];
    const beganMs = this.#tools.nowMs();
    if (beganMs - this.#spent.sinceMs >= BUDGET_PERIOD_MS) this.#spent = { sinceMs: beganMs, ms: 0 };
    if (this.#spent.ms >= BUDGET_MS) {
      shelf.passedOver++;
      return [];
    }
    const places = this.#addTo(shelf, book, differences, transientMs);
    this.#spent.ms += this.#tools.nowMs() - beganMs;
    return places;
  }

  #addTo(
    shelf: Shelf,
    book: Book,
    differences: readonly Difference[],
    transientMs: number | null,
  ): readonly ClusterPlace[] {
    shelf.isChanged = true;
    const clustered = addDifferences(shelf.clusters, {
      differences,
      at: this.#tools.nowIso(),
      compared: comparedPairs(shelf, book),
      withExamples: shelf.withExamples,
      transientMs,
    });
    this.#merge(clustered);
    return placesOf(shelf.clusters, differences).map((place, index) => ({
      id: clustered.ids[index] ?? "",
      place,
    }));
  }

  /** Stored pairs follow their clusters. */
  #merge({ merged }: Clustered): void {
    const { store, storeFailed } = this.#tools;
    for (const { from, to } of merged) {
      if (this.#merging >= MAX_MERGING) return; // the disk is slow: they stay with the ids that they had
      this.#merging++;
      store
        .mergeClusterSamples(from, to)
        .catch(storeFailed)
        .finally(() => {
          this.#merging--;
        });
    }
  }

  #save(maxRoutes: number, everyMs: number): void {
    if (this.#isSaving) return;
    const { store, storeFailed, nowMs, nowIso, books } = this.#tools;
    if ("why" in store.health) return;
    const due = [...this.#shelves]
      .filter(([, { isChanged, savedMs }]) => isChanged && nowMs() - savedMs >= everyMs)
      .sort(([, a], [, b]) => a.savedMs - b.savedMs)
      .slice(0, maxRoutes);
    if (due.length === 0 && !this.#isFewer) return;
    const records: ClusterRecord[] = [];
    for (const [route, shelf] of due) {
      const book = books.named(route);
      if (book === undefined) continue;
      const compared = comparedPairs(shelf, book);
      const snapshot = snapshotClusters(shelf.clusters, compared, MAX_SAVED);
      // What is noise among them is known with them, or all would look real again until it is learned anew.
      const clusters = JSON.stringify({ ...snapshot, noise: recordOfNoise(book.docket) });
      records.push({ route, at: nowIso(), compareSha256: shelf.compareSha256, clusters });
      shelf.isChanged = false;
      shelf.savedMs = nowMs();
    }
    this.#isFewer = false;
    this.#isSaving = true;
    store
      .saveClusters(records, [...this.#shelves.keys()])
      .catch((error: unknown) => {
        for (const [, shelf] of due) shelf.isChanged = true;
        storeFailed(error);
      })
      .finally(() => {
        this.#isSaving = false;
      });
  }
}

/** Written by ourselves; anything else restores nothing. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
