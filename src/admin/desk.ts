/** What the admin API may ask of the gateway. gateway.ts implements it; this folder knows nothing else of it. */

import type { HistoryReport } from "../model/history-report.ts";
import type {
  AuditEntry,
  Explanation,
  MismatchCluster,
  MismatchSample,
  PinReport,
  ReloadReport,
  RetroReport,
  RouteStatus,
  StatusReport,
} from "../model/reports.ts";

/** Done, or refused with a sentence that says why and what to do instead. */
export type ActionResult =
  | { readonly ok: true; readonly message: string }
  | {
      readonly ok: false;
      readonly why: string;
      /** There is no such route. */
      readonly missing?: boolean;
    };

export interface ExplainRequest {
  readonly method: string;
  /** An absolute URL (its host is used) or an origin-form target. */
  readonly url: string;
  /** Flat name, value … */
  readonly headers: readonly string[];
}

export type PinRequest = Pick<PinReport, "key" | "side" | "reason"> & {
  /** Null: until it is unpinned. */
  readonly forMs: number | null;
};

export interface PromoteRequest {
  readonly reason: string;
  /** Straight to this share in millionths, past all steps and gates; null: the next step. */
  readonly toPpm: number | null;
  /** The step that whoever asks has seen, so that a repeated call is harmless; null: whichever it is. */
  readonly fromStep: number | null;
}

/** A report, or why there is none: the path is none, there is no such route, or the judging failed. */
export type RetroResult =
  | { readonly ok: true; readonly report: RetroReport }
  | { readonly ok: false; readonly status: 400 | 404 | 503; readonly why: string };

export interface Desk {
  status(): StatusReport;
  /** Undefined: no such route. */
  route(name: string): RouteStatus | undefined;
  /** Takes effect before it is stored; resolves when both are done. Safe to repeat. */
  rollback(route: string, reason: string): Promise<ActionResult>;
  rollbackAll(reason: string): Promise<ActionResult>;
  /** Also of a route that is rolled back and that the rules do not name any more. */
  reset(route: string, reason: string): Promise<ActionResult>;
  /** Puts a damaged store aside and starts a new one. Refused while the store is sound. */
  resetStore(reason: string): Promise<ActionResult>;
  /** Stored before it takes effect. Safe to repeat where the step is named. */
  promote(route: string, request: PromoteRequest): Promise<ActionResult>;
  /** The shares stay as they are. Takes effect before it is stored. Safe to repeat. */
  pause(route: string, reason: string): Promise<ActionResult>;
  /** Stored before it takes effect. Safe to repeat. */
  resume(route: string, reason: string): Promise<ActionResult>;
  /** A rollout from its beginning until now, in Markdown; undefined: no such route. */
  report(route: string): Promise<string | undefined>;
  /** Keeps a key on one side. To old it takes effect before it is stored, to new after. Safe to repeat. */
  pin(route: string, pin: PinRequest): Promise<ActionResult>;
  /** Also of a route that the rules do not name any more. Safe to repeat. */
  unpin(route: string, key: string, reason: string): Promise<ActionResult>;
  /** Newest first; null: of all routes. */
  pins(route: string | null): readonly PinReport[];
  reload(reason: string): Promise<ReloadReport>;
  /** Begins to drain; the process ends when the last request has. Returns at once. */
  drain(reason: string): ActionResult;
  explain(request: ExplainRequest): Explanation;
  /** Largest first, those where old differs from itself after all others. */
  clusters(filter: {
    readonly route: string | null;
    readonly limit: number;
  }): Promise<readonly MismatchCluster[]>;
  /** Newest first, without bodies. */
  samples(filter: {
    readonly route: string | null;
    readonly cluster: string | null;
  }): Promise<readonly MismatchSample[]>;
  /** By its own id, or the newest of a cluster. */
  sample(id: { readonly sample: number } | { readonly cluster: string }): Promise<MismatchSample | undefined>;
  /** The stored samples judged again under the rules in force, with this path ignored besides. */
  retro(filter: { readonly route: string | null; readonly ignore: string | null }): Promise<RetroResult>;
  /** What a route did in the last `hours`; undefined: there is no such route, now or in this time. */
  history(route: string, hours: number): Promise<HistoryReport | undefined>;
  /** Newest first. */
  audit(filter: { readonly route: string | null; readonly limit: number }): Promise<readonly AuditEntry[]>;
  /** Oldest first, those after `id`: for an event stream that resumes. */
  auditAfter(id: number): Promise<readonly AuditEntry[]>;
  /** Calls back for each new entry; returns the function that stops it. */
  onAudit(listener: (entry: AuditEntry) => void): () => void;
  /** For Prometheus, in the format that `accept` (the field of the request) asks for. */
  metrics(accept?: string): Promise<{ readonly contentType: string; readonly text: string }>;
  ready(): boolean;
}
