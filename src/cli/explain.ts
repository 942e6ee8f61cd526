/** `cutover explain`: the gateway's own reasoning for a request, as a list for people. */

import { formatShare } from "../model/figures.ts";
import type { Explanation } from "../model/reports.ts";
import type { RemoteFlags } from "./action.ts";
import { createAdminClient, notAGateway } from "./client.ts";
import type { Context } from "./context.ts";
import { CliError, EXIT_DONE, EXIT_USAGE } from "./exit.ts";
import { formatJson, type Paint, printable } from "./output.ts";

export interface ExplainFlags extends RemoteFlags {
  readonly header: readonly string[];
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Asks the running gateway, so that the answer is about the rules and switches that act right now. */
export async function explain(
  method: string,
  url: string,
  flags: ExplainFlags,
  context: Context,
): Promise<number> {
  const request = { method: readMethod(method), url: readTarget(url), headers: readHeaders(flags.header) };
  const client = createAdminClient(flags);
  const answer = await client.post("/api/v1/explain", request);
  if (!isExplanation(answer)) throw notAGateway(client.url);
  const text = flags.output === "json" ? formatJson(answer) : describe(request, answer, context.paint);
  context.streams.out.write(`${text}\n`);
  return EXIT_DONE;
}

function readMethod(text: string): string {
  if (!TOKEN.test(text)) throw new CliError(`"${text}" is not a method: write GET, POST …`, EXIT_USAGE);
  return text.toUpperCase();
}

function readTarget(text: string): string {
  if (/^(\/|https?:\/\/)/.test(text)) return text;
  throw new CliError(
    `"${text}" is not a URL: write a path such as /profiles/7, or http://host/path`,
    EXIT_USAGE,
  );
}

/** Header lines as `{ name: value or values }`, in the order given. */
function readHeaders(lines: readonly string[]): Record<string, string | string[]> {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).trim();
    if (!TOKEN.test(name))
      throw new CliError(`-H "${line}" is not a header: write -H 'name: value'`, EXIT_USAGE);
    const values = headers.get(name) ?? [];
    headers.set(name, [...values, line.slice(colon + 1).trim()]);
  }
  // Entries, not assignment: a header may be called __proto__.
  return Object.fromEntries(
    [...headers].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? "") : values]),
  );
}

function isExplanation(answer: unknown): answer is Explanation {
  return typeof answer === "object" && answer !== null && "steps" in answer && Array.isArray(answer.steps);
}

function sideless({ route, reason }: Explanation): string {
  return route === null ? `none (${reason})` : `either: ${reason}`;
}

function describe(request: { method: string; url: string }, answer: Explanation, paint: Paint): string {
  const fingerprint = typeof answer.fingerprint === "string" ? `, fingerprint ${answer.fingerprint}` : "";
  const key = answer.key === null ? "none" : `${answer.key.source} = "${answer.key.value}"${fingerprint}`;
  const facts: readonly (readonly [string, string])[] = [
    ["route", answer.route ?? "none matches"],
    ["key", key],
    [
      "bucket",
      answer.bucket === null ? "none" : `${formatShare(answer.bucket)}, canary ${formatShare(answer.canary)}`,
    ],
    ["side", answer.side === null ? sideless(answer) : `${answer.side} (${answer.reason})`],
    ["backend", answer.backend ?? (answer.route === null ? "none" : "that of the side")],
    ["shadow", answer.shadow],
    ["rules", answer.rules],
  ];
  const width = Math.max(...answer.steps.map(({ step }) => printable(step).length), 0);
  return [
    paint("bold", printable(`${request.method} ${request.url}`)),
    ...facts.map(([name, value]) => `  ${name.padEnd(8)} ${printable(value)}`),
    "",
    ...answer.steps.map(
      ({ step, outcome }, index) =>
        `  ${String(index + 1).padStart(2)}. ${printable(step).padEnd(width)}  ${printable(outcome)}`,
    ),
  ].join("\n");
}
