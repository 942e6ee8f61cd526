/** Which protocol a request may switch its connection to, and whether a backend switched to that one. */

import { findHeader } from "./facts.ts";
import { joinedHeader } from "./headers.ts";
import type { Upgrade } from "./ruleset.ts";

/** What requests that no route matches may do, and routes whose rules say nothing else. */
export const DEFAULT_UPGRADE: Upgrade = {
  protocols: ["websocket"],
  idleMs: 3_600_000,
  maxMs: 86_400_000,
  onRollback: "close",
};

/**
 * Never passed on: another HTTP inside the tunnel would carry requests past every rule (h2c smuggling), and TLS
 * would end at a gateway that does not speak it here.
 */
const NEVER = /^(?:h2c?|http|tls)(?:\/.*)?$/i;

export function isNeverUpgraded(protocol: string): boolean {
  return NEVER.test(protocol);
}

export interface UpgradeRequest {
  readonly method: string;
  /** "1.1" */
  readonly version: string;
  /** Flat name, value … */
  readonly rawHeaders: readonly string[];
}

/**
 * The first protocol that the client asks for and the rules allow, as the client wrote it; null: the request is
 * served without its Upgrade, as RFC 9110 §7.8 lets a server do. One with a body is not upgraded: its bytes
 * and those of the new protocol would follow each other without a border that both ends agree on.
 */
export function protocolToAsk(request: UpgradeRequest, allowed: Upgrade | null): string | null {
  if (allowed === null || request.version !== "1.1" || hasBody(request.rawHeaders)) return null;
  const asked = joinedHeader(request.rawHeaders, "upgrade");
  if (asked === undefined) return null;
  for (const token of asked.split(",")) {
    const protocol = token.trim();
    if (isNeverUpgraded(protocol) || !isAllowed(protocol, allowed)) continue;
    if (request.method === "GET" || protocol.toLowerCase() !== "websocket") return protocol;
  }
  return null;
}

/** Whether a backend's 101 names the protocol that it was asked for, and no other. */
export function isSwitchTo(protocol: string, rawHeaders: readonly string[]): boolean {
  return joinedHeader(rawHeaders, "upgrade")?.trim().toLowerCase() === protocol.toLowerCase();
}

function isAllowed(protocol: string, { protocols }: Upgrade): boolean {
  const lower = protocol.toLowerCase();
  return protocols.some((each) => each.toLowerCase() === lower);
}

function hasBody(rawHeaders: readonly string[]): boolean {
  const length = findHeader(rawHeaders, "content-length");
  if (length !== undefined && Number(length) !== 0) return true;
  return findHeader(rawHeaders, "transfer-encoding") !== undefined;
}
