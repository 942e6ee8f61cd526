/** What a decision may look at: one request's own words, read lazily and never decoded for the match. */

export interface Facts {
  readonly method: string;
  /** Origin-form target exactly as it is forwarded. */
  readonly target: string;
  /** `target` up to the first "?". */
  readonly path: string;
  /** Flat name, value … as received. */
  readonly rawHeaders: readonly string[];
  /** Who it is for, as it is forwarded: the target's own host where it names one, else Host; "" without. */
  readonly authority: string;
  /** `authority` in lower case without the port. */
  readonly host: string;
  /** The client's address. */
  readonly ip: string;
}

export function createFacts(
  method: string,
  target: string,
  rawHeaders: readonly string[],
  ip: string,
  authority = findHeader(rawHeaders, "host") ?? "",
): Facts {
  const queryAt = target.indexOf("?");
  return {
    method,
    target,
    path: queryAt === -1 ? target : target.slice(0, queryAt),
    rawHeaders,
    authority,
    host: hostname(authority),
    ip,
  };
}

/** The first value of a header; `name` in lower case. */
export function findHeader(rawHeaders: readonly string[], name: string): string | undefined {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const candidate = rawHeaders[i] as string;
    if (candidate.length === name.length && (candidate === name || candidate.toLowerCase() === name)) {
      return rawHeaders[i + 1];
    }
  }
  return undefined;
}

/** The first cookie of that name over all Cookie fields, quotes taken off; undefined: none. */
export function findCookie(rawHeaders: readonly string[], name: string): string | undefined {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const candidate = rawHeaders[i] as string;
    if (candidate.length !== 6 || candidate.toLowerCase() !== "cookie") continue;
    const found = cookieIn(rawHeaders[i + 1] as string, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function cookieIn(field: string, name: string): string | undefined {
  for (const pair of field.split(";")) {
    const equalsAt = pair.indexOf("=");
    if (equalsAt === -1 || pair.slice(0, equalsAt).trim() !== name) continue;
    const value = pair.slice(equalsAt + 1).trim();
    return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
  }
  return undefined;
}

/** The first value of a query parameter, percent-decoded where it can be; undefined: not there. */
export function findQuery(target: string, name: string): string | undefined {
  const queryAt = target.indexOf("?");
  if (queryAt === -1) return undefined;
  for (const pair of target.slice(queryAt + 1).split("&")) {
    const equalsAt = pair.indexOf("=");
    const rawName = equalsAt === -1 ? pair : pair.slice(0, equalsAt);
    if (rawName === name || decodeParameter(rawName) === name) {
      return equalsAt === -1 ? "" : decodeParameter(pair.slice(equalsAt + 1));
    }
  }
  return undefined;
}

function decodeParameter(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced; // a broken escape is taken as it stands: it still is the same text for the same client
  }
}

function hostname(hostField: string): string {
  const host = hostField.toLowerCase();
  if (host.startsWith("[")) return host.slice(0, host.indexOf("]") + 1);
  const portAt = host.indexOf(":");
  return portAt === -1 ? host : host.slice(0, portAt);
}
