/** A backend's TLS settings in the words of node:tls. */

import type { Tls } from "./ruleset.ts";

export interface TlsOptions {
  ca?: string;
  cert?: string;
  key?: string;
  servername?: string;
}

/** Only what the rules name: an option that is there but empty would replace a default. */
export function tlsOptions(tls: Tls | null): TlsOptions {
  const options: TlsOptions = {};
  if (tls?.ca) options.ca = tls.ca;
  if (tls?.cert) options.cert = tls.cert;
  if (tls?.key) options.key = tls.key;
  if (tls?.serverName) options.servername = tls.serverName;
  return options;
}
