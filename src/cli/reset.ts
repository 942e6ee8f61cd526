/** `cutover reset`: the rules of a rolled-back route act again; or a damaged store is replaced. */

import { act, oneTarget, type RemoteFlags, routePath } from "./action.ts";
import type { Context } from "./context.ts";

export interface ResetFlags extends RemoteFlags {
  readonly store?: boolean;
  readonly reason: string;
}

/** 0 once the latch is cleared or the store is new. */
export async function reset(route: string | undefined, flags: ResetFlags, context: Context): Promise<number> {
  oneTarget(route, flags.store, "--store", "reset");
  const [path, message] =
    route === undefined
      ? ["/api/v1/store/reset", "the damaged store was put aside; a new one is in use"]
      : [`${routePath(route)}/reset`, `${route} is reset: its rules act again`];
  return act(path, { reason: flags.reason }, message, flags, context);
}
