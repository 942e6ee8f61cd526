/** A cutover in steps, as rules say it; resolve-rollout.ts makes model/ruleset.ts' Rollout of it. */

import { z } from "zod";
import { parseTimeWindow } from "../model/time-window.ts";
import { parseGateUrl, parsePrometheusUrl } from "./gate-urls.ts";
import { boundedList, flag, integer, scalar, section, text, word } from "./schema-kit.ts";
import { durationFromTo, share } from "./schema-values.ts";
import * as texts from "./texts.ts";

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

const MAX_STEPS = 100;
/** Every one of them may be a connection that is opened again and again. */
const MAX_GATES = 50;
/** A leap year: a bake is time that is added up, no timer, and a cutover may have to see a year's end. */
const LONGEST_BAKE_MS = 366 * DAY_MS;
const LONGEST_TIMEOUT_MS = 60 * SECOND_MS;
/** It travels in a URL, where every character may take three. */
const MAX_QUERY_CHARS = 2000;
const MAX_TEXT_CHARS = 500;
const MAX_FILE_CHARS = 4096;

const gateName = scalar({
  parse: texts.parseName,
  pattern: texts.NAME_PATTERN,
  description: "The name of one of gates",
  examples: ["backfill-done"],
});

const stepSchema = section({
  shadow: share(
    "Share of the requests that new is shown as well. Default: that of the step before",
  ).optional(),
  canary: share("Share that new serves; it only rises. Default: that of the step before").optional(),
  bake: durationFromTo(0, LONGEST_BAKE_MS, "Time that the step lasts at least. Default 0s", "10m").optional(),
  minSamples: integer(1, 10_000_000, "Answers of new needed in it. Default guard.minSamples").optional(),
  gate: z
    .union([gateName, boundedList(gateName, "[backfill-done, office-hours]", MAX_GATES, "gates")], {
      error: "write the name of a gate, or a list of names such as [backfill-done, office-hours]",
    })
    .meta({ description: "Gates that must say yes before the next step" })
    .optional(),
  approve: flag("Whether a person has to say so before the next step. Default false").optional(),
});

const HOW_STEPS = "write a list of steps, such as [{ shadow: 100%, bake: 10m }, { canary: 5%, bake: 30m }]";

const stepsSchema = z
  .array(stepSchema, { error: HOW_STEPS })
  .min(1, { error: HOW_STEPS })
  .max(MAX_STEPS, {
    error: ({ input }) =>
      `with ${Array.isArray(input) ? input.length : "so many"} steps it is too long: write at most ${MAX_STEPS}`,
  });

const limit = (description: string) =>
  z
    .number({ error: "write a number, such as 5" })
    .meta({ description, examples: [5] })
    .optional();

const HOW_EQUALS = "write a number, a text, true or false";

/** All fields of all kinds of gates; checks-rollout.ts says which go together. */
const gateFields = {
  http: scalar({
    parse: parseGateUrl,
    pattern: "^https?://",
    description: "Asked with GET, answered with JSON",
    examples: ["http://127.0.0.1:7000/lag"],
  }).optional(),
  path: scalar({
    parse: texts.parseSingularPath,
    pattern: "^\\$",
    description: "To one value of the answer: JSONPath (RFC 9535) of names and indexes",
    examples: ["$.lagSeconds"],
  }).optional(),
  prometheus: scalar({
    parse: parsePrometheusUrl,
    pattern: "^https?://",
    description: "The address of a server; /api/v1/query is added",
    examples: ["http://prometheus:9090"],
  }).optional(),
  query: text("Of one number: a scalar, or one series", (query) =>
    query.length > MAX_QUERY_CHARS ? `a query has at most ${MAX_QUERY_CHARS} characters` : undefined,
  ).optional(),
  below: limit("Yes when the value is less"),
  above: limit("Yes when the value is more"),
  atMost: limit("Yes when the value is so much or less"),
  atLeast: limit("Yes when the value is so much or more"),
  equals: z
    .union([z.number(), z.string().max(MAX_TEXT_CHARS, { error: HOW_EQUALS }), z.boolean()], {
      error: HOW_EQUALS,
    })
    .meta({ description: "Yes when the value is this one" })
    .optional(),
  file: text("A file, relative to this one", (path) =>
    path.includes("\0") || path.length > MAX_FILE_CHARS ? "write the path of a file" : undefined,
  ).optional(),
  present: flag("false: yes when the file is not there. Default true").optional(),
  window: scalar({
    parse: parseTimeWindow,
    description: "Days, hours and a time zone (UTC where there is none)",
    examples: ["Mon-Fri 09:00-16:00 Europe/Berlin"],
  }).optional(),
  preflight: z
    .literal(true, { error: "write true, or take the gate out" })
    .meta({ description: "Yes when rollback was rehearsed and both backends are well" })
    .optional(),
  every: durationFromTo(SECOND_MS, DAY_MS, "How often it is asked. Default 10s", "10s").optional(),
  timeout: durationFromTo(
    1,
    LONGEST_TIMEOUT_MS,
    "For its answer, at most every. Default 5s, or every if that is less",
    "5s",
  ).optional(),
};

const gateSchema = section(gateFields, { instead: { absent: "write present: false" } });

const gatesSchema = z
  .record(
    z.string().check((context) => {
      const parsed = texts.parseName(context.value);
      if (!parsed.ok) context.issues.push({ code: "custom", message: parsed.why, input: context.value });
    }),
    gateSchema,
    { error: "write a block of gates by name, such as backfill-done: { file: backfill.done }" },
  )
  .check((context) => {
    const count = Object.keys(context.value).length;
    if (count <= MAX_GATES) return;
    const message = `with ${count} gates it is too long: write at most ${MAX_GATES}`;
    context.issues.push({ code: "custom", message, input: context.value });
  })
  .meta({ description: "Conditions that steps name" });

export const rolloutSchema = section({
  start: word(["paused", "running"], "Whether it begins by itself. Default paused").optional(),
  steps: stepsSchema.optional(),
  gates: gatesSchema.optional(),
});

export type RolloutFields = z.output<typeof rolloutSchema>;
export type StepFields = z.output<typeof stepSchema>;
export type GateFields = z.output<typeof gateSchema>;
