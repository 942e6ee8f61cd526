/**
 * The rules in force, resolved: defaults merged, shorthands spelled out, durations in milliseconds, shares in
 * millionths. Plain data, so that it can be posted to another thread. `rules/` makes it from YAML; everyone
 * else only reads it.
 */

export type Side = "old" | "new";

/** A share in millionths: 5% is 50_000, the finest share 0.0001% is 1, all is 1_000_000. */
export type SharePpm = number;
export const WHOLE_PPM = 1_000_000;

export interface Ruleset {
  /** 12 hex digits, a hash of everything that was read. */
  readonly version: string;
  readonly backends: Readonly<Record<string, Backend>>;
  /** The backend for requests that no route matches; null: 404. */
  readonly unmatched: string | null;
  readonly limits: Limits;
  /** In file order: the first match wins. */
  readonly routes: readonly Route[];
}

export interface Backend {
  readonly name: string;
  /** Origins without a path, e.g. "http://127.0.0.1:9001"; never empty. */
  readonly urls: readonly string[];
  readonly timeouts: {
    readonly connectMs: number;
    readonly headersMs: number;
    readonly stallMs: number;
    /** From the first byte out to the last byte in; null: no limit. */
    readonly requestMs: number | null;
  };
  /** Per data-plane thread. */
  readonly maxConnections: number;
  /** Requests that may wait for a connection to one URL, per data-plane thread; further ones get 503. */
  readonly maxWaiting: number;
  readonly health: { readonly path: string; readonly intervalMs: number } | null;
  readonly host: HostPolicy;
  /** PEM texts, read when the rules were loaded. Null for http. */
  readonly tls: Tls | null;
}

export type HostPolicy =
  | { readonly kind: "keep" }
  | { readonly kind: "backend" }
  | { readonly kind: "name"; readonly name: string };

export interface Tls {
  readonly ca: string | null;
  readonly serverName: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

/** Of the gateway towards clients. */
export interface Limits {
  readonly requestHeadBytes: number;
  readonly headTimeoutMs: number;
  /** Longest silence of a client within its body. */
  readonly bodyStallTimeoutMs: number;
  /** A route may set its own. */
  readonly maxBodyBytes: number;
  readonly idleTimeoutMs: number;
  readonly connections: number;
  readonly inFlight: number;
  /** CIDRs, such as "10.0.0.0/8"; what proxies there say of the client is believed. */
  readonly trustedProxies: readonly string[];
}

export interface Route {
  readonly name: string;
  /** Any of; empty matches every request. */
  readonly match: readonly Condition[];
  /** Backend names. `new` is null on a route that can serve and shadow from old alone. */
  readonly old: string;
  readonly new: string | null;
  /** The first source present in a request says who it is from; none present: no key. */
  readonly key: readonly KeySource[];
  readonly split: Split | null;
  readonly canary: Canary;
  readonly shadow: Shadow;
  /** Null: shadows are not compared. */
  readonly compare: Compare | null;
  /** Null: off. */
  readonly fallback: Fallback | null;
  /** Null: off, or a route that can neither serve from new nor was asked to be guarded. */
  readonly guard: Guard | null;
  /** Of a request's body; null: that of the gateway's limits. */
  readonly maxBodyBytes: number | null;
  /** Null: upgrades are not passed on. */
  readonly upgrade: Upgrade | null;
  /** Raising it clears a latched rollback. */
  readonly revision: number;
}

/** Connections that leave HTTP for another protocol, such as WebSocket. */
export interface Upgrade {
  /** Tokens of the Upgrade field; never h2c. */
  readonly protocols: readonly string[];
  /** Longest silence in both directions. */
  readonly idleMs: number;
  readonly maxMs: number;
  /** What a rollback does to those that are open to new. */
  readonly onRollback: "keep" | "close";
}

/** All of its fields; an absent one matches everything. */
export interface Condition {
  /** Template: literal segments, "{x}" for one segment, "/**" at the end for all below. */
  readonly path: string | null;
  readonly methods: readonly string[] | null;
  /** Lower case; "*.example.org" is any name below. */
  readonly hosts: readonly string[] | null;
  /** Names in lower case; values exact. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

export type KeySource =
  | { readonly kind: "header" | "cookie" | "query" | "path"; readonly name: string }
  | { readonly kind: "ip" }
  | { readonly kind: "assign" };

export interface Split {
  readonly new: readonly string[];
  readonly newFile: KeyFile | null;
  readonly old: readonly string[];
  readonly onRollback: "stay" | "old";
}

/** A key file as sorted 64-bit fingerprints (see model/keyset.ts), 8 bytes a key, shared by all threads. */
export interface KeyFile {
  readonly path: string;
  readonly count: number;
  /** `count` sorted unsigned 64-bit numbers. */
  readonly fingerprints: SharedArrayBuffer;
  /** The fingerprints are keyed with it, so that nobody outside can make two keys collide. */
  readonly secret: string;
}

export interface Canary {
  readonly sharePpm: SharePpm;
  readonly always: readonly Matcher[];
  readonly never: readonly Matcher[];
  /** Null: every method. */
  readonly methods: readonly string[] | null;
}

/** One header or cookie of a request, compared with a text or a regular expression. */
export interface Matcher {
  readonly source: "header" | "cookie";
  /** Header names in lower case. */
  readonly name: string;
  readonly test:
    | { readonly kind: "equals"; readonly value: string }
    | { readonly kind: "matches"; readonly pattern: string }
    | { readonly kind: "present" };
}

export interface Shadow {
  readonly sharePpm: SharePpm;
  readonly methods: readonly string[];
  readonly reverse: boolean;
  readonly maxBodyBytes: number;
  readonly timeoutMs: number;
  /** Per data-plane thread. */
  readonly concurrency: number;
  /** For the whole gateway; null: no limit. */
  readonly ratePerSecond: number | null;
}

export interface Compare {
  readonly status: boolean;
  /** Lower case. */
  readonly headers: readonly string[];
  readonly body: "auto" | "json" | "text" | "bytes" | "off";
  /** RFC 9535 JSONPath. */
  readonly ignore: readonly string[];
}

export interface Fallback {
  /** safe: GET, HEAD, OPTIONS; idempotent adds PUT and DELETE whose bodies can be sent again. */
  readonly when: "safe" | "idempotent";
  /** New silent for so long counts as failed. */
  readonly afterMs: number;
}

export interface Guard {
  readonly errors: { readonly maxRate: number; readonly ratio: number } | null;
  readonly latency: { readonly ratio: number } | null;
  readonly mismatches: { readonly maxRate: number } | null;
  /** Answers of new needed to pass a step; never delays a trip. */
  readonly minSamples: number;
  /** So many times running "new failed, old answered well"; null: off. */
  readonly killSwitch: number | null;
  /** Mean seconds between false alarms that the route accepts, all its tests together. */
  readonly falseAlarmSeconds: number;
}
