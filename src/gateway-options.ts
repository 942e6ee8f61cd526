/** How a gateway is started; the command line fills it in. */

import type { SharePpm } from "./model/ruleset.ts";
import type { AccessLogPolicy } from "./observe/access-log.ts";
import type { LogFormat } from "./observe/log.ts";

export interface Address {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface TraceOptions {
  /** The base of an OTLP/HTTP collector, without /v1/traces. */
  readonly url: string;
  /** Of requests that bring no trace of their own. */
  readonly sharePpm: SharePpm;
}

export interface GatewayOptions {
  /** Files or folders. */
  readonly rules: readonly string[];
  readonly listen: Address;
  readonly admin: Address;
  readonly threads: number | "auto";
  /** Folder. */
  readonly state: string;
  readonly accessLog: AccessLogPolicy;
  readonly logFormat: LogFormat;
  /** False: of answers that differ nothing is stored, whatever the rules say. */
  readonly samples: boolean;
  /** False: of the gateway's own headers clients see x-request-id alone. */
  readonly responseHeaders: boolean;
  /** Null: one is made and kept in the state folder. */
  readonly adminToken: string | null;
  /** Null: nobody can force a side. */
  readonly forceToken: string | null;
  /** Who is told of promotions and rollbacks; null: nobody. */
  readonly webhook: { readonly url: string; readonly secret: string | null } | null;
  /** Where spans are exported to; null: none are written. */
  readonly traces: TraceOptions | null;
  /** How long to go on accepting after "not ready", so that balancers can look away. */
  readonly drainDelayMs: number;
  /** How long requests in flight may take to end. */
  readonly drainTimeoutMs: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The gateway cannot start; the message is for people and may have several lines. */
export class StartError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "StartError";
  }
}
