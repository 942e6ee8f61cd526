/**
 * Pins: keys that operators keep on one side. What takes a key back from new acts first and is stored then; what
 * may send it to new is stored first and acts then.
 */

import { unitOf } from "../model/bucket.ts";
import { MAX_PINS_PER_ROUTE, type PinChange, type PinnedKeys } from "../model/pins.ts";
import type { PinReport } from "../model/reports.ts";
import type { Route } from "../model/ruleset.ts";
import { asPinned, asUnpinned, describePin, quotedKey, whyNotPin } from "./pin-words.ts";
import {
  type Change,
  type KeyOfRoute,
  PinWrites,
  patiently,
  type Started,
  type WriteTools,
} from "./pin-writes.ts";
import type { PinRecord, Store } from "./store-types.ts";

/** How often expired pins are looked for, and what could not be stored is tried again. */
const TICK_MS = 500;

export interface PinTools extends WriteTools {
  readonly store: Pick<Store, "pins" | "pin" | "unpin">;
  /** Of the wall clock: pins expire by it. */
  readonly wallMs: () => number;
  /** To the event log, without the key: it acts. */
  readonly log: (msg: "pin" | "unpin", fields: Readonly<Record<string, unknown>>) => void;
  /** Tests shorten it. */
  readonly tickMs?: number;
}

export type PinRequest = Pick<PinReport, "key" | "side" | "reason"> & {
  /** Null: until it is unpinned. */
  readonly forMs: number | null;
};

export type PinResult =
  | { readonly ok: true; readonly message: string }
  | { readonly ok: false; readonly why: string };

/** Puts changes in force on every data thread; resolves when they are. */
export type ActOnPins = (changes: readonly PinChange[]) => Promise<void>;

export class Pins {
  readonly #tools: PinTools;
  readonly #writes: PinWrites;
  /** By route, also those that the rules do not name at present: they come back with their pins. */
  readonly #byRoute = new Map<string, Map<string, PinRecord>>();
  #act: ActOnPins = async () => {};
  #timer: NodeJS.Timeout | null = null;
  #nextExpiryMs = Number.POSITIVE_INFINITY;

  constructor(tools: PinTools) {
    this.#tools = tools;
    this.#writes = new PinWrites(tools);
  }

  /** Reads what was pinned before the start; what has expired meanwhile does not act, and is removed later. */
  async restore(): Promise<void> {
    for (const record of await this.#tools.store.pins()) {
      if (isOver(record, this.#tools.wallMs())) this.#writes.postpone(this.#expiry(record));
      else this.#set(record);
    }
  }

  /** Whose data threads these are: they have started with `acting`. From now on pins expire. */
  actBy(act: ActOnPins): void {
    this.#act = act;
    this.#timer ??= setInterval(() => this.#tick(), this.#tools.tickMs ?? TICK_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** All that stand, for a data thread that starts. */
  get acting(): readonly PinChange[] {
    return this.#all().map(({ route, key, side }) => ({ route, key, side }));
  }

  /** What acts on a route, looked up as a data thread does. */
  of(route: string): PinnedKeys {
    const records = this.#byRoute.get(route);
    return { size: records?.size ?? 0, get: (key) => records?.get(key)?.side };
  }

  count(route: string): number {
    return this.#byRoute.get(route)?.size ?? 0;
  }

  /** Newest first; null: of all routes, those too that the rules do not name. */
  list(route: string | null): readonly PinReport[] {
    const records = route === null ? this.#all() : [...(this.#byRoute.get(route)?.values() ?? [])];
    return records.toSorted((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
  }

  /** Pins a key, in place of an older pin of it. Resolves when it acts on every thread; safe to repeat. */
  async pin(route: Route, request: PinRequest): Promise<PinResult> {
    const { key, side, reason, forMs } = request;
    const before = this.#get(route.name, key);
    const isFull = before === undefined && this.count(route.name) >= MAX_PINS_PER_ROUTE;
    const why = whyNotPin(route, side, isFull);
    if (why !== null) return { ok: false, why };
    const isSame = before?.side === side && before.expiresAt === null && forMs === null;
    // One that is being unpinned is pinned no more in a moment.
    if (isSame && !this.#writes.isUnderWay(before)) {
      return { ok: true, message: `${describePin(before)} already${this.#caveat(before)}` };
    }
    const nowMs = this.#tools.wallMs();
    const record: PinRecord = {
      route: route.name,
      key,
      side,
      at: new Date(nowMs).toISOString(),
      by: "operator",
      reason,
      expiresAt: forMs === null ? null : new Date(nowMs + forMs).toISOString(),
    };
    const change = this.#writes.begin(this.#pinning(record, before));
    return side === "old" ? this.#actFirst(change) : this.#storeFirst(change);
  }

  /** The rules decide about the key again. Of any route that has pins; safe to repeat. */
  async unpin(route: string, key: string, reason: string): Promise<PinResult> {
    const before = this.#get(route, key);
    // One that is being stored is not there yet, and must not act after this.
    if (before === undefined && !this.#writes.isUnderWay({ route, key })) {
      return { ok: true, message: `${quotedKey(key)} is not pinned on ${route}: nothing to unpin` };
    }
    const at = new Date(this.#tools.wallMs()).toISOString();
    const change = this.#writes.begin(this.#unpinning({ route, key }, before, at, reason));
    // From old it may go to new; from new it may only go back.
    return before?.side === "old" ? this.#storeFirst(change) : this.#actFirst(change);
  }

  /** Writes every pin again: into a store that took a damaged one's place. */
  async storeAgain(): Promise<void> {
    this.#writes.forgetUnkept();
    for (const record of this.#all()) this.#writes.postpone(this.#pinning(record, undefined));
    await this.#writes.retry();
  }

  async #actFirst(change: Started): Promise<PinResult> {
    this.#writes.mayAct(change);
    const acting = this.#apply(change);
    await patiently(this.#writes.keep(change));
    await patiently(acting);
    return { ok: true, message: `${wordsOf(change)}${this.#caveat(change)}` };
  }

  async #storeFirst(change: Started): Promise<PinResult> {
    const { record, route, key } = change;
    try {
      const outcome = await this.#writes.store(change, () => this.#apply(change));
      if (outcome === "acts") return { ok: true, message: wordsOf(change) };
      return { ok: false, why: `${quotedKey(key)} was pinned anew or unpinned meanwhile, and that holds` };
    } catch (error) {
      this.#tools.storeFailed(error);
      const stays = record === null ? "stays pinned to old" : "is not pinned";
      return { ok: false, why: `${quotedKey(key)} ${stays} on ${route}: ${textOf(error)}` };
    }
  }

  /** Also where it is still being stored. */
  #caveat(of: KeyOfRoute): string {
    const isKept = !this.#writes.isUnkept(of) && !this.#writes.isUnderWay(of);
    return isKept ? "" : "; the state folder has not kept it yet, a restart now would forget it";
  }

  /** Changes what this thread knows, then the data threads. */
  #apply({ route, key, record, reason }: Change): Promise<void> {
    if (record === null) this.#remove(route, key);
    else this.#set(record);
    const pin = record === null ? {} : { side: record.side, expiresAt: record.expiresAt };
    const fields = { route, fingerprint: unitOf(route, key), ...pin, by: "operator", reason };
    this.#tools.log(record === null ? "unpin" : "pin", fields);
    return this.#act([{ route, key, side: record?.side ?? null }]);
  }

  #tick(): void {
    const nowMs = this.#tools.wallMs();
    if (nowMs >= this.#nextExpiryMs) this.#expire(nowMs);
    void this.#writes.retry();
  }

  #expire(nowMs: number): void {
    this.#nextExpiryMs = Number.POSITIVE_INFINITY;
    for (const record of this.#all()) {
      // One that is being changed: the next look sees what came of it.
      if (!isOver(record, nowMs) || this.#writes.isUnderWay(record)) this.#watchExpiry(record);
      else void this.#actFirst(this.#writes.begin(this.#expiry(record)));
    }
  }

  #pinning(record: PinRecord, before: PinRecord | undefined): Change {
    const { route, key, reason } = record;
    const audit = asPinned(record, before);
    return { route, key, record, reason, write: () => this.#tools.store.pin(record, audit) };
  }

  #unpinning(of: KeyOfRoute, before: PinRecord | undefined, at: string, reason: string): Change {
    const { route, key } = of;
    const audit = asUnpinned(of, before, { at, reason });
    return { route, key, record: null, reason, write: () => this.#tools.store.unpin(route, key, audit) };
  }

  /** What the operator asked for when the key was pinned: it is theirs. */
  #expiry(record: PinRecord): Change {
    const at = record.expiresAt ?? record.at;
    return this.#unpinning(record, record, at, `its time is over (${record.reason})`);
  }

  #get(route: string, key: string): PinRecord | undefined {
    return this.#byRoute.get(route)?.get(key);
  }

  #set(record: PinRecord): void {
    const records = this.#byRoute.get(record.route) ?? new Map<string, PinRecord>();
    records.set(record.key, record);
    this.#byRoute.set(record.route, records);
    this.#watchExpiry(record);
  }

  #remove(route: string, key: string): void {
    const records = this.#byRoute.get(route);
    records?.delete(key);
    if (records?.size === 0) this.#byRoute.delete(route);
  }

  #watchExpiry({ expiresAt }: PinRecord): void {
    if (expiresAt !== null) this.#nextExpiryMs = Math.min(this.#nextExpiryMs, Date.parse(expiresAt));
  }

  #all(): PinRecord[] {
    return [...this.#byRoute.values()].flatMap((records) => [...records.values()]);
  }
}

function wordsOf({ route, key, record }: Change): string {
  return record === null
    ? `${quotedKey(key)} of ${route} is not pinned any more: the rules decide about it`
    : describePin(record);
}

function isOver({ expiresAt }: PinRecord, nowMs: number): boolean {
  return expiresAt !== null && Date.parse(expiresAt) <= nowMs;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
