/** JSON as the corpus makes it: values, the places in them, and the many ways to spell them. */

import type { Draw } from "./draw.ts";
import { shuffle } from "./draw.ts";

/** A bigint is a whole number that is written with all its digits. */
export type Json = null | boolean | number | bigint | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };
export type Key = string | number;
export type Path = readonly Key[];

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function at(value: Json, path: Path): Json | undefined {
  let here: Json | undefined = value;
  for (const key of path) {
    if (Array.isArray(here)) here = here[Number(key)];
    else if (isObject(here)) here = here[String(key)];
    else return undefined;
  }
  return here;
}

/** Replaces what is at a path; the root has no place. */
export function put(value: Json, path: Path, fresh: Json): void {
  const parent = at(value, path.slice(0, -1));
  const key = path.at(-1);
  if (key === undefined) throw new Error("the root cannot be replaced");
  if (Array.isArray(parent)) parent[Number(key)] = fresh;
  else if (isObject(parent)) parent[String(key)] = fresh;
  else throw new Error(`nothing at ${placeOf(path)}`);
}

/** Every path below the root, parents first. */
export function pathsOf(value: Json, above: Path = []): Path[] {
  const keys: Key[] = Array.isArray(value) ? [...value.keys()] : isObject(value) ? Object.keys(value) : [];
  return keys.flatMap((key) => {
    const path = [...above, key];
    return [path, ...pathsOf(at(value, [key]) ?? null, path)];
  });
}

/** The paths that a pattern means in a value: "*" is every member or item. */
export function matching(value: Json, pattern: readonly string[]): Path[] {
  return pathsOf(value).filter(
    (path) =>
      path.length === pattern.length &&
      path.every((key, depth) => pattern[depth] === "*" || pattern[depth] === String(key)),
  );
}

const SHORTHAND = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The exact place, spelled as people write it in rules: `$.items[3]['a b']`. */
export function placeOf(path: Path): string {
  return `$${path.map((key) => (typeof key === "number" ? `[${key}]` : spellName(key))).join("")}`;
}

/** The place with array indexes folded, and the names that are keys of data in this shape. */
export function templateOf(path: Path, isDataKey: (name: string) => boolean = () => false): string {
  const steps = path.map((key) => (typeof key === "number" || isDataKey(key) ? "[*]" : spellName(key)));
  return `$${steps.join("")}`;
}

function spellName(name: string): string {
  if (SHORTHAND.test(name)) return `.${name}`;
  return `['${name.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}']`;
}

/** How freely a serialiser writes: all of these mean the same. */
export interface Spelling {
  readonly memberOrder: "as-is" | "shuffled";
  readonly space: "none" | "pretty" | "wild";
  readonly numbers: "plain" | "varied";
  readonly strings: "plain" | "escaped";
}

export const PLAIN: Spelling = { memberOrder: "as-is", space: "none", numbers: "plain", strings: "plain" };
export const WILD: Spelling = {
  memberOrder: "shuffled",
  space: "wild",
  numbers: "varied",
  strings: "escaped",
};

/** A JSON text of the value. */
export function spell(value: Json, spelling: Spelling, draw: Draw, depth = 0): string {
  const gap = (): string => (spelling.space === "wild" ? draw.pick(["", " ", "\n", "\t ", "\r\n"]) : "");
  const line = (deep: number): string => (spelling.space === "pretty" ? `\n${"  ".repeat(deep)}` : gap());
  const colon = spelling.space === "pretty" ? ": " : `${gap()}:${gap()}`;
  const list = (open: string, parts: readonly string[], close: string): string =>
    parts.length === 0
      ? `${open}${gap()}${close}`
      : `${open}${line(depth + 1)}${parts.join(`${gap()},${line(depth + 1)}`)}${line(depth)}${close}`;
  if (Array.isArray(value)) {
    return list(
      "[",
      value.map((item) => spell(item, spelling, draw, depth + 1)),
      "]",
    );
  }
  if (isObject(value)) {
    const names = Object.keys(value);
    if (spelling.memberOrder === "shuffled") shuffle(names, draw);
    const member = (name: string): string =>
      `${spellString(name, spelling, draw)}${colon}${spell(value[name] ?? null, spelling, draw, depth + 1)}`;
    return list("{", names.map(member), "}");
  }
  if (typeof value === "string") return spellString(value, spelling, draw);
  if (typeof value === "number" && spelling.numbers === "varied") return spellNumber(value, draw);
  if (typeof value === "bigint" && spelling.numbers === "varied")
    return draw.pick([`${value}`, `${value}.0`, `${value}e0`]);
  return String(value);
}

function spellNumber(value: number, draw: Draw): string {
  const plain = String(value);
  if (/e/.test(plain)) return draw.pick([plain, plain.replace("e", "E")]);
  if (value === 0) return draw.pick(["0", "0.0", "0e5"]);
  if (Number.isInteger(value))
    return draw.pick([plain, `${plain}.0`, `${plain}e0`, `${plain}0e-1`, `${plain}.00E+0`]);
  return draw.pick([plain, `${plain}0`, `${plain}e0`, `${plain}00E-0`]);
}

function spellString(value: string, spelling: Spelling, draw: Draw): string {
  const plain = JSON.stringify(value);
  if (spelling.strings === "plain") return plain;
  return plain.replace(/[^ -~]|(?<!\\)\//gu, (character) => {
    if (draw.chance(0.5)) return character;
    if (character === "/") return "\\/";
    return character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join("");
  });
}
