/** `cutover reload`: the rules again, now, with what changed in meaning. */

import type { RemoteFlags } from "./action.ts";
import { createAdminClient, notAGateway } from "./client.ts";
import type { Context } from "./context.ts";
import { EXIT_DONE, EXIT_NO } from "./exit.ts";
import { formatJson, printableLines, shortTime } from "./output.ts";

export interface ReloadFlags extends RemoteFlags {
  readonly reason?: string;
}

/** 0 when the new rules act; 1 with every error when they are broken, and the last good ones still serve. */
export async function reload(flags: ReloadFlags, context: Context): Promise<number> {
  const client = createAdminClient(flags);
  const answer = await client.post("/api/v1/reload", { reason: flags.reason ?? "cutover reload" });
  if (typeof answer !== "object" || answer === null) throw notAGateway(client.url);
  const report = answer as Readonly<Record<string, unknown>>;
  const { out, err } = context.streams;
  if (flags.output === "json") out.write(`${formatJson(answer)}\n`);
  else if (report.ok === false) err.write(`${lines(report.errors).join("\n")}\n`);
  else out.write(`${describe(report)}\n`);
  return report.ok === false ? EXIT_NO : EXIT_DONE;
}

function describe(report: Readonly<Record<string, unknown>>): string {
  const changes = lines(report.changes);
  const version = printableLines(String(report.version ?? "unknown"));
  if (changes.length > 0) return [`rules ${version} act now:`, ...listed(report)].join("\n");
  const { inForce } = report;
  if (typeof inForce !== "object" || inForce === null) return `rules ${version} act already: nothing changed`;
  const load = inForce as Readonly<Record<string, unknown>>;
  const since = `rules ${version} act already: nothing changed since ${shortTime(String(load.at))}`;
  if (load.by === null) return `${since}, when the gateway started with them`;
  const by = load.by === "rules" ? "as the files changed" : "by a reload";
  return [`${since}, when they were loaded ${by}:`, ...listed(load)].join("\n");
}

function listed({ changes, notes }: Readonly<Record<string, unknown>>): string[] {
  return [...lines(changes).map((change) => `  ${change}`), ...lines(notes).map((note) => `  note: ${note}`)];
}

function lines(value: unknown): string[] {
  return Array.isArray(value) ? value.map((line) => printableLines(String(line))) : [];
}
