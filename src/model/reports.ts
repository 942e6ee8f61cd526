/** The shapes that the admin API answers with (and the command line prints). Field names are public. */

import type { Side } from "./ruleset.ts";
import type { UncomparedReason } from "./uncompared.ts";

export type RouteState = "serving" | "baking" | "paused" | "rolled-back" | "completed";
export type Verdict = "pass" | "fail" | "hold";
/** "gateway": what it does because it knows no better, as with a damaged store; never in the audit trail. */
export type Actor = "operator" | "guard" | "rollout" | "rules" | "gateway";

export interface StatusReport {
  rules: { version: string; loadedAt: string; error: string | null };
  threads: number;
  uptimeSeconds: number;
  draining: boolean;
  /** "ok", or why every route is held on old. */
  store: string;
  backends: BackendStatus[];
  routes: RouteStatus[];
}

export interface BackendStatus {
  name: string;
  /** `healthy` is null where no health check is configured. */
  endpoints: { url: string; healthy: boolean | null }[];
}

export interface RouteStatus {
  name: string;
  /** Names in `backends` of the report; absent for a route that the rules do not name any more. */
  backends?: Record<Side, string | null>;
  state: RouteState;
  /** Ratios from 0 to 1, as they act now. */
  canary: number;
  shadow: number;
  /** Number of the current step from 0; null: no rollout. */
  step: number | null;
  /** How many there are; null: no rollout. */
  steps: number | null;
  /** The rollout's steps; without one the shares of the rules, which a reset puts in force again. */
  stages?: Stage[];
  /** Of the current step; null: no rollout. */
  bake: { doneSeconds: number; ofSeconds: number } | null;
  /** Those of the current step. */
  gates: { name: string; answer: "yes" | "no" | "error"; why: string }[];
  /** Keys that operators have pinned to a side. */
  pins: number;
  latched: boolean;
  rollback: RollbackReport | null;
  requests: Record<Side, number>;
  errors: Record<Side, number>;
  /** Of the last minute, to the backend's answer head. Null: no traffic. */
  latencyMs: Record<Side, { p50: number; p99: number } | null>;
  comparisons: { match: number; mismatch: number; noise: number; transient: number; uncompared: number };
  /** Why pairs were uncompared. */
  uncompared: Record<UncomparedReason, number>;
  /** Of the counts in `comparisons`, those since the clusters began anew: at the start, or with other rules of comparison. */
  comparisonsSince?: { at: string; compared: number; mismatches: number };
  shadows: { sent: number; shed: number; too_large: number; timeout: number; failed: number };
  /** How the last of the failed shadows did, by the names of RFC 9209; absent: none has. */
  shadowFailure?: { side: Side; failure: string };
  /** URLs of its backends that fail their health check; absent: none does. */
  unhealthy?: string[];
  fallbacks: number;
  /** Evidence per metric, on the scale where 1 trips. */
  evidence: Record<string, number>;
  verdict: Verdict;
  waitingFor: string;
}

/** What a route goes through. */
export interface Stage {
  /** Ratios from 0 to 1. */
  canary: number;
  shadow: number;
  bakeSeconds: number;
  /** Names of gates that must all say yes. */
  gates: string[];
  /** A person has to say so. */
  approve: boolean;
}

export interface RollbackReport {
  /** killSwitch | errors | client-errors | latency | mismatches | operator | store-damaged | store-unreadable */
  cause: string;
  at: string;
  evidence: RollbackEvidence;
  by: Actor;
  reason: string;
}

/** What was known when a rollback or a promotion was decided. */
export interface RollbackEvidence {
  /** One sentence with metric, value, limit and samples. */
  summary: string;
  samples: Record<Side, number>;
  errors: Record<Side, number>;
  /** Per metric, on the scale where 1 trips. */
  evidence: Record<string, number>;
  rulesVersion: string;
}

export interface AuditEntry {
  id: number;
  at: string;
  /** Null for what concerns the whole gateway. */
  route: string | null;
  action: string;
  by: Actor;
  reason: string;
  from: string | null;
  to: string | null;
  /** What was known at a promotion or rollback; null for everything else. */
  evidence: RollbackEvidence | null;
}

/** A key that an operator keeps on one side, whatever the shares and the latch say. */
export interface PinReport {
  route: string;
  key: string;
  side: Side;
  at: string;
  by: Actor;
  reason: string;
  /** Null: until it is unpinned. */
  expiresAt: string | null;
}

/** Differences of one sort: all at one place of a route, array indexes and ids folded. */
export interface MismatchCluster {
  /** 12 characters, the same for the same route, place and kind. */
  id: string;
  route: string;
  /** A path template that works as an `ignore`; or "status", "header:content-type", "body". */
  place: string;
  kind: Difference["kind"];
  /** Pairs that differ here; the truth is at most `overcount` less (0: exact). */
  count: number;
  overcount: number;
  /** Of the route's compared pairs since `firstAt`, 0 to 1. */
  share: number;
  firstAt: string;
  lastAt: string;
  /** Old differs from itself here; null: not seen to. */
  noise: { rate: number; triples: number } | null;
  /** How new's values regularly follow from old's, and in what share of the pairs here; null: in no regular way. */
  relation: { name: string; share: number } | null;
  /** Pairs that were equal when asked again, and how long after; null: none. */
  transient: { count: number; medianMs: number; maxMs: number } | null;
  example: { old: string | null; new: string | null };
  /** Ids of stored pairs, newest first; a few. */
  samples: number[];
}

/** One stored pair that differed. */
export interface MismatchSample {
  id: number;
  at: string;
  route: string;
  rulesVersion: string;
  /** Those that it belongs to. */
  clusters: string[];
  requestId: string;
  method: string;
  target: string;
  /** Of the request: those that a person needs to ask the same. */
  requestHeaders: Record<string, string>;
  differences: Difference[];
  old: AnswerSample;
  new: AnswerSample;
}

export interface AnswerSample {
  status: number;
  /** Chosen (compared) headers only; secrets are never stored. */
  headers: Record<string, string>;
  /**
   * The decoded text, cut at a bound; null for bodies that are not text, and those that could not be redacted. What is
   * redacted is "[redacted]" where both answers have the same, else "[redacted 1]" …, a number for each value.
   */
  body: string | null;
  /** Whether the body is all there, redacted or not, so that it can be judged again. */
  whole: boolean;
  /** The body was redacted: it is the JSON of what was read from XML, HTML, a form or a stream of events. */
  tree?: true;
  bodyBytes: number;
}

/** One place where the two answers differ. */
export interface Difference {
  /** A JSONPath for bodies; "status", "header:content-type", "body" otherwise. */
  place: string;
  /** The place with array indexes and ids folded; see Place. */
  template: string;
  kind: "missing" | "added" | "type" | "value" | "order" | "status" | "header" | "body";
  /** Short texts, cut at a bound and redacted; null where there is no such value. */
  old: string | null;
  new: string | null;
  /** How new's value regularly follows from old's ("case", "prefix \"usr_\""); null: not in a way that has a name. */
  relation: string | null;
}

/** Stored pairs judged again, by rules that may differ from those they were found under. */
export interface RetroReport {
  /** Version of the rules that judged, and the path that was ignored besides, if any. */
  rules: string;
  ignoring: string | null;
  samples: number;
  stillMismatch: number;
  nowMatch: number;
  /** Cut, not to be redacted, or not text: these say nothing. */
  cannotTell: number;
  /** Each cluster with its samples before and those that still differ in it. */
  clusters: {
    id: string;
    route: string;
    place: string;
    kind: Difference["kind"];
    before: number;
    after: number;
  }[];
}

/** Why a request would go where it would. */
export interface Explanation {
  rules: string;
  route: string | null;
  key: { source: string; value: string } | null;
  /** 0 to 1; null without a key. */
  bucket: number | null;
  /** 16 hexadecimal digits that stand for the key in verdicts and the audit trail; null without a key. */
  fingerprint: string | null;
  canary: number;
  /** Null, and `backend` too: answered 404, or chance's to choose; `reason` says which. */
  side: Side | null;
  reason: string;
  backend: string | null;
  shadow: string;
  steps: { step: string; outcome: string }[];
}

export interface ReloadReport {
  ok: boolean;
  version: string;
  /** What changed in meaning, one line each; or the errors, one text each. */
  changes: string[];
  errors: string[];
  /** What does not act at once, or not on everything: one sentence each. */
  notes: string[];
  /** Only where nothing changed: the load that put the rules in force, at the start or since. */
  inForce?: {
    at: string;
    /** Null: the start. */
    by: Actor | null;
    changes: string[];
    notes: string[];
  };
}
