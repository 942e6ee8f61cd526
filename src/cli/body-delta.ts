/** What changed from one body to the other: jsondiffpatch's delta for JSON, lines for everything else. */

import { structuredPatch } from "diff";
import { create } from "jsondiffpatch";
import ConsoleFormatter from "jsondiffpatch/formatters/console";
import { indentJson, looksLikeJson } from "../model/json-text.ts";
import { type Paint, printable, type Style } from "./output.ts";
import { cutEnd } from "./width.ts";

/** A body as it was kept. */
export interface BodyText {
  readonly text: string;
  readonly contentType: string | undefined;
}

/** jsondiffpatch fills a table of old × new items. */
const MAX_ITEMS = 1_000;
const MAX_DEPTH = 100;
/** Cells of a value or a line; beyond it "…". */
const MAX_PIECE_WIDTH = 300;
/** Longest search for the fewest changed lines. */
const LINES_TIMEOUT_MS = 1_000;

/**
 * The changed parts, as painted lines that are safe to print. Null: nothing to show, as the bodies are equal but
 * for what JSON does not count, or differ too much to be laid beside each other.
 */
export function bodyDelta(old: BodyText, fresh: BodyText, paint: Paint): string[] | null {
  const json = looksLikeJson(old.text, old.contentType) && looksLikeJson(fresh.text, fresh.contentType);
  if (!json) return lineDelta(old.text, fresh.text, paint);
  return (
    jsonDelta(old.text, fresh.text, paint) ?? lineDelta(indentJson(old.text), indentJson(fresh.text), paint)
  );
}

/** Null where jsondiffpatch would lose something: names that objects have anyway, great arrays, deep nesting. */
function jsonDelta(old: string, fresh: string, paint: Paint): string[] | null {
  const values = [parseExactly(old), parseExactly(fresh)] as const;
  if (values.some((value) => value === undefined || !isPlain(value))) return null;
  const delta = PATCHER.diff(values[0], values[1]);
  if (delta === undefined) return null;
  // Each line, coloured or not, was made printable by a brush.
  const text = new PaintedFormatter(paint).format(delta);
  // It leaves a column for "+" and "-" in front of every line but the first.
  return text === undefined ? null : ` ${text}`.split("\n");
}

const PATCHER = create({
  objectHash: (item, index) => {
    // Null is an item too.
    const id = (item as { readonly id?: unknown } | null)?.id;
    return typeof id === "string" || typeof id === "number" ? `id:${id}` : `index:${index}`;
  },
});

/** Numbers that a double cannot hold become their digits as text, so that they are not taken for equal. */
function parseExactly(text: string): unknown {
  const keepDigits = (
    _name: string,
    value: unknown,
    ...[context]: { readonly source?: string }[]
  ): unknown => {
    if (typeof value !== "number" || context?.source === undefined) return value;
    const digits = context.source.replace(/[^0-9]|e.*$/gi, "").replace(/^0+/, "");
    return digits.length > 15 && String(value) !== context.source ? context.source : value;
  };
  try {
    return JSON.parse(text, keepDigits);
  } catch {
    // Cut, or nested deeper than a reviver can follow: shown as lines.
    return undefined;
  }
}

/** Whether jsondiffpatch can be trusted with a value: it reads `right.constructor`, and keeps its own marks in `_t`. */
function isPlain(root: unknown): boolean {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return false;
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== "object" || value === null) continue;
      if (Array.isArray(value)) {
        if (value.length > MAX_ITEMS) return false;
      } else if (Object.keys(value).some((name) => name in Object.prototype || name === "_t")) return false;
      for (const inner of Object.values(value)) next.push(inner);
    }
    level = next;
  }
  return true;
}

type NodeBegin = Parameters<ConsoleFormatter["nodeBegin"]>;

/** Its console formatter, but with our colours (its own look at the process, not at the stream) and safe texts. */
class PaintedFormatter extends ConsoleFormatter {
  constructor(paint: Paint) {
    super();
    const brush = (style: Style | null) => (value: unknown) =>
      String(value)
        .split("\n")
        .map((line) => (style === null ? shown(line) : paint(style, shown(line))))
        .join("\n");
    const plain = brush(null);
    const brushes = {
      added: brush("green"),
      deleted: brush("red"),
      moved: brush("yellow"),
      movedestination: brush("dim"),
      unchanged: brush("dim"),
      textDiffLine: brush("dim"),
      error: brush("alarm"),
      context: plain,
      modified: plain,
      textdiff: plain,
      node: plain,
      unknown: plain,
    };
    Object.assign(this, { brushes });
  }

  override nodeBegin(...[context, key, ...rest]: NodeBegin): void {
    // A name with a line end in it would begin a line of its own.
    super.nodeBegin(context, /^[^\p{C}\p{Z}]*$/u.test(key) ? key : JSON.stringify(key), ...rest);
  }
}

/** Unified hunks; null when the texts are equal, or too unlike. */
function lineDelta(old: string, fresh: string, paint: Paint): string[] | null {
  const patch = structuredPatch("old", "new", old, fresh, undefined, undefined, {
    context: 3,
    timeout: LINES_TIMEOUT_MS,
  });
  if (patch === undefined || patch.hunks.length === 0) return null;
  return patch.hunks.flatMap(({ oldStart, newStart, lines }) => [
    paint("cyan", `@@ old line ${oldStart}, new line ${newStart}`),
    ...lines.map((line) => paintLine(line, paint)),
  ]);
}

function paintLine(line: string, paint: Paint): string {
  const text = shown(line.replace(/\r$/, ""));
  if (line.startsWith("+")) return paint("green", text);
  return line.startsWith("-") ? paint("red", text) : text;
}

function shown(piece: string): string {
  return cutEnd(printable(piece), MAX_PIECE_WIDTH);
}
