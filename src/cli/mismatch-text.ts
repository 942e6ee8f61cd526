/** `cutover mismatches --show` as text: one pair in full. */

import { curlLine } from "../model/curl.ts";
import { counted, formatAgo, formatCount } from "../model/figures.ts";
import { indentJson, looksLikeJson } from "../model/json-text.ts";
import type { AnswerSample, BackendStatus, MismatchSample } from "../model/reports.ts";
import type { Side } from "../model/ruleset.ts";
import { bodyDelta } from "./body-delta.ts";
import { boundedLines } from "./body-text.ts";
import { change } from "./mismatch-table.ts";
import { type Paint, printable } from "./output.ts";
import { cutEnd } from "./width.ts";

/** How a pair is to be shown. */
export interface SampleView {
  /** Cells of the terminal; null: no terminal. */
  readonly columns: number | null;
  readonly nowMs: number;
  /** Where the route's two sides can be asked; null: not known by name. */
  readonly origins: Readonly<Record<Side, string>> | null;
  readonly backends: readonly BackendStatus[];
}

const MAX_BODY_LINES = 120;
const MAX_DELTA_LINES = 200;
const MAX_DIFFERENCES = 50;
/** Of a body's line; one line of 64 KiB would fill many screens. */
const MAX_LINE_WIDTH = 500;
const SAFE_METHODS: readonly string[] = ["GET", "HEAD", "OPTIONS"];

/** The whole text, bounded in lines and their length; it says what it leaves out. */
export function describeSample(sample: MismatchSample, view: SampleView, paint: Paint): string {
  const blocks = [
    heading(sample, view, paint),
    differences(sample, view, paint),
    answer("old", sample.old, paint),
    answer("new", sample.new, paint),
    delta(sample, paint),
    again(sample, view, paint),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

function heading(sample: MismatchSample, { nowMs }: SampleView, paint: Paint): string[] {
  const { id, at, route, rulesVersion, requestId, clusters, method, target } = sample;
  return [
    paint("bold", cutEnd(printable(`${method} ${target}`), MAX_LINE_WIDTH)),
    printable(`pair ${id} of ${route}, ${at} (${formatAgo(at, nowMs)}), rules ${rulesVersion}`),
    printable(`request ${requestId}${clusters.length === 0 ? "" : `, clusters ${clusters.join(" ")}`}`),
  ];
}

function differences(sample: MismatchSample, { columns }: SampleView, paint: Paint): string[] {
  const room = columns === null ? null : Math.max(columns - 4, 8);
  const shown = sample.differences.slice(0, MAX_DIFFERENCES);
  const left = sample.differences.length - shown.length;
  return [
    paint("bold", counted(sample.differences.length, "difference")),
    ...shown.flatMap(({ place, kind, old, new: fresh, relation }) => [
      `  ${cutEnd(printable(`${place}  ${kind}${relation === null ? "" : ` (${relation})`}`), MAX_LINE_WIDTH)}`,
      // Without values (redacted, or samples off) there is nothing to lay beside each other.
      ...(old === null && fresh === null ? [] : [`    ${change(old, fresh, room, paint)}`]),
    ]),
    ...(left === 0 ? [] : [`  … ${counted(left, "more difference")}: -o json has them`]),
  ];
}

function answer(
  side: Side,
  { status, headers, body, bodyBytes, whole }: AnswerSample,
  paint: Paint,
): string[] {
  const size = `${formatCount(bodyBytes)} bytes${whole || body === null ? "" : ", not all of it kept"}`;
  return [
    paint("bold", `${side}: ${status}, ${size}`),
    ...Object.entries(headers).map(
      ([name, value]) => `  ${cutEnd(printable(`${name}: ${value}`), MAX_LINE_WIDTH)}`,
    ),
    ...bodyLines(body, headers["content-type"], bodyBytes).map((line) => `  ${line}`),
  ];
}

function bodyLines(body: string | null, contentType: string | undefined, bodyBytes: number): string[] {
  if (body === null)
    return bodyBytes === 0 ? [] : ["(the body was not kept: it is no text, or could not be redacted)"];
  if (body === "") return [];
  const text = looksLikeJson(body, contentType) ? indentJson(body) : body;
  return boundedLines(text.replace(/\n$/, "").split(/\r?\n/), MAX_BODY_LINES, MAX_LINE_WIDTH);
}

function delta(sample: MismatchSample, paint: Paint): string[] {
  const { old, new: fresh } = sample;
  if (old.body === null || fresh.body === null || old.body === fresh.body) return [];
  const lines = bodyDelta(
    { text: old.body, contentType: old.headers["content-type"] },
    { text: fresh.body, contentType: fresh.headers["content-type"] },
    paint,
  );
  if (lines === null) return [];
  const left = lines.length - MAX_DELTA_LINES;
  return [
    paint("bold", "the bodies, old → new"),
    ...lines.slice(0, MAX_DELTA_LINES).map((line) => `  ${line}`),
    ...(left > 0 ? [`  … ${counted(left, "more line")}: -o json has both bodies`] : []),
  ];
}

/** The commands that ask both sides the same, and what they cannot know. */
function again(sample: MismatchSample, { origins, backends }: SampleView, paint: Paint): string[] {
  const { method, target, requestHeaders } = sample;
  const line = (origin: string) => curlLine({ origin, method, target, headers: requestHeaders });
  const known = backends.flatMap(({ name, endpoints }) => endpoints.map(({ url }) => `${name} ${url}`));
  const notes = [
    ...(origins === null ? [`put the backends' addresses in: ${known.join(", ") || "see your rules"}`] : []),
    "not every field is kept, and credentials never: add -H 'authorization: …', -H 'cookie: …' or others that they read",
    ...(isRedacted(target, requestHeaders) ? ["what is redacted must be put back"] : []),
    ...(SAFE_METHODS.includes(method)
      ? []
      : [`a ${method} may change something each time it is asked, and its body was not kept`]),
  ];
  return [
    paint("bold", "ask both again"),
    `  # old`,
    `  ${printable(line(origins?.old ?? "http://OLD-BACKEND"))}`,
    `  # new`,
    `  ${printable(line(origins?.new ?? "http://NEW-BACKEND"))}`,
    ...notes.map((note) => paint("dim", `  # ${printable(note)}`)),
  ];
}

function isRedacted(target: string, headers: Readonly<Record<string, string>>): boolean {
  return [target, ...Object.values(headers)].some((text) => /(?:\[|%5b)redacted(?:\]|%5d)/i.test(text));
}
