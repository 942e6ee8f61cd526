/**
 * A number for every value, the same for equal ones: containers are numbered by the numbers of what they hold,
 * so that a whole document costs no more than its length, however deep its arrays nest.
 */

import type { Key } from "../model/jsonpath.ts";
import { isJsonObject } from "./canonical.ts";
import { type Context, type Node, originalIndex } from "./marks.ts";
import { numericKind } from "./tolerance.ts";

export interface Identities {
  /** Equal numbers: equal values, members in any order, items of unordered arrays too. */
  readonly exact: (value: unknown) => number;
  /** As exact, but tolerated numbers all count as one: different numbers are values that are not within. */
  readonly rough: (node: Node) => number;
}

const ROUGH_NUMBER = 0;
const ROUGH_TEXT = 1;
const FIRST_FREE = 2;

/** Objects with more members are not remembered by their list of names: those names are data. */
const MAX_SHAPE_KEYS = 64;

/** The names of an object's members as they came: objects of one make have one. */
interface Shape {
  readonly next: Map<string, Shape>;
  made: MadeShape | null;
}

interface MadeShape {
  /** The same for the same names in any order. */
  readonly number: number;
  readonly sortedKeys: readonly string[];
}

type NumberOf = (container: object, key: Key, value: unknown) => number;

export function createIdentities(context: Context): Identities {
  const { marks, work } = context;
  const leaves = new Map<unknown, number>();
  const containers = new Map<string, number>();
  const knownExact = new Map<object, number>();
  const knownRough = new Map<object, number>();
  const firstShape: Shape = { next: new Map(), made: null };

  const numberIn = <T>(numbers: Map<T, number>, thing: T): number => {
    const known = numbers.get(thing);
    if (known !== undefined) return known;
    const fresh = leaves.size + containers.size + FIRST_FREE;
    numbers.set(thing, fresh);
    return fresh;
  };

  const makeShape = (keys: readonly string[]): MadeShape => {
    const sortedKeys = keys.toSorted();
    return { number: numberIn(containers, JSON.stringify(sortedKeys)), sortedKeys };
  };

  const shapeOf = (keys: readonly string[]): MadeShape => {
    if (keys.length > MAX_SHAPE_KEYS) return makeShape(keys);
    let shape = firstShape;
    for (const key of keys) {
      let next = shape.next.get(key);
      if (next === undefined) {
        next = { next: new Map(), made: null };
        shape.next.set(key, next);
      }
      shape = next;
    }
    shape.made ??= makeShape(keys);
    return shape.made;
  };

  const numberOf = (value: object, known: Map<object, number>, child: NumberOf): number => {
    const before = known.get(value);
    if (before !== undefined) return before;
    const parts: number[] = [];
    let head = "[";
    if (Array.isArray(value)) {
      for (let at = 0; at < value.length; at++) {
        parts.push(child(value, originalIndex(marks, value, at), value[at]));
      }
      if (marks.unordered.has(value)) parts.sort((left, right) => left - right);
    } else if (isJsonObject(value)) {
      const shape = shapeOf(Object.keys(value));
      head = `{${shape.number}:`;
      for (const key of shape.sortedKeys) parts.push(child(value, key, value[key]));
    }
    work.left -= parts.length;
    // Lists of names are numbered in the same map, but begin with a bracket and a quote.
    const number = numberIn(containers, head + parts.join());
    known.set(value, number);
    return number;
  };

  const exactChild: NumberOf = (_container, _key, value) => exact(value);
  const exact = (value: unknown): number =>
    typeof value === "object" && value !== null
      ? numberOf(value, knownExact, exactChild)
      : numberIn(leaves, value);

  const rough: NumberOf = (container, key, value) => {
    if (typeof value === "object" && value !== null) return numberOf(value, knownRough, rough);
    if (!marks.allowances.get(container)?.has(key)) return numberIn(leaves, value);
    const kind = numericKind(value);
    if (kind === null) return numberIn(leaves, value);
    return kind === "number" ? ROUGH_NUMBER : ROUGH_TEXT;
  };

  return {
    exact,
    rough:
      marks.allowances.size > 0
        ? (node) => rough(node.container, node.key, node.value)
        : (node) => exact(node.value),
  };
}
