/** What changed in meaning between two rulesets, one line a change. */

import type { KeyFile, Route, Ruleset } from "../model/ruleset.ts";
import {
  type DescribedValue,
  type Description,
  describeBackend,
  describeRoute,
  describeRuleset,
} from "./describe.ts";
import { nameWithin } from "./issues.ts";

const LONGEST_VALUE = 80;
const MOST_ITEMS = 5;

/**
 * Lines such as "profiles: canary 5% → 10%", "added route x", "backends.modern: urls …". Empty when nothing
 * changed that a request could notice: comments, order of backends, other spellings.
 */
export function diffRulesets(before: Ruleset, after: Ruleset): string[] {
  return [
    ...diffBackends(before, after),
    ...diffValue("unmatched", before.unmatched ?? "404", after.unmatched ?? "404"),
    ...diffFields("limits: ", describeRuleset(before).limits, describeRuleset(after).limits),
    ...diffRoutes(before.routes, after.routes),
  ];
}

function diffBackends(before: Ruleset, after: Ruleset): string[] {
  const lines: string[] = [];
  for (const name of union(Object.keys(before.backends), Object.keys(after.backends))) {
    const old = Object.hasOwn(before.backends, name) ? before.backends[name] : undefined;
    const now = Object.hasOwn(after.backends, name) ? after.backends[name] : undefined;
    if (!old) lines.push(`added backend ${name}`);
    else if (!now) lines.push(`removed backend ${name}`);
    else {
      lines.push(...diffFields(`backends.${name}: `, describeBackend(old), describeBackend(now)));
      const hadKey = old.tls?.key ?? null;
      const hasKey = now.tls?.key ?? null;
      // The description hides keys: two different ones look alike there.
      if (hadKey !== null && hasKey !== null && hadKey !== hasKey)
        lines.push(`backends.${name}: tls.key replaced`);
    }
  }
  return lines;
}

function diffRoutes(before: readonly Route[], after: readonly Route[]): string[] {
  const lines: string[] = [];
  const old = new Map(before.map((route) => [route.name, route]));
  const now = new Map(after.map((route) => [route.name, route]));
  for (const name of union([...old.keys()], [...now.keys()])) {
    const [was, is] = [old.get(name), now.get(name)];
    if (!was) lines.push(`added route ${name}`);
    else if (!is) lines.push(`removed route ${name}`);
    else lines.push(...diffRoute(was, is));
  }
  const stayed = before.filter((route) => now.has(route.name)).map((route) => route.name);
  const order = after.filter((route) => old.has(route.name)).map((route) => route.name);
  if (stayed.join(" ") !== order.join(" "))
    lines.push(`routes are tried in another order: ${order.join(", ")}`);
  return lines;
}

function diffRoute(before: Route, after: Route): string[] {
  const prefix = `${after.name}: `;
  const lines = diffFields(prefix, describeRoute(before), describeRoute(after));
  return [...lines, ...diffKeyFiles(prefix, before.split?.newFile ?? null, after.split?.newFile ?? null)];
}

/** A key file that came, went or moved is a line of its own already; here it is about its keys. */
function diffKeyFiles(prefix: string, before: KeyFile | null, after: KeyFile | null): string[] {
  if (!before || !after || before === after) return [];
  if (before.count !== after.count)
    return [`${prefix}split.newFile ${before.count} keys → ${after.count} keys`];
  // Under another secret all fingerprints differ: that says nothing about the keys.
  if (before.secret !== after.secret) return [];
  const [old, now] = [Buffer.from(before.fingerprints), Buffer.from(after.fingerprints)];
  return old.equals(now) ? [] : [`${prefix}split.newFile has other keys, still ${after.count}`];
}

function diffFields(
  prefix: string,
  before: DescribedValue | undefined,
  after: DescribedValue | undefined,
): string[] {
  return diffValue("", before, after).map((line) => prefix + line);
}

function diffValue(
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

const union = (a: readonly string[], b: readonly string[]): string[] => [...new Set([...a, ...b])];
