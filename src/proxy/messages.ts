/** What control and a data thread say to each other. Everything else goes over the board. */

import type { MessagePort } from "node:worker_threads";
import type { PinChange } from "../model/pins.ts";
import type { Ruleset, SharePpm } from "../model/ruleset.ts";
import type { AccessLogPolicy } from "../observe/access-log.ts";
import type { LogFormat } from "../observe/log.ts";

/** Handed to a data thread when it starts. */
export interface ThreadSetup {
  readonly thread: number;
  readonly threads: number;
  readonly host: string;
  /** 0: the first thread picks a port for all. */
  readonly port: number;
  readonly bell: SharedArrayBuffer;
  readonly events: SharedArrayBuffer;
  readonly compareQueue: SharedArrayBuffer;
  readonly rules: RulesMessage;
  /** All that stand when it starts. */
  readonly pins: readonly PinChange[];
  readonly forceToken: string | null;
  readonly responseHeaders: boolean;
  readonly accessLog: AccessLogPolicy;
  readonly logFormat: LogFormat;
  /** Where lines of the access log go; null: it is off. */
  readonly log: LogLines | null;
  /** Salts the key hashes of the access log. */
  readonly keySalt: string;
  /** Null: no spans are written. */
  readonly traces: TraceSetup | null;
}

/** The shared memory of an access log. */
export interface LogLines {
  /** The thread's own. */
  readonly ring: SharedArrayBuffer;
  /** Of whoever writes the lines of all. */
  readonly alarm: SharedArrayBuffer;
}

/** What a data thread needs to write spans. */
export interface TraceSetup {
  /** Of traces that begin here; others say themselves whether they are wanted. */
  readonly sharePpm: SharePpm;
  /** 64-bit counts, in the order of SPAN_RESULTS. */
  readonly counts: SharedArrayBuffer;
}

/** Rules with the shared memory that belongs to them. */
export interface RulesMessage {
  readonly kind: "rules";
  readonly ruleset: Ruleset;
  /** In the routes' order. */
  readonly tiles: readonly TileRef[];
  /** For requests that no route matches. */
  readonly unmatchedTile: TileRef;
  /** One word an endpoint, by backend name. */
  readonly health: Readonly<Record<string, SharedArrayBuffer>>;
}

export interface TileRef {
  readonly slot: number;
  readonly buffer: SharedArrayBuffer;
}

export type ToDataThread =
  | RulesMessage
  /** `pinned` follows. */
  | { readonly kind: "pins"; readonly id: number; readonly changes: readonly PinChange[] }
  | { readonly kind: "compare-port"; readonly port: MessagePort }
  /** `waiting`: one 32-bit word, the spans that wait at the exporting thread. */
  | { readonly kind: "trace-port"; readonly port: MessagePort; readonly waiting: SharedArrayBuffer }
  /** Asks again what a ticket stands for; a pair that confirms follows, or `unconfirmed`. */
  | { readonly kind: "confirm"; readonly id: number }
  /** Answers say `Connection: close` from now on. */
  | { readonly kind: "drain" }
  /** Stops accepting; `drained` follows when the last request has ended. Upgraded connections end by the limit. */
  | { readonly kind: "close"; readonly limitMs: number };

export type FromDataThread =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "cannot-listen"; readonly code: string; readonly message: string }
  | { readonly kind: "applied"; readonly version: string }
  /** The next request here is decided by the changes of that message. */
  | { readonly kind: "pinned"; readonly id: number }
  /** `cutOff`: requests that were still in flight at the limit. */
  | { readonly kind: "drained"; readonly cutOff: number }
  | { readonly kind: "unconfirmed"; readonly id: number; readonly why: UnconfirmedReason };

/** Too late; no room for it; or a side gave no answer that could be compared. */
export type UnconfirmedReason = "expired" | "shed" | "lost";
