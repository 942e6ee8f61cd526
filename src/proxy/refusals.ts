/** Requests that are refused before anything is decided: answered, counted and logged like any other. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { codeIndex, FAILURE_STATUS, type Failure } from "../model/failures.ts";
import { REASON_INDEX } from "../model/reasons.ts";
import type { DataDesk } from "./desk.ts";
import { freshRequestId } from "./ids.ts";
import { refuse, refuseSocket } from "./problem.ts";

export interface Refusal {
  readonly failure: Failure;
  /** Default: the failure's own. */
  readonly status?: number;
  /** For the client: what is wrong and what to send instead. Default: the failure's name. */
  readonly detail?: string;
}

/** Refuses a request; the connection ends with the answer. */
export function refuseRequest(
  desk: DataDesk,
  req: IncomingMessage,
  res: ServerResponse,
  refusal: Refusal,
): void {
  const requestId = freshRequestId();
  refuse(res, requestId, refusal.failure, refusal.status, refusal.detail);
  note(desk, refusal, requestId, req.method ?? "", pathOf(req.url ?? ""));
}

/** Refuses what never became a request. */
export function refuseConnection(desk: DataDesk, socket: Duplex, refusal: Required<Refusal>): void {
  const requestId = freshRequestId();
  refuseSocket(socket, requestId, refusal.failure, refusal.status, refusal.detail);
  note(desk, refusal, requestId, "", "");
}

function note(
  desk: DataDesk,
  { failure, status = FAILURE_STATUS[failure] }: Refusal,
  requestId: string,
  method: string,
  path: string,
): void {
  const { unmatched, compiled } = desk.snapshot;
  unmatched.recorder.request("old", REASON_INDEX.unmatched, codeIndex(status, failure), 0);
  if (!desk.accessLog.wants(status, failure)) return;
  desk.accessLog.write({
    route: "unmatched",
    side: "old",
    reason: "unmatched",
    rules: compiled.ruleset.version,
    method,
    path,
    status,
    failure,
    durationMs: 0,
    backendMs: null,
    fallback: false,
    shadow: false,
    key: null,
    requestId,
    traceId: "",
    bytesIn: 0,
    bytesOut: 0,
  });
}

function pathOf(target: string): string {
  const queryAt = target.indexOf("?");
  return queryAt === -1 ? target : target.slice(0, queryAt);
}
