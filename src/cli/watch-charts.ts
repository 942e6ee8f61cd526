/** The charts of one route: both sides under each other, with what they are now and were at the least and the most. */

import { formatMeasured, formatPerSecond } from "../model/figures.ts";
import { type Drawing, type Part, spanWords } from "./drawing.ts";
import { formatMs, type Style } from "./output.ts";
import { sparkLines } from "./spark.ts";
import { isOverLimit, type Line, lineOf, type Measure, type Trend } from "./trend.ts";
import { cutEnd, textWidth } from "./width.ts";

interface Chart {
  readonly label: string;
  readonly side: string;
  readonly measure: Measure;
  readonly rank: number;
  readonly words: (value: number) => string;
  /** The measures whose greatest value is the top of its scale: what is to be held against each other has one. */
  readonly scale: readonly Measure[];
}

const ERRORS: readonly Measure[] = ["errors-old", "errors-new"];
const P99: readonly Measure[] = ["p99-old", "p99-new"];

/** New gets a share of the requests: on old's scale nothing would be seen of it. */
const CHARTS: readonly Chart[] = [
  chart("requests/s", "old", "requests-old", 2, formatPerSecond, ["requests-old"]),
  chart("", "new", "requests-new", 2, formatPerSecond, ["requests-new"]),
  chart("errors/s", "old", "errors-old", 1, formatPerSecond, ERRORS),
  chart("", "new", "errors-new", 1, formatPerSecond, ERRORS),
  chart("p99 ms", "old", "p99-old", 4, formatMs, P99),
  chart("", "new", "p99-new", 4, formatMs, P99),
  chart("mismatches", "", "mismatches", 3, formatMeasured, ["mismatches"]),
];

function chart(
  label: string,
  side: string,
  measure: Measure,
  rank: number,
  words: (value: number) => string,
  scale: readonly Measure[],
): Chart {
  return { label, side, measure, rank, words, scale };
}

const MOST_CELLS = 60;
const LEAST_CELLS = 5;
const LABEL_CELLS = 10;
/** Of the indentation, the label, the side and the spaces between. */
const PREFIX_CELLS = 2 + LABEL_CELLS + 1 + 3 + 1;
/** Between a chart and its numbers. */
const GAP = "  ";

/** A part a chart, each so many lines high, in the width of the terminal. */
export function routeCharts(trend: Trend, height: number, drawing: Drawing): readonly Part[] {
  const { columns, paint } = drawing;
  // The numbers are those of the most cells, however few there are: they must not change with the width.
  const ranges = new Map(
    CHARTS.map(({ measure }) => [measure, lineOf(trend, measure, drawing, MOST_CELLS)] as const),
  );
  const texts = CHARTS.map((each) => rangeWords(each, ranges.get(each.measure)));
  const textCells = Math.max(...texts.map(textWidth));
  const room = columns - PREFIX_CELLS - GAP.length - textCells;
  const cells = Math.min(MOST_CELLS, Math.max(LEAST_CELLS, room));
  return [
    { rank: 7, lines: [paint("dim", cutEnd(`  the last ${spanWords(drawing)}: now (least–most)`, columns))] },
    ...CHARTS.map((each, index): Part => {
      const line = lineOf(trend, each.measure, drawing, cells);
      const top = Math.max(...each.scale.map((measure) => ranges.get(measure)?.most ?? 0));
      const rows = sparkLines(line.values, top, height, drawing.glyphs);
      const lines = framed(each, rows, styleOf(each, line, trend), texts[index] ?? "", drawing);
      return { rank: each.rank, lines };
    }),
    { rank: 4, lines: limitLines(trend, ranges.get("mismatches"), drawing) },
  ];
}

function styleOf({ measure }: Chart, { now }: Line, trend: Trend): Style {
  if (measure === "mismatches") return isOverLimit(now, trend) ? "red" : "dim";
  if (ERRORS.includes(measure)) return now !== null && now > 0 ? "red" : "dim";
  return "cyan";
}

/** "118 (0–120)" */
function rangeWords({ words }: Chart, line: Line | undefined): string {
  if (line === undefined || line.least === null || line.most === null) return "–";
  return `${line.now === null ? "–" : words(line.now)} (${words(line.least)}–${words(line.most)})`;
}

/** Name and numbers stand at the lowest line: a chart's ground. */
function framed(
  { label, side }: Chart,
  rows: readonly string[],
  style: Style,
  text: string,
  { paint }: Drawing,
): string[] {
  const prefix = `  ${label.padEnd(LABEL_CELLS)} ${side.padEnd(3)} `;
  return rows.map((row, index) =>
    index === rows.length - 1
      ? `${prefix}${paint(style, row)}${GAP}${text}`
      : row.trim() === ""
        ? ""
        : `${" ".repeat(PREFIX_CELLS)}${paint(style, row.trimEnd())}`,
  );
}

function limitLines(trend: Trend, line: Line | undefined, { columns, paint }: Drawing): string[] {
  if (trend.mismatchLimit === null || line === undefined) return [];
  const isOver = isOverLimit(line.now, trend);
  const state = isOver ? "OVER it now" : isOverLimit(line.most, trend) ? "was over it" : "never over it";
  const text = `  ${"".padEnd(LABEL_CELLS)} limit ${formatMeasured(trend.mismatchLimit)}: ${state}`;
  return [isOver ? paint("red", cutEnd(text, columns)) : cutEnd(text, columns)];
}
