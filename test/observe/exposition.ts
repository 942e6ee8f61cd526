/** A strict reader of the Prometheus text format: whatever is not in the format is an error. */

import assert from "node:assert/strict";

export interface MetricLine {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Exposition {
  /** By metric family. */
  readonly types: ReadonlyMap<string, string>;
  readonly lines: readonly MetricLine[];
}

/** What Go's ParseFloat reads, which is how the format defines a value: "Nan" is one, as it minds no case. */
const VALUE = /^(?:[+-]?inf|nan|[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/i;

/** Reads a whole exposition; fails on a line, an order or a repeat that the format does not allow. */
export function readExposition(text: string): Exposition {
  assert.ok(text.endsWith("\n"), "the last line ends");
  const types = new Map<string, string>();
  const lines: MetricLine[] = [];
  const seen = new Set<string>();
  const finished = new Set<string>();
  let family = "";
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/s.exec(line);
    if (comment !== null) {
      const [, kind, name = "", rest = ""] = comment;
      if (name !== family) finished.add(family);
      assert.ok(!finished.has(name), `${name} is in one piece`);
      family = name;
      if (kind === "TYPE") {
        assert.ok(!types.has(name), `${name} has one TYPE`);
        assert.match(rest, /^(counter|gauge|histogram|summary|untyped)$/);
        types.set(name, rest);
      }
      continue;
    }
    const one = readLine(line);
    assert.ok(belongsTo(one.name, family, types.get(family)), `${one.name} stands under ${family}`);
    const id = `${one.name}${JSON.stringify(Object.entries(one.labels).sort())}`;
    assert.ok(!seen.has(id), `${id} is there once`);
    seen.add(id);
    lines.push(one);
  }
  return { types, lines };
}

function belongsTo(name: string, family: string, type: string | undefined): boolean {
  if (type !== "histogram" && type !== "summary") return name === family;
  return name === family || ["_bucket", "_sum", "_count"].some((suffix) => name === family + suffix);
}

function readLine(line: string): MetricLine {
  const parts = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/s.exec(line);
  assert.ok(parts, `a sample: ${line}`);
  const [, name = "", inside = "", value = ""] = parts;
  assert.match(value, VALUE, line);
  return { name, labels: readLabels(inside, line), value: Number(value.replace(/inf$/i, "Infinity")) };
}

function readLabels(inside: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = inside;
  while (rest !== "") {
    const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/.exec(rest);
    assert.ok(label, `labels: ${line}`);
    const [whole, name = "", value = ""] = label;
    assert.ok(!(name in labels), `${name} is there once: ${line}`);
    labels[name] = value.replace(/\\(.)/gs, (_, escaped) => (escaped === "n" ? "\n" : escaped));
    rest = rest.slice(whole.length);
  }
  return labels;
}

/** Buckets rise to `+Inf`, which is the count: checked for every histogram. Returns how many there were. */
export function assertHistograms({ types, lines }: Exposition): number {
  let histograms = 0;
  for (const [family, type] of types) {
    if (type !== "histogram") continue;
    const buckets = Map.groupBy(
      lines.filter(({ name }) => name === `${family}_bucket`),
      ({ labels: { le: _le, ...rest } }) => JSON.stringify(rest),
    );
    for (const [labels, series] of buckets) {
      histograms += 1;
      const of = (suffix: string) =>
        lines.find((l) => l.name === family + suffix && JSON.stringify(l.labels) === labels)?.value;
      const bounds = series.map(({ labels: { le = "" } }) => Number(le.replace("Inf", "Infinity")));
      for (let i = 1; i < series.length; i += 1) {
        assert.ok((bounds[i] ?? 0) > (bounds[i - 1] ?? 0), `${family}${labels}: bounds rise`);
        assert.ok((series[i]?.value ?? 0) >= (series[i - 1]?.value ?? 0), `${family}${labels}: cumulative`);
      }
      assert.equal(bounds.at(-1), Number.POSITIVE_INFINITY);
      assert.equal(series.at(-1)?.value, of("_count"));
      assert.ok((of("_sum") ?? -1) >= 0);
    }
  }
  return histograms;
}
