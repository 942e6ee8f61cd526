/**
 * Puts known differences into a copy of a document, so far from each other that every one of them has to be
 * found by itself, at its own place.
 */

import type { Difference } from "../../src/model/reports.ts";
import { type Draw, shuffle } from "./draw.ts";
import {
  at,
  isObject,
  type Json,
  type Key,
  matching,
  type Path,
  pathsOf,
  placeOf,
  put,
  templateOf,
} from "./json.ts";
import type { Shape } from "./shape.ts";

/** A difference as it must be reported. */
export interface Injected {
  readonly place: string;
  readonly template: string;
  readonly kind: Difference["kind"];
  /** Null: nothing regular; undefined: whatever it is called is right. */
  readonly relation: string | null | undefined;
}

export type Sort =
  | "value"
  | "type"
  | "null"
  | "missing"
  | "added"
  | "item missing"
  | "item added"
  | "order"
  | "case"
  | "prefix"
  | "off by one";

export const SORTS: readonly Sort[] = [
  "value",
  "type",
  "null",
  "missing",
  "added",
  "item missing",
  "item added",
  "order",
  "case",
  "prefix",
  "off by one",
];

/** What is left to know after everything was shuffled. */
interface Pending {
  readonly kind: Difference["kind"];
  readonly relation: string | null | undefined;
  readonly path: () => Path;
}

interface Site {
  readonly path: Path;
  readonly value: Json;
  readonly parent: Json;
  /** An item of an array whose order means nothing: of another type it is another item. */
  readonly isLoose: boolean;
}

/**
 * Injects up to `count` differences into `fresh`, in place, and then shuffles the shape's unordered arrays.
 * `taken` are paths that must stay as they are: nothing is injected at, above or below them.
 */
export function inject(
  fresh: Json,
  shape: Shape,
  count: number,
  draw: Draw,
  sorts: readonly Sort[] = SORTS,
): readonly Injected[] {
  const original = pathsOf(fresh);
  const unordered = shape.unordered.flatMap((pattern) => matching(fresh, pattern));
  const taken: Path[] = shape.noisy.flatMap(({ at }) => matching(fresh, at));
  const pending: Pending[] = [];
  const isUnordered = (path: Path): boolean => unordered.some((other) => samePath(other, path));
  for (let attempt = 0; attempt < count * 40 && pending.length < count; attempt++) {
    const path = draw.pick(original);
    const above = path.slice(0, -1);
    const isLoose = isUnordered(above);
    // Of two simple items of a shuffled list that both became something else nobody can say which is which; nor
    // which item it was, of one that lost most of its members.
    const shuffled = unordered.find((other) => other.length < path.length && isWithin(path, other));
    const claim = isLoose ? above : shuffled === undefined ? path : path.slice(0, shuffled.length + 1);
    if (taken.some((other) => isWithin(claim, other) || isWithin(other, claim))) continue;
    const value = at(fresh, path);
    const parent = at(fresh, above);
    if (value === undefined || parent === undefined) continue;
    const injected = INJECT[draw.pick(sorts)](
      { path, value, parent, isLoose },
      fresh,
      draw,
      !isUnordered(path),
    );
    if (injected === null) continue;
    pending.push(injected);
    taken.push(claim);
  }
  for (const path of unordered) {
    const items = at(fresh, path);
    if (Array.isArray(items)) shuffle(items, draw);
  }
  return pending.map(({ kind, relation, path }) => {
    const found = path();
    return { kind, relation, place: placeOf(found), template: templateOf(found, shape.isDataKey) };
  });
}

function samePath(one: Path, other: Path): boolean {
  return one.length === other.length && isWithin(one, other);
}

function isWithin(path: Path, above: Path): boolean {
  return above.length <= path.length && above.every((key, depth) => key === path[depth]);
}

type Inject = (site: Site, fresh: Json, draw: Draw, inOrder: boolean) => Pending | null;

/** Null: not at this site. */
const INJECT: Readonly<Record<Sort, Inject>> = {
  value: (site, fresh, draw) => replaced(site, fresh, otherValue(site.value, draw), "value", null),
  type: (site, fresh, draw) =>
    site.isLoose ? null : replaced(site, fresh, otherType(site.value, draw), "type", undefined),
  null: (site, fresh) =>
    site.isLoose || site.value === null ? null : replaced(site, fresh, null, "type", undefined),
  missing: (site) => {
    if (!isObject(site.parent)) return null;
    delete site.parent[String(site.path.at(-1))];
    return { kind: "missing", relation: undefined, path: () => site.path };
  },
  added: (site, _fresh, draw) => {
    if (!isObject(site.value)) return null;
    const name = draw.pick([
      "extra",
      "Extra-Field",
      "new field",
      "élan",
      "a'b",
      "x.y[0]",
      "constructor",
      "toString",
    ]);
    if (Object.hasOwn(site.value, name)) return null;
    site.value[name] = draw.pick([draw.word(), draw.int(99), [1, { deep: true }], {}]);
    return { kind: "added", relation: undefined, path: () => [...site.path, name] };
  },
  "item missing": (site, _fresh, draw) => {
    if (!Array.isArray(site.value) || site.value.length < 2 || hasRepeats(site.value)) return null;
    const index = draw.int(site.value.length);
    site.value.splice(index, 1);
    return { kind: "missing", relation: undefined, path: () => [...site.path, index] };
  },
  "item added": ({ value, path }, _fresh, draw) => {
    if (!Array.isArray(value) || hasRepeats(value)) return null;
    const item = newItem(value, draw);
    value.splice(draw.int(value.length + 1), 0, item);
    return { kind: "added", relation: undefined, path: () => [...path, value.indexOf(item)] };
  },
  order: (site, _fresh, draw, inOrder) => {
    if (!Array.isArray(site.value) || site.value.length < 2 || hasRepeats(site.value) || !inOrder)
      return null;
    const [one, other] = [draw.int(site.value.length), draw.int(site.value.length)];
    if (one === other) return null;
    [site.value[one], site.value[other]] = [site.value[other] ?? null, site.value[one] ?? null];
    return { kind: "order", relation: undefined, path: () => site.path };
  },
  case: (site, fresh) => {
    // 1e5 and 1E5 are one number.
    if (typeof site.value !== "string" || /^[\d.]+e\d+$/.test(site.value)) return null;
    const upper = site.value.toUpperCase();
    const reversible = upper.toLowerCase() === site.value.toLowerCase();
    return replaced(site, fresh, reversible && upper !== site.value ? upper : undefined, "value", "case");
  },
  prefix: (site, fresh) => {
    if (typeof site.value !== "string" || site.value.length < 3) return null;
    return replaced(site, fresh, `urn:x:${site.value}`, "value", undefined);
  },
  "off by one": (site, fresh) => {
    if (typeof site.value === "bigint") return replaced(site, fresh, site.value + 1n, "value", null);
    const isWhole = typeof site.value === "number" && Number.isSafeInteger(site.value) && site.value > 3;
    return replaced(site, fresh, isWhole ? Number(site.value) + 1 : undefined, "value", null);
  },
};

function replaced(
  { path }: Site,
  fresh: Json,
  value: Json | undefined,
  kind: "value" | "type",
  relation: string | null | undefined,
): Pending | null {
  if (value === undefined) return null;
  put(fresh, path, value);
  return { kind, relation, path: () => path };
}

function otherValue(value: Json, draw: Draw): Json | undefined {
  if (typeof value === "string") return `~${draw.hex(6)} ${draw.words(2)}!`;
  if (typeof value === "number") return value * 3 + 1007.25;
  if (typeof value === "bigint") return value * 3n + 7n;
  return typeof value === "boolean" ? !value : undefined;
}

function otherType(value: Json, draw: Draw): Json | undefined {
  if (typeof value === "string") return draw.pick<Json>([[], draw.int(99), { text: value }, [value]]);
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean")
    return String(value);
  if (Array.isArray(value)) return {};
  return isObject(value) ? draw.pick<Json>([Object.keys(value), "[object Object]"]) : 0;
}

/** Alike items cannot be told apart: which of them is gone is anybody's guess. */
function hasRepeats(items: readonly Json[]): boolean {
  const texts = items.map((item) => stable(item));
  return new Set(texts).size < texts.length;
}

function stable(value: Json): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? `${inner}n` : inner));
}

/** One more of the same sort, with a name of its own where the others have one. */
function newItem(items: readonly Json[], draw: Draw): Json {
  const model = items[0];
  if (isObject(model)) {
    const item = structuredClone(model);
    for (const name of ["id", "_id", "uuid", "key", "name"]) {
      if (typeof item[name] === "string") item[name] = `new-${draw.hex(12)}`;
      if (typeof item[name] === "number") item[name] = 3_000_000_000 + draw.int(1_000_000);
    }
    item.addedBy = draw.hex(12);
    return item;
  }
  if (typeof model === "number") return 1e9 + draw.int(1e9) + 0.5;
  if (Array.isArray(model)) return [draw.int(1e9), draw.int(1e9)];
  return `new ${draw.hex(12)}`;
}

/** Draws every noisy place anew, in place; never what it was. */
export function renew(document: Json, shape: Shape, draw: Draw): readonly Path[] {
  const renewed: Path[] = [];
  for (const noisy of shape.noisy) {
    for (const path of matching(document, noisy.at)) {
      const before = at(document, path);
      let fresh = noisy.fresh(draw);
      while (fresh === before) fresh = noisy.fresh(draw);
      put(document, path, fresh);
      renewed.push(path);
    }
  }
  return renewed;
}

/** `["*", "labels"]` as a rule: `$[*].labels`. */
export function patternText(pattern: readonly Key[]): string {
  return templateOf(pattern, (name) => name === "*");
}
