/** One request on its way, and what came of it: the shapes that the rooms of the corridor share. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Reason } from "../model/reasons.ts";
import type { Side } from "../model/ruleset.ts";
import type { DataDesk } from "./desk.ts";
import type { Leg } from "./leg.ts";
import type { LegOutcome } from "./leg-shapes.ts";
import type { Question } from "./question.ts";
import type { RequestBody } from "./request-body.ts";
import type { ShadowPlan } from "./shadow-plan.ts";
import type { UpgradeAttempt } from "./upgrade.ts";

/** One request, as every step of the corridor sees it. */
export interface Exchange extends Question {
  readonly desk: DataDesk;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly begunMs: number;
  readonly body: RequestBody | null;
  /** The shadow that was drawn for it; null: none. */
  readonly shadow: ShadowPlan | null;
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
