/**
 * Spans as data threads write them down: one for each request, one for each leg. Words and numbers alone, so that
 * they can be posted; names of OpenTelemetry are given to them where they are exported.
 *
 * What is not in here is never exported: no field of a request or an answer, no query, no body, no key.
 */

import type { Failure } from "./failures.ts";
import type { PathTemplate } from "./path.ts";
import type { Reason } from "./reasons.ts";
import type { KeySource, Side } from "./ruleset.ts";

/** Why a side was asked. `second`: old, again, for its noise. `confirmation`: both, again, after a mismatch. */
export type LegRole = "serving" | "fallback" | "shadow" | "second" | "confirmation";

interface SpanFacts {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** Null: the trace begins with this span. */
  readonly parentId: string | null;
  /** 2 hex digits, as in traceparent. */
  readonly flags: string;
  /** Since 1970, with fractions. */
  readonly startMs: number;
  readonly durationMs: number;
  /** As sent. */
  readonly method: string;
  /** See `shownPath`. */
  readonly path: string;
  readonly side: Side;
  /** The configured name; "unmatched": none. */
  readonly route: string;
  /** Version of the rules. */
  readonly rules: string;
  /** Null: no answer. */
  readonly status: number | null;
  readonly failure: Failure | null;
}

/** A client's request, from its head to the end of its answer. */
export interface RequestSpan extends SpanFacts {
  readonly kind: "request";
  readonly reason: Reason;
  /** Of the condition that matched, such as "/profiles/{id}"; null: it named no path. */
  readonly template: string | null;
  /** Who it was for, without the port, in lower case; "": it did not say. */
  readonly host: string;
  /** "http" or "https": as it came, or as a trusted proxy says that it came there. */
  readonly scheme: string;
  /** "1.1" or "1.0". */
  readonly httpVersion: string;
  readonly fallback: boolean;
  readonly shadow: boolean;
}

/** One request to one backend. */
export interface LegSpan extends SpanFacts {
  readonly kind: "leg";
  readonly role: LegRole;
  /** Of the backend's URL that was asked, such as "http://10.0.0.7:9001"; "": none was chosen. */
  readonly origin: string;
  /** How often the same was sent before. */
  readonly resends: number;
}

export type SpanRecord = RequestSpan | LegSpan;

/** What the spans of one request have in common. */
export interface OpenSpan {
  /** The request's own; its legs name it as their parent. */
  readonly id: string;
  /** Without a key, and bounded. */
  readonly path: string;
  readonly template: PathTemplate | null;
  /** The thread's clock at 0, since 1970: one for all of them, so that legs lie within their request. */
  readonly zeroMs: number;
}

/** What became of spans: taken by the collector; no room for them; sent in vain, or lost with their thread. */
export const SPAN_RESULTS = ["exported", "dropped", "failed"] as const;
export type SpanResult = (typeof SPAN_RESULTS)[number];

/** Long enough to tell a path by; clients choose it. */
const MAX_PATH_CHARS = 512;

/** A path as a span may show it: cut where it is long, and with its name in the place of a segment that is a key. */
export function shownPath(path: string, template: PathTemplate | null, keys: readonly KeySource[]): string {
  let shown = path;
  for (const source of keys) {
    const at = source.kind === "path" ? template?.parameters.get(source.name) : undefined;
    if (at !== undefined) shown = withSegment(shown, at, nameOf(source));
  }
  return shown.length > MAX_PATH_CHARS ? `${shown.slice(0, MAX_PATH_CHARS)}…` : shown;
}

/** A template as the rules write it. */
export function templateText({ segments, parameters, subtree }: PathTemplate): string {
  const texts: (string | null)[] = [...segments];
  for (const [name, at] of parameters) texts[at] = `{${name}}`;
  return `/${texts.join("/")}${subtree ? (segments.length === 0 ? "**" : "/**") : ""}`;
}

function withSegment(path: string, at: number, text: string): string {
  const segments = path.slice(1).split("/");
  if (at < segments.length) segments[at] = text;
  return `/${segments.join("/")}`;
}

function nameOf(source: KeySource): string {
  return "name" in source ? `{${source.name}}` : "";
}
