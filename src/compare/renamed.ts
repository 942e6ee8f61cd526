/** Members that are gone from an object and there again by another name. */

import { isJsonObject } from "./canonical.ts";
import { isHidden, memberNode } from "./marks.ts";
import { quoted } from "./relation-text.ts";
import type { Comparing } from "./same.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** By member, how it was renamed: `renamed to "x"` for those of old, `renamed from "y"` for those of new. */
export interface Renamed {
  readonly missing: ReadonlyMap<string, string>;
  readonly added: ReadonlyMap<string, string>;
}

const NONE: Renamed = { missing: new Map(), added: new Map() };

/** With more names that only one side has, names are data. */
const MAX_NAMES = 50;
/** Smaller whole numbers are equal by chance. */
const MIN_TELLING_NUMBER = 10;

/**
 * The members that have an equal value on the other side under a name that is not on this one: each where there is just
 * one such couple for its value, and the value is not one that any two members may share, as true, 0 and "".
 */
export function findRenamed(context: Comparing, oldObject: JsonObject, newObject: JsonObject): Renamed {
  const missing = ownNames(oldObject, newObject);
  const added = missing.length === 0 ? [] : ownNames(newObject, oldObject);
  if (added.length === 0 || Math.max(missing.length, added.length) > MAX_NAMES) return NONE;
  const [byOld, byNew] = [byValue(context, oldObject, missing), byValue(context, newObject, added)];
  const found = { missing: new Map<string, string>(), added: new Map<string, string>() };
  for (const [identity, oldName] of byOld) {
    const newName = byNew.get(identity);
    if (oldName === null || newName === null || newName === undefined) continue;
    found.missing.set(oldName, `renamed to ${quoted(newName)}`);
    found.added.set(newName, `renamed from ${quoted(oldName)}`);
  }
  return found;
}

function ownNames(object: JsonObject, other: JsonObject): readonly string[] {
  return Object.keys(object).filter((name) => !Object.hasOwn(other, name));
}

/** The name that has a value; null: several have. */
function byValue(
  context: Comparing,
  object: JsonObject,
  names: readonly string[],
): Map<number, string | null> {
  const found = new Map<number, string | null>();
  for (const name of names) {
    if (isTrivial(object[name]) || isHidden(context.marks, memberNode(object, name))) continue;
    const identity = context.identities.exact(object[name]);
    found.set(identity, found.has(identity) ? null : name);
  }
  return found;
}

function isTrivial(value: unknown): boolean {
  if (typeof value === "string") return value.length < 2;
  if (typeof value === "number") return Number.isInteger(value) && Math.abs(value) < MIN_TELLING_NUMBER;
  if (Array.isArray(value)) return value.length === 0 || (value.length === 1 && isTrivial(value[0]));
  if (!isJsonObject(value)) return typeof value !== "symbol"; // a symbol is a long number
  const [first, ...others] = Object.values(value);
  return others.length === 0 && (first === undefined || isTrivial(first));
}
