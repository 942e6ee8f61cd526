/** Old's names become new's, so that everything after speaks of both sides by one name. */

import { type Key, type ParsedRename, parseRename, type Step } from "../model/jsonpath.ts";
import type { Rename } from "../model/ruleset.ts";
import { childOf, type Holder, selectedKeys, setChild } from "./paths.ts";

/** Throws an Error that names the rename that cannot be. */
export function compileRename({ old, new: fresh }: Rename): ParsedRename {
  try {
    return parseRename(old, fresh);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`rename: ${JSON.stringify(old)} cannot become ${JSON.stringify(fresh)}: ${why}`);
  }
}

/** One member on its way. `base` is the innermost value that both paths share. */
interface Move {
  readonly base: object;
  /** Names and indexes from the base. */
  readonly from: readonly Key[];
  readonly to: readonly Key[];
  readonly value: unknown;
  readonly source: object;
  readonly sourceKey: Key;
  readonly hidden: boolean;
}

/** Nodes by container and key. */
export type Spots = Map<object, Set<Key>>;

export function addSpot(spots: Spots, container: object, key: Key): void {
  const keys = spots.get(container);
  if (keys === undefined) spots.set(container, new Set([key]));
  else keys.add(key);
}

/**
 * Renames in old's tree, in place, all at once: every old path is looked up in the tree as it was received, so
 * that two names may change places. What cannot go, because its new name is taken already or leads through a
 * value that has no members, stays where it is and shows as the difference that it is: nothing is ever
 * dropped. Objects that a new path needs are made; those that lost all their members go unless new has them
 * too. `hidden` spots that move are marked at their new place as well.
 */
export function renameNodes(
  renames: readonly ParsedRename[],
  old: Holder,
  fresh: Holder,
  hidden: Spots,
): void {
  const moves: Move[] = [];
  const taken: Spots = new Map();
  for (const rename of renames) findMoves(rename, old[0], 0, hidden, taken, moves);
  for (const { source, sourceKey } of moves) Reflect.deleteProperty(source, sourceKey);
  const placed = new Map<object, Map<Key, Move>>();
  const back: Move[] = [];
  for (const move of moves) if (!place(move, placed, hidden)) back.push(move);
  // One that goes back may find its place taken by another, which then goes back too.
  for (let move = back.pop(); move !== undefined; move = back.pop()) {
    const occupant = placed.get(move.source)?.get(move.sourceKey);
    placed.get(move.source)?.delete(move.sourceKey);
    if (occupant !== undefined) back.push(occupant);
    setChild(move.source, move.sourceKey, move.value);
  }
  for (const { base, from } of moves) prune(base, from.slice(0, -1), old, fresh);
}

function findMoves(
  rename: ParsedRename,
  value: unknown,
  at: number,
  hidden: Spots,
  taken: Spots,
  moves: Move[],
): void {
  if (typeof value !== "object" || value === null) return;
  const wild = wildcardFrom(rename.old, at);
  if (wild >= 0) {
    const parent = descend(value, keysOf(rename.old.slice(at, wild)));
    if (typeof parent !== "object" || parent === null) return;
    for (const key of selectedKeys(parent, null)) {
      findMoves(rename, childOf(parent, key), wild + 1, hidden, taken, moves);
    }
    return;
  }
  const from = keysOf(rename.old.slice(at));
  const source = descend(value, from.slice(0, -1));
  const sourceKey = from.at(-1);
  if (typeof source !== "object" || source === null || typeof sourceKey !== "string") return;
  if (Array.isArray(source) || !Object.hasOwn(source, sourceKey) || taken.get(source)?.has(sourceKey)) return;
  addSpot(taken, source, sourceKey);
  const isHidden = hidden.get(source)?.has(sourceKey) ?? false;
  const to = keysOf(rename.new.slice(at));
  moves.push({
    base: value,
    from,
    to,
    value: childOf(source, sourceKey),
    source,
    sourceKey,
    hidden: isHidden,
  });
}

function wildcardFrom(steps: readonly Step[], at: number): number {
  return steps.findIndex((step, index) => index >= at && step.key === null);
}

function keysOf(steps: readonly Step[]): readonly Key[] {
  return steps.flatMap(({ key }) => (key === null ? [] : [key]));
}

function descend(value: unknown, keys: readonly Key[]): unknown {
  let here = value;
  for (const key of keys) here = typeof here === "object" && here !== null ? childOf(here, key) : undefined;
  return here;
}

/** Whether the value found its new place. */
function place(move: Move, placed: Map<object, Map<Key, Move>>, hidden: Spots): boolean {
  const target = move.to.at(-1);
  const parent = makeWay(move.base, move.to.slice(0, -1));
  if (parent === null || target === undefined) return false;
  if (Object.hasOwn(parent, target) && !isOwnShell(move, childOf(parent, target))) return false;
  setChild(parent, target, move.value);
  if (move.hidden) addSpot(hidden, parent, target);
  const byKey = placed.get(parent) ?? new Map<Key, Move>();
  placed.set(parent, byKey.set(target, move));
  return true;
}

/** What is left of the object that the value was taken out of, where it goes into that object's place. */
function isOwnShell({ from, to }: Move, occupant: unknown): boolean {
  if (typeof occupant !== "object" || occupant === null || Object.keys(occupant).length > 0) return false;
  return to.length < from.length && to.every((key, at) => key === from[at]);
}

/** The object at the end of `keys`, made where nothing is in the way; null: something is. */
function makeWay(base: object, keys: readonly Key[]): object | null {
  let here: object = base;
  for (const [at, key] of keys.entries()) {
    let next = childOf(here, key);
    const isFree = typeof key === "string" && !Array.isArray(here) && !Object.hasOwn(here, key);
    if (isFree && keys.slice(at).every((later) => typeof later === "string")) {
      next = {};
      setChild(here, key, next);
    }
    if (typeof next !== "object" || next === null) return null;
    here = next;
  }
  return Array.isArray(here) ? null : here;
}

/** Removes an object that a move emptied, and those around it that held nothing else, unless new has it. */
function prune(base: object, keys: readonly Key[], old: Holder, fresh: Holder): void {
  for (let length = keys.length; length > 0; length--) {
    const parent = descend(base, keys.slice(0, length - 1));
    const key = keys[length - 1];
    if (typeof parent !== "object" || parent === null || typeof key !== "string") return;
    const emptied = childOf(parent, key);
    if (typeof emptied !== "object" || emptied === null || Array.isArray(emptied)) return;
    if (Object.keys(emptied).length > 0 || isInNew(base, keys.slice(0, length), old, fresh)) return;
    Reflect.deleteProperty(parent, key);
  }
}

/** Only where the base is the root can new be asked; in items of arrays, which may have moved, nobody knows. */
function isInNew(base: object, keys: readonly Key[], old: Holder, fresh: Holder): boolean {
  return base === old[0] && descend(fresh[0], keys) !== undefined;
}
