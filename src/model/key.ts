/** Who a request is from: the first source of the route's list that is present. */

import { type Facts, findCookie, findHeader, findQuery } from "./facts.ts";
import { type PathTemplate, pathParameter } from "./path.ts";
import type { KeySource } from "./ruleset.ts";

/** The cookie that `key: [..., assign]` gives to anonymous clients. */
export const ASSIGNED_KEY_COOKIE = "cutover-key";
/** A cookie is the client's to write: what we did not make is not taken for ours. */
const ASSIGNED_KEY_FORM = /^[A-Za-z0-9_-]{16,64}$/;

export interface Who {
  readonly key: string;
  /** As in the rules: "header:x-tenant-id", "ip" … */
  readonly source: string;
  /** Made for this request: the answer sets the cookie. */
  readonly assigned: boolean;
}

/** Null: no source is present. `freshKey` makes a new random key. */
export function identify(
  sources: readonly KeySource[],
  facts: Facts,
  template: PathTemplate | null,
  freshKey: () => string,
): Who | null {
  for (const source of sources) {
    if (source.kind === "assign") return assignedKey(facts, freshKey);
    const key = read(source, facts, template);
    // An empty value names nobody: all its senders together would be one key.
    if (key !== undefined && key !== "") {
      return { key, source: describeKeySource(source), assigned: false };
    }
  }
  return null;
}

export function describeKeySource(source: KeySource): string {
  return "name" in source ? `${source.kind}:${source.name}` : source.kind;
}

function read(
  source: Exclude<KeySource, { kind: "assign" }>,
  facts: Facts,
  template: PathTemplate | null,
): string | undefined {
  switch (source.kind) {
    case "header":
      return readable(findHeader(facts.rawHeaders, source.name));
    case "cookie":
      return readable(findCookie(facts.rawHeaders, source.name));
    case "query":
      return findQuery(facts.target, source.name);
    case "path":
      return template === null ? undefined : pathParameter(template, facts.path, source.name);
    case "ip":
      return facts.ip;
  }
}

const BEYOND_ASCII = /[\u0080-\u00ff]/;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** node:http reads header bytes as latin1; a key that is written in UTF-8 has to equal the one in the rules. */
function readable(key: string | undefined): string | undefined {
  if (key === undefined || !BEYOND_ASCII.test(key)) return key;
  try {
    return utf8.decode(Buffer.from(key, "latin1"));
  } catch {
    return key; // latin1 after all
  }
}

function assignedKey(facts: Facts, freshKey: () => string): Who {
  const sent = findCookie(facts.rawHeaders, ASSIGNED_KEY_COOKIE);
  if (sent !== undefined && ASSIGNED_KEY_FORM.test(sent)) {
    return { key: sent, source: "assign", assigned: false };
  }
  return { key: freshKey(), source: "assign", assigned: true };
}
