/**
 * What the comparison thread has found, on its way into the books: confirmed where the rules want it, judged with what
 * is known of noise, counted by place, and a few pairs kept to be read.
 */

import type { Compared, Place, Ticket } from "../model/pair.ts";
import type { Difference, MismatchCluster, MismatchSample, RouteStatus } from "../model/reports.ts";
import type { Route, Ruleset } from "../model/ruleset.ts";
import {
  type Book,
  type Books,
  countComparison,
  countTransient,
  isNoisePair,
  learningOf,
  noiseOf,
} from "./books.ts";
import { ClusterRoom } from "./cluster-room.ts";
import { judgementOf } from "./cluster-shelf.ts";
import { Confirmations, type Verdict } from "./confirmations.ts";
import { type Allowed, allowedBy, forgetRedacted, isStricter } from "./redaction.ts";
import { SampleKeeper } from "./samples.ts";
import type { Store } from "./store-types.ts";
import { countDelay, countUncompared } from "./tallies.ts";

/** Beyond the wait and the shadow's own time: a loaded machine is slower. */
const CONFIRM_GRACE_MS = 5_000;
/** Of new clusters so many are logged in a minute: a flood of them would say no more. */
const MAX_TOLD = 10;
const TOLD_WINDOW_MS = 60_000;
/** Clusters that were logged once are not logged again; so many are remembered. */
const MAX_KNOWN = 20_000;
/** Versions of the rules that a route's pairs may come from; far more than can be under way. */
const MAX_VERSIONS = 100;

export interface ComparisonTools {
  readonly store: Store;
  readonly books: Books;
  readonly nowMs: () => number;
  readonly nowIso: () => string;
  /** Has both sides asked again. */
  readonly confirm: (ticket: Ticket) => void;
  /** There is something for the guards to look at. */
  readonly found: () => void;
  /** To the event log: a place where old and new had not differed before. */
  readonly tell: (fields: Readonly<Record<string, unknown>>) => void;
  /** To people. */
  readonly say: (text: string) => void;
  readonly storeFailed: (error: unknown) => void;
}

/** Versions of the rules by which a route's pairs, when they arrive, … */
interface Current {
  readonly judgedBy: string;
  /** … are judged as they are now. */
  readonly counting: Set<string>;
  /** … were redacted as strictly as now. */
  readonly keeping: Set<string>;
}

export class Comparisons {
  readonly #tools: ComparisonTools;
  readonly #confirmations: Confirmations;
  readonly #samples: SampleKeeper;
  readonly #clusters: ClusterRoom;
  /** By compared route. */
  readonly #current = new Map<string, Current>();
  readonly #allowed = new Map<string, Allowed>();
  /** Logged ones. */
  readonly #known = new Set<string>();
  #told: { count: number; sinceMs: number } = { count: 0, sinceMs: 0 };
  /** Samples are removed one after another, in the order of the rules that want it. */
  #forgetting: Promise<void> = Promise.resolve();

  constructor(tools: ComparisonTools) {
    this.#tools = tools;
    const { store, books, nowMs } = tools;
    this.#clusters = new ClusterRoom(tools);
    this.#samples = new SampleKeeper({
      store,
      onError: tools.storeFailed,
      nowMs,
      currentId: (cluster) => this.#clusters.currentId(cluster),
    });
    this.#confirmations = new Confirmations({
      ask: tools.confirm,
      isNoise: (route, place) => {
        const book = books.named(route);
        return book !== undefined && noiseOf(book, place) !== null;
      },
      settle: (verdict) => this.#settle(verdict),
      nowMs,
    });
  }

  /** Reads the clusters of the time before the start. Follows `follow`. */
  async restore(): Promise<void> {
    await this.#forgetting;
    await this.#clusters.restore();
  }

  /** Takes over new rules, after the books have. */
  follow({ routes, version }: Ruleset): void {
    this.#clusters.follow(routes);
    const compared = routes.filter(({ compare }) => compare !== null);
    const names = new Set(compared.map(({ name }) => name));
    for (const name of this.#current.keys()) if (!names.has(name)) this.#current.delete(name);
    for (const route of compared) this.#followRoute(route, version);
    this.#forgetting = this.#forgetting.then(() => this.#forget(routes));
  }

  #followRoute(route: Route, version: string): void {
    const { name, compare } = route;
    if (compare === null) return;
    const before = this.#allowed.get(name);
    const now = allowedBy(compare);
    this.#allowed.set(name, now);
    const known = this.#current.get(name);
    const judgedBy = judgementOf(route);
    const counting = known?.judgedBy === judgedBy ? known.counting : new Set<string>();
    const isAsOpen = known !== undefined && before !== undefined && !isStricter(before, now);
    const keeping = isAsOpen ? known.keeping : new Set<string>();
    for (const versions of [counting, keeping]) {
      versions.add(version);
      for (const oldest of versions) if (versions.size > MAX_VERSIONS) versions.delete(oldest);
    }
    this.#current.set(name, { judgedBy, counting, keeping });
    if (before !== undefined && isStricter(before, now)) this.#samples.forget(name);
  }

  /** Takes one finding. Nothing here waits. */
  take(compared: Compared): void {
    if (compared.confirms !== null) {
      this.#confirmations.answered(compared);
      return;
    }
    const book = this.#tools.books.named(compared.route);
    book?.tile.receivePair();
    if (book?.route == null || !this.#counts(compared)) return; // a reload took the route away, or changed it
    const { comparison } = compared;
    const limitMs = confirmLimitMs(book.route);
    const isAsked = limitMs !== null && comparison.kind === "mismatch";
    if (isAsked && !isNoisePair(book, compared) && this.#confirmations.hold(compared, limitMs)) return;
    this.#count(book, compared);
  }

  /** The comparison thread has ended: the pair that it was at, and all that waited behind it, are not compared. */
  lost(): void {
    for (const book of this.#tools.books.all) {
      const pairs = book.tile.takeLostPairs();
      if (pairs === 0) continue;
      countUncompared(book, "failed", pairs);
      book.compared.uncompared += pairs;
    }
  }

  /** Both sides could not be asked again. */
  unconfirmed(ticket: Ticket): void {
    this.#confirmations.unconfirmed(ticket);
  }

  /** Largest first; after them those that are noise. */
  async clusters(route: string | null, limit: number): Promise<readonly MismatchCluster[]> {
    const samples = await this.#tools.store.clusterSamples();
    return this.#clusters.list(route, limit, samples);
  }

  /** What was counted since the clusters of a route began; undefined: it is not compared. */
  since(route: string): RouteStatus["comparisonsSince"] {
    return this.#clusters.since(route);
  }

  /** A pair that is kept: by its own id, or the newest of a cluster. */
  async sample(
    id: { readonly sample: number } | { readonly cluster: string },
  ): Promise<MismatchSample | undefined> {
    const { store } = this.#tools;
    if ("sample" in id) return store.sample(id.sample);
    return store.sampleOfCluster(this.#clusters.currentId(id.cluster));
  }

  /** Counts what waits, and hands over what is to be stored; the store's close waits for it. */
  stop(): void {
    this.#confirmations.stop();
    this.#clusters.stop();
    this.#samples.stop();
  }

  #settle(verdict: Verdict): void {
    const { compared } = verdict;
    const book = this.#tools.books.named(compared.route);
    if (book === undefined || !this.#counts(compared)) return;
    if (verdict.kind === "mismatch") {
      this.#count(book, compared);
      return;
    }
    countTransient(book, compared);
    countDelay(book, verdict.afterMs);
    const { comparison } = compared;
    if (comparison.kind !== "mismatch" || !this.#mayBeKept(compared)) return;
    this.#clusters.addTransient(book, realDifferences(book, comparison.differences), verdict.afterMs);
  }

  /** The verdict is final. */
  #count(book: Book, compared: Compared): void {
    const { comparison } = compared;
    if (comparison.kind === "uncompared") countUncompared(book, comparison.why);
    const kind = countComparison(book, compared);
    if (kind === "mismatch") this.#tools.found();
    if (comparison.kind !== "mismatch" || !this.#mayBeKept(compared)) return;
    const all = this.#clusters.add(book, comparison.differences);
    if (kind !== "mismatch" || all.length === 0) return;
    const real = all.filter(({ place }) => noiseOf(book, place) === null);
    const wanted = real.map(({ id }) => id);
    const rest = all.map(({ id }) => id).filter((id) => !wanted.includes(id));
    this.#samples.keep(compared, this.#tools.nowIso(), [...wanted, ...rest], wanted);
    if (learningOf(book) !== null) return; // nobody knows yet what of it is noise
    for (const each of real) this.#tellOnce(compared, each.id, each.place);
  }

  #tellOnce({ route, requestId }: Compared, id: string, { template, kind }: Place): void {
    if (this.#known.has(id)) return;
    const nowMs = this.#tools.nowMs();
    if (nowMs - this.#told.sinceMs >= TOLD_WINDOW_MS) this.#told = { count: 0, sinceMs: nowMs };
    if (this.#told.count >= MAX_TOLD || this.#known.size >= MAX_KNOWN) return;
    this.#told.count++;
    this.#known.add(id);
    this.#tools.tell({ route, cluster: id, place: template, kind, requestId });
  }

  /** Pairs that were compared by other rules may still be under way: they say nothing of what is judged now. */
  #counts({ route, rulesVersion }: Compared): boolean {
    return this.#current.get(route)?.counting.has(rulesVersion) ?? false;
  }

  /** And pairs that were redacted by rules that are not strict enough any more. */
  #mayBeKept({ route, rulesVersion }: Compared): boolean {
    return this.#current.get(route)?.keeping.has(rulesVersion) ?? false;
  }

  /** A store that fails is said by whoever writes next, too. */
  async #forget(routes: readonly Route[]): Promise<void> {
    const { store, say, storeFailed } = this.#tools;
    if ("why" in store.health) return;
    try {
      const stricter = await forgetRedacted(store, routes);
      if (stricter.samples > 0)
        say(
          `samples stored for ${stricter.routes.join(", ")} are removed (${stricter.samples}): ` +
            "the rules redact more now, or want none",
        );
    } catch (error) {
      storeFailed(error);
    }
  }
}

/** How long to wait for a confirmation; null: pairs of the route are not asked again. */
function confirmLimitMs({ compare, shadow }: Route): number | null {
  const afterMs = compare?.confirmAfterMs ?? null;
  return afterMs === null ? null : afterMs + shadow.timeoutMs + CONFIRM_GRACE_MS;
}

/** Those at places where old does not differ from itself. */
function realDifferences(book: Book, differences: readonly Difference[]): readonly Difference[] {
  return differences.filter((each) => noiseOf(book, each) === null);
}
