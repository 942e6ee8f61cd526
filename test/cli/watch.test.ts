import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import type { Drawing } from "../../src/cli/drawing.ts";
import { createPaint } from "../../src/cli/output.ts";
import { ASCII, BLOCKS } from "../../src/cli/spark.ts";
import { NO_TREND, SPAN_MS, type Trend, withHistory } from "../../src/cli/trend.ts";
import { composed } from "../../src/cli/watch-live.ts";
import { watchRoute } from "../../src/cli/watch-route.ts";
import { watchTable } from "../../src/cli/watch-table.ts";
import { textWidth } from "../../src/cli/width.ts";
import type { HistoryPoint } from "../../src/model/history-report.ts";
import type { RouteStatus } from "../../src/model/reports.ts";
import { rolledBack, routeStatus, statusReport } from "../support/reports.ts";
import { assertHarmless } from "./fixtures.ts";

const NOW_MS = Date.parse("2026-05-01T10:00:00.000Z");
const PLAIN: Drawing = {
  nowMs: NOW_MS,
  spanMs: SPAN_MS,
  columns: 80,
  rows: 24,
  paint: (_style, text) => text,
  glyphs: BLOCKS,
};
const COLOURED = createPaint({ write: () => undefined, isTTY: true }, {});
const SIZES = [40, 60, 80, 100, 132, 200].flatMap((columns) =>
  [10, 24, 50].map((rows) => ({ columns, rows })),
);

/** Five minutes in which new began to fail and to differ in the last one. */
function trendOf(): Trend {
  const points = Array.from({ length: 60 }, (_, index): HistoryPoint => {
    const isLate = index >= 48;
    return {
      at: new Date(NOW_MS - (60 - index) * 5_000).toISOString(),
      seconds: 5,
      requests: { old: 600, new: 30 },
      errors: { old: 5, new: isLate ? 10 : 0 },
      p50Ms: { old: 3, new: 3 },
      p99Ms: { old: 9, new: isLate ? 120 : 10 },
      comparisons: { match: 90, mismatch: isLate ? 10 : 0, noise: 0, transient: 0, uncompared: 0 },
      canary: 0.05,
      shadow: 1,
      evidence: {},
      latched: false,
    };
  });
  const limits = { mismatches: 0.02, errors: 0.05 };
  return withHistory(NO_TREND, { route: "", points, limits, markers: [] }, NOW_MS);
}

const WAITS =
  "5% for 12 min: errors 3/18,204 new vs 61/345,871 old, evidence 0.02 of 1; needs 18 min of baking, " +
  "gate backfill-done (lagSeconds is 31, needs below 5) and approval";
const BAKING = routeStatus("profiles", {
  state: "baking",
  step: 2,
  steps: 5,
  bake: { doneSeconds: 725, ofSeconds: 1_800 },
  waitingFor: WAITS,
});

function table(routes: readonly RouteStatus[], drawing: Drawing = PLAIN): string[] {
  const trends = new Map(routes.map(({ name }) => [name, trendOf()]));
  return watchTable(statusReport([...routes]), trends, drawing);
}

function assertFits(lines: readonly string[], { columns, rows }: { columns: number; rows: number }): void {
  assert.ok(lines.length < rows, `${lines.length} lines in ${rows} rows:\n${lines.join("\n")}`);
  for (const line of lines) {
    const cells = textWidth(stripVTControlCharacters(line));
    assert.ok(cells <= columns, `${cells} cells in ${columns} columns: ${line}`);
  }
}

test("a route has its requests, new's errors and its mismatches as lines of the last minutes", () => {
  const lines = table([BAKING], { ...PLAIN, columns: 120 });
  const row = lines.find((line) => line.startsWith("profiles")) ?? "";
  assert.match(row, /baking +2 \/ 4 +5% +100% +40% +█+ 126 +▁+[▂-█]+ +2 +▁+[▂-█]+ 10%! +9 \/ 8 +0\.12$/);
  assert.match(lines.join("\n"), /\n {2}5% for 12 min: /);
});

test("no picture is wider or higher than the terminal, whatever its size and the number of routes", () => {
  const many = Array.from({ length: 40 }, (_, index) => ({ ...BAKING, name: `route-${index}` }));
  for (const size of SIZES) {
    for (const count of [0, 1, 5, 12, 40]) {
      for (const paint of [PLAIN.paint, COLOURED])
        assertFits(table(many.slice(0, count), { ...PLAIN, ...size, paint }), size);
    }
    for (const route of [BAKING, rolledBack("orders")])
      assertFits(watchRoute(route, trendOf(), { ...PLAIN, ...size }), size);
  }
});

test("answers that differ are seen in a terminal of any width, as a line or in the sentence", () => {
  const comparisons = { match: 0, mismatch: 944, noise: 0, transient: 0, uncompared: 0 };
  const routes = [{ ...BAKING, comparisons }, routeStatus("quiet")];
  for (const columns of [40, 60, 80, 100, 132, 200]) {
    const text = table(routes, { ...PLAIN, columns })
      .join("\n")
      .replaceAll(/\s+/g, " ");
    assert.equal(text.includes("944 of 944 pairs differ; 5% for 12 min"), !text.includes("10%!"), text);
  }
});

test("a short terminal shows those in trouble first, and counts the others", () => {
  const quiet = Array.from({ length: 12 }, (_, index) => routeStatus(`quiet-${index}`));
  const rising = routeStatus("rising", { evidence: { errors: 0.9 } });
  const lines = table([...quiet, rising, rolledBack("gone")], { ...PLAIN, rows: 10 });
  const rows = lines.filter((line) => /^(quiet-|rising|gone)/.test(line));
  assert.match(rows[0] ?? "", /^gone +ROLLED BACK/);
  assert.match(rows[1] ?? "", /^rising/);
  assert.equal(lines.at(-1), `and ${14 - rows.length} more: cutover status ROUTE -w shows one`);
});

test("where all have room they stand in the order of the rules, and whoever is in trouble has a sentence", () => {
  const names = ["zeta", "gone", "alpha"];
  const routes = names.map((name) => (name === "gone" ? rolledBack(name) : routeStatus(name)));
  const lines = table(routes);
  assert.deepEqual(
    lines.map((line) => /^[a-z]+(?= {2})/.exec(line)?.[0]).filter((name) => names.includes(name ?? "")),
    names,
  );
  const short = table(routes, { ...PLAIN, rows: 10 });
  assert.match(short.join("\n"), /\ngone.*\n {2}killSwitch \(by guard\)/);
});

test("wide characters and names that act on a terminal stay text, and columns stay under their heads", () => {
  const evil = "\u001b]0;owned\u0007\u009b2J\u202etxt.\n漢字漢字漢字";
  const route = {
    ...BAKING,
    name: evil,
    waitingFor: evil,
    gates: [{ name: evil, answer: "no" as const, why: evil }],
  };
  for (const size of SIZES) {
    const lines = table([route, BAKING], { ...PLAIN, ...size });
    assertHarmless(lines.join("\n"));
    assertFits(lines, size);
  }
  assertHarmless(watchRoute(route, trendOf(), PLAIN).join("\n"));
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1 }), (name) => {
      const lines = table([{ ...BAKING, name, waitingFor: name }]);
      assertHarmless(lines.join("\n"));
      assertFits(lines, PLAIN);
    }),
    { numRuns: 20 },
  );
});

test("nothing is said by colour alone", () => {
  const coloured = table([BAKING, rolledBack("orders")], { ...PLAIN, columns: 120, paint: COLOURED });
  const plain = table([BAKING, rolledBack("orders")], { ...PLAIN, columns: 120 });
  assert.deepEqual(coloured.map(stripVTControlCharacters), plain);
  assert.match(plain.join("\n"), /ROLLED BACK/);
  assert.match(plain.join("\n"), /10%!/, "over the limit");
});

test("one route has both sides of each measure on one scale, with what is now, least and most", () => {
  const lines = watchRoute(BAKING, trendOf(), PLAIN);
  const text = lines.join("\n");
  assert.match(text, /^ {2}canary {5}█+░+ 5% to new, shadow 100%$/m);
  assert.match(text, /^ {2}requests\/s old █+ {2}120 \(120–120\)$/m);
  assert.match(text, /^ {2}errors\/s {3}old ▄+ {2}1 \(1–1\)$/m);
  assert.match(text, /^ {13}new ▁+[▂-█]+ {2}2 \(0–2\)$/m);
  assert.match(text, /^ {2}p99 ms {5}old ▂+ {2}9 \(9–9\)$/m);
  assert.match(text, /^ {2}mismatches {5}▁+[▂-█]+ {2}10% \(0%–10%\)$/m);
  assert.match(text, /limit 2%: OVER it now$/m);
});

test("charts are higher where there is room, and the least asked for goes first where there is none", () => {
  const tall = watchRoute(BAKING, trendOf(), { ...PLAIN, rows: 60 });
  const small = watchRoute(BAKING, trendOf(), { ...PLAIN, rows: 10 });
  assert.equal(tall.filter((line) => /^ {17}█+$/.test(line)).length >= 2, true, tall.join("\n"));
  assert.match(tall.join("\n"), /fallbacks/);
  assert.doesNotMatch(small.join("\n"), /fallbacks|p99/);
  assert.match(small.join("\n"), /state {6}baking\n.*canary(.*\n)+.*errors\/s/);
});

test("a gateway that does not answer is said above what was seen last, in the same room", () => {
  const view = { picture: (drawing: Drawing) => table([BAKING], drawing), note: () => null };
  const why = "no gateway answers at http://127.0.0.1:9090 (connection refused)";
  for (const size of SIZES) {
    const lines = composed(view, { seconds: 12, why }, { ...PLAIN, ...size });
    assert.match(lines[0] ?? "", /^NO ANSWER for 12 s, below is what/);
    assert.ok(lines.some((line) => line.startsWith("profiles")));
    assertFits(lines, size);
  }
});

test("what is missing from the charts is said where there is room for it", () => {
  const view = {
    picture: (drawing: Drawing) => table([BAKING], drawing),
    note: () => "no token\u001b[2J",
  };
  assert.equal(composed(view, null, PLAIN).at(-1), "no token\\x1b[2J");
  assert.ok(!composed(view, null, { ...PLAIN, rows: 10 }).includes("no token\\x1b[2J"));
});

test("a terminal without UTF-8 gets ASCII alone", () => {
  const view = {
    picture: (drawing: Drawing) => [
      ...table([{ ...BAKING, name: "größe" }], drawing),
      ...watchRoute(BAKING, trendOf(), drawing),
    ],
    note: () => "…",
  };
  const lines = composed(view, null, { ...PLAIN, glyphs: ASCII });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII is meant
  for (const line of lines) assert.match(line, /^[\x00-\x7f]*$/);
  assert.match(lines.join("\n"), /^gr\?\?e +baking .* #+ 126/m);
});
