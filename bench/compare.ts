/**
 * Pairs a second of one comparison thread, by size and by how much the two answers differ, beside the two
 * obvious ways to do it. One run, closely interleaved: compare columns, not runs.
 *
 *   node bench/compare.ts
 */

import { isDeepStrictEqual } from "node:util";

import Table from "cli-table3";
import { create } from "jsondiffpatch";

import { comparePair, compileCompare } from "../src/compare/compare.ts";
import type { Answer, Pair } from "../src/model/pair.ts";
import type { Compare } from "../src/model/ruleset.ts";

/** 9 rows × 5 columns of three slices each: about twelve seconds. */
const SLICE_MS = 80;
const SLICES = 3;

const SIZES_KIB = [1, 10, 100];
const COMPARE: Compare = { status: true, headers: ["content-type"], body: "auto", ignore: [] };
const IGNORING: Compare = { ...COMPARE, ignore: ["$.generatedAt", "$..etag"] };

interface Case {
  readonly name: string;
  readonly old: string;
  readonly new: string;
}

function document(kib: number): { readonly items: readonly unknown[]; readonly generatedAt: string } {
  const items = [];
  for (let at = 0, bytes = 0; bytes < kib * 1024 - 120; at++) {
    const item = {
      id: at,
      name: `Person number ${at}`,
      email: `person.${at}@example.com`,
      tags: ["a", "b", "c"],
      price: at * 1.25,
      address: { street: `${at} Long Road`, zip: String(10_000 + at), ok: true },
    };
    items.push(item);
    bytes += JSON.stringify(item).length + 1;
  }
  return { items, generatedAt: "2026-01-01T00:00:00Z" };
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

function casesOf(kib: number): readonly Case[] {
  const value = document(kib);
  const text = JSON.stringify(value);
  const middle = Math.floor(value.items.length / 2);
  const changed = { ...value, items: value.items.with(middle, { id: middle, name: "Somebody else" }) };
  return [
    { name: "equal bytes", old: text, new: text },
    { name: "other key order", old: text, new: JSON.stringify(reversed(value)) },
    { name: "one item differs", old: text, new: JSON.stringify(changed) },
  ];
}

function answerOf(body: string): Answer {
  return {
    status: 200,
    headers: ["content-type", "application/json"],
    body: new Uint8Array(Buffer.from(body)),
  };
}

function pairOf(given: Case, compare: Compare): Pair {
  return {
    route: "bench",
    rulesVersion: "0123456789ab",
    compare,
    requestId: "1",
    method: "GET",
    target: "/",
    unit: null,
    old: answerOf(given.old),
    new: answerOf(given.new),
  };
}

const differ = create({ objectHash: (item) => JSON.stringify(item) });

/** What each column does with one pair; all begin with the bytes of the wire. */
function columnsOf(given: Case): Readonly<Record<string, () => unknown>> {
  const pair = pairOf(given, COMPARE);
  const plain = compileCompare(COMPARE);
  const ignoring = compileCompare(IGNORING);
  const parsed = (answer: Answer): unknown => JSON.parse(Buffer.from(answer.body).toString());
  return {
    cutover: () => comparePair(pair, plain),
    "with two ignores": () => comparePair(pair, ignoring),
    "parse + deepEqual": () => isDeepStrictEqual(parsed(pair.old), parsed(pair.new)),
    "jsondiffpatch, objectHash": () => differ.diff(parsed(pair.old), parsed(pair.new)),
    "parse alone": () => [parsed(pair.old), parsed(pair.new)],
  };
}

/** The best of a few short slices: a busy machine only ever makes it slower. */
function perSecond(work: () => unknown): number {
  let best = 0;
  for (let slice = 0; slice < SLICES; slice++) {
    const startMs = performance.now();
    let rounds = 0;
    let tookMs = 0;
    do {
      work();
      rounds++;
      tookMs = performance.now() - startMs;
    } while (tookMs < SLICE_MS);
    best = Math.max(best, (rounds / tookMs) * 1000);
  }
  return best;
}

const head = Object.keys(columnsOf({ name: "", old: "{}", new: "{}" }));
const table = new Table({
  head: ["pairs a second", "size", ...head],
  colAligns: ["left", "right", ...head.map(() => "right" as const)],
  style: { head: [], border: [] },
});
for (const kib of SIZES_KIB) {
  for (const given of casesOf(kib)) {
    const rates = Object.values(columnsOf(given)).map((work) =>
      Math.round(perSecond(work)).toLocaleString("en"),
    );
    table.push([given.name, `${kib} KiB`, ...rates]);
  }
}
console.log(table.toString());
