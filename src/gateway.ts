/** The composition root: builds every part, hands each what it needs, and takes them down in order. */

import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { startAdmin } from "./admin/server.ts";
import { Bell } from "./board/bell.ts";
import { EventRing } from "./board/event-ring.ts";
import { Announcer } from "./control/announcer.ts";
import { type Book, Books, countComparison } from "./control/books.ts";
import { HealthBoard, HealthChecker } from "./control/health.ts";
import { Latches } from "./control/latches.ts";
import { createMetricsSource } from "./control/metrics-source.ts";
import { RulesError, RulesKeeper } from "./control/rules-keeper.ts";
import { SampleKeeper } from "./control/samples.ts";
import { ShedWatch } from "./control/shed-watch.ts";
import { openStore, type ResettableStore } from "./control/store/client.ts";
import { lockStateFolder, prepareStateFolder } from "./control/store/lock.ts";
import { adminToken } from "./control/store/token.ts";
import { Watchman } from "./control/watchman.ts";
import { createDesk } from "./control-desk.ts";
import { type Address, type GatewayOptions, StartError } from "./gateway-options.ts";
import type { Trip } from "./model/detector.ts";
import type { Ruleset } from "./model/ruleset.ts";
import { createLog, flushLog } from "./observe/log.ts";
import { createMetrics } from "./observe/metrics.ts";
import type { RulesMessage } from "./proxy/messages.ts";
import { CompareThread } from "./workers/compare-threads.ts";
import { CannotListenError, DataThreads } from "./workers/data-threads.ts";

export interface Gateway {
  readonly proxyUrl: string;
  readonly adminUrl: string;
  /** Begins the orderly end; `finished` resolves when it has come. Safe to repeat. */
  drain(reason: string): void;
  readonly finished: Promise<void>;
}

/** Throws a StartError when it cannot start; nothing is left running then. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  // Taken down in the opposite order of what was built, at the end or when a later step fails.
  const built = new AsyncDisposableStack();
  try {
    return await build(options, built);
  } catch (error) {
    await built.disposeAsync();
    throw asStartError(error, options);
  }
}

async function build(options: GatewayOptions, built: AsyncDisposableStack): Promise<Gateway> {
  const clock = { nowMs: () => performance.now(), wallMs: Date.now, nowIso: () => new Date().toISOString() };
  const startedMs = clock.nowMs();
  const threads = threadCount(options.threads);

  const folder = prepareStateFolder(options.state);
  const lock = lockStateFolder(folder);
  built.defer(() => lock.release());
  const log = createLog();
  built.defer(() => flushLog(log));
  const store = await openStore(folder);
  built.defer(() => store.close());
  const token = await adminToken(folder, options.adminToken ?? undefined);
  const announcer = new Announcer(store, log, clock.nowIso);

  const books = new Books(threads, clock.nowMs());
  const rules: RulesKeeper = new RulesKeeper({
    paths: options.rules,
    env: options.env,
    keyFileSecret: randomBytes(16).toString("hex"),
    putInForce: (ruleset) => putInForce(ruleset),
    onReloaded: ({ version, changes }, by, reason) => {
      announcer.log("reload", { rules: version, changes, by });
      void announcer.record({ route: null, action: "reload", by, reason, from: null, to: version });
    },
    onFailed: (errors) => announcer.warn("reload-failed", { errors }),
    onWarnings: (warnings) => say(warnings),
    nowMs: clock.wallMs,
  });
  built.defer(() => rules.close());
  const latches = new Latches({
    store,
    books,
    rulesVersion: () => rules.ruleset.version,
    nowMs: clock.nowMs,
    nowIso: clock.nowIso,
    announce: (entry) => {
      announcer.log(entry.action, { ...entry });
      announcer.announce(entry);
    },
    storeFailed: (error) => announcer.storeFailed(error),
  });
  const first = await rules.load();
  await latches.restore();
  if (latches.damage !== null) {
    say([
      `the store in ${folder} is damaged: ${latches.damage}`,
      "Nobody knows which routes were rolled back, so everything goes to old. `cutover reset --store --reason …` puts it aside and begins a new one.",
    ]);
  }

  const health = new HealthBoard();
  const healthChecker = new HealthChecker();
  built.defer(() => healthChecker.stop());
  /** Books, latches and health first: no thread serves by rules whose switches are not set. */
  const prepare = async (ruleset: Ruleset): Promise<RulesMessage> => {
    books.follow(ruleset.routes, clock.nowMs());
    await latches.apply(ruleset.routes);
    say(orphanedLatches(latches, ruleset));
    const words = health.buffers(ruleset.backends);
    healthChecker.follow(ruleset.backends, words);
    return rulesMessage(ruleset, books, words);
  };

  const bell = new Bell();
  const rings = Array.from({ length: threads }, () => new EventRing());
  const samples = new SampleKeeper(store, (error) => announcer.storeFailed(error));
  built.defer(async () => {
    samples.stop();
    await samples.flush();
  });
  const replacements = new Map([
    ["data", 0],
    ["compare", 0],
  ]);
  const replaced = (kind: string, fields: Readonly<Record<string, unknown>>): void => {
    replacements.set(kind, (replacements.get(kind) ?? 0) + 1);
    announcer.warn("thread-replaced", { kind, ...fields });
  };
  const compareQueue = new SharedArrayBuffer(8);
  const compare = new CompareThread({
    queue: compareQueue,
    onCompared: (compared) => {
      const book = books.named(compared.route);
      if (book === undefined) return; // a reload took the route away
      countComparison(book, compared.comparison, compared.unit);
      if (compared.comparison.kind === "mismatch") bell.ring();
      samples.keep(compared, clock.nowIso());
    },
    onReplaced: (why) => {
      replaced("compare", { why });
      plane.reconnectCompare();
    },
  });
  built.defer(() => compare.terminate());

  await assertFree(options.listen);
  const plane: DataThreads = await DataThreads.start({
    threads,
    host: options.listen.host,
    port: options.listen.port,
    setup: {
      bell: bell.buffer,
      compareQueue,
      forceToken: options.forceToken,
      responseHeaders: options.responseHeaders,
      accessLog: options.accessLog,
      keySalt: await keySalt(store),
    },
    events: rings.map((ring) => ring.buffer),
    rules: await prepare(first),
    connectCompare: (port) => compare.connect(port),
    onReplaced: (thread, why) => replaced("data", { thread, why }),
  });
  built.defer(() => plane.terminate());
  const putInForce = async (ruleset: Ruleset): Promise<void> => plane.apply(await prepare(ruleset));

  const watchman = new Watchman(
    books,
    rings,
    bell,
    {
      tripped: (book, trip) => void latches.rollback(book, causeOfTrip(trip)),
      killed: (book) => void latches.rollback(book, causeOfKill(book)),
    },
    clock.nowMs,
  );
  const watching = watchman.run();
  built.defer(async () => {
    watchman.stop();
    await watching;
  });
  const shedWatch = new ShedWatch(books, (route, shed) => announcer.warn("shed", { route, ...shed }));
  built.defer(() => shedWatch.stop());

  let draining = false;
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
  const proxyUrl = urlOf({ host: options.listen.host, port: plane.port });
  const drain = (reason: string): void => {
    if (draining) return;
    draining = true;
    announcer.log("draining", { reason });
    void takeDown(options, plane, built, () => announcer.log("stopped", {})).then(finish);
  };
  const desk = createDesk({
    books,
    latches,
    rules,
    store,
    health,
    announcer,
    metrics: createMetrics(createMetricsSource({ books, latches, rules, replacements: () => replacements })),
    threads,
    startedMs,
    nowMs: clock.nowMs,
    isDraining: () => draining,
    drain,
  });
  const admin = await startAdmin({
    host: options.admin.host,
    port: options.admin.port,
    desk,
    token,
    onError: (error) =>
      say([`admin API: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`]),
  });
  built.defer(() => admin.close());
  const onHangup = (): void => void rules.reload("operator", "SIGHUP");
  process.on("SIGHUP", onHangup);
  built.defer(() => void process.off("SIGHUP", onHangup));

  announcer.log("listening", { proxy: proxyUrl, admin: admin.url, threads, rules: first.version });
  return { proxyUrl, adminUrl: admin.url, drain, finished };
}

/** Not ready → a grace time in which balancers look away → no new connections → the last answers → everything down. */
async function takeDown(
  options: GatewayOptions,
  plane: DataThreads,
  built: AsyncDisposableStack,
  stopped: () => void,
): Promise<void> {
  plane.drain();
  await new Promise((resolve) => setTimeout(resolve, options.drainDelayMs));
  await plane.close(options.drainTimeoutMs);
  stopped();
  await built.disposeAsync();
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
  const limit = book.route?.guard?.killSwitch ?? 0;
  const summary = `kill switch: new failed and old answered well ${book.tile.killStreak} times running (limit ${limit})`;
  return { cause: "killSwitch", by: "guard", reason: summary, summary } as const;
}

/** A latch belongs to a name: a route that was renamed starts without it, which may be meant or a slip. */
function orphanedLatches(latches: Latches, ruleset: Ruleset): string[] {
  const names = new Set(ruleset.routes.map(({ name }) => name));
  return latches.names
    .filter((name) => !names.has(name))
    .map(
      (name) =>
        `${name} is rolled back but is no longer in the rules: if it was renamed, the new name is not latched`,
    );
}

/** The salt is kept, so that a key has the same hash in the logs of every start. */
async function keySalt(store: ResettableStore): Promise<string> {
  const kept = await store.meta("key-salt");
  if (kept !== undefined) return kept;
  const salt = randomBytes(16).toString("hex");
  if (store.health.kind !== "damaged") await store.setMeta("key-salt", salt);
  return salt;
}

function threadCount(asked: number | "auto"): number {
  // Elsewhere threads cannot share a port.
  const canShare = process.platform === "linux" || process.platform === "freebsd";
  if (!canShare) return 1;
  return asked === "auto" ? availableParallelism() : asked;
}

/** With SO_REUSEPORT a second gateway would bind the same port without an error and take half the traffic. */
async function assertFree({ host, port }: Address): Promise<void> {
  if (port === 0) return;
  const probe = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  probe.on("error", (error: NodeJS.ErrnoException) =>
    reject(new CannotListenError(error.code ?? "", error.message)),
  );
  probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()));
  await promise;
}

function asStartError(error: unknown, options: GatewayOptions): Error {
  if (error instanceof RulesError) return new StartError(error.message);
  if (error instanceof CannotListenError)
    return new StartError(listenText("--listen", options.listen, error.code));
  if (!(error instanceof Error)) return new StartError(String(error));
  if ("code" in error && typeof error.code === "string" && error.code.startsWith("E")) {
    return new StartError(listenText("--admin", options.admin, error.code));
  }
  return EXPECTED.has(error.name) ? new StartError(error.message) : error;
}

/** Errors whose message is for people already. */
const EXPECTED = new Set(["StateFolderError", "StoreError"]);

function listenText(flag: string, { host, port }: Address, code: string): string {
  const address = `${host}:${port}`;
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: "another program listens there",
    EACCES: "this user may not listen there (ports below 1024 need a privilege)",
    EADDRNOTAVAIL: "this machine has no such address",
    ENOTFOUND: "no such host name",
  };
  return `cannot listen on ${address}: ${why[code] ?? code}\n  choose another with ${flag} HOST:PORT (port 0 picks a free one)`;
}

function urlOf({ host, port }: Address): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function say(lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`cutover: ${line}\n`);
}
