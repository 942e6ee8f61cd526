/** What a route writes over `defaults`, and where each merged field was written. */

import type { Draft, DraftRouteFields, Part } from "./draft.ts";
import type { NamedRouteFields, RouteFields } from "./schema.ts";
import { isWritten, type Path, type Place, type SourceFile, valueAt } from "./source-file.ts";

/** A route with its defaults merged in; `placeOf` finds where a field of it was written. */
export interface MergedRoute {
  readonly name: string;
  readonly fields: RouteFields & Pick<NamedRouteFields, "match">;
  readonly placeOf: (field: Path) => Place;
  /** The file that wrote a field: relative paths are relative to it. */
  readonly fileOf: (field: Path) => SourceFile;
  /** Was the field written by the route itself? */
  readonly isOwn: (field: Path) => boolean;
  /** Is the field written nowhere? One with mistakes is written, and yet not among `fields`. */
  readonly lacks: (field: string) => boolean;
  /** What is wrong and therefore not among `fields`, of the route and of the defaults (see sound.ts). */
  readonly wrong: readonly Path[];
}

/** Blocks of fields are merged field by field; everything else (lists, words, "off") is replaced. */
function mergeFields(base: unknown, over: unknown): unknown {
  if (over === undefined) return base;
  if (!isBlock(base) || !isBlock(over)) return over;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) merged[key] = mergeFields(base[key], value);
  return merged;
}

export function mergedRoute(
  part: Part<DraftRouteFields>,
  fields: DraftRouteFields,
  defaults: Draft["defaults"],
): MergedRoute {
  const isOwn = (field: Path) => !defaults || isWrittenBy(part, field) || !isWrittenBy(defaults, field);
  const placeOf = (field: Path): Place => {
    for (const by of defaults ? [part, defaults] : [part]) {
      const path = [...by.path, ...by.writtenPath(field)];
      if (isWrittenBy(by, field)) return { file: by.file, path, at: "value" };
    }
    return { file: part.file, path: [...part.path, "name"], at: "value" };
  };
  return {
    name: fields.name ?? `number ${Number(part.path.at(-1)) + 1}`,
    // Both sides passed their schemas, and merging keeps every field's type.
    fields: mergeFields(
      // A wrong value replaces the default too: nobody meant the two of them together.
      part.wrong.reduce<unknown>(dropped, defaults?.fields ?? {}),
      fields,
    ) as RouteFields & Pick<NamedRouteFields, "match">,
    placeOf,
    fileOf: (field) => placeOf(field).file,
    isOwn,
    wrong: [...part.wrong, ...(defaults?.wrong ?? [])],
    lacks: (field) => !isWrittenBy(part, [field]) && !(defaults && isWrittenBy(defaults, [field])),
  };
}

/** A short form (`canary: 5%`) counts as having written the field that it stands for. */
function isWrittenBy(part: Part<unknown>, field: Path): boolean {
  const path = [...part.path, ...part.writtenPath(field)];
  if (isWritten(part.file.data, path)) return true;
  const parent = field.length > 1 ? valueAt(part.file.data, path.slice(0, -1)) : undefined;
  return parent !== undefined && !isBlock(parent) && !Array.isArray(parent);
}

/** Blocks without the value at a path; lists stay, as they are replaced as a whole. */
function dropped(fields: unknown, [step, ...rest]: Path): unknown {
  if (!isBlock(fields) || typeof step !== "string" || !Object.hasOwn(fields, step)) return fields;
  const { [step]: value, ...others } = fields;
  return rest.length === 0 ? others : { ...others, [step]: dropped(value, rest) };
}

function isBlock(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
