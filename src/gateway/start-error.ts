/** What keeps a gateway from starting, in words for people: what, where, and what to do instead. */

import { AdminListenError } from "../admin/server.ts";
import { RulesError } from "../control/rules-keeper.ts";
import { StateFolderError, StoreError } from "../control/store/errors.ts";
import { type Address, type GatewayOptions, StartError } from "../gateway-options.ts";
import { CannotListenError } from "../workers/data-threads.ts";
import { TraceExportError } from "../workers/trace-thread.ts";

/** Anything unforeseen is passed on as it is: it is a bug, and its stack is wanted. */
export function asStartError(error: unknown, options: GatewayOptions): unknown {
  if (error instanceof CannotListenError) {
    return new StartError(listenText("--listen", options.listen, error.code));
  }
  for (const kind of [RulesError, StateFolderError, StoreError, AdminListenError, TraceExportError]) {
    if (error instanceof kind) return new StartError(error.message);
  }
  return error;
}

const WHY: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there",
  EACCES: "this user may not listen there (ports below 1024 need a privilege)",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "there is no such host name",
};

function listenText(flag: string, { host, port }: Address, code: string): string {
  return `cannot listen on ${host}:${port}: ${WHY[code] ?? code}\n  choose another with ${flag} HOST:PORT (port 0 picks a free one)`;
}
