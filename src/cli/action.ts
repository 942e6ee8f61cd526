/** What the commands that change something share: one POST, and a line that says what happened. */

import { type ConnectOptions, createAdminClient } from "./client.ts";
import type { Context } from "./context.ts";
import { CliError, EXIT_DONE, EXIT_USAGE } from "./exit.ts";
import { formatJson, type OutputForm, printableLines } from "./output.ts";

export interface RemoteFlags extends ConnectOptions {
  readonly output: OutputForm;
}

/** Asks the gateway to act and prints its answer; `fallbackMessage` where the answer holds no sentence. */
export async function act(
  path: string,
  body: Readonly<Record<string, unknown>>,
  fallbackMessage: string,
  flags: RemoteFlags,
  context: Context,
): Promise<number> {
  await perform(path, body, fallbackMessage, flags, context);
  return EXIT_DONE;
}

/** The same, for who goes on with the sentence. */
export async function perform(
  path: string,
  body: Readonly<Record<string, unknown>>,
  fallbackMessage: string,
  flags: RemoteFlags,
  context: Context,
): Promise<string> {
  const answer = await createAdminClient(flags).post(path, body);
  const message = messageOf(answer) ?? fallbackMessage;
  context.streams.out.write(`${flags.output === "json" ? formatJson(answer) : printableLines(message)}\n`);
  return message;
}

function messageOf(answer: unknown): string | undefined {
  if (typeof answer !== "object" || answer === null || !("message" in answer)) return undefined;
  return typeof answer.message === "string" ? answer.message : undefined;
}

/** The path of one route in the admin API. */
export function routePath(route: string): string {
  return `/api/v1/routes/${encodeURIComponent(route)}`;
}

/** Makes sure that exactly one of a route and a flag was given. Throws CliError 2. */
export function oneTarget(
  route: string | undefined,
  other: boolean | undefined,
  flag: string,
  command: string,
): void {
  if ((route === undefined) === (other === true)) return;
  const problem = route === undefined ? "name a route" : `a route and ${flag} exclude each other`;
  throw new CliError(
    `${problem}: write \`cutover ${command} ROUTE …\` or \`cutover ${command} ${flag} …\``,
    EXIT_USAGE,
  );
}
