/** A terminal's screen, as far as the command line uses it: what a person would see after so much output. */

import { textWidth } from "../../src/cli/width.ts";

const ESCAPE = String.fromCharCode(0x1b);
/** An escape sequence, a line end, or one character. */
const PIECES = new RegExp(`${ESCAPE}\\[([?0-9;]*)([A-Za-z])|\\r|\\n|\\p{Extended_Pictographic}|.`, "gsu");

export class Screen {
  /** Lines from the first one on, also those that have scrolled out of sight. */
  readonly #cells: string[][] = [[]];
  #columns: number;
  #rows: number;
  #row = 0;
  #column = 0;
  isCursorVisible = true;
  /** Whether it was ever hidden: something was drawn in place. */
  wasCursorHidden = false;
  /** Sequences that it does not know, which is a failure of whoever wrote them. */
  readonly unknown: string[] = [];

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#rows = rows;
  }

  /** Like a terminal that wraps lines again: those that are too long now take further rows. */
  resize(columns: number, rows: number): void {
    this.#columns = columns;
    this.#rows = rows;
    for (let row = 0; row < this.#cells.length; row++) {
      const cells = this.#cells[row] ?? [];
      if (cells.length <= columns) continue;
      this.#cells.splice(row + 1, 0, cells.splice(columns));
      if (this.#row > row) this.#row += 1;
    }
  }

  write(text: string): void {
    for (const [piece, parameters, letter] of text.matchAll(PIECES)) {
      if (letter !== undefined) this.#obey(parameters ?? "", letter);
      else if (piece === "\r") this.#column = 0;
      else if (piece === "\n") this.#lineFeed();
      else this.#put(piece);
    }
  }

  /** What is in sight, without the empty lines at the end. */
  lines(): string[] {
    const seen = this.#cells.slice(this.#top()).map((cells) => cells.join("").trimEnd());
    while (seen.at(-1) === "") seen.pop();
    return seen;
  }

  text(): string {
    return this.lines().join("\n");
  }

  #top(): number {
    return Math.max(0, this.#cells.length - this.#rows);
  }

  #lineFeed(): void {
    this.#row += 1;
    while (this.#cells.length <= this.#row) this.#cells.push([]);
  }

  #put(character: string): void {
    const width = textWidth(character);
    if (this.#column + width > this.#columns) {
      this.#column = 0;
      this.#lineFeed();
    }
    const cells = this.#cells[this.#row] ?? [];
    while (cells.length < this.#column) cells.push(" ");
    cells[this.#column] = character;
    if (width === 2) cells[this.#column + 1] = "";
    this.#column += width;
  }

  #obey(parameters: string, letter: string): void {
    const count = Math.max(1, Number(parameters) || 1);
    const cells = this.#cells[this.#row] ?? [];
    if (letter === "m") return;
    if (letter === "A") this.#row = Math.max(this.#top(), this.#row - count);
    else if (letter === "B") this.#row = Math.min(this.#cells.length - 1, this.#row + count);
    else if (letter === "G") this.#column = count - 1;
    else if (letter === "K") {
      if (parameters === "2") cells.length = 0;
      else cells.length = Math.min(cells.length, this.#column);
    } else if ((letter === "h" || letter === "l") && parameters === "?25") {
      this.isCursorVisible = letter === "h";
      this.wasCursorHidden ||= letter === "l";
    } else if (!((letter === "h" || letter === "l") && parameters === "?2026")) {
      this.unknown.push(`${parameters}${letter}`);
    }
  }
}
