/** What the commands print: escaped, styled only where styles are wanted, and shaped for people or scripts. */

import { styleText } from "node:util";
import { spelledOut } from "../model/figures.ts";

export type OutputForm = "text" | "json";

/** Where a command prints. `process.stdout` is one; a test's is a plain object. */
export interface Terminal {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  /** Told when the size of a terminal has changed. */
  on?(event: "resize", listener: () => void): unknown;
  off?(event: "resize", listener: () => void): unknown;
}

/** Where a command reads what a person types. `process.stdin` is one. */
export type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

export interface Streams {
  readonly out: Terminal;
  readonly err: Terminal;
  /** Absent: nobody can be asked. */
  readonly in?: Input;
}

/**
 * Characters that move a cursor, change a terminal's state or reorder a line: C0, DEL, C1 (a bare U+009B begins
 * an escape sequence), line separators, and the bidirectional controls that make text read other than it is.
 */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text from anywhere as it may be shown on one line: what could act on a terminal is spelled out. */
export function printable(text: string): string {
  return text.replace(UNSAFE, spelledOut);
}

/** Like `printable`, for texts of several lines: line ends stay. */
export function printableLines(text: string): string {
  return text.split(/\r?\n/).map(printable).join("\n");
}

/** JSON for people and scripts: indented, and free of characters that act on a terminal. */
export function formatJson(value: unknown): string {
  return safeJson(value, 2);
}

/** The same on one line: a document a line can be read as it comes. */
export function formatJsonLine(value: unknown): string {
  return safeJson(value, 0);
}

function safeJson(value: unknown, indent: number): string {
  const text = JSON.stringify(value, null, indent) ?? "null";
  // JSON.stringify leaves DEL, C1 and the bidirectional controls as they are; \u escapes mean the same.
  return text.replace(UNSAFE, (character) =>
    character === "\n" ? character : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

export type Style = "red" | "green" | "yellow" | "cyan" | "bold" | "dim" | "alarm";

/** Applies styles where the stream shows them. */
export type Paint = (style: Style, text: string) => string;

/** A painter for one stream: plain when it is no terminal, or when NO_COLOR asks for it. */
export function createPaint(terminal: Terminal, env: Readonly<Record<string, string | undefined>>): Paint {
  const noColor = env.NO_COLOR !== undefined && env.NO_COLOR !== "";
  if (terminal.isTTY !== true || noColor || env.TERM === "dumb") return (_style, text) => text;
  return (style, text) =>
    styleText(style === "alarm" ? ["bgRed", "white", "bold"] : [style], text, { validateStream: false });
}

/** A time (ISO 8601) as "2026-01-05 10:00:00 UTC". */
export function shortTime(iso: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(iso)
    ? `${iso.slice(0, 19).replace("T", " ")} UTC`
    : printable(iso);
}

/** A delay in words: "250 ms", "2.1 s". */
export function formatDelay(delayMs: number): string {
  return delayMs < 1000 ? `${formatMs(delayMs)} ms` : `${Number((delayMs / 1000).toFixed(1))} s`;
}

/** Milliseconds short enough for a table: "3", "0.4", "12.5k". */
export function formatMs(valueMs: number): string {
  if (valueMs >= 10_000) return `${(valueMs / 1000).toFixed(1)}k`;
  return valueMs >= 10 ? String(Math.round(valueMs)) : String(Number(valueMs.toFixed(1)));
}

/** Seconds as "42s", "3m 20s", "5h 12m", "9d 4h". */
export function formatUptime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) return `${days}d ${hours}h`;
  if (hours > 0) return `${hours}h ${minutes}m`;
  return minutes > 0 ? `${minutes}m ${whole % 60}s` : `${whole}s`;
}
