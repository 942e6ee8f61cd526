/** Samples and histograms as the families that exposition.ts writes. */

import type { MetricObjectWithValues, MetricValue } from "prom-client";
import { boundText, type Exemplar, type Family, type Format, type Point } from "./exposition.ts";

/** One sample: label values and a number. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface HistogramSample {
  readonly labels: Readonly<Record<string, string>>;
  /** Not cumulative; one more than there are bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
  /** One a count, each within its bounds; asked only where they are written. */
  readonly exemplars?: () => readonly (Exemplar | null)[];
}

type Described = Pick<Family, "name" | "help">;

/** Read when they are written, each sample in its turn. */
export function familyOf(
  { name, help, type }: Described & { readonly type: Family["type"] },
  read: () => Iterable<Sample>,
): Family {
  return { name, help, type, points: pointsOf(name, read) };
}

function* pointsOf(name: string, read: () => Iterable<Sample>): Generator<Point, void> {
  for (const { labels, value } of read()) yield { name, labels, value };
}

/** `bounds`: all upper ones but that of the last bucket, which has none. */
export function histogramOf(
  { name, help }: Described,
  bounds: readonly number[],
  read: () => Iterable<HistogramSample>,
  format: Format,
): Family {
  return { name, help, type: "histogram", points: bucketsOf(name, bounds, read, format) };
}

function* bucketsOf(
  name: string,
  bounds: readonly number[],
  read: () => Iterable<HistogramSample>,
  format: Format,
): Generator<Point, void> {
  for (const { labels, counts, sum, exemplars } of read()) {
    // An exemplar may be read before the count of its request is: a bucket that nothing is in has none.
    const found = format === "openmetrics" ? exemplars?.() : undefined;
    let below = 0;
    for (const [index, count] of counts.entries()) {
      below += count;
      const le = boundText(bounds[index] ?? Number.POSITIVE_INFINITY);
      const exemplar = count > 0 ? (found?.[index] ?? null) : null;
      yield { name: `${name}_bucket`, labels: { ...labels, le }, value: below, exemplar };
    }
    yield { name: `${name}_sum`, labels, value: sum };
    yield { name: `${name}_count`, labels, value: below };
  }
}

/** One of prom-client's own. Its types leave out what they are by now: one of three, as texts. */
export function familyOfProcess({
  name,
  help,
  type,
  values,
}: MetricObjectWithValues<MetricValue<string>>): Family {
  const points = values.map((each): Point => {
    const { metricName = name } = each as { readonly metricName?: string };
    return { name: metricName, labels: textsOf(each.labels), value: each.value };
  });
  return { name, help, type: type as unknown as Family["type"], points };
}

function textsOf(labels: Readonly<Partial<Record<string, string | number>>>): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(labels)) {
    texts[name] = name === "le" && value !== "+Inf" ? boundText(Number(value)) : String(value);
  }
  return texts;
}
