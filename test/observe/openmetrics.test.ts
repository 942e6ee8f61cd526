import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Family, type Format, metricLines } from "../../src/observe/exposition.ts";
import { readExposition } from "./exposition.ts";
import { readOpenMetrics } from "./openmetrics.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";

function family(changes: Partial<Family>): Family {
  return { name: "cutover_tries_total", help: "Tries.", type: "counter", points: [], ...changes };
}

const written = (families: readonly Family[], format: Format): string =>
  [...metricLines(families, format)].join("");

const open = (...families: Family[]) => readOpenMetrics(written(families, "openmetrics"));

test("a counter's family loses _total, an info's _info, and both keep it in their samples", () => {
  const read = open(
    family({ points: [{ name: "cutover_tries_total", labels: { route: "a" }, value: 2 }] }),
    family({
      name: "cutover_rules_info",
      type: "info",
      points: [{ name: "cutover_rules_info", labels: {}, value: 1 }],
    }),
  );
  assert.deepEqual(
    [...read.values()].map(({ name, type, lines }) => [name, type, lines[0]?.name]),
    [
      ["cutover_tries", "counter", "cutover_tries_total"],
      ["cutover_rules", "info", "cutover_rules_info"],
    ],
  );
});

test("units are those that the name ends with", () => {
  const unitOf = (name: string, type: Family["type"]) => [...open(family({ name, type })).values()][0]?.unit;
  assert.equal(unitOf("cutover_wait_seconds", "gauge"), "seconds");
  assert.equal(unitOf("process_cpu_seconds_total", "counter"), "seconds");
  assert.equal(unitOf("cutover_share_ratio", "gauge"), "ratio");
  assert.equal(unitOf("heap_bytes", "gauge"), "bytes");
  assert.equal(unitOf("cutover_inflight_requests", "gauge"), "");
  assert.equal(unitOf("cutover_ratio_info", "info"), "", "an info has none");
});

test("an exemplar stands behind its bucket, in OpenMetrics alone", () => {
  const name = "cutover_wait_seconds";
  const exemplar = { traceId: TRACE, value: 0.25, atSeconds: 1_777_000_000.1234 };
  const bucket = (le: string, value: number) => ({ name: `${name}_bucket`, labels: { le }, value });
  const points = [
    bucket("0.1", 0),
    { ...bucket("1.0", 1), exemplar },
    { ...bucket("+Inf", 1), exemplar: null },
    { name: `${name}_sum`, labels: {}, value: 0.25 },
    { name: `${name}_count`, labels: {}, value: 1 },
  ];
  const histogram = family({ name, type: "histogram", points });
  assert.match(
    written([histogram], "openmetrics"),
    /\ncutover_wait_seconds_bucket\{le="1\.0"\} 1 # \{trace_id="0af7651916cd43dd8448eb211c80319c"\} 0\.25 1777000000\.123\n/,
  );
  assert.deepEqual(
    open(histogram)
      .get(name)
      ?.lines.map(({ exemplar: found }) => found?.labels),
    [undefined, { trace_id: TRACE }, undefined, undefined, undefined],
  );
  assert.doesNotMatch(written([histogram], "text"), /trace_id|EOF|UNIT/);
});

const character = fc.constantFrom(...'"\\\n\r\t,{}=# ané\u0000\u2028😀', "\\n", "# EOF\n");
const label = fc.string({ unit: character, maxLength: 10 });

test("whatever a label or a help holds, both formats say the same of it", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(label, { maxLength: 6 }),
      fc.double().map((each) => each + 0),
      label,
      (values, value, help) => {
        const name = "cutover_gate_open";
        const families = [
          family({
            name,
            type: "gauge",
            help: `Help: ${help}`,
            points: values.map((gate) => ({ name, labels: { route: "r", gate }, value })),
          }),
        ];
        const text = readExposition(written(families, "text"));
        const read = readOpenMetrics(written(families, "openmetrics"));
        const shown = (lines: readonly { labels: object; value: number }[]) =>
          lines.map(({ labels, value: number }) => ({ labels, number }));
        const expected = values.map((gate) => ({ labels: { route: "r", gate }, number: value }));
        assert.deepEqual(shown(text.lines), expected);
        assert.deepEqual(shown(read.get(name)?.lines ?? []), expected);
      },
    ),
  );
});

test("nothing at all is a valid exposition", () => {
  assert.equal(written([], "openmetrics"), "# EOF\n");
  assert.equal(written([], "text"), "");
});
