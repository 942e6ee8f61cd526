/** `cutover status ROUTE -w`: one route and what it did in the last minutes, in the room of the terminal. Pure. */

import { formatShare } from "../model/figures.ts";
import type { RouteStatus } from "../model/reports.ts";
import { type Drawing, fitted, heightOf, type Part } from "./drawing.ts";
import { printable } from "./output.ts";
import {
  countFacts,
  FACT_INDENT,
  type Fact,
  factLines,
  judgementFacts,
  nextLines,
  rollbackLines,
  rolloutFacts,
  stateWords,
} from "./route-text.ts";
import { bar } from "./spark.ts";
import type { Trend } from "./trend.ts";
import { routeCharts } from "./watch-charts.ts";
import { cutEnd } from "./width.ts";

const TALLEST_CHART = 3;
const MOST_BAR_CELLS = 40;
const LEAST_BAR_CELLS = 5;

/** The lines of a picture, never more than `rows - 1`; charts are as tall as there is room for. */
export function watchRoute(route: RouteStatus, trend: Trend, drawing: Drawing): string[] {
  const room = Math.max(drawing.rows - 1, 3);
  for (let height = TALLEST_CHART; height > 1; height--) {
    const parts = partsOf(route, trend, height, drawing);
    if (heightOf(parts) <= room) return fitted(parts, room);
  }
  return fitted(partsOf(route, trend, 1, drawing), room);
}

function partsOf(route: RouteStatus, trend: Trend, height: number, drawing: Drawing): readonly Part[] {
  const { columns, paint } = drawing;
  const facts = (rank: number, list: readonly Fact[]): Part => ({
    rank,
    lines: list.flatMap((fact) => factLines(fact, route, columns, paint)),
  });
  const [evidence, verdict, waits] = judgementFacts(route);
  const one = (fact: Fact | undefined) => (fact === undefined ? [] : [fact]);
  return [
    { rank: 0, lines: [paint("bold", cutEnd(printable(route.name), columns))] },
    facts(0, [["state", stateWords(route)]]),
    { rank: 1, lines: [shareLine(route, drawing)] },
    facts(5, rolloutFacts(route)),
    facts(2, one(evidence)),
    facts(6, one(verdict)),
    facts(3, one(waits)),
    { rank: 3, lines: rollbackLines(route, columns, paint) },
    { rank: 4, lines: nextLines(route, columns, paint) },
    { rank: 9, lines: [""] },
    ...routeCharts(trend, height, drawing),
    { rank: 9, lines: [""] },
    facts(8, countFacts(route)),
  ];
}

/** Who gets what, and how far new has come at one look. */
function shareLine({ canary, shadow }: RouteStatus, { columns, paint, glyphs }: Drawing): string {
  const words = `${formatShare(canary)} to new, shadow ${formatShare(shadow)}`;
  const cells = Math.min(MOST_BAR_CELLS, columns - FACT_INDENT - 1 - words.length);
  if (cells < LEAST_BAR_CELLS) return cutEnd(`${"  canary".padEnd(FACT_INDENT)}${words}`, columns);
  return `${"  canary".padEnd(FACT_INDENT)}${paint("cyan", bar(canary, cells, glyphs))} ${words}`;
}
