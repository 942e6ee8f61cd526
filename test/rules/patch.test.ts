import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { loadRules } from "../../src/rules/load.ts";
import { patchIgnore, unifiedPatch } from "../../src/rules/patch.ts";
import { folderWith, HEAD, SECRET } from "./folder.ts";

const FILES = {
  "a.yaml": `${HEAD.replace("new: modern }", 'new: modern, compare: { ignore: ["$.d"] } }')}# no routes here\n`,
  "b.yaml":
    'version: 1\nroutes:\n  - name: one\n    shadow: 5%\n  - name: two\n    compare: { ignore: ["$.a"] }\n',
  "notes.txt": "no rules",
};

async function patched(t: TestContext, route: string, path: string, files: Record<string, string> = FILES) {
  const folder = await folderWith(t, files);
  const patch = await patchIgnore([folder], route, path, {});
  return { folder, patch };
}

test("the file that defines a route is found among all, and its defaults in another", async (t) => {
  const { folder, patch } = await patched(t, "one", "$.new");
  assert.ok(patch.kind === "patch");
  assert.equal(patch.file, join(folder, "b.yaml"));
  assert.equal(patch.before, FILES["b.yaml"]);
  assert.equal(patch.line, 8);
  assert.equal(patch.after.split("\n")[patch.line - 1]?.trim(), '- "$.new"');
  assert.match(patch.note ?? "", /replaces that of defaults/);
  await writeFile(patch.file, patch.after);
  const loaded = await loadRules([folder], { env: {}, keyFileSecret: SECRET });
  assert.ok(loaded.ok);
  assert.deepEqual(loaded.ruleset.routes[0]?.compare?.ignore, ["$.d", "$.new"]);
});

test("nothing is written", async (t) => {
  const { folder } = await patched(t, "one", "$.new");
  assert.equal(await readFile(join(folder, "b.yaml"), "utf8"), FILES["b.yaml"]);
});

test("what defaults of another file ignore is said to be ignored there", async (t) => {
  const { folder, patch } = await patched(t, "one", "$.d");
  assert.deepEqual(patch, { kind: "already", file: join(folder, "a.yaml"), line: 5 });
});

test("what stands in the way is said, with its place", async (t) => {
  const why = async (route: string, files: Record<string, string>, path = "$.a") => {
    const { folder, patch } = await patched(t, route, path, files);
    assert.ok(patch.kind === "cannot");
    return patch.why.replaceAll(`${folder}/`, "").replace(folder, "FOLDER");
  };
  assert.equal(await why("tow", FILES), "there is no route tow in FOLDER: did you mean two?");
  assert.match(
    await why("one", { ...FILES, "c.yaml": "version: [\n" }),
    /^c\.yaml:1:10 {2}this \[ is not closed/,
  );
  assert.equal(
    await why("two", { ...FILES, "c.yaml": "version: 1\nroutes: [{ name: two }]\n" }),
    "route two is defined more than once, at b.yaml:5:11 and c.yaml:2:18: keep one",
  );
  assert.match(await why("two", FILES, "status"), /^status is no path/);
  const missing = await patchIgnore(["/no/such/folder"], "one", "$.a", {});
  assert.deepEqual(missing, { kind: "cannot", why: "/no/such/folder: there is no such file or folder" });
});

for (const [tool, args] of [
  ["git", ["apply", "-"]],
  ["patch", ["-p0", "-s"]],
] as const) {
  const isThere = spawnSync(tool, ["--version"]).status === 0;
  test(`${tool} ${args.join(" ")} takes the patch`, {
    skip: isThere ? false : `no ${tool} here`,
  }, async (t) => {
    const rules = FILES["b.yaml"];
    for (const text of [rules, rules.trimEnd(), `\uFEFF${rules}`, rules.replaceAll("\n", "\r\n")]) {
      for (const [index, route] of ["one", "two"].entries()) {
        const name = index === 0 ? "rules/b.yaml" : "rules/b c.yaml";
        const folder = await folderWith(t, { [name]: text });
        const patch = await patchIgnore([join(folder, name)], route, "$.new", {});
        assert.ok(patch.kind === "patch");
        // Named from the folder that it is applied in, which is not the one of the tests.
        const input = unifiedPatch(name, patch.before, patch.after);
        const applied = spawnSync(tool, args, { cwd: folder, input, encoding: "utf8" });
        assert.equal(applied.status, 0, applied.stderr + applied.stdout + input);
        assert.equal(await readFile(join(folder, name), "utf8"), patch.after);
      }
    }
  });
}

test("a file outside of the working folder is named by its way there", () => {
  assert.match(
    unifiedPatch("rules/a.yaml", "a\n", "b\n"),
    /^--- \.\/rules\/a\.yaml\n\+\+\+ \.\/rules\/a\.yaml\n/,
  );
  assert.match(unifiedPatch("../a.yaml", "a\n", "b\n"), /^--- \.\.\/a\.yaml\n/);
});
