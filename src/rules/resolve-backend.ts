/** One backend: what was written, the built-in values, and its certificates. */

import { createSecureContext } from "node:tls";
import type { Backend, Limits, Tls } from "../model/ruleset.ts";
import type { Attachments } from "./attachments.ts";
import type { Part } from "./draft.ts";
import type { BackendFields, LimitFields } from "./schema.ts";
import { isWritten, type Path, type Place } from "./source-file.ts";

export type Report = (place: Place, message: string) => void;

const DEFAULT_CONNECT_MS = 2_000;
const DEFAULT_HEADERS_MS = 30_000;
const DEFAULT_STALL_MS = 60_000;
const DEFAULT_MAX_CONNECTIONS = 256;
const DEFAULT_MAX_WAITING = 1024;
const DEFAULT_HEALTH_INTERVAL_MS = 5_000;

/** Null when nothing of it is sound. Of one with mistakes, what is sound is checked. */
export async function resolveBackend(
  name: string,
  part: Part<BackendFields>,
  attachments: Attachments,
  report: Report,
): Promise<Backend | null> {
  const { fields } = part;
  if (!fields) return null;
  const placeOf = (path: Path): Place => ({
    file: part.file,
    path: [...part.path, ...part.writtenPath(path)],
    at: "value",
  });
  const urls = urlsOf(name, fields, placeOf, report);
  // Where the URL is wrong, the files of tls can be looked at all the same.
  const isHttps =
    urls.some((url) => url.startsWith("https:")) || (urls.length === 0 && fields.tls !== undefined);
  if (fields.tls && urls.length > 0 && !isHttps) {
    report(
      keyPlace(placeOf(["tls"])),
      `backends.${name}.tls is for https alone: write url: ${urls[0]?.replace(/^http:/, "https:")}`,
    );
  }
  return {
    name,
    urls,
    timeouts: {
      connectMs: fields.timeouts?.connect ?? DEFAULT_CONNECT_MS,
      headersMs: fields.timeouts?.headers ?? DEFAULT_HEADERS_MS,
      stallMs: fields.timeouts?.stall ?? DEFAULT_STALL_MS,
      requestMs: fields.timeouts?.request ?? null,
    },
    maxConnections: fields.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
    maxWaiting: fields.maxWaiting ?? DEFAULT_MAX_WAITING,
    health: fields.health
      ? { path: fields.health.path, intervalMs: fields.health.interval ?? DEFAULT_HEALTH_INTERVAL_MS }
      : null,
    host: fields.host ?? { kind: "keep" },
    tls: isHttps ? await resolveTls(name, fields.tls ?? {}, placeOf, attachments, report) : null,
  };
}

/** Written, if only with a mistake that is reported already. */
const isWrittenAt = ({ file, path }: Place) => isWritten(file.data, path);

const keyPlace = (place: Place): Place => ({ ...place, at: "key" });

function urlsOf(
  name: string,
  fields: BackendFields,
  placeOf: (path: Path) => Place,
  report: Report,
): readonly string[] {
  const has = (field: string) => isWrittenAt(placeOf([field]));
  if (has("url") && has("urls")) {
    report(keyPlace(placeOf(["urls"])), `backends.${name} has url and urls: keep one of the two`);
    return [];
  }
  const urls = fields.urls ?? (fields.url === undefined ? [] : [fields.url]);
  if (!has("url") && !has("urls"))
    report(keyPlace(placeOf([])), `backends.${name} has no url: write url: http://127.0.0.1:9001`);
  for (const [index, url] of urls.entries()) {
    if (urls.indexOf(url) !== index)
      report(placeOf(["urls", index]), `backends.${name}.urls has ${url} twice`);
    if (url.split(":")[0] !== urls[0]?.split(":")[0]) {
      report(placeOf(["urls", index]), `backends.${name}.urls mixes http and https: make two backends of it`);
    }
  }
  return urls;
}

async function resolveTls(
  name: string,
  fields: NonNullable<BackendFields["tls"]>,
  placeOf: (path: Path) => Place,
  attachments: Attachments,
  report: Report,
): Promise<Tls> {
  const read = (field: "ca" | "cert" | "key") => {
    const reference = fields[field];
    return reference === undefined
      ? Promise.resolve(null)
      : attachments.pem(placeOf(["tls", field]), reference);
  };
  const [ca, cert, key] = await Promise.all([read("ca"), read("cert"), read("key")]);
  const hasCert = isWrittenAt(placeOf(["tls", "cert"]));
  if (hasCert !== isWrittenAt(placeOf(["tls", "key"]))) {
    const [has, lacks] = hasCert ? ["cert", "key"] : ["key", "cert"];
    report(
      placeOf(["tls", has ?? ""]),
      `backends.${name}.tls has ${has} but no ${lacks}: a client certificate needs both`,
    );
  } else if (cert !== null && key !== null) {
    tryContext(
      { cert, key },
      `backends.${name}.tls: cert and key cannot be used together`,
      placeOf(["tls", "cert"]),
      report,
    );
  }
  if (ca !== null)
    tryContext({ ca }, `backends.${name}.tls.ca cannot be used`, placeOf(["tls", "ca"]), report);
  return { ca, serverName: fields.serverName ?? null, cert, key };
}

/** A certificate that TLS refuses is a mistake in the rules now, not an outage at the first connection. */
function tryContext(
  options: { ca: string } | { cert: string; key: string },
  what: string,
  place: Place,
  report: Report,
): void {
  try {
    createSecureContext(options);
  } catch (error) {
    report(place, `${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function resolveLimits(fields: LimitFields | null): Limits {
  return {
    requestHeadBytes: fields?.requestHead ?? 32 * 1024,
    headTimeoutMs: fields?.headTimeout ?? 10_000,
    bodyStallTimeoutMs: fields?.bodyStallTimeout ?? 30_000,
    maxBodyBytes: fields?.body ?? 2 ** 30,
    idleTimeoutMs: fields?.idleTimeout ?? 60_000,
    connections: fields?.connections ?? 10_000,
    inFlight: fields?.inFlight ?? 4096,
    trustedProxies: fields?.trustedProxies ?? [],
  };
}
