/** Real data threads without control and without a comparison thread: the test is both. */

import type { MessagePort } from "node:worker_threads";
import { Bell } from "../../src/board/bell.ts";
import { EventRing, type RingEvent } from "../../src/board/event-ring.ts";
import { SHADOW_RESULTS, SLICE } from "../../src/board/layout.ts";
import { Tile } from "../../src/board/tile.ts";
import { DEFAULT_COMPARE } from "../../src/model/default-compare.ts";
import type { Pair, Ticket } from "../../src/model/pair.ts";
import type { PinChange } from "../../src/model/pins.ts";
import type { Backend, Compare, Route, Ruleset, Shadow } from "../../src/model/ruleset.ts";
import { UNCOMPARED_REASONS } from "../../src/model/uncompared.ts";
import type { RulesMessage, UnconfirmedReason } from "../../src/proxy/messages.ts";
import { DataThreads } from "../../src/workers/data-threads.ts";
import { routeOf, rulesetOf } from "../model/rules.ts";

/** Tests that wait for a time-out set a shorter one. */
const LONG_MS = 60_000;

export interface PlaneOptions {
  readonly oldUrl: string;
  readonly newUrl: string;
  readonly compare?: Partial<Compare> | null;
  readonly shadow?: Partial<Shadow>;
  /** Further changes to the one route. */
  readonly route?: Partial<Route>;
  readonly threads?: number;
  /** Those that stand whenever a thread starts; a test may add to it. */
  readonly pins?: readonly PinChange[];
  /** Nobody takes pairs from the ports. */
  readonly deaf?: boolean;
}

export interface TestPlane extends AsyncDisposable {
  readonly url: string;
  readonly tile: Tile;
  readonly data: DataThreads;
  /** That came so far, oldest first. */
  readonly pairs: Pair[];
  readonly unconfirmed: { readonly ticket: Ticket; readonly why: UnconfirmedReason }[];
  /** Of a word of the slice, over all threads. */
  count(word: number): number;
  /** Failures that were told since the last call. */
  failures(): RingEvent[];
  /** Reasons of uncompared pairs that are not 0. */
  uncompared(): Record<string, number>;
  /** Results of shadows that are not 0. */
  shadows(): Record<string, number>;
  /** The comparison thread ends. */
  hangUp(): void;
  /** The same route, changed. */
  reload(changes: Partial<PlaneOptions>): Promise<void>;
}

export async function startPlane(options: PlaneOptions): Promise<TestPlane> {
  const threads = options.threads ?? 1;
  const tile = Tile.create(threads);
  const unmatched = Tile.create(threads);
  const pairs: Pair[] = [];
  const unconfirmed: TestPlane["unconfirmed"] = [];
  const ports: MessagePort[] = [];
  const queue = new SharedArrayBuffer(8);
  const waiting = new Int32Array(queue);
  let versions = 0;
  let current = options;
  const rules = (): RulesMessage => ({
    kind: "rules",
    ruleset: { ...rulesetFor(current), version: String(versions++).padStart(12, "0") },
    tiles: [{ slot: 0, buffer: tile.buffer }],
    unmatchedTile: { slot: 1, buffer: unmatched.buffer },
    health: { legacy: new SharedArrayBuffer(4), modern: new SharedArrayBuffer(4) },
  });
  const take = ({ pair }: { readonly pair: Pair }): void => {
    pairs.push(pair);
    Atomics.sub(waiting, 0, 1);
    const { old, new: fresh, again } = pair;
    Atomics.sub(waiting, 1, old.body.length + fresh.body.length + (again?.body.length ?? 0));
  };
  const rings = Array.from({ length: threads }, () => new EventRing());
  const data = await DataThreads.start({
    threads,
    host: "127.0.0.1",
    port: 0,
    setup: {
      bell: new Bell().buffer,
      compareQueue: queue,
      forceToken: null,
      responseHeaders: true,
      accessLog: { kind: "off" },
      logFormat: "json",
      keySalt: "salt",
      traces: null,
    },
    events: rings.map(({ buffer }) => buffer),
    log: null,
    rules: rules(),
    pins: () => options.pins ?? [],
    connectCompare: (port) => {
      ports.push(port);
      if (!options.deaf) port.on("message", take);
    },
    connectTraces: null,
    onReplaced: () => {},
    onUnconfirmed: (ticket, why) => unconfirmed.push({ ticket, why }),
  });
  const slices = Array.from({ length: threads }, (_, thread) => tile.slice(thread));
  const count = (word: number): number => slices.reduce((sum, slice) => sum + (slice[word] as number), 0);
  const named = (first: number, names: readonly string[]): Record<string, number> =>
    Object.fromEntries(names.map((name, index) => [name, count(first + index)]).filter(([, n]) => n !== 0));
  return {
    url: `http://127.0.0.1:${data.port}`,
    tile,
    data,
    pairs,
    unconfirmed,
    count,
    failures: () => {
      const events: RingEvent[] = [];
      for (const ring of rings) ring.drain((event) => events.push(event));
      return events;
    },
    uncompared: () => named(SLICE.uncompared, UNCOMPARED_REASONS),
    shadows: () => named(SLICE.shadows, SHADOW_RESULTS),
    hangUp: () => {
      for (const port of ports) port.close();
    },
    reload: (changes) => {
      current = { ...current, ...changes };
      return data.apply(rules());
    },
    [Symbol.asyncDispose]: async () => {
      await data.terminate();
      for (const port of ports) port.close();
    },
  };
}

function rulesetFor({ oldUrl, newUrl, compare, shadow, route }: PlaneOptions): Ruleset {
  const plain = routeOf();
  return {
    ...rulesetOf([
      routeOf({
        shadow: { ...plain.shadow, sharePpm: 1_000_000, timeoutMs: LONG_MS, ...shadow },
        compare: compare === null ? null : { ...DEFAULT_COMPARE, ...compare },
        ...route,
      }),
    ]),
    backends: { legacy: backendAt("legacy", oldUrl), modern: backendAt("modern", newUrl) },
  };
}

function backendAt(name: string, url: string): Backend {
  return {
    name,
    urls: [url],
    timeouts: { connectMs: LONG_MS, headersMs: LONG_MS, stallMs: LONG_MS, requestMs: null },
    maxConnections: 256,
    maxWaiting: 1024,
    health: null,
    host: { kind: "keep" },
    tls: null,
  };
}

/** The body of one half of a pair, as text. */
export function textOf({ body }: { readonly body: Uint8Array }): string {
  return Buffer.from(body).toString();
}
