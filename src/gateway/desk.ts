/** The Desk that the admin API speaks to, over the control room's parts. */

import type { ActionResult, Desk } from "../admin/desk.ts";
import type { Announcer } from "../control/announcer.ts";
import type { Book, Books } from "../control/books.ts";
import type { Comparisons } from "../control/comparisons.ts";
import type { HealthBoard } from "../control/health.ts";
import type { HistoryKeeper } from "../control/history.ts";
import type { Latches, UnknownStore } from "../control/latches.ts";
import type { Pins } from "../control/pins.ts";
import type { RolloutResult, Rollouts } from "../control/rollouts.ts";
import type { RulesKeeper } from "../control/rules-keeper.ts";
import { routeStatus } from "../control/status.ts";
import type { ResettableStore } from "../control/store/client.ts";
import type { BackendStatus, RouteStatus, StatusReport } from "../model/reports.ts";
import { rolloutReport } from "../model/rollout-report.ts";
import type { Metrics } from "../observe/metrics.ts";
import { explain } from "./explain.ts";
import { judgeSamples } from "./retro.ts";

export interface DeskParts {
  readonly books: Books;
  readonly latches: Latches;
  readonly pins: Pins;
  readonly rollouts: Rollouts;
  readonly rules: RulesKeeper;
  readonly store: ResettableStore;
  readonly health: HealthBoard;
  readonly announcer: Announcer;
  readonly comparisons: Comparisons;
  readonly history: HistoryKeeper;
  readonly metrics: Metrics;
  readonly threads: number;
  /** Null: nobody can force a side. */
  readonly forceToken: string | null;
  readonly startedMs: number;
  readonly nowMs: () => number;
  readonly isDraining: () => boolean;
  readonly drain: (reason: string) => void;
}

/** Of the audit trail; a report of more is nothing that a person reads. */
const MAX_REPORT_ENTRIES = 1_000;

const done = (message: string): ActionResult => ({ ok: true, message });
const refused = (why: string): ActionResult => ({ ok: false, why });
/** Says which route it is about. */
const named = (name: string, result: RolloutResult): ActionResult =>
  result.ok ? done(`${name}: ${result.message}`) : refused(`${name}: ${result.why}`);

export function createDesk(parts: DeskParts): Desk {
  const { books, latches, pins, rollouts, rules, store, announcer, nowMs } = parts;

  const status = (book: Book, name: string, backends = backendStatus(parts)): RouteStatus => {
    const plain = routeStatus(book, name, latches.of(name), rollouts.of(name), pins.count(name), nowMs());
    const waitingFor = `${plain.waitingFor}${lateWords(announcer.late.count(name))}`;
    const comparisonsSince = parts.comparisons.since(name);
    const unhealthy = unhealthyOf(plain, backends);
    return {
      ...plain,
      waitingFor,
      ...(comparisonsSince === undefined ? {} : { comparisonsSince }),
      ...(unhealthy.length === 0 ? {} : { unhealthy }),
    };
  };

  const rollback = async (name: string, reason: string): Promise<ActionResult> => {
    const book = books.named(name);
    if (book === undefined) return refused(`there is no route ${name}`);
    if (book.tile.latched && !latches.isClearing(name)) return done(`${name} is rolled back already`);
    const kept = await latches.rollback(book, { cause: "operator", by: "operator", reason, summary: reason });
    const but = book.route?.split?.onRollback === "stay" ? ", but keys under split.onRollback: stay" : "";
    const caveat =
      kept === "stored" ? "" : "; the state folder has not kept it yet, a restart now would forget it";
    return done(`${name} is rolled back: everything goes to old until it is reset${but}${caveat}`);
  };

  const afterReset = (name: string): string => {
    if (books.named(name) === undefined) return "its rollback is forgotten";
    const place = rollouts.placeOf(name);
    if (place === null) return "the rules decide again";
    return `its rollout waits ${place}; \`cutover resume ${name}\` begins it again`;
  };

  const reset = async (name: string, reason: string): Promise<ActionResult> => {
    const book = books.named(name);
    // A latch outlives its route in the rules: it must be possible to forget it.
    const isKnown = book !== undefined || latches.names.includes(name);
    if (!isKnown) return { ok: false, why: `no route is named ${name}`, missing: true };
    if (latches.damage !== null) return refused(cannotReset(latches.damage));
    if (book !== undefined && !book.tile.latched) return done(`${name} is not rolled back: nothing to reset`);
    try {
      await latches.reset(name, "operator", reason);
    } catch (error) {
      return refused(`${name} stays rolled back: ${(error as Error).message}`);
    }
    if (latches.names.includes(name)) return refused(`${name} was rolled back again meanwhile, and stays so`);
    return done(`${name} is reset: ${afterReset(name)}`);
  };

  const resetStore = async (reason: string): Promise<ActionResult> => {
    const { health } = store;
    if (health.kind === "unreadable") return refused(cannotReset(health));
    const wasDamaged = health.kind === "damaged";
    // A new store in which nothing could be written yet is still to be finished.
    if (!wasDamaged && latches.damage === null) return refused("the store is sound: reset a route instead");
    try {
      if (wasDamaged) await store.reset();
      // Nobody knows how far they had come. Where the gateway ran, it knows everything.
      if (latches.damage !== null) await rollouts.startOver();
    } catch (error) {
      return refused((error as Error).message);
    }
    const from = "store-damaged";
    await announcer.record({ route: null, action: "reset", by: "operator", reason, from, to: "serving" });
    if (latches.damage === null) {
      await Promise.all([latches.storeAgain(), rollouts.storeAgain(), pins.storeAgain()]);
      return done("the damaged store was put aside, a new one begun; what is rolled back stays so");
    }
    await latches.restore();
    for (const book of books.all) {
      rollouts.opens(book.route?.name ?? "");
      book.tile.unlatch();
    }
    return done("the damaged store was put aside, a new one begun: the rules decide again");
  };

  const statusOfAll = (): StatusReport => {
    const backends = backendStatus(parts);
    return {
      rules: {
        version: rules.ruleset.version,
        loadedAt: new Date(rules.loadedMs).toISOString(),
        error: rules.error,
      },
      threads: parts.threads,
      uptimeSeconds: Math.floor((nowMs() - parts.startedMs) / 1000),
      draining: parts.isDraining(),
      store: "why" in store.health ? `${store.health.kind}: ${store.health.why}` : "ok",
      backends,
      routes: rules.ruleset.routes.flatMap(({ name }) => {
        const book = books.named(name);
        return book === undefined ? [] : [status(book, name, backends)];
      }),
    };
  };

  return {
    status: statusOfAll,
    route: (name) => {
      const book = books.named(name);
      return book === undefined ? undefined : status(book, name);
    },
    promote: async (name, request) => named(name, await rollouts.promote(name, request)),
    pause: async (name, reason) => named(name, await rollouts.pause(name, reason)),
    resume: async (name, reason) => named(name, await rollouts.resume(name, reason)),
    report: async (name) => {
      const book = books.named(name);
      if (book === undefined) return undefined;
      const entries = await store.audit({ route: name, limit: MAX_REPORT_ENTRIES });
      const isCut = entries.length === MAX_REPORT_ENTRIES;
      const generatedAt = new Date().toISOString();
      return rolloutReport({ route: name, status: status(book, name), entries, isCut, generatedAt });
    },
    rollback,
    rollbackAll: async (reason) => {
      const results = await Promise.all(rules.ruleset.routes.map(({ name }) => rollback(name, reason)));
      return done(`${results.length} routes are rolled back`);
    },
    reset,
    resetStore,
    ...pinning(parts),
    reload: (reason) => rules.reload("operator", reason),
    drain: (reason) => {
      parts.drain(reason);
      return done("draining: the gateway ends when the last request has");
    },
    explain: (request) => explain(request, rules.ruleset, parts),
    clusters: ({ route, limit }) => parts.comparisons.clusters(route, limit),
    samples: (filter) => store.samples({ ...filter, bodies: false }),
    sample: (id) => parts.comparisons.sample(id),
    retro: (filter) => judgeSamples(filter, rules.ruleset, parts),
    history: (route, hours) => parts.history.report(route, hours),
    audit: (filter) => store.audit(filter),
    auditAfter: (id) => store.auditAfter(id),
    onAudit: (listener) => announcer.onEntry(listener),
    metrics: (accept) => parts.metrics.render(accept),
    ready: () => !parts.isDraining(),
  };
}

/** What acts, and a restart would not know of. */
function lateWords(count: number): string {
  if (count === 0) return "";
  const lines = count === 1 ? "an audit line waits" : `${count} audit lines wait`;
  return `; ${lines} for the state folder to be written again`;
}

/** With a store of which nobody knows what it held, everything is on old, and nothing could be kept. */
function pinning({ books, latches, pins }: DeskParts): Pick<Desk, "pin" | "unpin" | "pins"> {
  return {
    pin: async (name, request) => {
      const route = books.named(name)?.route ?? null;
      if (route === null) return refused(`there is no route ${name}`);
      if (latches.damage !== null) return refused(cannotReset(latches.damage));
      return pins.pin(route, request);
    },
    unpin: async (name, key, reason) => {
      const isKnown = books.named(name) !== undefined || pins.count(name) > 0;
      if (!isKnown) return { ok: false, why: `no route is named ${name}`, missing: true };
      if (latches.damage !== null) return refused(cannotReset(latches.damage));
      return pins.unpin(name, key, reason);
    },
    pins: (route) => pins.list(route),
  };
}

/** Putting a store aside that may be whole would forget real rollbacks. */
function cannotReset({ kind, why }: UnknownStore): string {
  const remedy =
    kind === "damaged"
      ? "reset it first with `cutover reset --store`"
      : "put that right and start the gateway again; the rollbacks in it are not lost";
  return `the store is ${kind} (${why}): ${remedy}`;
}

function backendStatus({ rules, health }: DeskParts): BackendStatus[] {
  const words = health.buffers(rules.ruleset.backends);
  return Object.values(rules.ruleset.backends).map((backend) => {
    const unhealthy = new Int32Array(words[backend.name] as SharedArrayBuffer);
    return {
      name: backend.name,
      endpoints: backend.urls.map((url, index) => ({
        url,
        healthy: backend.health === null ? null : Atomics.load(unhealthy, index) === 0,
      })),
    };
  });
}

/** URLs that fail their health check, of the backends of one route. */
function unhealthyOf(route: RouteStatus, backends: readonly BackendStatus[]): string[] {
  const names = [route.backends?.old, route.backends?.new];
  return backends
    .filter(({ name }) => names.includes(name))
    .flatMap(({ endpoints }) => endpoints.filter(({ healthy }) => healthy === false).map(({ url }) => url));
}
