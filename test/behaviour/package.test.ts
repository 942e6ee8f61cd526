import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { json, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Scripts that begin with `#!/usr/bin/env node` run on the Node that runs this test. */
const ENV = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}` };
/** All that packing reads. A copy, so that no test writes into the checkout. */
const SOURCES = [
  "package.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "bin",
  "src",
  "scripts",
  "rules",
  "docs",
  "README.md",
  "ARCHITECTURE.md",
  "CHANGELOG.md",
  "LICENSE",
];

interface LockedPackage {
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

interface Lock {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(path, "utf8")) as T;
}

/** Packs a copy of the checkout; returns the tarball's path and the files in it. */
async function pack(folder: string): Promise<{ tarball: string; files: string[] }> {
  const copy = join(folder, "checkout");
  await mkdir(copy);
  await Promise.all(SOURCES.map((name) => cp(join(ROOT, name), join(copy, name), { recursive: true })));
  await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"), "dir");
  await run("npm", ["pack", "--pack-destination", folder], { cwd: copy, env: ENV });
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  assert.ok(tarball, "npm pack makes a tarball");
  const path = join(folder, tarball);
  const { stdout } = await run("tar", ["-tzf", path]);
  return { tarball: path, files: stdout.trim().split("\n") };
}

/** Installs the tarball alone, its dependencies in the versions of our lock: that needs no registry's metadata. */
async function install(tarball: string, folder: string): Promise<void> {
  const { version, dependencies, bin, engines } = await readJson<Record<string, unknown>>(
    join(ROOT, "package.json"),
  );
  const { lockfileVersion, packages } = await readJson<Lock>(join(ROOT, "package-lock.json"));
  const runtime = Object.entries(packages).filter(([path, { dev }]) => path !== "" && dev !== true);
  for (const [path, { hasInstallScript }] of runtime)
    assert.notEqual(hasInstallScript, true, `${path} has an install script`);
  const manifest = {
    name: "empty",
    version: "1.0.0",
    private: true,
    dependencies: { cutover: `file:${tarball}` },
  };
  const packed = { version, resolved: `file:${tarball}`, dependencies, bin, engines };
  const lock = {
    ...manifest,
    lockfileVersion,
    packages: { "": manifest, "node_modules/cutover": packed, ...Object.fromEntries(runtime) },
  };
  await mkdir(folder);
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  await writeFile(join(folder, "package-lock.json"), JSON.stringify(lock));
  const flags = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];
  await run("npm", ["ci", ...flags], { cwd: folder, env: ENV });
}

test("the published package", { timeout: 300_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cutover-package-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { tarball, files } = await pack(folder);
  const home = join(folder, "empty");
  await install(tarball, home);
  const cutover = (...args: string[]) => run(join(home, "node_modules/.bin/cutover"), args, { env: ENV });

  await t.test("holds what it runs and what a reader needs, no sources and no tests", () => {
    const names = files.map((file) => file.replace(/^package\//, ""));
    const built = ["dist/main.js", "dist/dashboard/dashboard.js", "dist/dashboard/LICENSES.txt"];
    const wanted = ["bin/cutover.js", ...built, "rules/profiles.yaml", "rules/rules.schema.json"];
    for (const name of [
      ...wanted,
      "README.md",
      "ARCHITECTURE.md",
      "CHANGELOG.md",
      "LICENSE",
      "docs/rules.md",
    ])
      assert.ok(names.includes(name), `${name} is missing`);
    const outside = names.filter(
      (name) => !/^(bin|dist|rules|docs)\/|^[A-Z]+(\.md)?$|^package\.json$/.test(name),
    );
    assert.deepEqual(outside, []);
  });

  await t.test("needs no development dependency", async () => {
    const installed = await readdir(join(home, "node_modules"));
    const { devDependencies } = await readJson<{ devDependencies: Record<string, string> }>(
      join(ROOT, "package.json"),
    );
    for (const name of Object.keys(devDependencies)) assert.ok(!installed.includes(name), `${name} is there`);
  });

  await t.test("says its version, and checks the sample rules that it brings", async () => {
    const { version } = await readJson<{ version: string }>(join(ROOT, "package.json"));
    assert.equal((await cutover("--version")).stdout.trim(), version);
    const { stdout } = await cutover("check", join(home, "node_modules/cutover/rules"));
    assert.match(stdout, /valid/);
  });

  await t.test("serves, compares on a thread of its own, and ends when it is told to", async () => {
    await using old = await startBackend(json({ name: "a" }));
    await using fresh = await startBackend(json({ name: "b" }));
    await using gateway = await TestGateway.start({
      rules: rulesFor(old.url, fresh.url, "shadow: 100%"),
      command: join(home, "node_modules/cutover/bin/cutover.js"),
    });
    const answer = await fetch(`${gateway.proxyUrl}/x`);
    assert.deepEqual(await answer.json(), { name: "a" });
    assert.equal(answer.headers.get("x-cutover-side"), "old");
    await until("the pair is compared", async () => (await gateway.route("r")).comparisons.mismatch === 1);
    const ready = await cutover("status", "--ready", "--admin", gateway.adminUrl);
    assert.equal(ready.stdout, "ready\n");
    const script = await fetch(`${gateway.adminUrl}/assets/dashboard.js`);
    assert.equal(script.status, 200, "the dashboard is served without what bundled it");
    assert.match(script.headers.get("content-type") ?? "", /^text\/javascript/);
    assert.equal(await gateway.stop(), 0);
    assert.equal(gateway.stderr, "");
  });
});
