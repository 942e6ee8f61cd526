/** Building blocks for schema.ts: zod types whose every error says what to write instead. */

import { z } from "zod";
import type { Parsed } from "./units.ts";

/** What a message of zod carries for issues.ts, where one sentence is not enough. */
export type Note =
  | ({ readonly kind: "fields"; readonly known: readonly string[] } & Hints)
  | { readonly kind: "names"; readonly known: readonly string[]; readonly why: string }
  | { readonly kind: "shorthand"; readonly field: string; readonly why: string };

/** What to do about fields that are not there and may well be meant. */
interface Hints {
  /** The interface describes them, and this version does not know them yet. */
  readonly later?: Readonly<Record<string, string>>;
  /** They belong elsewhere, or are called something else that a nearest name would not find. */
  readonly instead?: Readonly<Record<string, string>>;
}

const NOTE_PREFIX = "note:";

const noteText = (note: Note): string => NOTE_PREFIX + JSON.stringify(note);

export function readNote(message: string): Note | undefined {
  return message.startsWith(NOTE_PREFIX)
    ? (JSON.parse(message.slice(NOTE_PREFIX.length)) as Note)
    : undefined;
}

/** A block of fields. An unknown one is an error with a suggestion. */
export function section<Shape extends z.ZodRawShape>(shape: Shape, hints: Hints = {}) {
  const known = Object.keys(shape);
  const why = `write a block of fields (${known.join(", ")})`;
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? noteText({ kind: "fields", known, ...hints }) : why,
  });
}

interface ScalarOptions<T> {
  readonly parse: (text: string) => Parsed<T>;
  readonly description: string;
  /** For editors; the parser is stricter where it says more. */
  readonly pattern?: string;
  readonly examples?: readonly string[];
}

/** A text with a meaning of its own. A bare number or truth value is taught by the same parser. */
export function scalar<T>(options: ScalarOptions<T>) {
  const { parse, pattern, examples, description } = options;
  const meta = {
    description,
    ...(pattern ? { pattern } : {}),
    ...(examples ? { examples: [...examples] } : {}),
  };
  return z
    .string({ error: (issue) => whyNotText(issue.input, parse) })
    .meta(meta)
    .transform((text, context): T => {
      const parsed = parse(text);
      if (parsed.ok) return parsed.value;
      context.issues.push({ code: "custom", message: parsed.why, input: text });
      return z.NEVER;
    });
}

function whyNotText(input: unknown, parse: (text: string) => Parsed<unknown>): string {
  if (typeof input !== "number" && typeof input !== "boolean") {
    const empty = parse("");
    return empty.ok ? "write a text" : empty.why;
  }
  const parsed = parse(String(input));
  return parsed.ok ? `put it in quotes: "${input}"` : parsed.why;
}

/** A text that must pass a check, taken as it is. */
export function text(description: string, why: (text: string) => string | undefined = () => undefined) {
  const parse = (value: string): Parsed<string> => {
    const wrong = value === "" ? "write a text" : why(value);
    return wrong === undefined ? { ok: true, value } : { ok: false, why: wrong };
  };
  return scalar({ parse, description });
}

/** A whole number within bounds. */
export function integer(min: number, max: number, description: string) {
  const error = `write a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error }).meta({ description });
}

/** Any number within bounds. */
export function decimal(min: number, max: number, description: string) {
  const error = `write a number from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error }).meta({ description });
}

export function flag(description: string) {
  return z.boolean({ error: "write true or false" }).meta({ description });
}

/** One of a few words. */
export function word<const Words extends readonly [string, ...string[]]>(words: Words, description: string) {
  const why = words.length === 1 ? `write ${words[0]}` : `write one of ${words.join(", ")}`;
  const error = () => noteText({ kind: "names", known: words, why });
  return z.enum(words, { error }).meta({ description });
}

export function list<Item extends z.ZodType>(item: Item, example: string, atLeast = 0) {
  const error = `write a list, such as ${example}`;
  return z.array(item, { error }).min(atLeast, { error: `${error}, or leave the field out` });
}

/** A list with an upper bound too, against hostile or generated rules. */
export function boundedList<Item extends z.ZodType>(item: Item, example: string, most: number, what: string) {
  const error = ({ input }: { readonly input?: unknown }) =>
    `with ${Array.isArray(input) ? input.length : "so many"} ${what} it is too long: write at most ${most}`;
  return list(item, example).max(most, { error });
}

/** Either a short form that stands for one field of the block, or the block. */
export function shorthand<Short extends z.ZodType, Block extends z.ZodType>(
  field: string,
  short: Short,
  block: Block,
  example: string,
) {
  const why = `write ${example}, or a block of fields`;
  return z.union([short, block], { error: () => noteText({ kind: "shorthand", field, why }) });
}

/** "off", or what `on` describes. */
export function orOff<On extends z.ZodType>(on: On, why: string) {
  return z.union([z.literal("off", { error: why }), on], { error: why });
}
