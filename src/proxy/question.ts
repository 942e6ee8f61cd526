/** What is asked: of an exchange, that which is still there when a request is repeated after it. */

import type { Decision } from "../model/decide.ts";
import type { Facts } from "../model/facts.ts";
import type { Origin } from "../model/forwarded.ts";
import type { OpenSpan } from "../model/span.ts";
import type { TraceContext } from "../model/trace.ts";
import type { RouteRoom, Snapshot } from "./rooms.ts";

export interface Question {
  readonly snapshot: Snapshot;
  /** Null: no route matches. */
  readonly room: RouteRoom | null;
  readonly facts: Facts;
  readonly decision: Decision;
  /** Who is asking, and what trusted proxies say of it. */
  readonly origin: Origin;
  readonly requestId: string;
  readonly trace: TraceContext;
  /** Null: no spans of it are wanted. */
  readonly span: OpenSpan | null;
  readonly req: { readonly httpVersion: string };
  /** Null: an ordinary request. */
  readonly upgrade: { readonly protocol: string } | null;
}
