/** Who may ask: the bearer token, and the check of the Host header against DNS rebinding. */

import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";
import { Problem } from "./problem.ts";

/** So many wrong tokens within the window and further wrong ones are answered 429. */
const MAX_WRONG_TOKENS = 20;
const WRONG_TOKEN_WINDOW_MS = 10_000;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Whether an address or host name means this machine alone. Names other than localhost are not looked up. */
export function isLoopback(host: string): boolean {
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  const family = isIP(bare);
  if (family === 0) return bare.toLowerCase() === "localhost";
  // An IPv4 address mapped into IPv6 is checked as the IPv4 address that it is.
  return LOOPBACK.check(bare, family === 4 ? "ipv4" : "ipv6");
}

/**
 * Refuses (421) a request whose Host is neither a loopback name nor the configured listen host: a web page
 * that rebinds its own name to 127.0.0.1 would otherwise read the API with its visitor's browser.
 */
export function checkHost(request: IncomingMessage, listenHost: string): void {
  const hosts = headerValues(request, "host");
  const [host] = hosts;
  if (host === undefined || hosts.length > 1) throw new Problem(421, "send exactly one Host header");
  const name = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]/@\s]+)(?::\d{1,5})?$/.exec(host)?.[1]?.toLowerCase();
  const listen = listenHost.toLowerCase();
  if (name !== undefined && (isLoopback(name) || name === listen || name === `[${listen}]`)) return;
  throw new Problem(421, "this Host is not served here: ask for 127.0.0.1 or localhost");
}

export interface TokenCheck {
  /** Throws a Problem (401, 429) unless the request carries the token. `nowMs` is any steady clock. */
  check(request: IncomingMessage, nowMs: number): void;
}

/** Makes the check for one token. Right tokens are let in however many wrong ones arrive. */
export function tokenCheck(token: string): TokenCheck {
  if (token === "")
    throw new Error("the admin token is empty: set CUTOVER_ADMIN_TOKEN or leave it to be made");
  const expected = digest(token);
  let wrong = 0;
  let windowEndMs = Number.NEGATIVE_INFINITY;
  return {
    check(request, nowMs) {
      const sent = bearer(request);
      // Digests have one length, so that the comparison takes the same time for every guess.
      if (timingSafeEqual(digest(sent), expected)) return;
      if (nowMs >= windowEndMs) {
        wrong = 0;
        windowEndMs = nowMs + WRONG_TOKEN_WINDOW_MS;
      }
      wrong += 1;
      if (wrong > MAX_WRONG_TOKENS) throw tooMany(windowEndMs - nowMs);
      throw unauthorized("the token is wrong", 'Bearer realm="cutover", error="invalid_token"');
    },
  };
}

function bearer(request: IncomingMessage): string {
  const values = headerValues(request, "authorization");
  const token = values.length === 1 ? /^bearer +(\S+) *$/i.exec(values[0] ?? "")?.[1] : undefined;
  if (token !== undefined) return token;
  throw unauthorized("send the admin token as `Authorization: Bearer TOKEN`", 'Bearer realm="cutover"');
}

function unauthorized(detail: string, challenge: string): Problem {
  return new Problem(401, detail, { headers: { "www-authenticate": challenge } });
}

function tooMany(waitMs: number): Problem {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
  const headers = { "retry-after": String(seconds) };
  return new Problem(429, `too many wrong tokens: try again in ${seconds} s`, { headers });
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** All values of a header: node's own `headers` hides repeats of these two. */
function headerValues(request: IncomingMessage, name: string): readonly string[] {
  const raw = request.rawHeaders;
  return raw.filter((_, index) => index % 2 === 1 && raw[index - 1]?.toLowerCase() === name);
}
