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
import { type Sound, soundFields } from "./sound.ts";
import { type Path, type Place, problemAtPlace, type SourceFile, spanOf, valueAt } from "./source-file.ts";

/**
 * A part of the rules, with its place. Mistakes in its form are reported already; `fields` then holds what is
 * sound of it, so that the other checks can go on, or null.
 */
export interface Part<Fields> extends Sound<Fields> {
  readonly file: SourceFile;
  readonly path: Path;
}

/** A route whose name is missing or wrong is looked at all the same. */
export type DraftRouteFields = Omit<NamedRouteFields, "name"> & { readonly name?: string | undefined };
const draftRouteSchema = routeSchema.partial({ name: true });

export interface Draft {
  readonly backends: ReadonlyMap<string, Part<BackendFields>>;
  readonly routes: readonly Part<DraftRouteFields>[];
  readonly defaults: Part<RouteFields> | null;
  readonly limits: Part<LimitFields> | null;
  readonly unmatched: Unmatched | null;
}

/** The name of a backend, and where it is; null: it is no text. */
interface Unmatched extends Place {
  readonly backend: string | null;
}

/** Checks the form of each file and puts them together; two definitions of one name are problems. */
export function draftOf(files: readonly SourceFile[]): {
  readonly draft: Draft;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const backends = new Map<string, Part<BackendFields>>();
  const routes: Part<DraftRouteFields>[] = [];
  const routeNames = new Map<string, Place>();
  const single: {
    defaults: Part<RouteFields> | null;
    limits: Part<LimitFields> | null;
    unmatched: Unmatched | null;
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
      else backends.set(name, { file, path, ...soundFields(backendSchema, data) });
    }

    const items = valueAt(file.data, ["routes"]);
    for (const [index, data] of (Array.isArray(items) ? items : []).entries()) {
      const path = ["routes", index];
      const name = valueAt(data, ["name"]);
      const place: Place = { file, path: [...path, "name"], at: "value" };
      const first = typeof name === "string" ? routeNames.get(name) : undefined;
      if (first) twice(`route ${name}`, first, place);
      else if (typeof name === "string") routeNames.set(name, place);
      routes.push({ file, path, ...soundFields(draftRouteSchema, data) });
    }

    const takeOnce = <Key extends keyof typeof single>(key: Key, part: (typeof single)[Key]) => {
      if (valueAt(file.data, [key]) === undefined) return;
      const first = single[key];
      if (first) twice(key, keyOf(first.file, first.path), keyOf(file, [key]));
      else single[key] = part;
    };
    const section = (key: string) => valueAt(file.data, [key]);
    const unmatched = section("unmatched");
    const part = <Schema extends z.ZodType>(key: string, schema: Schema) => ({
      file,
      path: [key],
      ...soundFields(schema, section(key)),
    });
    takeOnce("defaults", part("defaults", defaultsSchema));
    takeOnce("limits", part("limits", limitsSchema));
    const backend = typeof unmatched === "string" ? unmatched : null;
    takeOnce("unmatched", { file, path: ["unmatched"], at: "value", backend });
  }
  return { draft: { backends, routes, ...single }, problems };
}

const keyOf = (file: SourceFile, path: Path): Place => ({ file, path, at: "key" });

function entries(data: unknown): [string, unknown][] {
  return typeof data === "object" && data !== null && !Array.isArray(data) ? Object.entries(data) : [];
}
