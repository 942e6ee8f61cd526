/** Pairs of bodies for bench/compare.ts: kinds, sizes, and how much the two answers differ. */

import { gzipSync } from "node:zlib";

export interface CompareCase {
  readonly name: string;
  readonly type: string;
  readonly encoding: string | null;
  readonly old: Uint8Array;
  readonly new: Uint8Array;
}

interface Item {
  readonly id: number;
  readonly name: string;
  readonly [member: string]: unknown;
}

/** Items that take about so many bytes as JSON. */
function items(kib: number): readonly Item[] {
  const made: Item[] = [];
  for (let at = 0, bytes = 0; bytes < kib * 1024 - 120; at++) {
    const item = {
      id: at,
      name: `Person number ${at}`,
      email: `person.${at}@example.com`,
      tags: ["a", "b", "c"],
      price: at * 1.25,
      address: { street: `${at} Long Road`, zip: String(10_000 + at), ok: true },
    };
    made.push(item);
    bytes += JSON.stringify(item).length + 1;
  }
  return made;
}

/** The same value with its members in another order, as another language's serialiser would have them. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

const document = (of: readonly Item[]): string =>
  JSON.stringify({ items: of, generatedAt: "2026-01-01T00:00:00Z" });
const lines = (of: readonly unknown[]): string => `${of.map((item) => JSON.stringify(item)).join("\n")}\n`;
const text = (of: readonly Item[]): string =>
  `${of.map(({ id, name, email }) => `${id}\t${name}\t${email}\tzip ${10_000 + id}`).join("\n")}\n`;

function xml(of: readonly Item[], indent: string): string {
  const rows = of.map(
    ({ id, name, email }) =>
      `<item id="${id}" kind="person">${indent}<name>${name}</name>${indent}<email>${email}</email>${indent}</item>`,
  );
  return `<?xml version="1.0"?><items>${indent}${rows.join(indent)}</items>`;
}

/** The rows of one size: JSON in full, the other kinds where new is spelled otherwise and where one item differs. */
export function casesOf(kib: number): readonly CompareCase[] {
  const all = items(kib);
  const middle = all.length >> 1;
  const changed = all.with(middle, { ...all[middle], id: middle, name: "Somebody else" });
  const other = reversed(all) as readonly Item[];
  const pair = (name: string, type: string, oldText: string, newText: string): CompareCase => ({
    name,
    type,
    encoding: null,
    old: Buffer.from(oldText),
    new: Buffer.from(newText),
  });
  const json = "application/json";
  const equal = pair("JSON, equal bytes", json, document(all), document(all));
  const respelled = pair("JSON, other key order", json, document(all), document(other));
  const different = pair("JSON, one item differs", json, document(all), document(changed));
  return [
    equal,
    respelled,
    different,
    gzipped(respelled),
    gzipped(different),
    pair("NDJSON, other key order", "application/x-ndjson", lines(all), lines(other)),
    pair("NDJSON, one line differs", "application/x-ndjson", lines(all), lines(changed)),
    pair("XML, other white space", "application/xml", xml(all, ""), xml(all, "\n  ")),
    pair("XML, one element differs", "application/xml", xml(all, ""), xml(changed, "")),
    pair("text, one line differs", "text/plain", text(all), text(changed)),
  ];
}

function gzipped(given: CompareCase): CompareCase {
  return {
    ...given,
    name: `${given.name}, gzip`,
    encoding: "gzip",
    old: gzipSync(given.old),
    new: gzipSync(given.new),
  };
}
