/** `cutover ignore`: the change of the rules that hides one place, and what it would hide besides. */

import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import { shellQuoted } from "../model/curl.ts";
import type { MismatchCluster, RetroReport } from "../model/reports.ts";
import { statusAdvice } from "../model/status-advice.ts";
import { type IgnorePatch, patchIgnore } from "../rules/patch.ts";
import type { RemoteFlags } from "./action.ts";
import { type AdminClient, createAdminClient } from "./client.ts";
import type { Context } from "./context.ts";
import { CliError, EXIT_DONE, EXIT_NO, EXIT_USAGE } from "./exit.ts";
import { fetchClusters, fetchRetro, isClusterId } from "./mismatches.ts";
import { formatJson, type Paint, printable, printableLines } from "./output.ts";
import { replaceFile } from "./replace-file.ts";
import { describeHiding } from "./retro-text.ts";
import { rulesOrDefault } from "./serve.ts";

export interface IgnoreFlags extends RemoteFlags {
  readonly rules?: readonly string[];
  readonly write?: boolean;
}

/** As many as the gateway gives at once. */
const ALL_CLUSTERS = 1_000;

/**
 * Prints the patch on stdout and the words on stderr, so that `| patch -p0` takes the one and a person reads the
 * other. 0 done, also without a gateway: then what the path would hide is not told. 1 when the rules cannot be
 * changed so, or the gateway knows no such cluster; 3 when the path is a cluster's id and no gateway answers.
 */
export async function ignore(
  route: string,
  placeOrId: string,
  flags: IgnoreFlags,
  context: Context,
): Promise<number> {
  const paths = rulesOrDefault(flags.rules ?? [], `ignore ${route} PATH --rules`);
  const client = createAdminClient(flags);
  const cluster = isClusterId(placeOrId) ? await clusterOf(client, route, placeOrId) : null;
  if (cluster?.place === "status") refuseStatuses(cluster);
  const path = cluster?.place ?? placeOrId;
  const patched = await patchIgnore(paths, route, path, { ...context.env });
  if (patched.kind === "cannot") throw new CliError(patched.why, EXIT_NO);
  const found = await hiding(client, route, path);
  const isPatch = patched.kind === "patch";
  const writes = flags.write === true && isPatch;
  if (writes) await write(patched);
  const notes = [
    ...(isPatch ? [] : [`${patched.file}:${patched.line}  ${unchanged(patched, path)}`]),
    ...(isPatch && patched.note !== null ? [patched.note] : []),
    ...(cluster === null ? [] : hints(cluster)),
    ...found.lines,
    ...(isPatch && !writes ? notHere(patched.file) : []),
    ...(writes ? [`${patched.file} is written: a gateway that serves it takes it up within 2 s`] : []),
  ];
  const patch = isPatch ? patched.patch : "";
  const { out, err } = context.streams;
  if (flags.output === "json") {
    const { file } = patched;
    out.write(`${formatJson({ file, path, patch, written: writes, retro: found.report, notes })}\n`);
    return EXIT_DONE;
  }
  out.write(out.isTTY === true ? shownPatch(patch, context.paint) : patch);
  for (const note of notes) err.write(`${printableLines(note)}\n`);
  return EXIT_DONE;
}

function unchanged(edit: Exclude<IgnorePatch, { kind: "patch" | "cannot" }>, path: string): string {
  return edit.kind === "already" ? `${path} is ignored already` : edit.why;
}

/** Programs that apply patches refuse names that lead out of the folder in which they run. */
function notHere(file: string): string[] {
  if (!/^(\.\.|\/|[A-Za-z]:)/.test(relative("", file))) return [];
  return [
    `git apply and patch -p0 take no file outside of this folder: add --write, or pipe it into patch ${shellQuoted(file)}`,
  ];
}

/** What of a cluster is needed here. */
type Found = Pick<MismatchCluster, "place" | "kind" | "relation"> & {
  /** Null: only stored pairs know of it. */
  readonly example: MismatchCluster["example"] | null;
};

/**
 * The cluster of the route by its id, also one that only stored pairs know of: clusters begin anew with other rules of
 * comparison. Throws CliError: 1 when there is none, 3 without a gateway.
 */
async function clusterOf(client: AdminClient, route: string, id: string): Promise<Found> {
  const clusters = await fetchClusters(client, route, ALL_CLUSTERS);
  const found = clusters.find((cluster) => cluster.id === id);
  if (found !== undefined) return found;
  const stored = (await fetchRetro(client, { route })).clusters.find((cluster) => cluster.id === id);
  if (stored !== undefined) return { place: stored.place, kind: stored.kind, relation: null, example: null };
  throw new CliError(
    `${route} has no cluster ${id}: \`cutover mismatches ${route}\` lists them with their ids, and with --retro those of stored pairs`,
    EXIT_NO,
  );
}

/** Statuses are no path: the refusal has the words for those that were seen. Throws CliError 1, where they are known. */
function refuseStatuses({ example }: Found): void {
  const advice = statusAdvice(example?.old ?? null, example?.new ?? null);
  if (advice === null) return;
  throw new CliError(
    advice.kind === "failure"
      ? advice.why
      : `status is no path: where these two mean the same write compare: { ${advice.rule} }`,
    EXIT_NO,
  );
}

/** What is better than to hide it. */
function hints({ kind, place, relation }: Found): string[] {
  if (kind === "order") {
    return [`only the order differs at ${place}: \`unordered: ["${place}"]\` goes on comparing the items`];
  }
  if (relation === null) return [];
  const renaming = renameRule(place, relation.name);
  if (renaming !== null)
    return [`${relation.name} there: \`rename: ${renaming}\` goes on comparing its value`];
  return [`new follows old there (${relation.name}): to hide it hides other changes of the place too`];
}

/** The rule for a member that was found under another name beside its own; null: it is no such, or not to be spelled. */
function renameRule(place: string, relation: string): string | null {
  const [, way, name] = /^renamed (to|from) "([A-Za-z_]\w*)"$/.exec(relation) ?? [];
  const [, parent] = /^(\$.*)\.[A-Za-z_]\w*$/.exec(place) ?? [];
  if (name === undefined || parent === undefined || parent.includes("..")) return null;
  const [old, fresh] = way === "to" ? [place, `${parent}.${name}`] : [`${parent}.${name}`, place];
  return `{ "${old}": "${fresh}" }`;
}

interface Hiding {
  readonly lines: readonly string[];
  /** By the rules in force and the path; null: not known. */
  readonly report: RetroReport | null;
}

/** Both judgements of the stored pairs. The patch is the main thing: a gateway that cannot say is only a note. */
async function hiding(client: AdminClient, route: string, path: string): Promise<Hiding> {
  try {
    const now = await fetchRetro(client, { route });
    const then = await fetchRetro(client, { route, ignore: path });
    return { lines: describeHiding(route, path, now, then), report: then };
  } catch (error) {
    if (!(error instanceof CliError) || error.exitCode === EXIT_USAGE) throw error;
    return { lines: [`what it would hide is not known: ${error.message}`], report: null };
  }
}

async function write({ file, before, after }: Extract<IgnorePatch, { kind: "patch" }>): Promise<void> {
  try {
    if ((await readFile(file, "utf8")) === before) return await replaceFile(file, after);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(`${file} cannot be written, and is as it was: ${why}`, EXIT_NO);
  }
  throw new CliError(
    `${file} was changed by someone else meanwhile, and is as they left it: try again`,
    EXIT_NO,
  );
}

/** A patch as a terminal may show it. Elsewhere it goes out byte for byte: `patch` wants it so. */
function shownPatch(patch: string, paint: Paint): string {
  return patch
    .split("\n")
    .map((line) => {
      const text = line.replace(/\r$/, "").split("\t").map(printable).join("\t");
      if (/^(?:\+\+\+|---)/.test(line)) return paint("bold", text);
      if (line.startsWith("@@")) return paint("cyan", text);
      if (line.startsWith("+")) return paint("green", text);
      return line.startsWith("-") ? paint("red", text) : text;
    })
    .join("\n");
}
