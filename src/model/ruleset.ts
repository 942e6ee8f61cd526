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
  /** Null: the shares are static. Else they are the rollout's, and canary.sharePpm and shadow.sharePpm do not act. */
  readonly rollout: Rollout | null;
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

/** How two answers to one request are compared. Body paths are RFC 9535 JSONPath; compare/ says in what order they act. */
export interface Compare {
  /** Null: statuses are not compared. */
  readonly status: StatusRule | null;
  /** Lower case. */
  readonly headers: readonly string[];
  readonly body: BodyRule;
  /** Left out of both bodies. */
  readonly ignore: readonly string[];
  /** Arrays compared as multisets. */
  readonly unordered: readonly string[];
  readonly tolerance: readonly Tolerance[];
  /** What old calls one thing and new another; after it both are spoken of by new's name. */
  readonly rename: readonly Rename[];
  /** Share of the shadows that also ask old a second time; 0: noise is not measured. */
  readonly noisePpm: SharePpm;
  /** A mismatch is asked again on both sides so long after it was found; null: it is not. */
  readonly confirmAfterMs: number | null;
  /** Never stored, logged or shown. */
  readonly redact: Redact;
  /** Whether pairs that differ are stored for people to read. */
  readonly samples: boolean;
}

/** "auto": by content type. */
export type BodyRule =
  | "auto"
  | "json"
  | "ndjson"
  | "form"
  | "xml"
  | "html"
  | "events"
  | "text"
  | "bytes"
  | "off";

export interface StatusRule {
  /** "class": 200 and 204 are the same, 200 and 404 are not. */
  readonly by: "exact" | "class";
  /** Declared equal whatever `by` says: texts such as "200" or "4xx". */
  readonly equal: readonly { readonly old: string; readonly new: string }[];
}

/** Two numbers at `path` are the same where either allowance covers their distance. */
export interface Tolerance {
  readonly path: string;
  readonly absolute: number | null;
  /** Of the greater of the two magnitudes: 0.01 is 1%. */
  readonly relative: number | null;
}

export interface Rename {
  readonly old: string;
  readonly new: string;
}

export interface Redact {
  readonly paths: readonly string[];
  /** Lower case, besides those that are never kept. */
  readonly headers: readonly string[];
  /** Parameters of the request target's query. */
  readonly query: readonly string[];
}

export interface Fallback {
  /** safe: GET, HEAD, OPTIONS; idempotent adds PUT and DELETE whose bodies can be sent again. */
  readonly when: "safe" | "idempotent";
  /** New silent for so long counts as failed. */
  readonly afterMs: number;
}

export interface Guard {
  readonly errors: { readonly maxRate: number; readonly ratio: number } | null;
  /** Which 4xx of new roll back, where errors are judged at all. */
  readonly clientErrors: ClientErrorRule;
  readonly latency: { readonly ratio: number } | null;
  readonly mismatches: { readonly maxRate: number } | null;
  /** Answers of new needed to pass a step; never delays a trip. */
  readonly minSamples: number;
  /** So many times running "new failed, old answered well"; null: off. */
  readonly killSwitch: number | null;
  /** Mean seconds between false alarms that the route accepts, all its tests together. */
  readonly falseAlarmSeconds: number;
}

/**
 * "all": those that old, asked the same, answers well, and those of which old may not be asked. "checked": the first
 * alone.
 */
export type ClientErrorRule = "all" | "checked" | "off";

/** A cutover in steps: each has shares, and what must be seen before the next. */
export interface Rollout {
  readonly start: "paused" | "running";
  /** Never empty. */
  readonly steps: readonly RolloutStep[];
  readonly gates: Readonly<Record<string, Gate>>;
}

export interface RolloutStep {
  /** Inherited from the step before where the rules do not name them. */
  readonly canaryPpm: SharePpm;
  readonly shadowPpm: SharePpm;
  readonly bakeMs: number;
  /** Answers of new (compared pairs where new serves nobody) needed in this step. */
  readonly minSamples: number;
  /** Names of gates that must all say yes. */
  readonly gates: readonly string[];
  /** A person has to say so. */
  readonly approve: boolean;
}

/** A question that is asked before the next step. */
export type Gate =
  | {
      readonly kind: "http";
      readonly url: string;
      /** JSONPath to one value of the answer. */
      readonly path: string;
      readonly test: GateTest;
      readonly everyMs: number;
      readonly timeoutMs: number;
    }
  | {
      readonly kind: "prometheus";
      /** Of the server; the query API's path is added. */
      readonly url: string;
      readonly query: string;
      readonly test: GateTest;
      readonly everyMs: number;
      readonly timeoutMs: number;
    }
  /** The file is there (or is not). Looked for in the folder of the rules file. */
  | { readonly kind: "file"; readonly path: string; readonly present: boolean; readonly everyMs: number }
  | { readonly kind: "window"; readonly window: TimeWindow }
  /** Rollback was rehearsed and both backends are healthy. */
  | { readonly kind: "preflight" };

export interface GateTest {
  readonly by: "below" | "above" | "atMost" | "atLeast" | "equals";
  readonly value: number | string | boolean;
}

/** Hours of some days of the week in a time zone. */
export interface TimeWindow {
  /** As written, for people. */
  readonly text: string;
  /** 1 is Monday, 7 Sunday. */
  readonly days: readonly number[];
  /** Minutes of the day; `until` is after the last one, and may be before `from` (over midnight). */
  readonly fromMinute: number;
  readonly untilMinute: number;
  readonly zone: string;
}
