/** Lists of texts as YAML, in either style. */

import { isScalar, type YAMLSeq } from "yaml";

/** A field that is not there yet, with its list. */
export interface NewList {
  readonly name: string;
  readonly items: readonly string[];
  readonly comment: string | null;
}

/** On one line. */
export const flowList = (items: readonly string[]) =>
  `[${items.map((item) => quoted(item, false)).join(", ")}]`;

/** The field as lines of a block; its list is `step` columns further in than its name. */
export function blockLines({ name, items, comment }: NewList, indent: number, step: number): string[] {
  const spaces = " ".repeat(indent);
  if (items.length === 0) return [`${spaces}${name}: []`];
  const head = comment === null ? `${spaces}${name}:` : `${spaces}${name}: # ${comment}`;
  return [head, ...items.map((item) => `${spaces}${" ".repeat(step)}- ${quoted(item, false)}`)];
}

/** What JSON leaves as it is, and YAML does not take. */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;
/** What only double quotes can hold, escaped. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones
const NEEDS_ESCAPE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]/;

/** A text between quotes, single ones where that can be and is wanted. */
export function quoted(text: string, single: boolean): string {
  if (single && !NEEDS_ESCAPE.test(text)) return `'${text.replaceAll("'", "''")}'`;
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(text).replace(UNPRINTABLE, escaped);
}

/** The author's taste. */
export function prefersSingle(list: YAMLSeq): boolean {
  return list.items.some((item) => isScalar(item) && item.type === "QUOTE_SINGLE");
}
