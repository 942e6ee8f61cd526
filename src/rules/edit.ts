/** Edits the rules as their author would: one path goes into `compare.ignore`, all else stays as it is. */

import { isDeepStrictEqual } from "node:util";
import { isMap, isScalar, isSeq, type Node, type YAMLMap } from "yaml";
import { type Env, filledIn } from "./env.ts";
import { type ActiveList, activeList, indexOfWanted, type Wanted, wantedOf } from "./ignore-list.ts";
import { blockLines, flowList, type NewList, prefersSingle, quoted } from "./list-text.ts";
import { blockAt, pairOf, Refusal, sharedAnchors, unshared } from "./own-nodes.ts";
import { type Path, type Place, type SourceFile, spanOf, valueAt } from "./source-file.ts";
import {
  appendToBlockList,
  appendToFlow,
  applySplices,
  colonAfter,
  columnOf,
  insertLines,
  LayoutError,
  lineAt,
  removeItem,
  type Splice,
  stepOf,
} from "./splice.ts";
import { parseYaml } from "./yaml.ts";

export type Edit =
  | {
      readonly kind: "edited";
      readonly text: string;
      /** From 1, in the edited text. */
      readonly line: number;
      /** What else a person should know; null: nothing. */
      readonly note: string | null;
    }
  /** It is ignored as it is, by what is written there. */
  | { readonly kind: "already"; readonly file: string; readonly line: number }
  /** A header that is not in the list that is written there, so that no difference of it is found. */
  | {
      readonly kind: "not-compared";
      readonly file: string;
      readonly line: number;
      readonly why: string;
    }
  | { readonly kind: "cannot"; readonly why: string };

export interface EditContext {
  /** As users would name the file. */
  readonly file?: string;
  /** The file that holds `defaults`, read without an environment; absent: this one. */
  readonly defaults?: SourceFile | null;
  /** Fills in variables in what is looked for; what is written keeps them. */
  readonly env?: Env;
}

/** As many as the rules may hold. */
const MAX_PATHS = 100;

/**
 * Adds a path to `compare.ignore` of a route in this text; `header:NAME` goes out of `compare.headers` instead.
 * Comments, empty lines, quotes, styles and line endings survive. Never throws for what users may have written.
 */
export function addIgnore(text: string, route: string, path: string, context: EditContext = {}): Edit {
  const { file, problems } = parseYaml({ path: context.file ?? "the rules", text }, null);
  const [problem] = problems;
  if (problem || !file) return { kind: "cannot", why: problem?.text ?? "the file is empty" };
  const [place, second] = routesNamed(file, route, context.env ?? {});
  if (!place) return { kind: "cannot", why: `there is no route ${route} in ${file.path}` };
  if (second)
    return { kind: "cannot", why: `route ${route} is defined twice in ${file.path}: keep one of the two` };
  return addIgnoreAt(place, route, path, context);
}

/** Where the routes of a name are. */
export function routesNamed(file: SourceFile, name: string, env: Env): Place[] {
  const routes = valueAt(file.data, ["routes"]);
  return (Array.isArray(routes) ? routes : []).flatMap((route: unknown, index): Place[] => {
    const written = valueAt(route, ["name"]);
    const isIt = typeof written === "string" && filledIn(written, env) === name;
    return isIt ? [{ file, path: ["routes", index], at: "value" }] : [];
  });
}

/** The same for one route of a file that was read without problems. */
export function addIgnoreAt(place: Place, route: string, path: string, context: EditContext = {}): Edit {
  try {
    return edited(place, route, path, context);
  } catch (error) {
    if (error instanceof Refusal) return { kind: "cannot", why: error.message };
    if (!(error instanceof LayoutError)) throw error;
    const why = `route ${route} in ${place.file.path} is laid out in a way that is not edited here (${error.message}): change it by hand`;
    return { kind: "cannot", why };
  }
}

function edited(place: Place, route: string, path: string, context: EditContext): Edit {
  const { file } = place;
  const env = context.env ?? {};
  const wanted = wantedOf(path);
  if (typeof wanted === "string") throw new Refusal(wanted);
  const defaults = context.defaults === undefined ? file : context.defaults;
  const list = activeList(file, place.path, defaults, wanted.list);
  if (typeof list === "string") throw new Refusal(list);

  const index = indexOfWanted(list.items, wanted, env);
  if (wanted.list === "ignore" ? index !== -1 : index === -1) {
    const at = whereIs(list.place ?? { ...place, path: [...place.path, "name"] }, index);
    if (wanted.list === "ignore") return { kind: "already", ...at };
    return { kind: "not-compared", ...at, why: notCompared(route, wanted.name, list.items) };
  }
  if (wanted.list === "headers" && indexOfWanted(list.items.slice(index + 1), wanted, env) !== -1)
    throw new Refusal(`${wanted.name} is in compare.headers more than once: keep one of them, or none`);
  const items =
    wanted.list === "ignore" ? [...list.items, written(wanted.path)] : list.items.toSpliced(index, 1);
  if (items.length > MAX_PATHS)
    throw new Refusal(
      `compare.${wanted.list} would hold ${items.length} paths: at most ${MAX_PATHS}; a wider path may stand for several`,
    );
  const splices = splicesFor(place, wanted, list, index, items);
  const text = applySplices(file.text, splices);
  verify(file, text, [...place.path, "compare", wanted.list], items);
  const note =
    list.from === "defaults" && list.items.length > 0
      ? `route ${route} now has ${wanted.list} of its own, which replaces that of defaults and so repeats it`
      : null;
  return { kind: "edited", text, line: lineOf(text, splices), note };
}

/** Of an item of a list; -1: of the list. */
function whereIs(list: Place, index: number): { readonly file: string; readonly line: number } {
  const { file, path }: Place = index === -1 ? list : { ...list, path: [...list.path, index] };
  return { file: file.path, line: lineAt(file.text, spanOf({ file, path, at: "value" }).start) };
}

/** The name may be mistyped: those that it could be meant for are said. */
function notCompared(route: string, name: string, headers: readonly string[]): string {
  const compared =
    headers.length === 0 ? "it compares no headers" : `compare.headers of ${route} is ${headers.join(", ")}`;
  return `header:${name} is not compared: nothing to ignore (${compared})`;
}

/** A dollar that would begin a variable, or stand for one dollar, is written twice. */
const written = (path: string): string => path.replace(/\$(?=[${])/g, "$$$$");

/** The line that the last change begins to differ on; the list grows there. */
function lineOf(text: string, splices: readonly Splice[]): number {
  const sorted = [...splices].sort((left, right) => left.start - right.start);
  const last = sorted.at(-1);
  if (!last) return 1;
  const shift = sorted
    .slice(0, -1)
    .reduce((sum, each) => sum + each.text.length - (each.end - each.start), 0);
  const content = last.text.trimEnd();
  return lineAt(text, last.start + shift + content.length);
}

function splicesFor(
  { file, path }: Place,
  wanted: Wanted,
  list: ActiveList,
  index: number,
  items: readonly string[],
): Splice[] {
  const shared = sharedAnchors(file);
  const route = blockAt(file, path, shared);
  const compare = pairOf(route, "compare");
  const comment = list.from === "defaults" && list.items.length > 0 ? inheritedComment(wanted) : null;
  const field: NewList = { name: wanted.list, items, comment };
  if (!compare) return addToRoute(file.text, route, field);
  const block = unshared(compare.value, "compare of this route", shared);
  if (!isMap(block)) throw new Refusal("compare is no block of fields: see cutover check");
  const pair = pairOf(block, wanted.list);
  if (!pair) return addField(file.text, block, field);
  const node = unshared(pair.value, `compare.${wanted.list} of this route`, shared);
  if (!isSeq(node)) {
    if (node !== null && !(isScalar(node) && node.value === null))
      throw new Refusal(`compare.${wanted.list} is no list: see cutover check`);
    const at = colonAfter(file.text, pair.key as Node);
    return [{ start: at, end: at, text: ` ${flowList(items)}` }];
  }
  if (wanted.list === "headers") return removeItem(file.text, pair.key as Node, node, index);
  const scalar = quoted(items.at(-1) ?? "", prefersSingle(node));
  return node.flow ? appendToFlow(file.text, node, scalar) : appendToBlockList(file.text, node, scalar);
}

const inheritedComment = (wanted: Wanted): string =>
  wanted.list === "ignore"
    ? "with those of defaults, which this list replaces"
    : `those of defaults without ${wanted.name}, which this list replaces`;

function addToRoute(text: string, route: YAMLMap, field: NewList): Splice[] {
  if (route.flow) return appendToFlow(text, route, `compare: { ${field.name}: ${flowList(field.items)} }`);
  const indent = columnOf(text, route);
  const step = stepOf(text, route, "fields");
  const lines = [`${" ".repeat(indent)}compare:`, ...blockLines(field, indent + step, step)];
  return [insertLines(text, route, lines)];
}

function addField(text: string, block: YAMLMap, field: NewList): Splice[] {
  if (block.flow) return appendToFlow(text, block, `${field.name}: ${flowList(field.items)}`);
  return [insertLines(text, block, blockLines(field, columnOf(text, block), stepOf(text, block, "list")))];
}

/** Reads the edited text again: whatever else had changed would be worse than no edit. */
function verify(before: SourceFile, text: string, list: Path, items: readonly string[]): void {
  const after = parseYaml({ path: before.path, text }, null);
  const isAsMeant =
    after.problems.length === 0 &&
    isDeepStrictEqual(after.file?.data, withValue(before.data, list, [...items]));
  if (!isAsMeant) throw new LayoutError("the edited text would not mean what was asked for");
}

/** A copy of plain data with a value at a path; blocks on the way there are made. */
function withValue(data: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  if (Array.isArray(data))
    return data.map((item, index) => (index === step ? withValue(item, rest, value) : item));
  const block = typeof data === "object" && data !== null ? (data as Record<string, unknown>) : {};
  return { ...block, [step]: withValue(block[step], rest, value) };
}
