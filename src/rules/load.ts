/** Rules files → Ruleset, or every mistake in them, placed. */

import { createHash } from "node:crypto";
import { resolve } from "node:path";
import type { Backend, Route, Ruleset } from "../model/ruleset.ts";
import { type Attachments, createAttachments } from "./attachments.ts";
import { checkDefaultKey, checkRoute } from "./checks.ts";
import { type Draft, draftOf } from "./draft.ts";
import type { Env } from "./env.ts";
import { type MergedRoute, mergedRoute } from "./merge.ts";
import { fileProblem, inOrder, MAX_PROBLEMS, type Problem } from "./problem.ts";
import { decodeUtf8, listRulesFiles, ReadError, type RulesFile, readRulesFile } from "./read.ts";
import { type Report, resolveBackend, resolveLimits } from "./resolve-backend.ts";
import { resolveRoute } from "./resolve-route.ts";
import { problemAtPlace, type SourceFile } from "./source-file.ts";
import { suggestion } from "./suggest.ts";
import { warningsOf } from "./warnings.ts";
import { parseYaml } from "./yaml.ts";

export type { Problem } from "./problem.ts";

export interface LoadOptions {
  readonly env: Env;
  /** Salts the fingerprints of key files; the same one over reloads keeps them comparable. */
  readonly keyFileSecret: string;
}

/** `watched`: absolute paths of all files read or looked for, and of all folders listed. */
export type LoadResult =
  | {
      readonly ok: true;
      readonly ruleset: Ruleset;
      readonly warnings: readonly string[];
      readonly watched: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly watched: readonly string[] };

/**
 * Loads files and folders of rules. Never throws for what users can get wrong: all of their mistakes come back
 * at once, in file and line order.
 */
export async function loadRules(paths: readonly string[], options: LoadOptions): Promise<LoadResult> {
  const read = await readAll(paths, options.env);
  const attachments = createAttachments(options.keyFileSecret);
  const { draft, problems: formProblems } = draftOf(read.sources);
  const built = await build(draft, attachments);
  const watched = [...new Set([...read.watched, ...attachments.watched])];
  const all = [...read.problems, ...formProblems, ...built.problems, ...attachments.problems];
  // A reference in an unreadable file is no unknown name: with files missing, only their own problems count.
  const problems = read.isComplete ? all : [...read.problems, ...formProblems];
  if (problems.length > 0 || !built.parts) {
    return { ok: false, problems: inOrder(unique(problems), read.order), watched };
  }
  const ruleset: Ruleset = { version: versionOf(read, attachments, options.env), ...built.parts };
  return { ok: true, ruleset, warnings: warningsOf(built.merged, ruleset), watched };
}

interface ReadResult {
  readonly sources: readonly SourceFile[];
  /** Name and digest of each file, in order. */
  readonly digests: readonly (readonly [string, string])[];
  readonly variables: readonly string[];
  readonly problems: readonly Problem[];
  readonly watched: readonly string[];
  readonly order: readonly string[];
  /** Every file could be parsed. */
  readonly isComplete: boolean;
}

async function readAll(paths: readonly string[], env: Env): Promise<ReadResult> {
  const listing = await listRulesFiles(paths);
  const sources: SourceFile[] = [];
  const digests: [string, string][] = [];
  const variables = new Set<string>();
  const problems = listing.failures.map(({ path, why }) => fileProblem(path, why));
  for (const file of listing.files) {
    const bytes = await readRules(file, problems);
    if (bytes === null) continue;
    digests.push([file.name, createHash("sha256").update(bytes.raw).digest("hex")]);
    const parsed = parseYaml({ path: file.path, text: bytes.text }, env);
    problems.push(...parsed.problems);
    for (const name of parsed.variables) variables.add(name);
    if (parsed.file) sources.push(parsed.file);
  }
  return {
    sources,
    digests,
    variables: [...variables].sort(),
    problems,
    watched: [...paths, ...listing.folders, ...listing.files.map((file) => file.path)].map((path) =>
      resolve(path),
    ),
    order: listing.files.map((file) => file.path),
    isComplete: sources.length === listing.files.length && listing.failures.length === 0,
  };
}

async function readRules(
  file: RulesFile,
  problems: Problem[],
): Promise<{ raw: Buffer; text: string } | null> {
  try {
    const raw = await readRulesFile(file.path);
    return { raw, text: decodeUtf8(raw) };
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    problems.push(fileProblem(file.path, error.message));
    return null;
  }
}

interface Built {
  /** Null when something is missing; then there are problems. */
  readonly parts: Omit<Ruleset, "version"> | null;
  readonly merged: readonly MergedRoute[];
  readonly problems: readonly Problem[];
}

async function build(draft: Draft, attachments: Attachments): Promise<Built> {
  const problems: Problem[] = [];
  const report: Report = (place, message) => {
    if (problems.length < MAX_PROBLEMS) problems.push(problemAtPlace(place, message));
  };

  const backends: Record<string, Backend> = {};
  for (const [name, part] of draft.backends) {
    const backend = await resolveBackend(name, part, attachments, report);
    if (backend) backends[name] = backend;
  }
  const names = [...draft.backends.keys()];
  const unmatched = draft.unmatched?.backend ?? null;
  if (draft.unmatched && unmatched !== null && !names.includes(unmatched)) {
    report(
      draft.unmatched,
      `unmatched is ${unmatched}: there is no such backend: ${suggestion(unmatched, names)}`,
    );
  }

  const merged = mergeAll(draft);
  const routes: Route[] = [];
  for (const route of merged) {
    checkRoute(route, names, report);
    const newFile = route.fields.split?.newFile;
    const keyFile =
      newFile === undefined ? null : await attachments.keyFile(route.placeOf(["split", "newFile"]), newFile);
    const newBackend = route.fields.new;
    const newHeadersMs =
      newBackend !== undefined && Object.hasOwn(backends, newBackend)
        ? (backends[newBackend]?.timeouts.headersMs ?? null)
        : null;
    if (route.fields.old !== undefined)
      routes.push(resolveRoute(route, route.fields.old, keyFile, newHeadersMs));
  }
  checkDefaultKey(merged, report);
  const limits = resolveLimits(draft.limits?.fields ?? null);
  return { parts: { backends, unmatched, limits, routes }, merged, problems };
}

/** Of a route with mistakes, the fields that are sound. */
function mergeAll(draft: Draft): MergedRoute[] {
  return draft.routes.flatMap((part) =>
    part.fields ? [mergedRoute(part, part.fields, draft.defaults)] : [],
  );
}

/** Names and contents of all that was read, so that equal rules have equal versions on every machine. */
function versionOf(read: ReadResult, attachments: Attachments, env: Env): string {
  const attached = attachments.digests.map((digest) => digest.join(" ")).sort();
  const variables = read.variables.map((name) => [name, env[name] ?? null]);
  const all = JSON.stringify([read.digests, attached, variables]);
  return createHash("sha256").update(all).digest("hex").slice(0, 12);
}

/** One mistake under defaults is found once for each route that takes it over. */
function unique(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [problem.text, problem])).values()];
}
