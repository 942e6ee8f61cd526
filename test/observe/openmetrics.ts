/**
 * A strict reader of OpenMetrics 1.0, from its specification: the grammar (ABNF), and what the text adds to it.
 * Whatever is not allowed is an error, and so is what is merely advised against, where the gateway promises it.
 */

import assert from "node:assert/strict";
import type { MetricLine } from "./exposition.ts";

export interface OpenExemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly timestamp: number | null;
}

export interface OpenLine extends MetricLine {
  readonly exemplar: OpenExemplar | null;
}

export interface OpenFamily {
  readonly name: string;
  readonly type: string;
  readonly unit: string;
  readonly help: string;
  readonly lines: readonly OpenLine[];
}

const TYPES = [
  "counter",
  "gauge",
  "histogram",
  "gaugehistogram",
  "stateset",
  "info",
  "summary",
  "unknown",
] as const;
type Type = (typeof TYPES)[number];

/** What the name of a sample may add to its family's. */
const SUFFIXES: Readonly<Record<Type, readonly string[]>> = {
  counter: ["_total", "_created"],
  gauge: [""],
  histogram: ["_bucket", "_count", "_sum", "_created"],
  gaugehistogram: ["_bucket", "_gcount", "_gsum"],
  stateset: [""],
  info: ["_info"],
  summary: ["", "_count", "_sum", "_created"],
  unknown: [""],
};

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const NUMBER = String.raw`[+-]?(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|[iI]nf(?:inity)?)|[nN]a[nN]`;
const LABELS = String.raw`\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"(?:,(?!\})|(?=\})))*\}`;
const SAMPLE = new RegExp(
  `^(${NAME})(${LABELS})? (${NUMBER})(?: (${NUMBER}))?(?: # (${LABELS}) (${NUMBER})(?: (${NUMBER}))?)?$`,
);
const DESCRIPTION = new RegExp(`^# (TYPE|UNIT|HELP) (${NAME}) (.*)$`, "s");
/** Of the names and values of an exemplar's labels together, in characters. */
const MAX_EXEMPLAR_CHARS = 128;

/** Reads a whole exposition, by family; fails on anything that is not OpenMetrics. */
export function readOpenMetrics(text: string): ReadonlyMap<string, OpenFamily> {
  assert.ok(text.endsWith("# EOF\n"), "the last line is # EOF");
  const rows = text.slice(0, -"# EOF\n".length).split("\n");
  assert.equal(rows.pop(), "", "every line ends");
  const families = new Map<
    string,
    { -readonly [K in keyof OpenFamily]: OpenFamily[K] } & { lines: OpenLine[] }
  >();
  let current = "";
  for (const row of rows) {
    assert.notEqual(row, "", "there are no empty lines");
    assert.notEqual(row, "# EOF", "nothing comes after # EOF");
    const [, kind, named = "", rest = ""] = DESCRIPTION.exec(row) ?? [];
    if (kind !== undefined && named !== current) {
      assert.ok(!families.has(named), `${named} is in one piece`);
      families.set(named, { name: named, type: "", unit: "", help: "", lines: [] });
      current = named;
    }
    const family = families.get(current) ?? assert.fail(`nothing describes ${row}`);
    if (kind === undefined) {
      family.lines.push(readSample(row, family));
      continue;
    }
    const field = kind.toLowerCase() as "type" | "unit" | "help";
    assert.equal(family.lines.length, 0, `${row} stands before the samples`);
    assert.equal(family[field], "", `${named} has one ${kind}`);
    assert.notEqual(rest, "", row);
    family[field] = rest;
    if (kind === "HELP") assert.match(rest, /^(?:[^"\\\n]|\\["\\n])*$/, `escaped: ${row}`);
  }
  for (const family of families.values()) checkFamily(family, families);
  return families;
}

function readSample(row: string, family: { readonly name: string; readonly type: string }): OpenLine {
  const [, name = "", inside = "{}", value = "", timestamp, marks, exemplarValue = "", at] =
    SAMPLE.exec(row) ?? assert.fail(`a sample: ${row}`);
  assert.equal(timestamp, undefined, `the gateway writes none: ${row}`);
  const suffix = name.startsWith(family.name) ? name.slice(family.name.length) : "?";
  assert.ok(
    SUFFIXES[family.type as Type]?.includes(suffix),
    `${name} does not belong to the ${family.type} ${family.name}`,
  );
  if (marks === undefined) return { name, labels: labelsOf(inside), value: numberOf(value), exemplar: null };
  assert.ok(suffix === "_bucket" || suffix === "_total", `no exemplar may stand here: ${row}`);
  const labels = labelsOf(marks);
  const length = Object.entries(labels)
    .flat()
    .reduce((sum, each) => sum + [...each].length, 0);
  assert.ok(length <= MAX_EXEMPLAR_CHARS, `an exemplar's labels are too long: ${row}`);
  const exemplar = {
    labels,
    value: numberOf(exemplarValue),
    timestamp: at === undefined ? null : numberOf(at),
  };
  return { name, labels: labelsOf(inside), value: numberOf(value), exemplar };
}

function labelsOf(inside: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name = "", value = ""] of inside.matchAll(
    /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"/g,
  )) {
    assert.ok(!(name in labels), `${name} is there once: ${inside}`);
    labels[name] = value.replace(/\\(.)/g, (_, escaped) => (escaped === "n" ? "\n" : escaped));
  }
  return labels;
}

function numberOf(text: string): number {
  return Number(text.replace(/inf(?:inity)?$/i, "Infinity"));
}

function checkFamily(family: OpenFamily, all: ReadonlyMap<string, OpenFamily>): void {
  const { name, type, unit, help, lines } = family;
  assert.ok((TYPES as readonly string[]).includes(type), `${name} has a type: ${type}`);
  assert.notEqual(help, "", `${name} says what it is`);
  assert.ok(unit === "" || name.endsWith(`_${unit}`), `${name} ends with its unit, ${unit}`);
  if (type === "info" || type === "stateset") assert.equal(unit, "", `${name} has no unit`);
  for (const suffix of SUFFIXES[type as Type].filter((each) => each !== ""))
    assert.ok(
      !all.has(name + suffix),
      `${name + suffix} is a family too, and samples of ${name} have that name`,
    );
  const seen = new Set<string>();
  for (const { name: sample, labels, value } of lines) {
    const id = `${sample}${JSON.stringify(Object.entries(labels).sort())}`;
    assert.ok(!seen.has(id), `${id} is there once`);
    seen.add(id);
    if (type === "info") assert.equal(value, 1, sample);
    if (/_(?:total|bucket|count)$/.test(sample.slice(name.length)))
      assert.ok(value >= 0, `${sample} is ${value}`);
  }
  if (type === "histogram") checkHistogram(family);
}

function checkHistogram({ name, lines }: OpenFamily): void {
  const of = (suffix: string): OpenLine[] => lines.filter((line) => line.name === name + suffix);
  const series = Map.groupBy(of("_bucket"), ({ labels: { le: _, ...rest } }) => JSON.stringify(rest));
  for (const [labels, buckets] of series) {
    let below = Number.NEGATIVE_INFINITY;
    let count = 0;
    for (const {
      labels: { le = "" },
      value,
      exemplar,
    } of buckets) {
      // "Exposers should": without it 1 and 1.0 would be two series.
      assert.match(le, /^(?:\+Inf|\d+\.\d+)$/, `${name}: le is a canonical number`);
      const bound = numberOf(le);
      assert.ok(bound > below && value >= count && Number.isInteger(value), `${name}${labels} rises: ${le}`);
      if (exemplar !== null)
        assert.ok(
          exemplar.value > below && exemplar.value <= bound,
          `${name}: ${le} holds ${exemplar.value}`,
        );
      [below, count] = [bound, value];
    }
    assert.equal(below, Number.POSITIVE_INFINITY, `${name}${labels} has +Inf`);
    for (const [suffix, expected] of [
      ["_count", count],
      ["_sum", null],
    ] as const) {
      const [line] = of(suffix).filter((each) => JSON.stringify(each.labels) === labels);
      assert.ok(
        line !== undefined && (expected === null || line.value === expected),
        `${name}${suffix}${labels}`,
      );
    }
  }
}
