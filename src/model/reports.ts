/** The shapes that the admin API answers with (and the command line prints). Field names are public. */

import type { Side } from "./ruleset.ts";

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
  state: RouteState;
  /** Ratios from 0 to 1, as they act now. */
  canary: number;
  shadow: number;
  step: number | null;
  latched: boolean;
  rollback: RollbackReport | null;
  requests: Record<Side, number>;
  errors: Record<Side, number>;
  /** Of the last minute, to the backend's answer head. Null: no traffic. */
  latencyMs: Record<Side, { p50: number; p99: number } | null>;
  comparisons: { match: number; mismatch: number; noise: number; transient: number; uncompared: number };
  shadows: { sent: number; shed: number; too_large: number; timeout: number; failed: number };
  fallbacks: number;
  /** Evidence per metric, on the scale where 1 trips. */
  evidence: Record<string, number>;
  verdict: Verdict;
  waitingFor: string;
}

export interface RollbackReport {
  /** killSwitch | errors | client-errors | latency | mismatches | operator | store-damaged | store-unreadable */
  cause: string;
  at: string;
  evidence: RollbackEvidence;
  by: Actor;
  reason: string;
}

/** What was known when a rollback was decided. */
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
}

/** One stored pair that differed. */
export interface MismatchSample {
  id: number;
  at: string;
  route: string;
  requestId: string;
  method: string;
  target: string;
  differences: Difference[];
  old: AnswerSample;
  new: AnswerSample;
}

export interface AnswerSample {
  status: number;
  /** Chosen (compared) headers only; secrets are never stored. */
  headers: Record<string, string>;
  /** The decoded text, cut at a bound; null for bodies that are not text. */
  body: string | null;
  bodyBytes: number;
}

/** One place where the two answers differ. */
export interface Difference {
  /** A JSONPath for bodies; "status", "header:content-type", "body" otherwise. */
  place: string;
  kind: "missing" | "added" | "type" | "value" | "order" | "status" | "header" | "body";
  /** Short texts, cut at a bound; null where there is no such value. */
  old: string | null;
  new: string | null;
}

/** Why a request would go where it would. */
export interface Explanation {
  rules: string;
  route: string | null;
  key: { source: string; value: string } | null;
  /** 0 to 1; null without a key. */
  bucket: number | null;
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
}
