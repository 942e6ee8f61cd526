import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ask } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { startCollector } from "../support/collector.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const RULES = rulesFor("http://127.0.0.1:9", "http://127.0.0.1:9", "canary: 0%");
const WATCH_LOADING = {
  NODE_OPTIONS: `--import=${new URL("../support/loaded-modules.ts", import.meta.url)}`,
};

test("without --otlp nothing of OpenTelemetry is loaded; with it, by one thread alone", async (t) => {
  await using old = await startBackend(json({}));
  await using collector = await startCollector();
  const rules = rulesFor(old.url, old.url, "shadow: 100%");
  const headers = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };

  await t.test("without", async () => {
    await using gateway = await TestGateway.start({ rules, env: WATCH_LOADING });
    assert.equal((await ask(gateway.proxyUrl, { headers })).status, 200);
    assert.equal(await gateway.stop(), 0);
    assert.doesNotMatch(gateway.stderr, /loaded/);
    assert.equal(collector.seen.length, 0);
  });

  await t.test("with", async () => {
    await using gateway = await TestGateway.start({
      rules,
      flags: ["--otlp", collector.url],
      env: WATCH_LOADING,
    });
    await ask(gateway.proxyUrl, { headers });
    await collector.whenSpans(2);
    assert.equal(await gateway.stop(), 0);
    const loaders = [...gateway.stderr.matchAll(/^loaded (\S+) /gm)].map(([, thread]) => thread);
    assert.deepEqual([...new Set(loaders)], ["traces"]);
  });
});

/** The start of a gateway that does not come about. */
async function failToStart(
  command: string,
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; stderr: string }> {
  const folder = await mkdtemp(join(tmpdir(), "cutover-traces-"));
  await writeFile(join(folder, "rules.yaml"), RULES);
  const address = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--state", join(folder, "state")];
  const child = spawn(
    process.execPath,
    [command, "serve", join(folder, "rules.yaml"), ...address, ...flags],
    {
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "pipe"],
      timeout: 30_000,
    },
  );
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  await rm(folder, { recursive: true });
  return { code, stderr };
}

/** A checkout whose optional packages were left out. */
async function withoutOptional(folder: string): Promise<string> {
  await Promise.all(
    ["bin", "src", "package.json"].map((name) =>
      cp(join(ROOT, name), join(folder, name), { recursive: true }),
    ),
  );
  await mkdir(join(folder, "node_modules"));
  const names = (await readdir(join(ROOT, "node_modules"))).filter((name) => name !== "@opentelemetry");
  await Promise.all(
    names.map((name) => symlink(join(ROOT, "node_modules", name), join(folder, "node_modules", name))),
  );
  return join(folder, "bin/cutover.js");
}

test("where OpenTelemetry's packages are missing, --otlp is an error that says what to install", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cutover-omitted-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const command = await withoutOptional(folder);

  await t.test("with --otlp", async () => {
    const { code, stderr } = await failToStart(command, ["--otlp", "http://127.0.0.1:4318"]);
    assert.equal(code, 1);
    assert.match(stderr, /--otlp needs OpenTelemetry's packages.*not installed/);
    assert.match(stderr, /npm install --include=optional/);
    assert.doesNotMatch(stderr, /\n\s+at /, "no stack");
  });

  await t.test("without, the gateway starts", async () => {
    await using gateway = await TestGateway.start({ rules: RULES, command });
    assert.equal(await gateway.stop(), 0);
  });
});

test("a share without a collector, and a collector that is no URL, are wrong usage", async () => {
  const command = join(ROOT, "bin/cutover.js");
  const [share, variable, url] = await Promise.all([
    failToStart(command, ["--trace-sample", "5%"]),
    failToStart(command, [], { CUTOVER_TRACE_SAMPLE: "5%" }),
    failToStart(command, ["--otlp", "collector:4318"]),
  ]);
  for (const { code, stderr } of [share, variable]) {
    assert.equal(code, 2);
    assert.match(stderr, /give one with --otlp or CUTOVER_OTLP/);
  }
  assert.equal(url.code, 2);
  assert.match(url.stderr, /Write a URL, such as http:\/\/127\.0\.0\.1:4318/);
});
