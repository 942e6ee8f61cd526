/** How two answers are compared, as rules say it; resolve-compare.ts makes model/ruleset.ts' Compare of it. */

import { z } from "zod";
import { checkRename } from "../model/jsonpath.ts";
import type { BodyRule } from "../model/ruleset.ts";
import { boundedList, orOff, scalar, section, word } from "./schema-kit.ts";
import { durationUpTo, shareAboveZero, wholeHeaderName } from "./schema-values.ts";
import * as texts from "./texts.ts";
import { parseRelative } from "./units.ts";

/** Every path costs each differing pair a walk: more of them than this is a slip, or generated. */
const MAX_PATHS = 100;
const MINUTE_MS = 60_000;
/** A pair that waits to be asked again is kept in memory. */
const LONGEST_CONFIRM_MS = 5 * MINUTE_MS;

const BODY_RULES = [
  "auto",
  "json",
  "ndjson",
  "form",
  "xml",
  "html",
  "events",
  "text",
  "bytes",
  "off",
] as const satisfies readonly BodyRule[];

const jsonPath = (description: string, example: string) =>
  scalar({
    parse: texts.parseJsonPath,
    pattern: "^\\$",
    description,
    examples: [example],
  });

const paths = (description: string, example: string) =>
  boundedList(jsonPath(description, example), `["${example}"]`, MAX_PATHS, "paths");

const HOW_STATUS = "write a status such as 200, or a class such as 4xx";

/** 200, "200" or 4xx, kept as a text. */
const status = z
  .union(
    [
      z.int({ error: HOW_STATUS }).min(100, { error: HOW_STATUS }).max(599, { error: HOW_STATUS }),
      scalar({
        parse: texts.parseStatus,
        pattern: "^[1-5]([0-9][0-9]|xx|XX)$",
        description: "A status, or a class",
        examples: ["4xx"],
      }),
    ],
    { error: HOW_STATUS },
  )
  .transform(String);

const statusFields = section({
  compare: word(["exact", "class"], "class: 200 and 204 are the same. Default exact").optional(),
  equal: boundedList(
    section({ old: status, new: status }),
    "[{ old: 200, new: 201 }]",
    MAX_PATHS,
    "pairs",
  ).optional(),
});

type StatusFields = z.output<typeof statusFields>;

const HOW_STATUSES =
  "write one of true, false, class, or a block such as { compare: exact, equal: [{ old: 200, new: 201 }] }";

/** Short for a block that names how alone; false switches it off. */
const statusWord = z
  .union(
    [
      z.literal(false),
      z.literal(true).transform((): StatusFields => ({ compare: "exact" })),
      z.literal("class").transform((): StatusFields => ({ compare: "class" })),
    ],
    { error: HOW_STATUSES },
  )
  .meta({ description: "class: the same hundred is the same. Default true" });

const tolerance = section({
  path: jsonPath("Numbers there may differ (RFC 9535)", "$.price"),
  absolute: z
    .number({ error: "write a number above 0, such as 0.01; a share goes into relative: 1%" })
    .positive({ error: "write a number above 0, such as 0.01" })
    .meta({ description: "By so much", examples: [0.01] })
    .optional(),
  relative: scalar({
    parse: parseRelative,
    pattern: "^[0-9]+(\\.[0-9]+)?\\s?%$",
    description: "Of the greater of the two",
    examples: ["1%"],
  }).optional(),
});

const renames = z
  .record(
    z.string().check((context) => {
      const parsed = texts.parseJsonPath(context.value);
      if (!parsed.ok) context.issues.push({ code: "custom", message: parsed.why, input: context.value });
    }),
    jsonPath("New's name for it", "$.name"),
    { error: 'write what old calls it and what new calls it, such as { "$.fullName": "$.name" }' },
  )
  .check((context) => {
    const issue = (path: readonly string[], message: string) =>
      context.issues.push({ code: "custom", path: [...path], message, input: context.value });
    const entries = Object.entries(context.value);
    for (const [old, fresh] of entries) {
      // What is no path is said already, of itself.
      const why = texts.parseJsonPath(old).ok ? checkRename(old, fresh) : null;
      if (why !== null) issue([old], why);
    }
    if (entries.length > MAX_PATHS)
      issue([], `with ${entries.length} names it is too long: write at most ${MAX_PATHS}`);
  })
  .meta({ description: "Old's name of a member, and new's. From there on new's is meant" });

const redacted = scalar({
  parse: texts.parseRedact,
  pattern: "^(\\$|header:.|query:.)",
  description: "Never stored, logged or shown: a JSONPath, header:NAME or query:NAME",
  examples: ["$.email", "header:x-user", "query:token"],
});

export const compareSchema = section({
  status: z.union([statusWord, statusFields], { error: HOW_STATUSES }).optional(),
  headers: boundedList(wholeHeaderName, "[content-type]", MAX_PATHS, "names").optional(),
  body: word(BODY_RULES, "How bodies are compared; auto goes by their type. Default auto").optional(),
  ignore: paths("Left out of both bodies: JSONPath (RFC 9535)", "$.updatedAt").optional(),
  unordered: paths("Lists whose order means nothing: JSONPath (RFC 9535)", "$.tags").optional(),
  tolerance: boundedList(tolerance, '[{ path: "$.price", absolute: 0.01 }]', MAX_PATHS, "paths").optional(),
  rename: renames.optional(),
  noise: orOff(
    shareAboveZero("Share of the shadows that also ask old a second time", "to measure no noise write off"),
    "write a share such as 2%, or off",
  ).optional(),
  confirm: orOff(
    durationUpTo(LONGEST_CONFIRM_MS, "A mismatch is asked again on both sides so much later", "2s"),
    "write a time such as 2s, or off",
  ).optional(),
  redact: boundedList(
    redacted,
    '["$.email", "header:x-user", "query:token"]',
    MAX_PATHS,
    "entries",
  ).optional(),
  samples: word(["on", "off"], "Whether pairs that differ are stored. Default on").optional(),
});
