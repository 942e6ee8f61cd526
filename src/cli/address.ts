/** Small texts of the command line read into values; what cannot be read says what to write instead. */

import type { Address, GatewayOptions } from "../gateway-options.ts";
import type { SharePpm } from "../model/ruleset.ts";
import { parseShare } from "../rules/units.ts";

/** Why a text was refused, as the end of a sentence. */
export class ValueError extends Error {}

/** Reads "127.0.0.1:8080", "[::1]:8080", "localhost:8080" or "http://127.0.0.1:8080". Throws ValueError. */
export function parseAddress(text: string): Address {
  const bare = text
    .trim()
    .replace(/^http:\/\//i, "")
    .replace(/\/$/, "");
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(bare);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined) {
    if (/^:?\d+$/.test(bare)) throw new ValueError(`Write the host too: 127.0.0.1:${bare.replace(":", "")}`);
    throw new ValueError("Write host:port, such as 127.0.0.1:8080 or [::1]:8080");
  }
  if (port > 65_535) throw new ValueError(`A port is at most 65535, not ${match?.[3]}`);
  return { host, port };
}

/**
 * Reads the address of a gateway's admin port: a URL, or "host:port". An address that listens everywhere
 * (0.0.0.0, [::]) is reached through this machine's own. Returns an origin without a slash. Throws ValueError.
 */
export function parseAdminUrl(text: string): string {
  const trimmed = text.trim();
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`;
  let url: URL;
  try {
    url = new URL(withScheme);
  } catch {
    throw new ValueError("Write a URL, such as http://127.0.0.1:9090");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new ValueError("Write http:// or https://");
  if (url.username !== "" || url.password !== "") {
    throw new ValueError(
      "Leave the credentials out: the token comes from --token-file, CUTOVER_ADMIN_TOKEN or --state",
    );
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    throw new ValueError(`Leave the path out: ${url.origin}`);
  }
  if (url.hostname === "0.0.0.0") url.hostname = "127.0.0.1";
  if (url.hostname === "[::]") url.hostname = "[::1]";
  return url.origin;
}

const MS_PER_UNIT = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Reads "250ms", "2s", "5m" or "1h" into milliseconds; a bare 0 is 0. Throws ValueError. */
export function parseDurationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim());
  const unit = match?.[2] as keyof typeof MS_PER_UNIT | undefined;
  if (unit !== undefined) {
    const durationMs = Math.round(Number(match?.[1]) * MS_PER_UNIT[unit]);
    // A timer beyond this fires at once instead of late.
    if (durationMs > 2 ** 31 - 1) throw new ValueError("Write at most 596h");
    return durationMs;
  }
  if (/^0+$/.test(text.trim())) return 0;
  if (/^\d+(\.\d+)?$/.test(text.trim())) throw new ValueError(`Write the unit too: ${text.trim()}s`);
  throw new ValueError("Write a duration, such as 250ms, 10s, 5m or 1h");
}

const MAX_THREADS = 256;

/** Reads "auto" or a number of threads from 1. Throws ValueError. */
export function parseThreads(text: string): number | "auto" {
  if (text === "auto") return "auto";
  const threads = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (threads < 1 || threads > MAX_THREADS)
    throw new ValueError(`Write auto, or a number from 1 to ${MAX_THREADS}`);
  return threads;
}

/** Reads "all", "errors", "off" or a share such as "1%". Throws ValueError. */
export function parseAccessLog(text: string): GatewayOptions["accessLog"] {
  if (text === "all" || text === "errors" || text === "off") return { kind: text };
  const share = /^(\d{1,3}(?:\.\d{1,4})?)%$/.exec(text);
  const ppm = share === null ? Number.NaN : Math.round(Number(share[1]) * 10_000);
  if (ppm >= 0 && ppm <= 1_000_000) return { kind: "share", ppm };
  if (/^\d+(\.\d+)?$/.test(text)) throw new ValueError(`Write all, errors, off, or a share: ${text}%`);
  throw new ValueError("Write all, errors, off, or a share such as 1%");
}

const MAX_LIMIT = 1_000;

/** Reads how many entries of a list are wanted, from 1. Throws ValueError. */
export function parseLimit(text: string): number {
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT) throw new ValueError(`Write a number from 1 to ${MAX_LIMIT}`);
  return limit;
}

/** Reads "on" or "off". Throws ValueError. */
export function parseSwitch(text: string): boolean {
  if (text === "on" || text === "off") return text === "on";
  throw new ValueError("Write on or off");
}

/** Reads the names that log lines have: json or ecs. Throws ValueError. */
export function parseLogFormat(text: string): GatewayOptions["logFormat"] {
  if (text === "json" || text === "ecs") return text;
  throw new ValueError("Write json or ecs");
}

/** Reads a share as the rules write it ("25%") into millionths. Throws ValueError. */
export function parseSharePpm(text: string): SharePpm {
  const parsed = parseShare(text.trim());
  if (parsed.ok) return parsed.value;
  throw new ValueError(`${parsed.why.charAt(0).toUpperCase()}${parsed.why.slice(1)}`);
}

/** Reads the number of a step, from 0. Throws ValueError. */
export function parseStep(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new ValueError("Write the number of a step, from 0, as `cutover status` shows it");
}

const MAX_URL_CHARS = 2_000;

/** Reads the URL that is told of promotions and rollbacks. Throws ValueError. */
export function parseWebhookUrl(text: string): string {
  const trimmed = text.trim();
  if (!/^https?:\/\//i.test(trimmed) || !URL.canParse(trimmed) || trimmed.length > MAX_URL_CHARS)
    throw new ValueError("Write a URL, such as https://hooks.example.com/cutover");
  const url = new URL(trimmed);
  if (url.username !== "" || url.password !== "") {
    throw new ValueError("Leave the credentials out: what is sent is signed with CUTOVER_WEBHOOK_SECRET");
  }
  if (url.hash !== "") throw new ValueError("Leave out what stands behind #: it is never sent");
  return url.href;
}
