/** The loop behind a picture that is drawn in place: it asks, draws, and says when nobody answers. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "./context.ts";
import type { Drawing } from "./drawing.ts";
import { CliError, EXIT_UNREACHABLE } from "./exit.ts";
import { type Paint, printable } from "./output.ts";
import { openRedraw } from "./redraw.ts";
import { ASCII, glyphsFor } from "./spark.ts";
import { SPAN_MS } from "./trend.ts";
import { asciiOnly, wrapText } from "./width.ts";

/** What is watched: asked for again and again, and drawn from what was seen last. */
export interface View {
  /** Throws CliError. */
  look(): Promise<void>;
  /** Pure, once there was a look. */
  picture(drawing: Drawing): string[];
  /** What is missing from the picture, and why; null: nothing. */
  note(): string | null;
}

/** An answer that takes longer is worth saying. */
const SLOW_MS = 2_500;
const ROWS_FOR_A_NOTE = 16;

/** Redraws every `intervalMs` and at every new size, until `stop`; then the last picture stays. */
export async function watchLive(
  view: View,
  intervalMs: number,
  context: Context,
  stop: AbortSignal,
): Promise<void> {
  const { out } = context.streams;
  const redraw = await openRedraw(out);
  let answeredMs: number | null = null;
  let why: string | null = null;
  const draw = () => {
    if (answeredMs === null || stop.aborted) return;
    const awayMs = Date.now() - answeredMs;
    const trouble = why ?? (awayMs > SLOW_MS + intervalMs ? "its answer takes long" : null);
    const away = trouble === null ? null : { seconds: Math.round(awayMs / 1000), why: trouble };
    redraw.show(composed(view, away, drawingFor(context)));
  };
  out.on?.("resize", draw);
  try {
    let looking: Promise<{ readonly error: unknown }> | null = null;
    while (!stop.aborted) {
      const tick = sleep(intervalMs, null, { signal: stop }).catch(() => null);
      looking ??= view.look().then(
        () => ({ error: null }),
        (error: unknown) => ({ error }),
      );
      const ended = await Promise.race([looking, tick]);
      if (ended !== null && !stop.aborted) {
        looking = null;
        // Never reached: more likely a wrong address than a restart.
        if (ended.error !== null && (answeredMs === null || !isAway(ended.error))) throw ended.error;
        why = ended.error === null ? null : wordsOf(ended.error);
        if (ended.error === null) answeredMs = Date.now();
      }
      draw();
      await tick;
    }
  } finally {
    out.off?.("resize", draw);
    redraw.done();
  }
}

function isAway(error: unknown): boolean {
  return error instanceof CliError && error.exitCode === EXIT_UNREACHABLE;
}

function wordsOf(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error));
}

function drawingFor({ streams: { out }, paint, env }: Context): Drawing {
  // A terminal that was never told its size says 0.
  return {
    nowMs: Date.now(),
    spanMs: SPAN_MS,
    columns: out.columns || 80,
    rows: out.rows || 24,
    paint,
    glyphs: glyphsFor(env),
  };
}

export interface Away {
  readonly seconds: number;
  readonly why: string;
}

/** The picture with what must be said above and below it, still in the same room. */
export function composed(
  view: Pick<View, "picture" | "note">,
  away: Away | null,
  drawing: Drawing,
): string[] {
  const { columns, rows, paint, glyphs } = drawing;
  const top = away === null ? [] : awayLines(away, columns, rows, paint);
  const lines = [...top, ...view.picture({ ...drawing, rows: rows - top.length })];
  const note = view.note();
  if (note !== null && rows >= ROWS_FOR_A_NOTE && lines.length < rows - 1)
    lines.push(paint("dim", wrapText(printable(note), columns, 1)[0] ?? ""));
  return glyphs === ASCII ? lines.map(asciiOnly) : lines;
}

function awayLines({ seconds, why }: Away, columns: number, rows: number, paint: Paint): string[] {
  const text = `NO ANSWER for ${seconds} s, below is what was seen then: ${why}`;
  return wrapText(text, columns, rows >= ROWS_FOR_A_NOTE ? 3 : 1).map((line) => paint("alarm", line));
}
