/** `cutover drain`: an orderly end, from afar. */

import { act, type RemoteFlags } from "./action.ts";
import type { Context } from "./context.ts";

export interface DrainFlags extends RemoteFlags {
  readonly reason?: string;
}

/** 0 once the gateway has begun to drain; it ends by itself when the last request has. */
export async function drain(flags: DrainFlags, context: Context): Promise<number> {
  const body = { reason: flags.reason ?? "cutover drain" };
  return act("/api/v1/drain", body, "draining: the gateway ends when its last request has", flags, context);
}
