/**
 * Metrics as Prometheus reads them: its text format 0.0.4, or OpenMetrics 1.0, which carries units and exemplars.
 * Names of series are the same in both, the numbers in `le` too, so that changing the format changes no series.
 */

export type Format = "text" | "openmetrics";

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** One request that fell into a bucket, and the trace to look it up by. */
export interface Exemplar {
  readonly traceId: string;
  readonly value: number;
  readonly atSeconds: number;
}

export interface Point {
  /** The family's own, or with `_bucket`, `_sum`, `_count`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar?: Exemplar | null;
}

export type FamilyType = "counter" | "gauge" | "histogram" | "info";

/** All series of one name. A counter's name ends in `_total`, an info's in `_info`. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: FamilyType;
  readonly points: Iterable<Point>;
}

/** Names of units with which a name may end. */
const UNITS = ["seconds", "bytes", "ratio"];

/**
 * The lines of all families in their order, each with its end; whatever labels hold, a line stays one line. Each is made
 * when it is asked for, so that whoever has something else to do can do it in between.
 */
export function* metricLines(families: Iterable<Family>, format: Format): Generator<string, void> {
  for (const family of families) {
    if (format === "openmetrics") yield* describeOpen(family);
    else yield* describeText(family);
    for (const point of family.points) yield lineOf(point, format);
  }
  if (format === "openmetrics") yield "# EOF\n";
}

function* describeText({ name, help, type }: Family): Generator<string, void> {
  // Here backslash and line feed alone are escaped: a quote is one.
  yield `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n`;
  yield `# TYPE ${name} ${type === "info" ? "gauge" : type}\n`;
}

/** There the family of `x_total` is `x`, that of `x_info` is `x`. */
function* describeOpen({ name, help, type }: Family): Generator<string, void> {
  const suffix = type === "counter" ? "_total" : type === "info" ? "_info" : "";
  const family = suffix !== "" && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
  yield `# TYPE ${family} ${type}\n`;
  const unit = type === "info" ? undefined : UNITS.find((each) => family.endsWith(`_${each}`));
  if (unit !== undefined) yield `# UNIT ${family} ${unit}\n`;
  yield `# HELP ${family} ${escaped(help)}\n`;
}

function lineOf({ name, labels, value, exemplar }: Point, format: Format): string {
  const line = `${name}${labelsOf(labels)} ${numberText(value)}`;
  if (format === "text" || exemplar == null) return `${line}\n`;
  const { traceId, value: example, atSeconds } = exemplar;
  return `${line} # {trace_id="${escaped(traceId)}"} ${numberText(example)} ${atSeconds.toFixed(3)}\n`;
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  let inside = "";
  for (const name in labels) {
    inside += `${inside === "" ? "" : ","}${name}="${escaped(labels[name] as string)}"`;
  }
  return inside === "" ? "" : `{${inside}}`;
}

function escaped(text: string): string {
  if (!/["\\\n]/.test(text)) return text;
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

/** A bound as OpenMetrics writes it: `1.0`, never `1`. Labels are opaque: two spellings are two series. */
export function boundText(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : numberText(bound);
}
