/** `compare` of one route: its merged fields and the built-in values, and back to the words of the rules. */

import { DEFAULT_COMPARE } from "../model/default-compare.ts";
import type { Compare, Guard, Redact, StatusRule, Tolerance } from "../model/ruleset.ts";
import type { Description } from "./description.ts";
import type { RouteFields } from "./schema.ts";
import { formatDuration, formatRelative, formatShare } from "./units.ts";

type CompareFields = Exclude<RouteFields["compare"], "off" | undefined>;

/** Where mismatches are judged, noise must be known; elsewhere nobody asked for more load on old. */
const GUARDED_NOISE_PPM = 20_000;

/** `guard` of the route: where it judges mismatches, noise is measured unless the rules say otherwise. */
export function resolveCompare(fields: CompareFields | undefined, guard: Guard | null): Compare {
  const written = fields ?? {};
  const noise = written.noise ?? (guard?.mismatches ? GUARDED_NOISE_PPM : "off");
  const confirm = written.confirm ?? "off";
  return {
    status: statusOf(written.status),
    headers: written.headers ?? DEFAULT_COMPARE.headers,
    body: written.body ?? DEFAULT_COMPARE.body,
    ignore: written.ignore ?? [],
    unordered: written.unordered ?? [],
    tolerance: (written.tolerance ?? []).map(toleranceOf),
    rename: Object.entries(written.rename ?? {}).map(([old, fresh]) => ({ old, new: fresh })),
    noisePpm: noise === "off" ? 0 : noise,
    confirmAfterMs: confirm === "off" ? null : confirm,
    redact: redactOf(written.redact ?? []),
    samples: written.samples !== "off",
  };
}

function statusOf(fields: CompareFields["status"]): StatusRule | null {
  if (fields === false) return null;
  return { by: fields?.compare ?? "exact", equal: fields?.equal ?? [] };
}

const toleranceOf = ({
  path,
  absolute,
  relative,
}: NonNullable<CompareFields["tolerance"]>[number]): Tolerance => ({
  path,
  absolute: absolute ?? null,
  relative: relative ?? null,
});

function redactOf(fields: NonNullable<CompareFields["redact"]>): Redact {
  const named = (kind: "header" | "query") =>
    fields.flatMap((each) => (each.kind === kind ? [each.name] : []));
  return {
    paths: fields.flatMap((each) => (each.kind === "path" ? [each.path] : [])),
    headers: named("header"),
    query: named("query"),
  };
}

/** Every field, as rules that mean the same. */
export function describeCompare(compare: Compare): Description {
  const { redact } = compare;
  return {
    status: describeStatus(compare.status),
    headers: compare.headers,
    body: compare.body,
    ignore: compare.ignore,
    unordered: compare.unordered,
    tolerance: compare.tolerance.map(describeTolerance),
    rename: Object.fromEntries(compare.rename.map((each) => [each.old, each.new])),
    noise: compare.noisePpm === 0 ? "off" : formatShare(compare.noisePpm),
    confirm: compare.confirmAfterMs === null ? "off" : formatDuration(compare.confirmAfterMs),
    redact: [
      ...redact.paths,
      ...redact.headers.map((name) => `header:${name}`),
      ...redact.query.map((name) => `query:${name}`),
    ],
    samples: compare.samples ? "on" : "off",
  };
}

function describeStatus(status: StatusRule | null): Description | string | boolean {
  if (status === null) return false;
  const { by, equal } = status;
  if (equal.length > 0) return { compare: by, equal: equal.map((pair) => ({ ...pair })) };
  return by === "exact" ? true : by;
}

const describeTolerance = ({ path, absolute, relative }: Tolerance): Description => ({
  path,
  ...(absolute === null ? {} : { absolute }),
  ...(relative === null ? {} : { relative: formatRelative(relative) }),
});
