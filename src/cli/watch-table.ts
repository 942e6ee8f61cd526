/** `cutover status -w`: the routes with what they did in the last minutes, in the room that the terminal has. Pure. */

import { formatMeasured, formatPerSecond, formatShare, STATE_WORDS } from "../model/figures.ts";
import type { RouteStatus, StatusReport } from "../model/reports.ts";
import { type Drawing, spanWords } from "./drawing.ts";
import { gatewayLines } from "./gateway-lines.ts";
import { type Paint, printable, type Style } from "./output.ts";
import { spark } from "./spark.ts";
import { type StackedColumn, stackedTable, storyLinesOf, tellsMismatches } from "./stacked-table.ts";
import { bakedShare, evidence, p99, ROLLOUT_HEADS, rowStyle, stepOfLast } from "./status-cells.ts";
import { troubleFirst } from "./status-text.ts";
import { isOverLimit, type Line, lineOf, type Measure, NO_TREND, type Trend } from "./trend.ts";
import { cutEnd, cutMiddle, textWidth } from "./width.ts";

export type Trends = ReadonlyMap<string, Trend>;

/** More lines than this for a sentence push other routes off the screen. */
const MAX_STORY_LINES = 3;
const LEAST_NAME_CELLS = 10;
const TABLE_HEAD_LINES = 2;
/** Of a chart: fewer show nothing, more show no more than the stretches that there are. */
const LEAST_CHART_CELLS = 5;
const MOST_CHART_CELLS = 30;
/** With fewer rows no line is left empty. */
const ROWS_FOR_A_GAP = 16;

/**
 * The lines of a picture, never more than `rows - 1`. The routes stand in the order of the rules; where there is no room
 * for all, those in trouble come first and the others are counted.
 */
export function watchTable(report: StatusReport, trends: Trends, drawing: Drawing): string[] {
  const { rows, columns, paint } = drawing;
  const room = Math.max(rows - 1, 3);
  const head = gatewayLines(report, columns, paint).slice(0, Math.max(1, Math.floor(room / 3)));
  if (report.routes.length === 0) return [...head, "no routes"];
  if (rows >= ROWS_FOR_A_GAP) head.push("");
  const lines = Math.max(1, room - head.length - TABLE_HEAD_LINES);
  const isTight = report.routes.length > lines;
  const shown = isTight ? troubleFirst(report.routes).slice(0, Math.max(1, lines - 1)) : report.routes;
  const cells = columnsFor(shown, trends, drawing);
  const tells = tellsMismatches(cells, columns);
  const linesOf = (route: RouteStatus, most: number) => storyLinesOf(route, tells, columns, most).length;
  const storyLines = isTight ? () => 0 : storiesWithin(lines, shown, linesOf);
  const table = stackedTable(shown, cells, columns, storyLines, paint);
  const hidden = report.routes.length - shown.length;
  const more = hidden === 0 ? [] : [paint("dim", cutEnd(moreWords(hidden), columns))];
  return [...head, ...table.head, ...table.blocks.flat(), ...more];
}

function moreWords(hidden: number): string {
  return `and ${hidden} more: cutover status ROUTE -w shows one`;
}

/** How many lines the sentence of each route may have, so that all fit into so many lines; each has room for its row. */
function storiesWithin(
  lines: number,
  routes: readonly RouteStatus[],
  linesOf: (route: RouteStatus, most: number) => number,
): (route: RouteStatus) => number {
  for (let most = MAX_STORY_LINES; most >= 1; most--) {
    const needed = routes.reduce((sum, route) => sum + 1 + linesOf(route, most), 0);
    if (needed <= lines) return () => most;
  }
  // What lines are left tell the story of those in trouble, the worst first.
  const told = new Set(troubleFirst(routes).slice(0, lines - routes.length));
  return (route) => (told.has(route) ? 1 : 0);
}

function columnsFor(
  routes: readonly RouteStatus[],
  trends: Trends,
  drawing: Drawing,
): readonly StackedColumn[] {
  const { paint } = drawing;
  const column = (
    head: string,
    align: "left" | "right",
    expendable: number,
    text: (route: RouteStatus) => string,
  ): StackedColumn => {
    const most = widest(
      head,
      routes.map((route) => printable(text(route))),
    );
    const cell = (route: RouteStatus) => styled(route, printable(text(route)), paint);
    return { head, align, least: most, most, expendable, cell };
  };
  const charts = chartsFor(routes, trends, drawing);
  const all = [
    nameColumn(routes, paint),
    stateColumn(column, paint),
    column("step\nnow / last", "right", 3, stepOfLast),
    column("canary", "right", 0, (route) => formatShare(route.canary)),
    column("shadow", "right", 8, (route) => formatShare(route.shadow)),
    column("baked", "right", 7, bakedShare),
    ...charts,
    column("p99 ms\nold / new", "right", 6, p99),
    column("evidence", "right", 2, evidence),
  ];
  const hasRollout = routes.some(({ step }) => step !== null);
  return all.filter(({ head }) => hasRollout || !ROLLOUT_HEADS.includes(head));
}

type MakeColumn = (
  head: string,
  align: "left" | "right",
  expendable: number,
  text: (route: RouteStatus) => string,
) => StackedColumn;

function nameColumn(routes: readonly RouteStatus[], paint: Paint): StackedColumn {
  const most = widest(
    "route",
    routes.map(({ name }) => printable(name)),
  );
  const cell = (route: RouteStatus, width: number) =>
    styled(route, cutMiddle(printable(route.name), width), paint);
  return {
    head: "route",
    align: "left",
    least: Math.min(most, LEAST_NAME_CELLS),
    most,
    expendable: 0,
    cell,
  };
}

function stateColumn(column: MakeColumn, paint: Paint): StackedColumn {
  const words = (route: RouteStatus) => STATE_WORDS[route.state] ?? printable(route.state);
  const plain = column("state", "left", 0, words);
  return {
    ...plain,
    cell: (route, width) => (route.latched ? paint("alarm", words(route)) : plain.cell(route, width)),
  };
}

function styled(route: RouteStatus, text: string, paint: Paint): string {
  const style = rowStyle(route);
  return style === null ? text : paint(style, text);
}

function widest(head: string, texts: readonly string[]): number {
  return Math.max(...head.split("\n").map(({ length }) => length), ...texts.map(textWidth));
}

interface Chart {
  readonly head: string;
  readonly measure: Measure;
  readonly expendable: number;
  readonly words: (line: Line, trend: Trend) => string;
  readonly style: (line: Line, trend: Trend) => Style;
}

const CHARTS: readonly Chart[] = [
  {
    head: "requests/s",
    measure: "requests",
    expendable: 4,
    words: ({ now }) => (now === null ? "–" : formatPerSecond(now)),
    style: () => "cyan",
  },
  {
    head: "errors/s\nof new",
    measure: "errors-new",
    expendable: 1,
    words: ({ now }) => (now === null ? "–" : formatPerSecond(now)),
    style: ({ now }) => (now !== null && now > 0 ? "red" : "dim"),
  },
  {
    head: "mismatches\nof pairs",
    measure: "mismatches",
    expendable: 5,
    // The sign says what the colour says.
    words: (line, trend) =>
      line.now === null ? "–" : `${formatMeasured(line.now)}${isOverLimit(line.now, trend) ? "!" : ""}`,
    style: (line, trend) => (isOverLimit(line.now, trend) ? "red" : "dim"),
  },
];

function chartsFor(routes: readonly RouteStatus[], trends: Trends, drawing: Drawing): StackedColumn[] {
  const isCompared = routes.some(({ comparisons }) => comparisons.match + comparisons.mismatch > 0);
  return CHARTS.filter(({ measure }) => measure !== "mismatches" || isCompared).map((chart) =>
    chartColumn(chart, routes, trends, drawing),
  );
}

function chartColumn(
  { head: name, measure, expendable, words, style }: Chart,
  routes: readonly RouteStatus[],
  trends: Trends,
  drawing: Drawing,
): StackedColumn {
  const head = measure === "requests" ? `${name}\nin ${spanWords(drawing)}` : name;
  const trendOf = (route: RouteStatus) => trends.get(route.name) ?? NO_TREND;
  const texts = new Map(
    routes.map((route) => [route, words(lineOf(trendOf(route), measure, drawing, 1), trendOf(route))]),
  );
  const textCells = widest("", [...texts.values()]);
  const least = Math.max(widest(head, []), LEAST_CHART_CELLS + 1 + textCells);
  return {
    head,
    align: "left",
    least,
    most: Math.max(least, MOST_CHART_CELLS + 1 + textCells),
    expendable,
    showsMismatches: measure === "mismatches",
    cell(route, width) {
      const trend = trendOf(route);
      const line = lineOf(trend, measure, drawing, width - 1 - textCells);
      const chart = spark(line.values, line.most ?? 0, drawing.glyphs);
      const now = (texts.get(route) ?? "").padStart(textCells);
      return `${drawing.paint(style(line, trend), chart)} ${now}`;
    },
  };
}
