/** From a request line to a handler: a table, read once. */

import { Problem } from "./problem.ts";

/**
 * What a route asks of the one who calls it. "probe": nothing at all; "metrics": the right Host;
 * "open": also the token where the API listens beyond this machine; "page": like "open", but not of a browser that
 * opens it; "guarded": always the token.
 */
export type Guarding = "probe" | "metrics" | "page" | "open" | "guarded";

export interface Entry<Handler> {
  readonly method: "GET" | "POST";
  /** Literal segments, or ":name" for any one segment. */
  readonly path: string;
  readonly guarding: Guarding;
  readonly handler: Handler;
}

export interface Found<Handler> {
  readonly entry: Entry<Handler>;
  /** Decoded values of the ":name" segments. */
  readonly names: Readonly<Record<string, string>>;
}

export type Lookup<Handler> =
  | { readonly kind: "found"; readonly found: Found<Handler> }
  | { readonly kind: "not-found" }
  | { readonly kind: "wrong-method"; readonly allow: string };

/** Finds the entry for a method and a raw path (without the query). HEAD is served by GET. */
export function lookUp<Handler>(
  table: readonly Entry<Handler>[],
  method: string,
  path: string,
): Lookup<Handler> {
  const matches = table.flatMap((entry) => {
    const names = matchPath(entry.path, path);
    return names === undefined ? [] : [{ entry, names }];
  });
  if (matches.length === 0) return { kind: "not-found" };
  const wanted = method === "HEAD" ? "GET" : method;
  const found = matches.find(({ entry }) => entry.method === wanted);
  if (found !== undefined) return { kind: "found", found };
  const allowed = new Set(
    matches.flatMap(({ entry }) => (entry.method === "GET" ? ["GET", "HEAD"] : ["POST"])),
  );
  return { kind: "wrong-method", allow: [...allowed].join(", ") };
}

function matchPath(template: string, path: string): Readonly<Record<string, string>> | undefined {
  const expected = template.split("/");
  const segments = path.split("/");
  if (segments.length !== expected.length) return undefined;
  const names: Record<string, string> = {};
  for (const [index, part] of expected.entries()) {
    const segment = segments[index] ?? "";
    if (!part.startsWith(":")) {
      if (part !== segment) return undefined;
    } else {
      if (segment === "") return undefined;
      names[part.slice(1)] = decode(segment);
    }
  }
  return names;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Problem(400, "the path holds a broken percent-encoding");
  }
}
