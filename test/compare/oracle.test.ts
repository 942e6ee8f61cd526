/** Random documents under random rules, against the plainest reading of what the rules mean. */

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";
import { exec } from "jsonpath-rfc9535";

import type { Compare } from "../../src/model/ruleset.ts";
import { diff } from "./trees.ts";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Steps = readonly (string | number)[];

/** Few values and few names, so that much is equal. */
const leaf = fc.constantFrom<Json>("x", "1.0", "1.05", "", 0, 1, 1.05, 1.1, 1.15, 10, true, null);
const NAMES = ["id", "a", "b", "list", "constructor", "__proto__"];
const json = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "medium" },
    leaf,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie("value"), { maxKeys: 4 }),
  ),
})).value;

/** What an item is among others of its list, and nothing else: where order means nothing, it means nothing either. */
const steady = fc.constantFrom(
  "$..*",
  "$..list",
  "$..a",
  "$.list[*]",
  "$",
  "$[*]",
  "$..['__proto__']",
  "$..list[*].id",
);
const path = fc.constantFrom(
  "$..*",
  "$..list",
  "$..a",
  "$.list[*]",
  "$.*.list",
  "$",
  "$[*]",
  "$..[0]",
  "$..[-1]",
  "$..['__proto__']",
  "$.list[?@.id]",
  "$..[?@.a==1].b",
  "$.a.b",
  "$..constructor",
  "$..list[*].id",
  "$.list[1:]",
);
const paths = fc.array(path, { maxLength: 2 });

/** The same document, somewhat changed: members and items in another order, numbers nearby, one or two real changes. */
function changed(value: Json, random: () => number, rate: number): Json {
  const roll = random();
  if (roll < rate) return (["x", 1, null, [], {}, [1], { a: 1 }] as Json[])[Math.floor(random() * 7)] ?? null;
  if (Array.isArray(value)) {
    const items = value.map((item) => changed(item, random, rate));
    if (random() < 0.5) items.sort(() => random() - 0.5);
    if (random() < rate) items.splice(Math.floor(random() * items.length), 1);
    return items;
  }
  if (typeof value === "number") return random() < 0.3 ? Math.round((value + 0.05) * 100) / 100 : value;
  if (value === null || typeof value !== "object") return value;
  const members = Object.entries(value).map(([key, member]) => [key, changed(member, random, rate)] as const);
  return Object.fromEntries(random() < 0.5 ? members.reverse() : members);
}

/** One document with what each list of paths names in it, by the library and nothing else. */
interface Read {
  readonly value: Json;
  readonly ignored: ReadonlySet<string>;
  readonly unordered: ReadonlySet<string>;
  readonly tolerated: readonly { readonly at: ReadonlySet<string>; readonly absolute: number }[];
}

function read(value: Json, compare: Pick<Compare, "ignore" | "unordered" | "tolerance">): Read {
  const at = (texts: readonly string[]): Set<string> => {
    const found = new Set<string>();
    for (const text of texts) {
      exec(value as Parameters<typeof exec>[0], text, (_value, steps) => {
        found.add(JSON.stringify(steps));
      });
    }
    return found;
  };
  return {
    value,
    ignored: at(compare.ignore),
    unordered: at(compare.unordered),
    tolerated: compare.tolerance.map((each) => ({ at: at([each.path]), absolute: each.absolute ?? 0 })),
  };
}

const nameOf = (steps: Steps): string => JSON.stringify(steps);

function isSame(old: Read, oldSteps: Steps, left: Json, fresh: Read, newSteps: Steps, right: Json): boolean {
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right)) return false;
    const items = (of: Read, steps: Steps, list: readonly Json[]) =>
      list
        .map((item, at) => ({ item, steps: [...steps, at] }))
        .filter((each) => !of.ignored.has(nameOf(each.steps)));
    const [oldItems, newItems] = [items(old, oldSteps, left), items(fresh, newSteps, right)];
    if (oldItems.length !== newItems.length) return false;
    type Item = (typeof oldItems)[number];
    const same = (one: Item, other: Item) => isSame(old, one.steps, one.item, fresh, other.steps, other.item);
    if (!old.unordered.has(nameOf(oldSteps)) && !fresh.unordered.has(nameOf(newSteps))) {
      return oldItems.every((item, at) => same(item, newItems[at] ?? assert.fail()));
    }
    const match = (at: number, free: readonly Item[]): boolean => {
      const item = oldItems[at];
      if (item === undefined) return true;
      return free.some(
        (other) =>
          same(item, other) &&
          match(
            at + 1,
            free.filter((each) => each !== other),
          ),
      );
    };
    return match(0, newItems);
  }
  if (typeof left === "object" && left !== null && typeof right === "object" && right !== null) {
    const names = (of: Read, steps: Steps, object: object) =>
      Object.keys(object).filter((name) => !of.ignored.has(nameOf([...steps, name])));
    const [oldNames, newNames] = [names(old, oldSteps, left), names(fresh, newSteps, right)];
    return (
      oldNames.length === newNames.length &&
      oldNames.every(
        (name) =>
          newNames.includes(name) &&
          isSame(
            old,
            [...oldSteps, name],
            left[name] ?? null,
            fresh,
            [...newSteps, name],
            right[name] ?? null,
          ),
      )
    );
  }
  if (left === right) return true;
  const isNumber = (value: Json) =>
    typeof value === "number" || (typeof value === "string" && /^\d/.test(value));
  if (typeof left !== typeof right || !isNumber(left) || !isNumber(right)) return false;
  const distance = Math.abs(Math.round(Number(left) * 100) - Math.round(Number(right) * 100));
  // Either side's path allows it.
  const [ofOld, ofNew] = [old.tolerated, fresh.tolerated];
  return ofOld.some(
    ({ at, absolute }, each) =>
      (at.has(nameOf(oldSteps)) || ofNew[each]?.at.has(nameOf(newSteps))) &&
      distance <= Math.round(absolute * 100),
  );
}

function expected(
  old: Json,
  fresh: Json,
  rules: Pick<Compare, "ignore" | "unordered" | "tolerance">,
): boolean {
  const [left, right] = [read(old, rules), read(fresh, rules)];
  const root = nameOf([]);
  if (left.ignored.has(root)) return true;
  return isSame(left, [], old, right, [], fresh);
}

test("a match is a match and a mismatch a mismatch, whatever the documents and the rules", () => {
  const runs = Number(process.env.ORACLE_RUNS ?? 2000);
  let matches = 0;
  fc.assert(
    fc.property(
      json,
      fc.constantFrom(0, 0.01, 0.1),
      paths,
      paths,
      paths,
      fc.array(
        fc.record({ path: steady, absolute: fc.constantFrom(0, 0.05, 0.1), relative: fc.constant(null) }),
        {
          maxLength: 2,
        },
      ),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      (old, rate, ignore, unordered, hidden, tolerance, randoms) => {
        const fresh = changed(old, () => randoms.next().value ?? 0, rate);
        const rules = { ignore, unordered, tolerance };
        // What nobody may see differs all the same.
        const redact = { paths: hidden, headers: [], query: [] };
        const isMatch = diff(JSON.stringify(old), JSON.stringify(fresh), { ...rules, redact }).length === 0;
        if (isMatch) matches++;
        assert.equal(isMatch, expected(old, fresh, rules), JSON.stringify({ old, fresh, rules }));
      },
    ),
    { numRuns: runs, endOnFailure: true },
  );
  assert.ok(matches > runs / 10 && matches < runs * 0.9, `${matches} matches of ${runs}`);
});
