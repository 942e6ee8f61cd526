/** What a data thread works with: the rules in force, made ready, and the thread's tools. */

import { timingSafeEqual } from "node:crypto";
import type { MessagePort } from "node:worker_threads";
import { Bell } from "../board/bell.ts";
import { EventRing } from "../board/event-ring.ts";
import { Recorder } from "../board/recorder.ts";
import { Tile } from "../board/tile.ts";
import { compileRules } from "../model/compiled.ts";
import { trustIn } from "../model/forwarded.ts";
import type { Backend, Compare } from "../model/ruleset.ts";
import { type AccessLog, createAccessLog } from "../observe/access-log.ts";
import { Alarm, LineRing } from "../observe/line-ring.ts";
import { BackendClient } from "./backend-client.ts";
import { Chores } from "./chores.ts";
import { ClientErrorChecks } from "./client-error-checks.ts";
import { Deadlines } from "./deadlines.ts";
import { LateHeads } from "./late-heads.ts";
import type { LegTools } from "./leg-shapes.ts";
import type { RulesMessage, ThreadSetup, TileRef } from "./messages.ts";
import { Pins } from "./pins.ts";
import { type Pressure, pressureOf } from "./pressure.ts";
import type { Question } from "./question.ts";
import { fieldsToKeep } from "./request-fields.ts";
import { Rest } from "./rest.ts";
import type { HeldClient, RouteRoom, Snapshot } from "./rooms.ts";
import { Shelf } from "./shelf.ts";
import { Spans } from "./spans.ts";
import { type Kept, Tickets } from "./tickets.ts";
import { Tunnels } from "./tunnels.ts";

/** What it takes to ask again. */
export interface Repeatable extends Kept {
  readonly question: Question;
  readonly room: RouteRoom;
  readonly compare: Compare;
}

type Use = "serve" | "shadow";

/** Answers that wait for their other half. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024;

export class DataDesk {
  readonly setup: ThreadSetup;
  readonly deadlines: Deadlines;
  readonly bell: Bell;
  readonly events: EventRing;
  readonly nowMs = (): number => performance.now();
  readonly wallMs = (): number => Date.now();
  readonly tools: LegTools;
  /** [pairs, bytes] that wait for the comparison threads. */
  readonly compareQueue: Int32Array;
  comparePort: MessagePort | null = null;
  readonly accessLog: AccessLog;
  /** Null: no spans are written. */
  readonly spans: Spans | null;
  readonly tunnels = new Tunnels();
  readonly chores = new Chores();
  readonly lateHeads = new LateHeads();
  readonly shelf = new Shelf(MAX_KEPT_BYTES);
  readonly tickets: Tickets<Repeatable>;
  readonly pins: Pins;
  draining = false;
  /** Requests that the limit of a drain cut off; null: it has not come. */
  cutOff: number | null = null;
  /** Requests in flight on this thread. */
  inFlight = 0;
  #snapshot: Snapshot;
  readonly #clients = new Map<string, HeldClient>();
  readonly #forceToken: Buffer | null;

  constructor(setup: ThreadSetup) {
    this.setup = setup;
    this.deadlines = new Deadlines(this.nowMs);
    this.bell = new Bell(setup.bell);
    this.events = new EventRing(setup.events);
    this.tools = { deadlines: this.deadlines, nowMs: this.nowMs };
    this.compareQueue = new Int32Array(setup.compareQueue);
    this.accessLog = accessLogOf(setup);
    this.spans = setup.traces === null ? null : new Spans(setup.traces, this);
    this.#forceToken = setup.forceToken === null ? null : Buffer.from(setup.forceToken);
    this.tickets = new Tickets({
      thread: setup.thread,
      firstId: this.wallMs() * 1000,
      deadlines: this.deadlines,
      nowMs: this.nowMs,
      onHeld: ({ question }) => this.enter(question.snapshot),
      onLetGo: ({ question }) => this.leave(question.snapshot),
    });
    this.pins = new Pins(setup.pins);
    this.#snapshot = this.#prepare(setup.rules);
    for (const { recorder } of this.#snapshot.rooms) recorder.clearInFlight();
    this.#snapshot.unmatched.recorder.clearInFlight();
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** What this thread takes at one time; the kernel spreads connections over the threads. */
  get inFlightLimit(): number {
    return Math.ceil(this.#snapshot.compiled.ruleset.limits.inFlight / this.setup.threads);
  }

  get pressure(): Pressure {
    return pressureOf(this.inFlight, this.inFlightLimit, this.deadlines.lateMs);
  }

  /** Swaps one pointer: requests in flight keep the snapshot that they began with. */
  apply(rules: RulesMessage): void {
    const before = this.#snapshot;
    this.#snapshot = this.#prepare(rules);
    before.retired = true;
    this.#releaseIfIdle(before);
  }

  enter(snapshot: Snapshot): void {
    snapshot.inFlight++;
  }

  leave(snapshot: Snapshot): void {
    snapshot.inFlight--;
    this.#releaseIfIdle(snapshot);
  }

  /** In constant time, so that a token cannot be guessed byte by byte. */
  isForceToken(sent: string): boolean {
    const token = this.#forceToken;
    if (token === null) return false;
    const bytes = Buffer.from(sent, "latin1");
    return bytes.length === token.length && timingSafeEqual(bytes, token);
  }

  #prepare({ ruleset, tiles, unmatchedTile, health }: RulesMessage): Snapshot {
    const compiled = compileRules(ruleset);
    const held = new Map<string, HeldClient>();
    const client = (name: string, use: Use): BackendClient => {
      let entry = held.get(`${use} ${name}`);
      if (entry === undefined) {
        entry = this.#hold(ruleset.backends[name] as Backend, use, health[name] as SharedArrayBuffer);
        held.set(`${use} ${name}`, entry);
      }
      return entry.client;
    };
    const rooms = compiled.routes.map((compiledRoute, index) => {
      const { route } = compiledRoute;
      const { slot, buffer } = tiles[index] as TileRef;
      const tile = new Tile(buffer);
      return {
        compiled: compiledRoute,
        pins: this.pins.of(route.name),
        slot,
        tile,
        recorder: new Recorder(tile, this.setup.thread),
        old: client(route.old, "serve"),
        new: route.new === null ? null : client(route.new, "serve"),
        shadowOld: client(route.old, "shadow"),
        shadowNew: route.new === null ? null : client(route.new, "shadow"),
        shadowsInFlight: 0,
        noiseInFlight: 0,
        clientErrorChecks: new ClientErrorChecks(),
        shadowRest: { old: new Rest(), new: new Rest() },
        fieldsToKeep: fieldsToKeep(route),
      };
    });
    const unmatched = {
      recorder: new Recorder(new Tile(unmatchedTile.buffer), this.setup.thread),
      backend: ruleset.unmatched === null ? null : client(ruleset.unmatched, "serve"),
    };
    const trusts = trustIn(ruleset.limits.trustedProxies);
    return { compiled, trusts, rooms, unmatched, clients: [...held.values()], inFlight: 0, retired: false };
  }

  /** One client for each backend as it is configured: a reload that does not touch it keeps its connections. */
  #hold(backend: Backend, use: Use, health: SharedArrayBuffer): HeldClient {
    const id = `${use} ${JSON.stringify(backend)}`;
    let entry = this.#clients.get(id);
    if (entry === undefined) {
      entry = { id, client: new BackendClient(backend, health, this.deadlines), users: 0 };
      this.#clients.set(id, entry);
    }
    entry.users++;
    return entry;
  }

  #releaseIfIdle(snapshot: Snapshot): void {
    if (!snapshot.retired || snapshot.inFlight > 0) return;
    for (const entry of snapshot.clients) {
      if (--entry.users > 0) continue;
      this.#clients.delete(entry.id);
      entry.client.close().catch((error: unknown) => process.emitWarning(`closing ${entry.id}: ${error}`));
    }
  }
}

function accessLogOf({ accessLog, keySalt, logFormat, log }: ThreadSetup): AccessLog {
  const ring = log && new LineRing(new Alarm(log.alarm), log.ring);
  return createAccessLog(accessLog, keySalt, logFormat, (line) => ring?.push(line));
}
