/** What reading a body as a tree came to. */

import type { ParsedPath } from "../model/jsonpath.ts";
import type { Tree } from "./tree-rules.ts";

export type Reading =
  | { readonly kind: "tree"; readonly tree: Tree }
  /** It is not of that kind; "not XML (…)" says in which way, and may quote the body. */
  | { readonly kind: "not"; readonly why: string }
  /** Our own bounds: nothing is said about the body. */
  | { readonly kind: "too_deep" | "too_large" };

/** Members, items and texts of one body; more take longer to compare than a pair may. */
export const MAX_NODES = 100_000;

/** A tree of a kind that has no numbers. */
export function plainTree(value: unknown, unread?: ParsedPath): Reading {
  const tree = { value, text: null, longNumbers: [] };
  return { kind: "tree", tree: unread === undefined ? tree : { ...tree, unread } };
}

/** Members and items of one JSON text; commas and brackets within its strings count too. */
const MAX_JSON_NODES = 200_000;

const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;

/** Whether a JSON text holds more than may be compared: a value takes a hundred times its three characters. */
export function hasTooManyNodes(text: string): boolean {
  if (text.length <= MAX_JSON_NODES) return false;
  let nodes = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === COMMA || code === OPEN_BRACKET || code === OPEN_BRACE) nodes++;
  }
  return nodes > MAX_JSON_NODES;
}
