/** Stored pairs judged again, as text: a table for `mismatches --retro`, sentences for `ignore`. */

import { counted, formatCount } from "../model/figures.ts";
import type { RetroReport } from "../model/reports.ts";
import { type Paint, printable } from "./output.ts";
import { tableLines } from "./table.ts";
import { cutMiddle, textWidth } from "./width.ts";

/** Sums, then each cluster with its pairs before and those that still differ. `columns` null: nothing is cut. */
export function describeRetro(report: RetroReport, columns: number | null, paint: Paint): string {
  const { rules, samples, stillMismatch, nowMatch, cannotTell, clusters } = report;
  if (samples === 0) {
    return "no stored pairs to judge again: pairs that differ are stored as they come, unless the rules say `samples: off` under compare, or --no-samples is set";
  }
  const sums = [
    `${counted(samples, "stored pair")} judged again by rules ${printable(rules)}:`,
    `  ${formatCount(stillMismatch)} still ${stillMismatch === 1 ? "differs" : "differ"}`,
    `  ${formatCount(nowMatch)} ${nowMatch === 1 ? "does" : "do"} not any more`,
    ...(cannotTell === 0 ? [] : [`  ${formatCount(cannotTell)} cannot be told: ${UNTOLD}`]),
  ];
  return clusters.length === 0
    ? sums.join("\n")
    : [...sums, "", ...clusterTable(clusters, columns, paint)].join("\n");
}

/** More names than this on one line are not read. */
const MAX_PLACES = 5;
const UNTOLD = "stored cut, not as text, or could not be redacted";

function clusterTable(clusters: RetroReport["clusters"], columns: number | null, paint: Paint): string[] {
  const manyRoutes = new Set(clusters.map(({ route }) => route)).size > 1;
  const rows = clusters.map(({ route, place, kind, before, after, id }) => [
    printable(manyRoutes ? `${route} ${place}` : place),
    printable(kind),
    formatCount(before),
    formatCount(after),
    printable(id),
  ]);
  const heads = [manyRoutes ? "route and place" : "place", "kind", "before", "after", "id"];
  const widths = heads.map((head, index) =>
    Math.max(head.length, ...rows.map((row) => textWidth(row[index] ?? ""))),
  );
  const rest = widths.slice(1).reduce((sum, width) => sum + width + 2, 2);
  const first = columns === null ? (widths[0] ?? 0) : Math.min(widths[0] ?? 0, Math.max(columns - rest, 12));
  // A narrow terminal keeps the place and the two counts.
  const shown = columns !== null && first + rest > columns ? [0, 2, 3] : [0, 1, 2, 3, 4];
  return tableLines(
    shown.map((index) => ({
      head: paint("bold", heads[index] ?? ""),
      align: index === 2 || index === 3 ? "right" : "left",
      width: index === 0 ? first : (widths[index] ?? 0),
    })),
    rows.map((row, at) => {
      const style = clusters[at]?.after === 0 ? "green" : null;
      return shown.map((index) => {
        const text = index === 0 ? cutMiddle(row[0] ?? "", first) : (row[index] ?? "");
        return style === null ? text : paint(style, text);
      });
    }),
  );
}

/**
 * What ignoring a path would hide, in sentences: `now` is the stored pairs judged by the rules in force, `then` by
 * those and the path.
 */
export function describeHiding(route: string, path: string, now: RetroReport, then: RetroReport): string[] {
  if (now.stillMismatch === 0) {
    return [`no stored pair of ${route} differs now: nothing shows what it would hide`, ...untold(then)];
  }
  const hidden = Math.max(0, now.stillMismatch - then.stillMismatch);
  const all =
    now.stillMismatch === 1 ? "1 stored mismatch" : `${formatCount(now.stillMismatch)} stored mismatches`;
  const left = then.clusters.filter(({ after }) => after > 0);
  const still = `${formatCount(then.stillMismatch)} still ${then.stillMismatch === 1 ? "differs" : "differ"} in: ${places(left)}`;
  return [
    `hides ${formatCount(hidden)} of ${all} of ${route}${then.stillMismatch === 0 ? "" : `; ${still}`}`,
    ...alsoHidden(path, hidden, now, then),
    ...untold(then),
  ];
}

/** What the path takes away besides whole pairs, and places that nobody named. */
function alsoHidden(path: string, hidden: number, now: RetroReport, then: RetroReport): string[] {
  const remaining = new Map(then.clusters.map(({ id, after }) => [id, after]));
  const fallen = now.clusters
    .map((cluster) => ({ ...cluster, after: cluster.after - (remaining.get(cluster.id) ?? 0) }))
    .filter(({ after }) => after > 0);
  const others = fallen.filter(({ place }) => place !== path);
  const own = Math.max(0, ...fallen.filter(({ place }) => place === path).map(({ after }) => after));
  const partly =
    own > hidden ? [`in ${counted(own - hidden, "more pair")} it hides one difference of several`] : [];
  if (others.length === 0) {
    return fallen.length === 0 ? [] : [...partly, "it hides nothing else that is stored"];
  }
  const words = others.length < fallen.length ? "what else it would hide" : "what it would hide";
  return [...partly, `${words}: ${places(others)}`];
}

/** The places with most pairs, by name. */
function places(clusters: RetroReport["clusters"]): string {
  const shown = clusters.toSorted((a, b) => b.after - a.after).slice(0, MAX_PLACES);
  const left = clusters.length - shown.length;
  const words = shown.map(({ place, kind, after }) => `${place} (${kind}, ${counted(after, "pair")})`);
  return `${words.join(", ")}${left === 0 ? "" : `, and ${counted(left, "more place")}`}`;
}

function untold({ cannotTell }: RetroReport): string[] {
  return cannotTell === 0 ? [] : [`${counted(cannotTell, "stored pair")} cannot be told: ${UNTOLD}`];
}
