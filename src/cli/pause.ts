/** `cutover pause` and `cutover resume`: a rollout stands still, its shares as they are, and goes on. */

import { act, type RemoteFlags, routePath } from "./action.ts";
import type { Context } from "./context.ts";

export interface PauseFlags extends RemoteFlags {
  readonly reason: string;
}

/** 0 once it stands still; safe to repeat. */
export async function pause(route: string, flags: PauseFlags, context: Context): Promise<number> {
  return act(`${routePath(route)}/pause`, { reason: flags.reason }, `${route} is paused`, flags, context);
}

/** 0 once it goes on, or begins; safe to repeat. */
export async function resume(route: string, flags: PauseFlags, context: Context): Promise<number> {
  return act(`${routePath(route)}/resume`, { reason: flags.reason }, `${route} goes on`, flags, context);
}
