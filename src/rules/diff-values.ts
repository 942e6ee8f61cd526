/** What changed between two descriptions, field by field. */

import type { DescribedValue, Description } from "./description.ts";
import { nameWithin } from "./field-name.ts";

const LONGEST_VALUE = 80;
const MOST_ITEMS = 5;

/** Lines such as "canary 5% → 10%" for two blocks, each after the prefix. */
export function diffFields(
  prefix: string,
  before: DescribedValue | undefined,
  after: DescribedValue | undefined,
): string[] {
  return diffValue("", before, after).map((line) => prefix + line);
}

/** Lines for a field of two descriptions; nested fields by their names within it. */
export function diffValue(
  field: string,
  before: DescribedValue | undefined,
  after: DescribedValue | undefined,
): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (isBlock(before) && isBlock(after)) {
    return union(Object.keys(before), Object.keys(after)).flatMap((key) =>
      diffValue(nameWithin(field, key), fieldOf(before, key), fieldOf(after, key)),
    );
  }
  // As users write it: `canary: 5%`.
  const name = field.replace(/^(canary|shadow)\.share$/, "$1");
  if (isList(before) && isList(after)) {
    const changes = listChanges(before, after);
    if (changes !== null) return [`${name} ${changes}`];
  }
  return [`${name} ${shown(before, after)} → ${shown(after, before)}`];
}

/** "+a −b"; null when only the order changed. */
function listChanges(before: readonly DescribedValue[], after: readonly DescribedValue[]): string | null {
  const [was, is] = [before.map(flow), after.map(flow)];
  const [had, has] = [new Set(was), new Set(is)];
  const added = is.filter((item) => !had.has(item)).map((item) => `+${item}`);
  const removed = was.filter((item) => !has.has(item)).map((item) => `−${item}`);
  const changes = [...added, ...removed];
  if (changes.length === 0) return null;
  const rest = changes.length - MOST_ITEMS;
  return changes.slice(0, MOST_ITEMS).map(cut).join(" ") + (rest > 0 ? ` and ${rest} more` : "");
}

/** As YAML's flow style has it, quotes left out: { path: $.price, absolute: 0.01 }. */
function flow(value: DescribedValue): string {
  if (isList(value)) return `[${value.map(flow).join(", ")}]`;
  if (!isBlock(value)) return String(value);
  const fields = Object.entries(value).map(([name, each]) => `${name}: ${flow(each)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}

function shown(value: DescribedValue | undefined, other: DescribedValue | undefined): string {
  if (value === undefined) return "(none)";
  if (other === "off" && isBlock(value)) return "on";
  return cut(flow(value));
}

const cut = (text: string) => (text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text);

const isList = (value: DescribedValue | undefined): value is readonly DescribedValue[] =>
  Array.isArray(value);

const isBlock = (value: DescribedValue | undefined): value is Description =>
  typeof value === "object" && !Array.isArray(value);

const fieldOf = (block: Description, key: string) => (Object.hasOwn(block, key) ? block[key] : undefined);

export const union = (a: readonly string[], b: readonly string[]): string[] => [...new Set([...a, ...b])];
