/** One request on its way, and what came of it: the shapes that the rooms of the corridor share. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Decision } from "../model/decide.ts";
import type { Facts } from "../model/facts.ts";
import type { Origin } from "../model/forwarded.ts";
import type { Reason } from "../model/reasons.ts";
import type { Side } from "../model/ruleset.ts";
import type { TraceContext } from "../model/trace.ts";
import type { DataDesk, RouteRoom, Snapshot } from "./desk.ts";
import type { Leg } from "./leg.ts";
import type { LegOutcome } from "./leg-shapes.ts";
import type { RequestBody } from "./request-body.ts";
import type { UpgradeAttempt } from "./upgrade.ts";

/** One request, as every step of the corridor sees it. */
export interface Exchange {
  readonly desk: DataDesk;
  readonly snapshot: Snapshot;
  /** Null: no route matches. */
  readonly room: RouteRoom | null;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly facts: Facts;
  readonly decision: Decision;
  /** Who is asking, and what trusted proxies say of it. */
  readonly origin: Origin;
  readonly requestId: string;
  readonly trace: TraceContext;
  readonly begunMs: number;
  readonly body: RequestBody | null;
  /** Null: an ordinary request. */
  readonly upgrade: UpgradeAttempt | null;
  /** The leg under way: cut off when the client leaves. */
  leg: Leg | null;
  clientGone: boolean;
  bytesOut: number;
}

/** Who answered in the end, and what came of it. */
export interface Served {
  readonly side: Side;
  readonly reason: Reason;
  readonly outcome: LegOutcome;
  /** New was asked first and failed. */
  readonly fellBack: boolean;
}
