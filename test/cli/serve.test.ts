import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const CUTOVER = fileURLToPath(new URL("../../bin/cutover.js", import.meta.url));
let folder: string;
let rules: string;
/** Accepts requests and never answers. */
const silent = createServer(() => undefined);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "cutover-serve-"));
  rules = join(folder, "rules.yaml");
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  await writeFile(
    rules,
    `version: 1\nbackends:\n  legacy: { url: "http://127.0.0.1:${port}" }\nroutes:\n  - { name: all, match: { path: "/**" }, old: legacy }\n`,
  );
});
after(async () => {
  silent.closeAllConnections();
  silent.close();
  await rm(folder, { recursive: true, force: true });
});

interface Running {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  out: string;
  err: string;
}

function start(args: readonly string[], cwd = folder): Running {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("CUTOVER_")),
  );
  const child = spawn(process.execPath, [CUTOVER, ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const { promise: exit, resolve } = Promise.withResolvers<number | null>();
  const running: Running = { child, exit, out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    running.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    running.err += text;
  });
  child.once("close", (code) => resolve(code));
  return running;
}

/** Starts a gateway and resolves with its client-facing address when it says that it listens. */
async function startGateway(state: string): Promise<Running & { readonly proxy: string }> {
  const ports = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
  const running = start([
    "serve",
    rules,
    ...ports,
    "--state",
    join(folder, state),
    "--threads",
    "1",
    "--drain-delay",
    "0",
  ]);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  if (running.child.stdout === null) throw new Error("no output to read");
  createInterface({ input: running.child.stdout }).on("line", (line) => {
    const event = JSON.parse(line) as { readonly msg?: string; readonly proxy?: string };
    if (event.msg === "listening") resolve(event.proxy ?? "");
  });
  void running.exit.then((code) => reject(new Error(`exit ${code}: ${running.err}`)));
  return Object.assign(running, { proxy: await promise });
}

test("SIGTERM drains, and an orderly end is exit 0, with nothing to be said", async () => {
  const gateway = await startGateway("orderly");
  gateway.child.kill("SIGTERM");
  assert.equal(await gateway.exit, 0, gateway.err);
  assert.doesNotMatch(gateway.err, /unrecognized flag/, "V8 knows what it is asked for");
});

test("the signal that npm repeats is no impatience; a later one ends a drain that waits", async () => {
  const gateway = await startGateway("impatient");
  const waiting = request(`${gateway.proxy}/forever`);
  waiting.on("error", () => undefined);
  waiting.end();
  await once(silent, "request");
  const startedMs = performance.now();
  gateway.child.kill("SIGINT");
  gateway.child.kill("SIGINT");
  const repeat = setInterval(() => gateway.child.kill("SIGTERM"), 300);
  assert.equal(await gateway.exit, 1, gateway.err);
  clearInterval(repeat);
  assert.ok(performance.now() - startedMs > 900, "the repeated signal must not have ended it");
  assert.match(gateway.err, /again: stopping at once/);
});

test("rules that are broken end serve with exit 1, the place, and no stack", async () => {
  const broken = join(folder, "broken.yaml");
  await writeFile(broken, "version: 1\nrouts: []\n");
  const gateway = start([
    "serve",
    broken,
    "--listen",
    "127.0.0.1:0",
    "--admin",
    "127.0.0.1:0",
    "--state",
    join(folder, "s"),
  ]);
  assert.equal(await gateway.exit, 1);
  assert.match(gateway.err, /broken\.yaml:2:1/);
  assert.doesNotMatch(gateway.err, /\n\s+at /);
});

test("serve and check without rules say what to write", async () => {
  const empty = await mkdtemp(join(folder, "empty-"));
  for (const command of ["serve", "check"]) {
    const running = start([command], empty);
    assert.equal(await running.exit, 2);
    assert.match(running.err, new RegExp(`write \`cutover ${command} FILE-OR-FOLDER\``));
  }
});

test("check answers 0 and one line, or 1 and every error", async () => {
  const good = start(["check", rules]);
  assert.equal(await good.exit, 0);
  assert.match(good.out, /: 1 route, 1 backend, version [0-9a-f]{12}: valid\n$/);
  const bad = join(folder, "bad.yaml");
  await writeFile(
    bad,
    "version: 1\nbackends: { a: { url: ftp://x } }\nroutes: [{ name: r, old: b, canary: 105% }]\n",
  );
  const text = start(["check", bad]);
  assert.equal(await text.exit, 1);
  assert.match(text.err, /bad\.yaml:2:\d+[\s\S]*bad\.yaml:3:\d+[\s\S]*errors in 1 file/);
  const json = start(["check", bad, "-o", "json"]);
  assert.equal(await json.exit, 1);
  const { ok, problems } = JSON.parse(json.out) as { ok: boolean; problems: unknown[] };
  assert.equal(ok, false);
  assert.ok(problems.length >= 2);
});

test("check --print is YAML that resolves to the same again", async () => {
  const printed = start(["check", rules, "--print"]);
  assert.equal(await printed.exit, 0);
  assert.match(printed.out, /^version: 1\n/);
  const json = start(["check", rules, "--print", "-o", "json"]);
  assert.equal(await json.exit, 0);
  assert.equal((JSON.parse(json.out) as { version: number }).version, 1);
});

test("a reader that stops reading is no failure", async () => {
  const running = start(["schema"]);
  running.child.stdout?.destroy();
  assert.equal(await running.exit, 0);
  assert.equal(running.err, "");
});
