/** Rules in a temporary folder, for the tests of this folder. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import type { Route, Ruleset } from "../../src/model/ruleset.ts";
import type { Env } from "../../src/rules/env.ts";
import { loadRules } from "../../src/rules/load.ts";

export const SECRET = "a secret of the tests";

/** What most rules begin with: two backends and the defaults. */
export const HEAD = `version: 1
backends:
  legacy: { url: http://127.0.0.1:9001 }
  modern: { url: http://127.0.0.1:9002 }
defaults: { old: legacy, new: modern }
`;

/** A folder that goes away with the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "cutover-rules-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function folderWith(
  t: TestContext,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<string> {
  const folder = temporaryFolder(t);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

export async function loadText(t: TestContext, text: string, env: Env = {}) {
  const folder = await folderWith(t, { "rules.yaml": text });
  return await loadRules([folder], { env, keyFileSecret: SECRET });
}

/** The ruleset of a text that must be right. */
export async function rulesOf(t: TestContext, text: string, env: Env = {}): Promise<Ruleset> {
  const result = await loadText(t, text, env);
  assert.ok(result.ok, result.ok ? "" : result.problems.map((problem) => problem.text).join("\n"));
  return result.ruleset;
}

/** The one route of a text that begins with HEAD. */
export async function routeOf(t: TestContext, route: string, head = HEAD): Promise<Route> {
  const ruleset = await rulesOf(t, `${head}routes:\n  - name: r\n${indent(route)}`);
  const [first] = ruleset.routes;
  assert.ok(first);
  return first;
}

/** "line:column  message" of each problem of a text that must be wrong. */
export async function mistakesIn(t: TestContext, text: string, env: Env = {}): Promise<string[]> {
  const result = await loadText(t, text, env);
  assert.ok(!result.ok, "there should be problems");
  return result.problems.map((problem) => `${problem.line}:${problem.column}  ${problem.message}`);
}

/** The messages about one route that follows HEAD. */
export async function routeMistakes(t: TestContext, route: string, head = HEAD): Promise<string[]> {
  const mistakes = await mistakesIn(t, `${head}routes:\n  - name: r\n${indent(route)}`);
  return mistakes.map((mistake) => mistake.replace(/^\S+ {2}/, ""));
}

const indent = (text: string) => text.replace(/^(?=.)/gm, "    ");
