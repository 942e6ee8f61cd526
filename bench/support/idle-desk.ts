/**
 * A data thread's desk without its thread, with one route whose shadows are compared: everything in it is real, so that
 * what a measurement hands to the proxy's functions is checked by its types.
 */

import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { Bell } from "../../src/board/bell.ts";
import { EventRing } from "../../src/board/event-ring.ts";
import { LOCAL_COMPARISONS, SLICE } from "../../src/board/layout.ts";
import { Tile } from "../../src/board/tile.ts";
import { DEFAULT_COMPARE } from "../../src/model/default-compare.ts";
import type { Backend } from "../../src/model/ruleset.ts";
import { DataDesk } from "../../src/proxy/desk.ts";
import type { Exchange } from "../../src/proxy/exchange.ts";
import type { RouteRoom } from "../../src/proxy/rooms.ts";
import { factsOf, routeOf, rulesetOf } from "../../test/model/rules.ts";

export interface IdleDesk {
  readonly desk: DataDesk;
  readonly room: RouteRoom;
  /** A GET that old serves, as it stands while its answers are compared. */
  readonly exchange: Exchange;
  /** Pairs counted as equal so far. */
  matches(): number;
}

/** Its backends are never asked. */
export function idleDesk(): IdleDesk {
  const tile = Tile.create(1);
  const desk = new DataDesk({
    thread: 0,
    threads: 1,
    host: "127.0.0.1",
    port: 0,
    bell: new Bell().buffer,
    events: new EventRing().buffer,
    compareQueue: new SharedArrayBuffer(8),
    rules: {
      kind: "rules",
      ruleset: {
        ...rulesetOf([routeOf({ compare: DEFAULT_COMPARE })]),
        backends: { legacy: backend("legacy"), modern: backend("modern") },
      },
      tiles: [{ slot: 0, buffer: tile.buffer }],
      unmatchedTile: { slot: 1, buffer: Tile.create(1).buffer },
      health: { legacy: new SharedArrayBuffer(4), modern: new SharedArrayBuffer(4) },
    },
    pins: [],
    forceToken: null,
    responseHeaders: true,
    accessLog: { kind: "off" },
    log: null,
    logFormat: "json",
    keySalt: "salt",
    traces: null,
  });
  const [room] = desk.snapshot.rooms;
  if (room === undefined) throw new Error("the rules hold one route");
  const matchWord = SLICE.comparisons + LOCAL_COMPARISONS.indexOf("match");
  return {
    desk,
    room,
    exchange: exchangeOn(desk, room),
    matches: () => tile.slice(0)[matchWord] ?? Number.NaN,
  };
}

function exchangeOn(desk: DataDesk, room: RouteRoom): Exchange {
  const socket = new Socket();
  const req = new IncomingMessage(socket);
  return {
    desk,
    snapshot: desk.snapshot,
    room,
    req,
    res: new ServerResponse(req),
    facts: factsOf("/items?page=1", ["accept", "*/*"]),
    decision: { side: "old", reason: "default-old", who: null, rhoPpm: 0 },
    origin: { peer: "127.0.0.1", ip: "127.0.0.1", said: null },
    requestId: "1",
    trace: { traceId: "0".repeat(31).concat("1"), parentId: null, flags: "00" },
    span: null,
    begunMs: 0,
    body: null,
    shadow: null,
    upgrade: null,
    leg: null,
    clientGone: false,
    bytesOut: 0,
  };
}

function backend(name: string): Backend {
  return {
    name,
    urls: ["http://127.0.0.1:9"],
    timeouts: { connectMs: 2_000, headersMs: 30_000, stallMs: 60_000, requestMs: null },
    maxConnections: 256,
    maxWaiting: 1024,
    health: null,
    host: { kind: "keep" },
    tls: null,
  };
}
