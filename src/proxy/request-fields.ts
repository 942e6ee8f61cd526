/** Of a client's request, the fields that a person needs to ask the same again; never one that may be a secret. */

import type { Route } from "../model/ruleset.ts";

/** What changes an answer, and says nothing of who asks. */
const ALWAYS = [
  "accept",
  "accept-encoding",
  "accept-language",
  "content-type",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "range",
  "user-agent",
];

/** Also where a route matches by it or takes its key from it. */
const MAY_BE_SECRET =
  /auth|cookie|token|secret|passw|session|credential|signature|api-?key|jwt|^x-cutover-|^x-amz-security/;

/** All of them together, names and values. */
const MAX_BYTES = 4096;

/** Names in lower case; made once for a route. */
export function fieldsToKeep(route: Route): ReadonlySet<string> {
  const named = route.match.flatMap(({ headers }) => Object.keys(headers));
  for (const source of route.key) if (source.kind === "header") named.push(source.name);
  const names = [...ALWAYS, ...named.map((name) => name.toLowerCase())];
  return new Set(names.filter((name) => !MAY_BE_SECRET.test(name)));
}

/** Flat name, value …; what does not fit any more is left out. `authority`: who it was for; "" without. */
export function requestFields(
  keep: ReadonlySet<string>,
  authority: string,
  rawHeaders: readonly string[],
): string[] {
  const fields: string[] = [];
  let left = MAX_BYTES;
  const add = (name: string, value: string): void => {
    if (name.length + value.length > left) return;
    left -= name.length + value.length;
    fields.push(name, value);
  };
  if (authority !== "") add("host", authority);
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (keep.has(name.toLowerCase())) add(name, rawHeaders[i + 1] as string);
  }
  return fields;
}
