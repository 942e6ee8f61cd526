/**
 * What comparison costs. Pairs a second on the whole path (bytes compared and copied on a data thread, parsed and
 * compared on a comparison thread, the finding received), beside our comparison alone, jsondiffpatch alone and
 * the naive way; what equal bytes add to a shadowed request; and what overload does to a data thread and to
 * memory. One run, closely interleaved: compare columns, not runs.
 *
 *   node bench/compare.ts [--quick]
 */

import { isDeepStrictEqual } from "node:util";
import { gunzipSync } from "node:zlib";

import { create } from "jsondiffpatch";

import { comparePair, compileCompare } from "../src/compare/compare.ts";
import { DEFAULT_COMPARE } from "../src/model/default-compare.ts";
import { type CompareCase, casesOf } from "./support/compare-cases.ts";
import { benchEqualBytes, benchSteps } from "./support/compare-cost.ts";
import { benchOverload } from "./support/compare-overload.ts";
import { ComparePath, pairOf, piecesOf } from "./support/compare-path.ts";
import { isMain, isQuick } from "./support/script.ts";
import { fixed, median, print } from "./support/stats.ts";

const SIZES_KIB = [1, 10, 100];
/** Enough to keep the comparison thread busy while findings travel. */
const PAIRS_ON_THE_WAY = 32;

/** Rounds of one short slice for every column: noise of the machine meets all of them alike. */
interface Pace {
  readonly rounds: number;
  readonly sliceMs: number;
}

type Column = (sliceMs: number) => number | Promise<number>;

/** Calls a second of something synchronous. */
function inALoop(work: () => unknown): Column {
  return (sliceMs) => {
    const startMs = performance.now();
    let rounds = 0;
    let tookMs = 0;
    do {
      work();
      rounds++;
      tookMs = performance.now() - startMs;
    } while (tookMs < sliceMs);
    return (rounds / tookMs) * 1000;
  };
}

/** Pairs a second from offer to finding, a few of them always on the way. */
function onThePath(path: ComparePath, given: CompareCase): Column {
  const [old, fresh] = [piecesOf(given.old), piecesOf(given.new)];
  return async (sliceMs) => {
    const startMs = performance.now();
    let done = 0;
    let onTheWay = 0;
    while (performance.now() - startMs < sliceMs) {
      const before = path.received;
      while (onTheWay < PAIRS_ON_THE_WAY && performance.now() - startMs < sliceMs) {
        if (path.offer(given, old, fresh) === "equal") done++;
        else onTheWay++;
      }
      if (onTheWay > 0) await path.next();
      done += path.received - before;
      onTheWay -= path.received - before;
    }
    for (let before = path.received; onTheWay > 0; before = path.received) {
      await path.next();
      done += path.received - before;
      onTheWay -= path.received - before;
    }
    return (done / (performance.now() - startMs)) * 1000;
  };
}

const differ = create({ objectHash: (item) => JSON.stringify(item) });

/** What the obvious ways read a body into. */
function parsedNaively({ type, encoding }: CompareCase, body: Uint8Array): unknown {
  const text = Buffer.from(encoding === "gzip" ? gunzipSync(body) : body).toString();
  if (type === "application/json") return JSON.parse(text);
  if (type !== "application/x-ndjson") return text;
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown);
}

function columnsOf(path: ComparePath, given: CompareCase): readonly Column[] {
  const pair = pairOf(given, given.old, given.new);
  const compiled = compileCompare(DEFAULT_COMPARE);
  const both = (): [unknown, unknown] => [parsedNaively(given, given.old), parsedNaively(given, given.new)];
  return [
    onThePath(path, given),
    inALoop(() => comparePair(pair, compiled)),
    inALoop(() => differ.diff(...both())),
    inALoop(() => isDeepStrictEqual(...both())),
  ];
}

async function measure(columns: readonly Column[], { rounds, sliceMs }: Pace): Promise<number[][]> {
  const rates: number[][] = columns.map(() => []);
  for (const column of columns) await column(sliceMs / 2); // warm up
  for (let round = 0; round < rounds; round++) {
    for (const [at, column] of columns.entries()) rates[at]?.push(await column(sliceMs));
  }
  return rates;
}

/** The whole path's rate as a multiple of another's, round by round. */
function ratio(path: readonly number[], other: readonly number[]): string {
  const ratios = path.map((rate, round) => rate / (other[round] ?? Number.NaN));
  return `${fixed(median(ratios), 2)} (${fixed(Math.min(...ratios), 2)})`;
}

async function benchRates(pace: Pace): Promise<void> {
  console.log(
    `pairs a second on the whole path, and as a multiple of each way alone: median (least) of ${pace.rounds} rounds`,
  );
  const rows: string[][] = [];
  await using path = new ComparePath();
  for (const kib of SIZES_KIB) {
    for (const given of casesOf(kib)) {
      const [whole = [], ...others] = await measure(columnsOf(path, given), pace);
      const rate = Math.round(median(whole)).toLocaleString("en");
      rows.push([given.name, `${kib} KiB`, rate, ...others.map((other) => ratio(whole, other))]);
    }
  }
  print(["bodies", "size", "pairs/s", "× comparePair", "× jsondiffpatch", "× parse + deepEqual"], rows);
}

export async function benchCompare(quick: boolean): Promise<void> {
  await benchRates(quick ? { rounds: 3, sliceMs: 25 } : { rounds: 9, sliceMs: 60 });
  console.log();
  await benchEqualBytes(quick);
  console.log();
  benchSteps(quick);
  console.log();
  await benchOverload(quick);
}

if (isMain(import.meta.url)) await benchCompare(isQuick());
