/** application/x-www-form-urlencoded, as an object of arrays: `$.tag[1]` is the second value of "tag". */

import { MAX_NODES, plainTree, type Reading } from "./reading.ts";

/** Says of a text that its percent signs spell no UTF-8; no text that does begins like it. */
const UNDECODABLE = "\ufffd";

/**
 * The order of names is free, that of one name's values is not. Names are what they are: `a[b]` is no nesting
 * here, since servers do not agree on one.
 */
export function readForm(text: string): Reading {
  const values = new Map<string, string[]>();
  const pairs = text.trim().split("&");
  if (pairs.length > MAX_NODES) return { kind: "too_large" };
  for (const pair of pairs) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? "" : decode(pair.slice(equals + 1));
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  // fromEntries makes a member of __proto__ too.
  return plainTree(Object.fromEntries(values));
}

function decode(text: string): string {
  const spaced = text.replaceAll("+", " ");
  if (!spaced.includes("%")) return spaced;
  try {
    // A percent sign that begins no escape is itself, to every reader.
    return decodeURIComponent(spaced.replace(/%(?![0-9a-fA-F]{2})/g, "%25"));
  } catch (error) {
    if (error instanceof URIError) return `${UNDECODABLE}${spaced}`;
    throw error;
  }
}
