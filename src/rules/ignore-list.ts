/** What `cutover ignore` is asked for, and the list of a route that it is about. */

import { DEFAULT_COMPARE } from "../model/default-compare.ts";
import { checkPath, parsePath } from "../model/jsonpath.ts";
import { type Env, filledIn } from "./env.ts";
import { type Path, type Place, type SourceFile, valueAt } from "./source-file.ts";
import { parseHeaderName } from "./texts.ts";

/** Either a path that goes into `ignore`, or a header that goes out of `headers`. */
export type Wanted =
  | { readonly list: "ignore"; readonly path: string }
  | { readonly list: "headers"; readonly name: string };

/** A list as it acts on a route: its own, that of the defaults, or the built-in one. */
export interface ActiveList {
  readonly from: "route" | "defaults" | "built-in";
  /** As they are written, variables and all. */
  readonly items: readonly string[];
  /** Of the list; null: it is written nowhere. */
  readonly place: Place | null;
}

/** Reads what a user asks to ignore; a text says why it cannot be, and what to write instead. */
export function wantedOf(text: string): Wanted | string {
  const header = /^header:(.*)$/s.exec(text)?.[1];
  if (header !== undefined) {
    const parsed = parseHeaderName(header);
    return parsed.ok ? { list: "headers", name: parsed.value } : parsed.why;
  }
  if (text === "status")
    return "status is no path: where two statuses mean the same write both of them, as in compare: { status: { equal: [{ old: 200, new: 201 }] } }; a 5xx of new is a failure, and nothing to hide";
  if (text === "body")
    return "body is no path: where the bodies as a whole may differ write compare: { body: off }";
  if (/^line\b/.test(text))
    return `${text.slice(0, 40)} is a line of a text, which no path can name: write compare: { body: off }, or compare the body as another kind`;
  const why = checkPath(text);
  return why ?? { list: "ignore", path: text };
}

/** The list that acts on a route; a text says why there is none that could be edited. */
export function activeList(
  file: SourceFile,
  route: Path,
  defaults: SourceFile | null,
  list: Wanted["list"],
): ActiveList | string {
  const own = valueAt(file.data, [...route, "compare"]);
  const inherited = defaults ? valueAt(defaults.data, ["defaults", "compare"]) : undefined;
  const isOff = own === "off" || (own === undefined && inherited === "off");
  if (isOff) {
    const where = own === "off" ? "" : " under defaults";
    return `compare is off${where}: nothing of this route is compared, so there is nothing to ignore`;
  }
  return (
    writtenList("route", { file, path: [...route, "compare", list], at: "value" }) ??
    (defaults && inherited !== "off"
      ? writtenList("defaults", { file: defaults, path: ["defaults", "compare", list], at: "value" })
      : null) ?? { from: "built-in", items: list === "headers" ? DEFAULT_COMPARE.headers : [], place: null }
  );
}

/** Null: it is not written there. An empty field is an empty list. */
function writtenList(from: "route" | "defaults", place: Place): ActiveList | string | null {
  const items = valueAt(place.file.data, place.path);
  if (items === undefined) return null;
  const texts = items === null ? [] : Array.isArray(items) ? items : [items];
  if (texts.every((item) => typeof item === "string")) return { from, items: texts, place };
  return `${place.path.join(".")} holds what is no text: see cutover check`;
}

/** Which item of a list is the one that is wanted; -1: none. Variables are filled in where they can be. */
export function indexOfWanted(items: readonly string[], wanted: Wanted, env: Env): number {
  return items.findIndex((item) => {
    const filled = filledIn(item, env);
    return wanted.list === "headers"
      ? filled.toLowerCase() === wanted.name
      : filled === wanted.path || meaning(filled) === meaning(wanted.path);
  });
}

/** Equal for paths that are written in two ways, such as $.a and $['a']. */
function meaning(path: string): string {
  return checkPath(path) === null ? JSON.stringify(parsePath(path)) : path;
}
