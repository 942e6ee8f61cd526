/** All files together, still in the words of their authors: who wrote what where, each part valid or null. */

import type { z } from "zod";
import { explainIssues } from "./issues.ts";
import { MAX_PROBLEMS, type Problem, placeText } from "./problem.ts";
import {
  type BackendFields,
  backendSchema,
  defaultsSchema,
  fileSchema,
  type LimitFields,
  limitsSchema,
  type NamedRouteFields,
  type RouteFields,
  routeSchema,
} from "./schema.ts";
import { type Path, type Place, problemAtPlace, type SourceFile, spanOf, valueAt } from "./source-file.ts";

/**
 * A part of the rules, with its place. Mistakes in its form are reported already; `fields` then holds what is
 * sound of it, so that the other checks can go on, or null.
 */
export interface Part<Fields> {
  readonly file: SourceFile;
  readonly path: Path;
  readonly fields: Fields | null;
}

export interface Draft {
  readonly backends: ReadonlyMap<string, Part<BackendFields>>;
  readonly routes: readonly Part<NamedRouteFields>[];
  readonly defaults: Part<RouteFields> | null;
  readonly limits: Part<LimitFields> | null;
  readonly unmatched: Part<string> | null;
}

/** Checks the form of each file and puts them together; two definitions of one name are problems. */
export function draftOf(files: readonly SourceFile[]): {
  readonly draft: Draft;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const backends = new Map<string, Part<BackendFields>>();
  const routes: Part<NamedRouteFields>[] = [];
  const routeNames = new Map<string, Place>();
  const single: {
    defaults: Part<RouteFields> | null;
    limits: Part<LimitFields> | null;
    unmatched: Part<string> | null;
  } = {
    defaults: null,
    limits: null,
    unmatched: null,
  };

  const twice = (what: string, first: Place, second: Place) => {
    if (problems.length >= 2 * MAX_PROBLEMS) return;
    const at = placeText(first.file, spanOf(first));
    problems.push(problemAtPlace(second, `${what} is defined twice: first at ${at}; keep one of the two`));
  };

  for (const file of files) {
    problems.push(...explainIssues(file, fileSchema.safeParse(file.data).error?.issues ?? []));

    for (const [name, data] of entries(valueAt(file.data, ["backends"]))) {
      const path = ["backends", name];
      const first = backends.get(name);
      if (first) twice(`backend ${name}`, keyOf(first.file, first.path), keyOf(file, path));
      else backends.set(name, { file, path, fields: parsed(backendSchema, data) });
    }

    const items = valueAt(file.data, ["routes"]);
    for (const [index, data] of (Array.isArray(items) ? items : []).entries()) {
      const path = ["routes", index];
      const name = valueAt(data, ["name"]);
      const place: Place = { file, path: [...path, "name"], at: "value" };
      const first = typeof name === "string" ? routeNames.get(name) : undefined;
      if (first) twice(`route ${name}`, first, place);
      else if (typeof name === "string") routeNames.set(name, place);
      routes.push({ file, path, fields: soundRoute(data) });
    }

    const takeOnce = <Key extends keyof typeof single>(key: Key, part: (typeof single)[Key]) => {
      if (valueAt(file.data, [key]) === undefined) return;
      const first = single[key];
      if (first) twice(key, keyOf(first.file, first.path), keyOf(file, [key]));
      else single[key] = part;
    };
    const section = (key: string) => valueAt(file.data, [key]);
    const unmatched = section("unmatched");
    takeOnce("defaults", { file, path: ["defaults"], fields: soundFields(section("defaults")) });
    takeOnce("limits", { file, path: ["limits"], fields: parsed(limitsSchema, section("limits")) });
    takeOnce("unmatched", {
      file,
      path: ["unmatched"],
      fields: typeof unmatched === "string" ? unmatched : null,
    });
  }
  return { draft: { backends, routes, ...single }, problems };
}

const keyOf = (file: SourceFile, path: Path): Place => ({ file, path, at: "key" });

function parsed<Schema extends z.ZodType>(schema: Schema, data: unknown): z.output<Schema> | null {
  return schema.safeParse(data).data ?? null;
}

function soundRoute(data: unknown): NamedRouteFields | null {
  const whole = parsed(routeSchema, data);
  if (whole) return whole;
  const name = parsed(routeSchema.shape.name, valueAt(data, ["name"]));
  const match = parsed(routeSchema.shape.match, valueAt(data, ["match"])) ?? undefined;
  return name === null ? null : { ...soundFields(data), name, match };
}

/** The fields that pass by themselves. */
function soundFields(data: unknown): RouteFields {
  const sound = entries(data).flatMap(([field, value]): [string, unknown][] => {
    if (!Object.hasOwn(defaultsSchema.shape, field)) return [];
    const result = defaultsSchema.shape[field as keyof RouteFields].safeParse(value);
    return result.success ? [[field, result.data]] : [];
  });
  return Object.fromEntries(sound);
}

function entries(data: unknown): [string, unknown][] {
  return typeof data === "object" && data !== null && !Array.isArray(data) ? Object.entries(data) : [];
}
