/** The way to a block of fields in a YAML tree, refused where aliases make several places read what is there. */

import { isAlias, isMap, isNode, isScalar, isSeq, type Node, type Pair, visit, type YAMLMap } from "yaml";
import type { Path, SourceFile } from "./source-file.ts";

/** Why there is no edit, in words for the user. */
export class Refusal extends Error {}

/** The block of fields at a path, if it belongs to that path alone. Throws a Refusal. */
export function blockAt(file: SourceFile, path: Path, shared: ReadonlySet<string>): YAMLMap {
  let node = file.root;
  for (const step of path) {
    const within = unshared(node, "this route, or what is around it,", shared);
    const inner = isMap(within)
      ? pairOf(within, String(step))?.value
      : isSeq(within)
        ? within.items[Number(step)]
        : null;
    node = (inner as Node | null | undefined) ?? null;
  }
  const block = unshared(node, "this route", shared);
  if (!isMap(block)) throw new Refusal("this route is no block of fields: see cutover check");
  return block;
}

export function pairOf(block: YAMLMap, name: string): Pair | undefined {
  return block.items.find(({ key }) => isScalar(key) && String(key.value) === name);
}

/** A node that only one place of the rules reads. Throws a Refusal. */
export function unshared(found: unknown, what: string, shared: ReadonlySet<string>): Node | null {
  const node = isNode(found) ? found : null;
  if (isAlias(node))
    throw new Refusal(
      `${what} is written elsewhere (*${node.source}), where other rules read it too: write it out here, or add the path there by hand`,
    );
  if (node && "anchor" in node && typeof node.anchor === "string" && shared.has(node.anchor))
    throw new Refusal(
      `${what} is read by other rules too (*${node.anchor}): write it out there, or add the path here by hand`,
    );
  return node;
}

/** Anchors that an alias names. */
export function sharedAnchors(file: SourceFile): Set<string> {
  const shared = new Set<string>();
  visit(file.root, {
    Alias: (_, alias) => {
      shared.add(alias.source);
    },
  });
  return shared;
}
