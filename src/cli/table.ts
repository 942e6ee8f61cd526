/** Tables without borders, for all commands alike. */

import CliTable from "cli-table3";

/** Between columns, in cells. */
export const COLUMN_GAP = 2;

export interface TableColumn {
  /** May have several lines, and styles. */
  readonly head: string;
  readonly align: "left" | "right";
  /** In cells, without the gap. */
  readonly width: number;
}

/** The lines of a table: those of the head, then one a row. Cells must fit their columns, and have one line. */
export function tableLines(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): string[] {
  const table = new CliTable({
    head: columns.map(({ head }) => head),
    chars: NO_BORDERS,
    colWidths: columns.map(({ width }) => width + COLUMN_GAP),
    colAligns: columns.map(({ align }) => align),
    style: { head: [], border: [], "padding-left": 0, "padding-right": COLUMN_GAP },
  });
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
}

const NO_BORDERS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
};
