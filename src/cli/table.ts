/** Tables without borders, for all commands alike. */

import { stripVTControlCharacters } from "node:util";
import { textWidth } from "./width.ts";

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
  const heads = columns.map(({ head }) => head.split("\n"));
  const headHeight = Math.max(0, ...heads.map(({ length }) => length));
  const headRows = Array.from({ length: headHeight }, (_, line) => heads.map((head) => head[line] ?? ""));
  return [...headRows, ...rows].map((cells) => rowLine(columns, cells));
}

function rowLine(columns: readonly TableColumn[], cells: readonly string[]): string {
  return columns
    .map(({ align, width }, index) => padded(cells[index] ?? "", align, width))
    .join(" ".repeat(COLUMN_GAP))
    .trimEnd();
}

function padded(cell: string, align: TableColumn["align"], width: number): string {
  // By cells as terminals count them: wide characters take two, and styles none.
  const missing = " ".repeat(Math.max(0, width - textWidth(stripVTControlCharacters(cell))));
  return align === "left" ? cell + missing : missing + cell;
}
