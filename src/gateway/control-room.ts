/** Everything of the control thread, built and connected: books, latches, rollouts, rules, watchman, announcements. */

import { randomBytes } from "node:crypto";
import { Bell } from "../board/bell.ts";
import { EventRing } from "../board/event-ring.ts";
import { Announcer } from "../control/announcer.ts";
import { type Book, Books } from "../control/books.ts";
import { Comparisons } from "../control/comparisons.ts";
import { HealthBoard, HealthChecker } from "../control/health.ts";
import { HistoryKeeper } from "../control/history.ts";
import { Latches, type UnknownStore } from "../control/latches.ts";
import { Pins } from "../control/pins.ts";
import type { Rollouts } from "../control/rollouts.ts";
import { RulesKeeper } from "../control/rules-keeper.ts";
import { ShedWatch } from "../control/shed-watch.ts";
import { type Findings, Watchman } from "../control/watchman.ts";
import type { GatewayOptions } from "../gateway-options.ts";
import type { Trip } from "../model/detector.ts";
import type { Ticket } from "../model/pair.ts";
import type { Ruleset } from "../model/ruleset.ts";
import { createLog } from "../observe/log.ts";
import { LogWriter } from "../observe/log-writer.ts";
import type { RulesMessage } from "../proxy/messages.ts";
import { orphanNotes } from "./orphans.ts";
import { createRollouts } from "./rollouts.ts";
import { say } from "./say.ts";
import type { State } from "./state.ts";
import { startWebhook } from "./webhook.ts";

export interface ControlRoom {
  readonly announcer: Announcer;
  readonly books: Books;
  readonly comparisons: Comparisons;
  readonly health: HealthBoard;
  readonly logWriter: LogWriter;
  readonly history: HistoryKeeper;
  readonly latches: Latches;
  readonly pins: Pins;
  readonly rollouts: Rollouts;
  readonly rules: RulesKeeper;
  readonly bell: Bell;
  /** One a data thread. */
  readonly rings: readonly EventRing[];
  /** What the first threads start with. */
  readonly firstRules: RulesMessage;
  /** Who puts later rules in force on the data threads. */
  serveBy(apply: (rules: RulesMessage) => Promise<void>): Promise<void>;
  /** Who asks both sides again for a pair that differed. */
  confirmBy(confirm: (ticket: Ticket) => void): void;
}

const clock = { nowMs: () => performance.now(), nowIso: () => new Date().toISOString() };

/** Loads the rules and restores latches and rollouts; throws a RulesError. What it starts is stopped by `built`. */
export async function openControlRoom(
  options: GatewayOptions,
  state: State,
  threads: number,
  built: AsyncDisposableStack,
): Promise<ControlRoom> {
  const { store } = state;
  const logWriter = new LogWriter({
    say,
    tellLost: (lines) => announcer.warn("log-lost", { lines }),
  });
  built.defer(() => logWriter.close());
  const log = createLog(options.logFormat, (line) => logWriter.event(line));
  const announcer: Announcer = new Announcer(store, log, clock);
  built.defer(() => announcer.late.stop());
  const books = new Books(threads, clock.nowMs());
  const health = new HealthBoard();
  const rollouts: Rollouts = createRollouts({
    store,
    books,
    announcer,
    health,
    isLatched: (route) => latches.of(route) !== undefined,
    ruleset: () => rules.ruleset,
    ...clock,
  });
  const latches: Latches = new Latches({
    store,
    books,
    late: announcer.late,
    rollouts,
    rulesVersion: () => rules.ruleset.version,
    ...clock,
    announce: (entry) => announcer.announce(entry),
    log: (msg, fields) => announcer.log(msg, fields),
    storeFailed: (error) => announcer.storeFailed(error),
  });
  const bell = new Bell();
  const rings = Array.from({ length: threads }, () => new EventRing());
  const watchman = new Watchman(books, rings, bell, findingsFor(latches), clock.nowMs);
  let confirm = (_ticket: Ticket): void => {};
  const comparisons = new Comparisons({
    store,
    books,
    ...clock,
    confirm: (ticket) => confirm(ticket),
    found: () => bell.ring(),
    tell: (fields) => announcer.warn("mismatch", fields),
    say: (text) => say(text),
    storeFailed: (error) => announcer.storeFailed(error),
  });
  const checker = new HealthChecker();
  built.defer(() => checker.stop());

  const orphans = orphanNotes();
  /** Books, latches and health first: no thread serves by rules whose switches are not set. */
  const prepare = async (loaded: Ruleset): Promise<RulesMessage> => {
    const ruleset = options.samples ? loaded : withoutSamples(loaded);
    watchman.look(); // what a route that now goes has done is still its own
    books.follow(ruleset.routes, clock.nowMs());
    comparisons.follow(ruleset);
    rollouts.follow(ruleset.routes); // before a latch may open: what opens must serve what it should
    await latches.apply(ruleset.routes);
    say(...orphans(latches.names, ruleset));
    const words = health.buffers(ruleset.backends);
    checker.follow(ruleset.backends, words);
    return rulesMessage(ruleset, books, words);
  };
  let apply = async (_rules: RulesMessage): Promise<void> => {};
  let latest: RulesMessage | null = null;
  const rules: RulesKeeper = new RulesKeeper({
    paths: options.rules,
    env: options.env,
    keyFileSecret: randomBytes(16).toString("hex"),
    putInForce: async (ruleset) => {
      latest = await prepare(ruleset);
      await apply(latest);
    },
    onReloaded: ({ version, changes, notes }, by, reason, from) => {
      announcer.log("reload", { rules: version, changes, notes, by });
      say(...notes);
      void announcer.record({ route: null, action: "reload", by, reason, from, to: version });
    },
    onFailed: (errors) => announcer.warn("reload-failed", { errors }),
    onWarnings: (warnings) => say(...warnings),
    nowMs: Date.now,
  });
  built.defer(() => rules.close());
  const first = await rules.load();
  await latches.restore();
  await rollouts.restore();
  const pins = new Pins({
    store,
    wallMs: Date.now,
    announce: (entry) => announcer.announce(entry),
    log: (msg, fields) => announcer.log(msg, fields),
    storeFailed: (error) => announcer.storeFailed(error),
  });
  built.defer(() => pins.stop());
  await pins.restore();
  if (latches.damage !== null) {
    announcer.warn("store-damaged", { why: latches.damage.why });
    say(...damageText(latches.damage));
  }
  // Before anything happens that it is to tell.
  if (options.webhook !== null) await startWebhook(options.webhook, store, announcer, built);
  const firstRules = await prepare(first);
  built.defer(() => rollouts.stop());
  await comparisons.restore();
  built.defer(() => comparisons.stop());
  const history = new HistoryKeeper({
    store,
    books,
    nowMs: clock.nowMs,
    wallMs: Date.now,
    say: (text) => say(text),
    storeFailed: (error) => announcer.storeFailed(error),
  });
  built.defer(() => history.stop());
  void history.start(); // nobody waits for charts
  const watching = watchman.run();
  built.defer(async () => {
    watchman.stop();
    await watching;
  });
  const shedWatch = new ShedWatch(books, (route, shed) => announcer.warn("shed", { route, ...shed }));
  built.defer(() => shedWatch.stop());

  return {
    announcer,
    books,
    comparisons,
    health,
    logWriter,
    history,
    latches,
    pins,
    rollouts,
    rules,
    bell,
    rings,
    firstRules,
    serveBy: async (serve) => {
      apply = serve;
      // Reloaded while the data threads started: they have begun with rules that are no longer in force.
      if (latest !== null) await serve(latest);
      rollouts.run(); // nothing bakes before it serves
    },
    confirmBy: (ask) => {
      confirm = ask;
    },
  };
}

/** What `--no-samples` says goes before the rules, on every thread. */
function withoutSamples(ruleset: Ruleset): Ruleset {
  const routes = ruleset.routes.map((route) =>
    route.compare === null ? route : { ...route, compare: { ...route.compare, samples: false } },
  );
  return { ...ruleset, routes };
}

/** Rollbacks act on what the watchman finds. */
function findingsFor(latches: Latches): Findings {
  return {
    tripped: (book, trip) => void latches.rollback(book, causeOfTrip(trip)),
    killed: (book) => void latches.rollback(book, causeOfKill(book)),
    cannotJudge: (book, error) =>
      say(
        `the guard of ${book.route?.name} failed and cannot judge: ${error instanceof Error ? error.stack : error}`,
      ),
  };
}

function rulesMessage(
  ruleset: Ruleset,
  books: Books,
  health: Readonly<Record<string, SharedArrayBuffer>>,
): RulesMessage {
  const ref = (book: Book) => ({ slot: book.slot, buffer: book.tile.buffer });
  const tiles = ruleset.routes.map((route) => ref(books.named(route.name) as Book));
  return { kind: "rules", ruleset, tiles, unmatchedTile: ref(books.unmatched), health };
}

function causeOfTrip(trip: Trip) {
  return { cause: trip.metric, by: "guard", reason: trip.summary, summary: trip.summary } as const;
}

function causeOfKill(book: Book) {
  const { tile, route } = book;
  const rule = route?.guard?.killSwitch ?? 0;
  const limit = tile.killLimit(Date.now());
  const words =
    limit > rule ? `limit ${limit} while both sides share a fault, else ${rule}` : `limit ${rule}`;
  const summary = `killSwitch: new failed and old answered well ${tile.killStreak} times running (${words})`;
  return { cause: "killSwitch", by: "guard", reason: summary, summary } as const;
}

function damageText({ kind, why }: UnknownStore): string[] {
  const remedy =
    kind === "damaged"
      ? "`cutover reset --store --reason …` puts it aside and begins a new one"
      : "put that right and start again: what it holds is not lost";
  return [
    `the store is ${kind}: ${why}`,
    `nobody knows which routes were rolled back, so everything goes to old; ${remedy}`,
  ];
}
