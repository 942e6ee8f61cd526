/** The values that fields of rules have: shares, durations, sizes, methods … with their bounds. */

import { z } from "zod";
import { list, scalar, text } from "./schema-kit.ts";
import * as texts from "./texts.ts";
import type { Parsed } from "./units.ts";
import * as units from "./units.ts";

const DAY_MS = 86_400_000;
/** Timers hold 31 bits of milliseconds, 24.8 days. */
const LONGEST_TIMER_MS = 24 * DAY_MS;

const SHARE_PATTERN = "^[0-9]+(\\.[0-9]+)?\\s?%$";
const DURATION_PATTERN = "^[0-9]+(\\.[0-9]+)?\\s?(ms|s|m|h|d)$";
const SIZE_PATTERN = "^[0-9]+(\\.[0-9]+)?\\s?(B|KiB|MiB|GiB)$";

export function within<T>(parse: (text: string) => Parsed<T>, wrong: (value: T) => string | undefined) {
  return (input: string): Parsed<T> => {
    const parsed = parse(input);
    const why = parsed.ok ? wrong(parsed.value) : undefined;
    return why === undefined ? parsed : { ok: false, why };
  };
}

export const share = (description: string) =>
  scalar({ parse: units.parseShare, pattern: SHARE_PATTERN, description, examples: ["5%"] });

export const shareAboveZero = (
  description: string,
  switchOff = "to switch this off write off in place of the whole { … }",
) =>
  scalar({
    parse: (text) => {
      const parsed = units.parseShare(text);
      return text === "off" || (parsed.ok && parsed.value === 0)
        ? { ok: false, why: `it must be above 0%; ${switchOff}` }
        : parsed;
    },
    pattern: SHARE_PATTERN,
    description,
  });

export const duration = (description: string, example: string) =>
  durationUpTo(LONGEST_TIMER_MS, description, example);

export const durationUpTo = (maxMs: number, description: string, example: string) =>
  durationFromTo(1, maxMs, description, example);

export const durationFromTo = (minMs: number, maxMs: number, description: string, example: string) =>
  scalar({
    parse: within(units.parseDuration, (ms) => {
      if (ms < minMs) return `it must be at least ${units.formatDuration(minMs)}`;
      return ms > maxMs ? `it is at most ${units.formatDuration(maxMs)}` : undefined;
    }),
    pattern: DURATION_PATTERN,
    description,
    examples: [example],
  });

export const size = (minBytes: number, maxBytes: number, description: string, example: string) =>
  scalar({
    parse: within(units.parseSize, (bytes) =>
      bytes < minBytes || bytes > maxBytes
        ? `it is from ${units.formatSize(minBytes)} to ${units.formatSize(maxBytes)}`
        : undefined,
    ),
    pattern: SIZE_PATTERN,
    description,
    examples: [example],
  });

const method = scalar({ parse: texts.parseMethod, pattern: "^[A-Z][A-Z-]*$", description: "An HTTP method" });
export const methods = list(method, "[GET, HEAD]", 1);
export const headerName = scalar({ parse: texts.parseHeaderName, description: "A header's name" });
export const wholeHeaderName = scalar({ parse: texts.parseWholeHeaderName, description: "A header's name" });
export const backendName = text("The name of a backend");
export const filePath = text("A file, relative to this one");

export const backendUrl = scalar({
  parse: texts.parseBackendUrl,
  pattern: "^https?://[^/?#]+/?$",
  description: "http:// or https://, host and port",
  examples: ["http://127.0.0.1:9001"],
});

export const fieldValues = (what: string, nameOf: (name: string) => Parsed<string>) =>
  z
    .record(
      z.string().check((context) => {
        const parsed = nameOf(context.value);
        if (!parsed.ok) context.issues.push({ code: "custom", message: parsed.why, input: context.value });
      }),
      z.string({
        error: (issue) => (issue.input === null ? "write a text" : `put it in quotes: "${issue.input}"`),
      }),
      { error: `write a block of ${what} and their values, such as { x-app: web }` },
    )
    .meta({ description: `All of these ${what} with exactly these values` });
