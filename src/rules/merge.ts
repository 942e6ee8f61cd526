/** What a route writes over `defaults`, and where each merged field was written. */

import type { Draft, Part } from "./draft.ts";
import type { NamedRouteFields, RouteFields } from "./schema.ts";
import { type Path, type Place, type SourceFile, valueAt } from "./source-file.ts";

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
  part: Part<NamedRouteFields>,
  fields: NamedRouteFields,
  defaults: Draft["defaults"],
): MergedRoute {
  const isOwn = (field: Path) => !defaults || isWrittenBy(part, field) || !isWrittenBy(defaults, field);
  const placeOf = (field: Path): Place => {
    if (isWrittenBy(part, field)) return { file: part.file, path: [...part.path, ...field], at: "value" };
    if (defaults && isWrittenBy(defaults, field)) {
      return { file: defaults.file, path: [...defaults.path, ...field], at: "value" };
    }
    return { file: part.file, path: [...part.path, "name"], at: "value" };
  };
  return {
    name: fields.name,
    // Both sides passed their schemas, and merging keeps every field's type.
    fields: mergeFields(defaults?.fields ?? {}, fields) as RouteFields & Pick<NamedRouteFields, "match">,
    placeOf,
    fileOf: (field) => placeOf(field).file,
    isOwn,
    lacks: (field) => !isWrittenBy(part, [field]) && !(defaults && isWrittenBy(defaults, [field])),
  };
}

/** A short form (`canary: 5%`) counts as having written the field that it stands for. */
function isWrittenBy(part: Part<unknown>, field: Path): boolean {
  const written = (path: Path) => valueAt(part.file.data, [...part.path, ...path]);
  if (written(field) !== undefined) return true;
  const parent = field.length > 1 ? written(field.slice(0, -1)) : undefined;
  return parent !== undefined && !isBlock(parent) && !Array.isArray(parent);
}

function isBlock(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
