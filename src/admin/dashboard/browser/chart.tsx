/** One chart of lines over time, with a sentence for readers and a table beside it. */

import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { LineSample } from "./marks.tsx";
import { lonely, type Marker, type Values } from "./timeline.ts";
import { clock, visible } from "./words.ts";

const HEIGHT_PX = 170;
const TABLE_ROWS = 24;
/** All charts of the page share one cursor. */
const SYNC_KEY = "route";

export type LineKind = "old" | "new" | "noise" | "bad";

export interface Line {
  readonly label: string;
  readonly kind: LineKind;
  readonly isThin?: boolean;
  readonly values: Values;
  /** Of its own, where several lines are of one kind. */
  readonly dash?: readonly number[];
}

export interface ChartProps {
  readonly title: string;
  readonly times: readonly number[];
  /** Seconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly lines: readonly Line[];
  /** Drawn across; the scale reaches it. */
  readonly limit?: { readonly value: number; readonly label: string } | null;
  readonly markers: readonly Marker[];
  readonly format: (value: number) => string;
}

const DASHES: Readonly<Record<LineKind, readonly number[]>> = {
  old: [],
  new: [6, 3],
  noise: [2, 3],
  bad: [],
};

export function Chart(props: ChartProps) {
  const { title, times, lines, limit = null, format } = props;
  const [at, setAt] = useState<number | null>(null);
  const index = at === null ? lastKnown(lines) : at;
  const time = times[index];
  return (
    <figure class="panel chart">
      <figcaption>
        <h3>{title}</h3>
        <p class="chart-legend">
          {lines.map((line) => (
            <span key={line.label}>
              <LineSample kind={line.kind} isThin={line.isThin ?? false} dash={line.dash} />
              {visible(line.label)} <b class="number">{shown(line.values[index], format)}</b>
            </span>
          ))}
          {limit !== null && (
            <span>
              <LineSample kind="limit" />
              {limit.label}
            </span>
          )}
          {at !== null && time !== undefined && (
            <span class="quiet number">{clock(time * 1000, Date.now())}</span>
          )}
        </p>
      </figcaption>
      <Canvas {...props} onCursor={setAt} />
      <NumbersTable {...props} />
    </figure>
  );
}

function Canvas(props: ChartProps & { readonly onCursor: (index: number | null) => void }) {
  const host = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const plot = useRef<uPlot | null>(null);
  const { times, lines, from, to, markers } = props;
  const shape = lines.map(({ label, kind }) => `${kind} ${label}`).join("\n");
  const [theme, setTheme] = useState(0);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const redraw = (): void => setTheme((count) => count + 1);
    query.addEventListener("change", redraw);
    return () => query.removeEventListener("change", redraw);
  }, []);
  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const made = new uPlot(optionsOf(latest, element), dataOf(latest.current), element);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      const width = element.clientWidth;
      if (width > 0 && width !== made.width) made.setSize({ width, height: HEIGHT_PX });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, theme]);
  useEffect(() => {
    plot.current?.setData(dataOf(latest.current));
  }, [times, from, to, markers]);
  return <div class="chart-canvas" ref={host} role="img" aria-label={sentence(props)} />;
}

function dataOf({ times, lines }: ChartProps): uPlot.AlignedData {
  return [times as number[], ...lines.map(({ values }) => values as (number | null)[])];
}

function optionsOf(
  latest: { readonly current: ChartProps & { readonly onCursor: (index: number | null) => void } },
  element: HTMLElement,
): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const font = "11px system-ui, sans-serif";
  const axis = {
    stroke: color("quiet"),
    font,
    grid: { stroke: color("soft"), width: 1 },
    ticks: { stroke: color("edge"), width: 1 },
  };
  return {
    width: Math.max(element.clientWidth, 200),
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { sync: { key: SYNC_KEY }, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { time: true, range: () => [latest.current.from, latest.current.to] },
      y: { range: (_plot, _min, max) => [0, topOf(max, latest.current.limit?.value ?? null)] },
    },
    axes: [
      { ...axis, space: 60, values: (_plot, ticks) => ticks.map(timeOfDay) },
      { ...axis, size: 62, values: (_plot, ticks) => ticks.map((tick) => latest.current.format(tick)) },
    ],
    series: [
      {},
      ...latest.current.lines.map(
        (line): uPlot.Series => ({
          label: line.label,
          stroke: color(line.kind),
          width: line.isThin === true ? 1 : 2,
          dash: [...(line.dash ?? DASHES[line.kind])],
          points: { show: false, size: 4, filter: (plot, index) => lonely(plot.data[index] ?? []) },
        }),
      ),
    ],
    hooks: {
      setCursor: [(plot) => latest.current.onCursor(plot.cursor.idx ?? null)],
      draw: [
        (plot) => {
          drawLimit(plot, latest.current.limit ?? null, color("quiet"));
          drawMarkers(plot, latest.current.markers, {
            usual: color("quiet"),
            rollback: color("bad"),
            ground: color("surface"),
          });
        },
      ],
    },
  };
}

function timeOfDay(time: number): string {
  return new Date(time * 1000).toLocaleTimeString("en-GB").replace(/:00$/, "");
}

/** Room above the highest line; never a scale without height. */
function topOf(max: number | null, limit: number | null): number {
  const highest = Math.max(max ?? 0, limit ?? 0);
  return highest > 0 ? highest * 1.15 : 1;
}

function drawLimit(plot: uPlot, limit: ChartProps["limit"], stroke: string): void {
  if (limit === null || limit === undefined) return;
  const { ctx, bbox } = plot;
  const y = plot.valToPos(limit.value, "y", true);
  ctx.save();
  ctx.strokeStyle = stroke;
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.setLineDash([10, 4, 2, 4].map((each) => each * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

function drawMarkers(
  plot: uPlot,
  markers: readonly Marker[],
  colors: { readonly usual: string; readonly rollback: string; readonly ground: string },
): void {
  const { ctx, bbox } = plot;
  const { min = 0, max = 0 } = plot.scales.x ?? {};
  ctx.save();
  ctx.font = `bold ${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  for (const { time, key, isRollback } of markers) {
    if (time < (min ?? 0) || time > (max ?? 0)) continue;
    const x = plot.valToPos(time, "x", true);
    ctx.strokeStyle = isRollback ? colors.rollback : colors.usual;
    ctx.fillStyle = ctx.strokeStyle;
    ctx.lineWidth = (isRollback ? 2 : 1) * devicePixelRatio;
    ctx.setLineDash(isRollback ? [] : [2 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const half = 7 * devicePixelRatio;
    ctx.fillRect(x - half, bbox.top, 2 * half, 2 * half);
    ctx.fillStyle = colors.ground;
    ctx.fillText(key, x, bbox.top + 1.5 * devicePixelRatio);
  }
  ctx.restore();
}

function lastKnown(lines: readonly Line[]): number {
  const length = lines[0]?.values.length ?? 0;
  for (let index = length - 1; index >= 0; index--)
    if (lines.some(({ values }) => values[index] != null)) return index;
  return Math.max(0, length - 1);
}

function shown(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? "–" : format(value);
}

/** The chart in words: where each line is now, and between what it has been. */
function sentence({ title, lines, format, limit }: ChartProps): string {
  const index = lastKnown(lines);
  const each = lines.map(({ label, values }) => {
    const known = values.filter((value) => value !== null);
    if (known.length === 0) return `${visible(label)}: nothing known`;
    const [low, high] = [Math.min(...known), Math.max(...known)];
    return `${visible(label)}: now ${shown(values[index], format)}, from ${format(low)} to ${format(high)}`;
  });
  return [title, ...each, ...(limit == null ? [] : [limit.label])].join("; ");
}

function NumbersTable({ title, times, lines, format }: ChartProps) {
  const [open, setOpen] = useState(false);
  const every = Math.max(1, Math.ceil(times.length / TABLE_ROWS));
  const rows = open
    ? times
        .map((_, index) => index)
        .filter((index) => (times.length - 1 - index) % every === 0)
        .reverse()
    : [];
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Numbers: {title}</summary>
      <section class="scroll" aria-label={`Numbers: ${title}`} {...{ tabIndex: 0 }}>
        <table>
          <thead>
            <tr>
              <th scope="col">until</th>
              {lines.map(({ label }) => (
                <th key={label} scope="col" class="number">
                  {visible(label)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((index) => (
              <tr key={index}>
                <td class="when">{clock((times[index] ?? 0) * 1000, Date.now())}</td>
                {lines.map(({ label, values }) => (
                  <td key={label} class="number">
                    {shown(values[index], format)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}
