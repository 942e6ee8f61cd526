/** `cutover rollback`: all traffic of a route, or of every route, back to old, until a reset. */

import { act, oneTarget, type RemoteFlags, routePath } from "./action.ts";
import type { Context } from "./context.ts";

export interface RollbackFlags extends RemoteFlags {
  readonly all?: boolean;
  readonly reason: string;
}

/** 0 once the rollback holds; safe to repeat. */
export async function rollback(
  route: string | undefined,
  flags: RollbackFlags,
  context: Context,
): Promise<number> {
  oneTarget(route, flags.all, "--all", "rollback");
  const [path, message] =
    route === undefined
      ? ["/api/v1/rollback", "every route is rolled back: all traffic goes to old until a reset"]
      : [
          `${routePath(route)}/rollback`,
          `${route} is rolled back: all its traffic goes to old until a reset`,
        ];
  return act(path, { reason: flags.reason }, message, flags, context);
}
