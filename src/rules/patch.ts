/** The change of the rules that hides one difference, as a patch. */

import { relative } from "node:path";
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import { addIgnoreAt, type Edit, routesNamed } from "./edit.ts";
import { type Env, filledIn } from "./env.ts";
import { placeText } from "./problem.ts";
import { decodeUtf8, listRulesFiles, ReadError, readRulesFile } from "./read.ts";
import { type SourceFile, spanOf, valueAt } from "./source-file.ts";
import { suggestion } from "./suggest.ts";
import { parseYaml } from "./yaml.ts";

export type IgnorePatch =
  | {
      readonly kind: "patch";
      /** As `paths` name it. */
      readonly file: string;
      /** In `after`, from 1. */
      readonly line: number;
      /** The whole file as it was read, and edited. */
      readonly before: string;
      readonly after: string;
      /** For `git apply` and `patch -p0` in the working folder. */
      readonly patch: string;
      /** What else a person should know; null: nothing. */
      readonly note: string | null;
    }
  | Exclude<Edit, { kind: "edited" }>;

/**
 * Finds the file that defines a route, among the files that `serve` would read, and adds a path to its
 * `compare.ignore` (see addIgnore). Nothing is written. Never throws for what is wrong with the files.
 */
export async function patchIgnore(
  paths: readonly string[],
  route: string,
  path: string,
  env: Env = process.env,
): Promise<IgnorePatch> {
  const files = await readFiles(paths);
  if (typeof files === "string") return { kind: "cannot", why: files };
  const places = files.flatMap((file) => routesNamed(file, route, env));
  const [place] = places;
  if (!place) {
    const names = files.flatMap((file) => routeNames(file, env));
    return {
      kind: "cannot",
      why: `there is no route ${route} in ${paths.join(", ")}: ${suggestion(route, names)}`,
    };
  }
  if (places.length > 1) {
    const at = places.map((each) => placeText(each.file, spanOf({ ...each, path: [...each.path, "name"] })));
    return {
      kind: "cannot",
      why: `route ${route} is defined more than once, at ${at.join(" and ")}: keep one`,
    };
  }
  const defaults = files.find((file) => valueAt(file.data, ["defaults"]) !== undefined) ?? null;
  const edit = addIgnoreAt(place, route, path, { defaults, env });
  if (edit.kind !== "edited") return edit;
  const { path: file, text: before } = place.file;
  const { text: after, line, note } = edit;
  const patch = unifiedPatch(relative("", file), before, after);
  return { kind: "patch", file, line, before, after, patch, note };
}

/** All files with their variables as they are written; a text says what is wrong with the first that is no YAML. */
async function readFiles(paths: readonly string[]): Promise<readonly SourceFile[] | string> {
  const listing = await listRulesFiles(paths);
  const [failure] = listing.failures;
  if (failure) return `${failure.path}: ${failure.why}`;
  const files: SourceFile[] = [];
  for (const { path } of listing.files) {
    try {
      // A byte order mark stays in the text, as it must stay in the file.
      const text = decodeUtf8(await readRulesFile(path), { keepMark: true });
      const { file, problems } = parseYaml({ path, text }, null);
      if (problems[0] || !file) return problems[0]?.text ?? `${path}: the file is empty`;
      files.push(file);
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      return `${path}: ${error.message}`;
    }
  }
  return files;
}

function routeNames(file: SourceFile, env: Env): string[] {
  const routes = valueAt(file.data, ["routes"]);
  return (Array.isArray(routes) ? routes : []).flatMap((route: unknown) => {
    const name = valueAt(route, ["name"]);
    return typeof name === "string" ? [filledIn(name, env)] : [];
  });
}

/**
 * A unified diff of one file. `file` is relative to the folder where it is applied: `git apply` takes off what is
 * in front of the first slash, and `patch -p0` nothing, so "./rules/a.yaml" suits both.
 */
export function unifiedPatch(file: string, before: string, after: string): string {
  const name = /^\.{0,2}\//.test(file) ? file : `./${file}`;
  const options = { context: 3, headerOptions: FILE_HEADERS_ONLY };
  const patch = createTwoFilesPatch(name, name, before, after, undefined, undefined, options);
  // A tab ends a name with spaces.
  return name.includes(" ") ? patch.replace(/^.*\n.*/, (names) => names.replace(/$/gm, "\t")) : patch;
}
