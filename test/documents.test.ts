import assert from "node:assert/strict";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runCommandLine } from "../src/cli/program.ts";
import { FAILURES } from "../src/model/failures.ts";
import { REASONS } from "../src/model/reasons.ts";
import { rulesJsonSchema } from "../src/rules/jsonschema.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const DOCUMENTS = globSync(["*.md", "docs/**/*.md"], { cwd: ROOT });

async function runCli(...args: string[]): Promise<{ exitCode: number; out: string; err: string }> {
  const texts: { out: string[]; err: string[] } = { out: [], err: [] };
  const streams = {
    out: { write: (text: string) => texts.out.push(text) },
    err: { write: (text: string) => texts.err.push(text) },
  };
  const exitCode = await runCommandLine(args, streams, {});
  return { exitCode, out: texts.out.join(""), err: texts.err.join("") };
}

/** Fenced blocks of one language. */
function blocks(document: string, language: string): string[] {
  return [...document.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(
    (match) => match[1] ?? "",
  );
}

describe("documents", () => {
  test("every whole rules file in them passes `cutover check`", async () => {
    const folder = mkdtempSync(join(tmpdir(), "cutover-documents-"));
    try {
      let checked = 0;
      for (const document of DOCUMENTS) {
        for (const yaml of blocks(read(document), "yaml").filter((text) => text.startsWith("version: 1"))) {
          const file = join(folder, "rules.yaml");
          writeFileSync(file, yaml);
          const { exitCode, err } = await runCli("check", file);
          assert.equal(exitCode, 0, `${document}:\n${err}`);
          checked++;
        }
      }
      assert.ok(checked >= 2);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("the README shows the sample rules as they are", () => {
    const sample = read("rules/profiles.yaml").replace(/^#.*\n/, "");
    assert.equal(blocks(read("README.md"), "yaml")[0], sample);
  });

  test("no link within them is broken", () => {
    for (const document of DOCUMENTS) {
      for (const [, target = ""] of read(document).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const path = resolve(ROOT, dirname(document), target.replace(/#.*/, ""));
        assert.ok(existsSync(path), `${document} links to ${relative(ROOT, path)}, which is not there`);
      }
    }
  });

  test("docs/rules.md names every field of the rules", () => {
    const document = read("docs/rules.md");
    for (const name of propertyNames(rulesJsonSchema()))
      assert.match(document, new RegExp(`[\`.{ ]${name}\\b`), `${name} is missing`);
  });

  test("docs/rules.md names every reason, and docs/logs.md every failure", () => {
    const rules = read("docs/rules.md");
    const logs = read("docs/logs.md");
    // An operator's pin is not built yet.
    for (const reason of REASONS.filter((each) => each !== "pinned-new"))
      assert.ok(rules.includes(reason), reason);
    for (const failure of FAILURES) assert.ok(logs.includes(`\`${failure}\``), failure);
  });

  test("docs/cli.md names every command, flag and variable", async () => {
    const document = read("docs/cli.md");
    const commands = [...(await runCli("--help")).out.matchAll(/^ {2}([a-z]+) /gm)].map(
      ([, name = ""]) => name,
    );
    assert.ok(commands.includes("serve") && commands.includes("status"));
    for (const command of commands.filter((name) => name !== "help")) {
      assert.ok(document.includes(`cutover ${command}`), command);
      const { out } = await runCli(command, "--help");
      for (const [flag] of out.matchAll(/--[a-z-]+/g)) {
        if (flag !== "--help") assert.ok(document.includes(flag), `${command} ${flag}`);
      }
      for (const [variable] of out.matchAll(/CUTOVER_[A-Z_]+/g))
        assert.ok(document.includes(variable), `${command}: ${variable}`);
    }
  });

  test("docs/metrics.md names every metric of our own", () => {
    const document = read("docs/metrics.md");
    const names = new Set(read("src/observe/metrics.ts").match(/\bcutover_[a-z_]+/g));
    assert.ok(names.size >= 16);
    for (const name of names) assert.ok(document.includes(`\`${name}\``), name);
  });

  test("docs/admin-api.md names every endpoint", () => {
    const document = read("docs/admin-api.md");
    const paths = [...read("src/admin/api.ts").matchAll(/(?:get|post)\(["`](\/[^"`]*)["`]/g)];
    assert.ok(paths.length >= 15);
    for (const [, path = ""] of paths) {
      const shown = path
        .replace(":name", "NAME")
        .replace(":id", "ID")
        .replace(":file", "FILE")
        .replace(/\/\$\{action\}$/, "/promote");
      assert.ok(document.includes(shown), shown);
    }
  });
});

/** Names of all fields, at any depth, but for those that users choose. */
function propertyNames(schema: unknown): Set<string> {
  const names = new Set<string>();
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    if ("properties" in node && typeof node.properties === "object" && node.properties !== null)
      for (const name of Object.keys(node.properties)) names.add(name);
    for (const value of Object.values(node)) visit(value);
  };
  visit(schema);
  return names;
}
